"""Training files: a model as :func:`nn.save` writes it, with the state of its training, taken over in place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor, mark_written

from ..layers.module import Module
from . import generators
from .building import Builder, DamagedError
from .describing import Describer
from .known import Classes
from .model_file import read_described, write_described

Array = Any
STATE = "checkpoint"
"""The name of the state of the training among the extras of the file."""
_REFERENCES = ("array", "variable", "object", "generator")


def write(path: str | os.PathLike[str], held: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write the modules in ``held``, one of which is "model", and the state of their training.

    What a module holds that is no data is only noted, so that every training can be continued.
    """
    describer, parts = _described("checkpoint", held)
    parts["extra"] = describer.described({STATE: dict(state)}, "extra")
    write_described(path, describer, parts)


def _described(who: str, held: Mapping[str, Any]) -> tuple[Describer, dict[str, Any]]:
    describer = Describer(who, lenient=True)
    describer.name_arrays(held["model"])
    parts = {name: describer.described(part, "" if name == "model" else name) for name, part in held.items()}
    return describer, parts


def read(
    path: str | os.PathLike[str], held: Mapping[str, Any], entries: set[str]
) -> tuple[dict[str, Any], Callable[[], None]]:
    """The state of a training, which has these entries, and a function that gives the modules in ``held`` theirs.

    Raises ValueError if the modules are not those of the file; then nothing has changed.
    """
    where = os.fspath(path)
    table, arrays = read_described(path)
    describer, parts = _described("resume", held)
    try:
        transfer = _Transfer(table, arrays, describer)
        if {name: part for name, part in table["parts"].items() if name != "extra"} != parts:
            raise DamagedError(f"it holds {', '.join(table['parts'])}, and the training {', '.join(parts)}")
        pairs = dict(table["parts"]["extra"]["dict"])
        state = transfer.builder.value(pairs[STATE])
        generators.check_states(state)
        if not isinstance(state, dict) or not entries <= set(state):
            raise DamagedError(f"the state must have {', '.join(sorted(entries))}")
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"resume: {where}: holds no state of a training ({error!r}); Checkpoint writes one") from None
    except ValueError as error:
        raise ValueError(f"resume: {where}: is not from this training: {error}") from None
    return state, transfer.make


class _Transfer:
    """From a description to objects that are there: arrays and generators in place, then what else was changed."""

    def __init__(self, table: Mapping[str, Any], arrays: Mapping[str, Array], live: Describer) -> None:
        own = Classes("resume", ())
        self.builder = Builder({"objects": [], "generators": []}, arrays, own)
        self.calls: list[Callable[[], None]] = []
        saved, here = table["objects"], live.objects
        if len(saved) < len(here):
            raise DamagedError(f"it has {len(saved)} modules and records, the model {len(here)}")
        for then, now, thing in zip(saved, here, live.things, strict=False):
            if then["class"] != now["class"]:
                raise DamagedError(f"a {then['class']} is a {now['class']} here")
            self._compare(thing, then["state"], now["state"], own.is_own(type(thing)))
        for name, array in live.arrays.items():
            self._take(name, array, arrays, live.variables_of(name))
        if len(table["generators"]) < len(live.generators):
            raise DamagedError("it has fewer random generators than the model")
        for description, generator in zip(table["generators"], live.generator_objects, strict=False):
            generators.made(description)
            if description["state"]["bit_generator"] != type(generator.bit_generator).__name__:
                raise DamagedError("a random generator is of another kind here")
            self.calls.append(lambda g=generator, d=description: generators.set_state(g, d))  # type: ignore[misc]

    def make(self) -> None:
        """Give the objects what the file says."""
        for call in self.calls:
            call()

    def _compare(self, thing: Any, then: Any, now: Any, own: bool) -> None:
        """The attributes of an object: those of layers are equal; others may have been changed by the training."""
        who = type(thing).__name__
        if not isinstance(then, dict):
            raise DamagedError(f"{who} has no attributes")
        for name in [*then, *[name for name in now if name not in then]]:
            a, b = then.get(name), now.get(name)
            if a == b or name == "training":  # the mode, which the training sets
                continue
            place = f"{who}.{name}" if name else f"the state of {who}"
            if own:
                raise DamagedError(f"{place} is {_text(b)}, and was {_text(a)}")
            if name not in then or _refers(a) or _refers(b):
                raise DamagedError(f"{place} is of another kind here than it was")
            value = self.builder.value(a)
            if name:
                self.builder.check_names(type(thing), [name])
                self.calls.append(lambda t=thing, n=name, v=value: object.__setattr__(t, n, v))  # type: ignore[misc]
            else:  # all that a class with slots, or with its own __getstate__, holds
                self.calls.append(lambda t=thing, v=value: self.builder.set_state(t, v))  # type: ignore[misc]

    def _take(self, name: str, here: Array, arrays: Mapping[str, Array], variables: list[Tensor]) -> None:
        saved = arrays.get(name)
        if saved is None:
            raise DamagedError(f"it has no '{name}'")
        if (saved.shape, saved.dtype) != (here.shape, here.dtype):
            raise DamagedError(
                f"'{name}' has shape {saved.shape} of {saved.dtype} there, and {here.shape} of {here.dtype} here"
            )

        def put() -> None:
            if not variables:
                np.copyto(here, saved)
                mark_written(here)
            for variable in variables:
                variable.data = saved

        self.calls.append(put)


def _refers(description: Any) -> bool:
    """Whether a description refers to an array, an object or a generator."""
    if isinstance(description, list):
        return any(map(_refers, description))
    if isinstance(description, dict):
        return any(key in _REFERENCES for key in description) or any(map(_refers, description.values()))
    return False


def _text(description: Any) -> str:
    text = str(description)
    return text if len(text) <= 60 else f"{text[:60]}..."


def modules_held(model: Any, loss: Any) -> dict[str, Any]:
    """The modules whose state belongs to a training: the model, and a loss that is a module."""
    return {"model": model, **({"loss": loss} if isinstance(loss, Module) else {})}
