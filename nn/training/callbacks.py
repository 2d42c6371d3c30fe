"""Callbacks: objects that a training calls at its beginning, after each step and each epoch, and at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from .checks import what_is

if TYPE_CHECKING:
    from .run import Run

__all__ = ["Callback"]


class Callback:
    """What a training calls.  A subclass defines the hooks that it needs; each gets the :class:`nn.Run`.

    ``on_fit_begin``: before the first step.  ``on_step``: after each update, before the gradients are cleared.
    ``on_epoch``: when ``run.row``, the row of the epoch, is in the history; it may add entries to it.  ``on_fit_end``:
    at the end, whatever it was: ``run.error`` is the exception that ended the training, or None.  Callbacks are called
    in the order in which they were given, and ended in the reverse order.

    One that remembers something from step to step says what in ``state_dict``, and takes it back in
    ``load_state_dict``, which comes before ``on_fit_begin``: then a training that is continued continues it, too.

    >>> import numpy as np
    >>> from nn import Callback, Learner, Linear, mse_loss, optim
    >>> class Enough(Callback):
    ...     def on_epoch(self, run):
    ...         run.stop = run.row["loss"] < 0.1
    >>> X = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = Linear(1, 1, rng=0)
    >>> learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))
    >>> len(learner.fit(X, 2 * X, 100, callbacks=[Enough()])) < 20
    True
    """

    saves: bool = False
    """Whether it keeps the state of the training.  Such callbacks are called after all others, so that the state holds
    what those have done."""

    writes: bool = False
    """Whether it writes or shows something, and changes nothing: of several processes it is called in the first."""

    def on_fit_begin(self, run: Run) -> None:
        """The training begins, or goes on: ``run.resumed``."""

    def on_step(self, run: Run) -> None:
        """A step is done."""

    def on_epoch(self, run: Run) -> None:
        """An epoch is done and measured."""

    def on_fit_end(self, run: Run) -> None:
        """The training is over."""

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to continue: numbers, strings, arrays, and lists and dicts (by strings) of them."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a :meth:`state_dict`."""
        if state:
            raise ValueError(f"{type(self).__name__}: it has no state, and got one with {', '.join(map(str, state))}")


class Callbacks:
    """The callbacks of one training: ``own`` those of the library, ``given`` those of the user.

    ``everywhere`` is whether those are called here that the first of several processes calls alone.
    """

    def __init__(self, given: Any, own: Iterable[Callback] = (), *, everywhere: bool = True) -> None:
        if isinstance(given, Callback) or not isinstance(given, Iterable):
            raise TypeError(f"fit: callbacks is {what_is(given)}; it is a list of nn.Callback objects")
        given = list(given)
        for one in given:
            if not isinstance(one, Callback):
                why = "make an object of it" if isinstance(one, type) else "a function of (step, loss) is on_step="
                raise TypeError(f"fit: a callback is {what_is(one)}, not an nn.Callback; {why}")
        if len({id(one) for one in given}) < len(given):
            raise ValueError("fit: the same callback is given twice")
        self.given = given
        self.all: list[Callback] = sorted(
            (one for one in (*own, *given) if everywhere or not one.writes), key=lambda one: one.saves
        )
        hooks = [one.on_step for one in self.all]
        self._steps = [hook for hook in hooks if getattr(hook, "__func__", None) is not Callback.on_step]

    def begin(self, run: Run, begun: ExitStack) -> None:
        """Call ``on_fit_begin``, and ``on_fit_end`` of those that have begun when ``begun`` is left."""
        for one in self.all:
            begun.callback(one.on_fit_end, run)
            one.on_fit_begin(run)

    def step(self, run: Run) -> None:
        for hook in self._steps:
            hook(run)

    def epoch(self, run: Run) -> None:
        for one in self.all:
            one.on_epoch(run)

    def state_dict(self) -> dict[str, Any]:
        """The states by name of the class; a second one of a class is "Name 2"."""
        return {name: one.state_dict() for name, one in self._named().items()}

    def load_state_dict(self, states: Mapping[str, Any]) -> None:
        """Give each its state; one that is new has none, and begins."""
        named = self._named()
        if missing := [name for name, state in states.items() if state and name not in named]:
            raise ValueError(
                f"fit: the state to go on from holds that of {', '.join(missing)}, which is not among the callbacks; "
                "give the same callbacks as before"
            )
        for name, one in named.items():
            if name in states:
                one.load_state_dict(states[name])

    def _named(self) -> dict[str, Callback]:
        named: dict[str, Callback] = {}
        for one in self.given:
            name, count = type(one).__name__, 1
            while (key := f"{name} {count}" if count > 1 else name) in named:
                count += 1
            named[key] = one
        return named


class _OnStep(Callback):
    """Calls a function with the number and the loss of each step."""

    def __init__(self, function: Callable[[int, float], object]) -> None:
        self.function = function

    def on_step(self, run: Run) -> None:
        self.function(run.step, run.loss)


class _OnEpoch(Callback):
    """Calls a function with the row of each epoch."""

    def __init__(self, function: Callable[[dict[str, float]], object]) -> None:
        self.function = function

    def on_epoch(self, run: Run) -> None:
        self.function(run.row)


def calling(
    on_step: Callable[[int, float], object] | None, on_epoch: Callable[[dict[str, float]], object] | None
) -> list[Callback]:
    """Callbacks that call the functions that there are."""
    return [hook for hook in (on_step and _OnStep(on_step), on_epoch and _OnEpoch(on_epoch)) if hook]
