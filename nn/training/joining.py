"""What several processes do before they train one model: they compare, take over the first one's state, and part ways
where each draws random numbers of its own."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff import __version__

from ..layers.module import Module
from .checks import what_is
from .loader import DataLoader
from .processes import Processes

if TYPE_CHECKING:
    from .learner import Learner
    from .run import Run

Array = Any
Place = tuple[Module, str]


def group(parallel: Any) -> Processes | None:
    """The processes that ``Learner(parallel=)`` means, if they are several: True is all that mpiexec has started."""
    if parallel is None or parallel is False:
        return None
    if parallel is True or callable(getattr(parallel, "Get_rank", None)):
        parallel = Processes(None if parallel is True else parallel)
    if not isinstance(parallel, Processes):
        raise TypeError(
            f"Learner: parallel is {what_is(parallel)}; it must be True, False, nn.Processes, or a communicator of "
            "mpi4py"
        )
    return parallel if parallel.size > 1 else None


def join(processes: Processes, run: Run) -> None:
    """Let all processes begin alike, from the state of the first one; each with random numbers of its own."""
    learner = run.learner
    processes.agree("fit", _facts(learner, run))
    state = learner.model.state_dict()
    processes.broadcast(state.values())
    if not processes.leads:
        learner.model.load_state_dict(state)
    if hasattr(learner.optimizer, "load_state_dict"):
        state = processes.told(learner.optimizer.state_dict() if processes.leads else None)
        if not processes.leads:
            learner.optimizer.load_state_dict(state)
    _part_ways(processes, learner, run.streams)


def follow(processes: Processes, data: DataLoader) -> None:
    """Let the next pass have the order that the first process gives it."""
    if data.rng is not None:
        data.rng.bit_generator.state = processes.told(data.rng.bit_generator.state)


def _facts(learner: Learner, run: Run) -> dict[str, str]:
    """What must be the same in all processes, and is compared."""
    optimizer = learner.optimizer
    shapes = [f"{name} {p.dtype}{p.shape}" for name, p in learner.model.named_parameters()]
    return {
        "their version": f"pullback {__version__}, NumPy {np.__version__}",
        "the model": f"{len(shapes)} parameters, {_short(' '.join(shapes))}",
        "the code of the model": _short(_code(type(learner.model)) + _code(learner.loss)),
        "the optimizer": f"{optimizer!r}",
        "the data": f"{run.data!r}",
        "where they begin": f"epoch {run.epoch}, step {run.step}",
        "the limits": f"accumulate={learner.accumulate}, norm {learner.clip_norm}, value {learner.clip_value}",
    }


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _code(thing: Any) -> str:
    """The source of a class or a function; nothing where there is none."""
    try:
        return inspect.getsource(thing if inspect.isclass(thing) or inspect.isfunction(thing) else type(thing))
    except (OSError, TypeError):
        return ""


# -- random numbers ------------------------------------------------------------------------------------------------


def streams_of(learner: Learner) -> list[Place]:
    """Where the model, and a loss that is a module, hold random generators."""
    return [
        (module, name)
        for part in (learner.model, learner.loss)
        if isinstance(part, Module)
        for module in part.modules()
        for name, value in sorted(vars(module).items())
        if isinstance(value, np.random.Generator)
    ]


def states(processes: Processes, learner: Learner) -> list[Any]:
    """The states of the generators in the model, of each process."""
    return processes.all([getattr(m, name).bit_generator.state for m, name in streams_of(learner)])


def _part_ways(processes: Processes, learner: Learner, kept: list[Any]) -> None:
    """Give each process but the first generators of its own: those of a state to go on from, or new ones."""
    places = streams_of(learner)
    first = processes.told([getattr(module, name).bit_generator.state for module, name in places])
    if processes.leads:
        return
    again = kept[processes.rank] if len(kept) == processes.size else None
    made: dict[int, np.random.Generator] = {}
    for i, (module, name) in enumerate(places):
        old = getattr(module, name)
        if id(old) not in made:
            kind: Any = type(old.bit_generator)
            seed = np.random.SeedSequence([*_numbers(first[i]), processes.rank])
            new = made[id(old)] = np.random.Generator(kind(seed))
            if again is not None:
                new.bit_generator.state = again[i]
        setattr(module, name, made[id(old)])


def _numbers(state: Any) -> Iterator[int]:
    """The numbers of a state, from which others are seeded."""
    yield from hashlib.sha256(repr(state).encode()).digest()
