"""The common part of all optimizers: the step, whole or not at all, and the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from .calls import Calls, Room, rooms_for, writable_room
from .checks import checked, in_range
from .together import MANY, groups_of, update_together

Array = Any
State = dict[str, Any]
Pair = tuple[Tensor, Array]


class Optimizer:
    """The common part of all optimizers: a list of variables, one state each, and the learning rate ``lr``.

    A parameter whose ``.grad`` is None is not changed.  A subclass defines ``update``.  Raises ValueError for no
    parameters, repeated ones, and options out of range; TypeError for anything but a variable.
    """

    options: tuple[str, ...] = ("lr",)
    """The attributes that belong to the state of the optimizer: keywords of its constructor."""

    buffers: tuple[str, ...] = ()
    """The entries of a parameter's state that are arrays like it."""

    elementwise: bool = False
    """Whether ``update`` changes each element by that element of its arguments alone, and returns None: then many
    small parameters are given to it as one array, which pays where it makes more than a few calls.  A class says so
    for itself: its subclasses may change the formula."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters: list[Tensor] = checked(parameters, type(self).__name__)
        self.lr = lr
        self.state: list[dict[str, Any]] = [{} for _ in self.parameters]
        self._scratch: list[Room | None] = []

    @property
    def lr(self) -> float:
        """The learning rate; schedulers change it."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        self._lr = in_range(type(self).__name__, "lr", value, 0.0)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient by it.

        If it is interrupted at any point, by Ctrl-C or an exception, all parameters and their state are either as
        before or as after the step.
        """
        calls = Calls()
        written, replaced = self._noted(calls)
        calls.append((calls.clear,))
        try:
            for parameter, _, new in replaced:
                parameter.data = new
            for parameter, values in written:
                parameter.data = values  # the array itself: this tells the variable that it is written in place
            calls.perform()
        except BaseException:
            if calls:  # the last call has not been made, hence none: nothing was written
                for parameter, values, _ in replaced:
                    parameter.data = values
            raise

    def _noted(self, calls: Calls) -> tuple[list[Pair], list[tuple[Tensor, Array, Array]]]:
        """Note the calls of all updates; the parameters that they write, and those that get a new array.

        The first with their arrays, the others with the old array and the new one.
        """
        written: list[Pair] = []
        replaced: list[tuple[Tensor, Array, Array]] = []
        done: set[int] = set()
        if vars(type(self)).get("elementwise") and len(self.parameters) >= MANY:
            for group in groups_of(self.parameters, self.state):
                written += update_together(self, group, calls)
                done.update(group)
        if len(done) == len(self.parameters):
            return written, replaced
        scratches = self._scratch or rooms_for([parameter.data for parameter in self.parameters])
        if None not in scratches:
            self._scratch = scratches
        for i, (parameter, state, scratch) in enumerate(zip(self.parameters, self.state, scratches)):  # noqa: B905
            gradient = None if i in done else parameter.grad
            if gradient is None:
                continue
            if type(gradient) is Tensor:
                gradient = gradient.data
            values, after = parameter.data, state.copy()
            room = writable_room(values, gradient, scratch)
            if room is not None:
                calls.room, calls.other = room
                new = self.update(values, gradient, after, calls)
                if new is None:
                    written.append((parameter, values))
            else:
                new = self._updated(values, gradient, after)
            if new is not None:
                replaced.append((parameter, values, new))
            if after:
                calls.append((state.update, after))
        return written, replaced

    def update(self, parameter: Array, gradient: Array, state: State, calls: Calls) -> Array | None:
        """Note the calls that change ``parameter``, as ``(ufunc, *inputs, out)``, in ``calls``; compute nothing here.

        ``state`` is a copy of the parameter's state.  Values in it become the state after the step, and calls may write
        into its arrays.  ``calls.room`` and ``calls.other`` are arrays like the parameter, to compute in.  A simple
        optimizer computes at once instead, changes only ``state``, and returns the new values.
        """
        raise NotImplementedError

    def _updated(self, values: Array, gradient: Array, state: State) -> Array:
        """The new values of a parameter that is not writeable; the new state is put into ``state``."""
        calls = Calls()
        calls.room, calls.other = object(), object()  # results are not written, so these only stand for arrays
        new = self.update(values, gradient, state, calls)
        if new is None:
            new, *buffers = calls.results(values, *state.values())
            state.update(zip(list(state), buffers, strict=True))
        return new

    # -- state -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The options and a copy of the state of each parameter, in their order."""
        return {
            "optimizer": type(self).__name__,
            "options": {name: getattr(self, name) for name in self.options},
            "state": [{k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in s.items()} for s in self.state],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state_dict`` of an optimizer of the same class over parameters of the same shapes.

        Raises ValueError if it does not fit; then nothing has changed.
        """
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping) or set(state) != {"optimizer", "options", "state"}:
            raise ValueError(
                f"{who}: expected the three entries 'optimizer', 'options' and 'state' of a state_dict, got a "
                f"{type(state).__name__}"
            )
        if state["optimizer"] != type(self).__name__:
            raise ValueError(f"{who}: the state is of {state['optimizer']}")
        if set(state["options"]) != set(self.options):
            raise ValueError(f"{who}: options {sorted(state['options'])}, expected {sorted(self.options)}")
        of_each = list(state["state"] or ())
        if len(of_each) != len(self.parameters):
            raise ValueError(f"{who}: state of {len(of_each)} parameters, this has {len(self.parameters)}")
        type(self)(self.parameters, **state["options"])  # complains of options that are out of range
        pairs = zip(of_each, self.parameters, strict=True)
        loaded = [self._fitted(f"{who}: parameter {i}", *pair) for i, pair in enumerate(pairs)]
        before = {name: getattr(self, name) for name in self.options}
        try:
            for name, value in state["options"].items():
                setattr(self, name, value)
            self.state = loaded
        except BaseException:
            if self.state is not loaded:
                for name, value in before.items():
                    setattr(self, name, value)
            raise

    def _fitted(self, who: str, entries: Mapping[str, Any], parameter: Tensor) -> State:
        """A copy of the state of one parameter, if it fits."""
        if entries and not set(self.buffers).issuperset(set(entries) - {"step"}):
            raise ValueError(f"{who} has the entries {sorted(entries)}; of this optimizer are {list(self.buffers)}")
        for name, value in entries.items():
            if name in self.buffers and np.shape(value) != parameter.shape:
                raise ValueError(f"{who}: '{name}' has shape {np.shape(value)}, the parameter {parameter.shape}")
            if name in self.buffers and not np.can_cast(np.asarray(value).dtype, parameter.dtype, "same_kind"):
                raise ValueError(f"{who}: '{name}' is {np.asarray(value).dtype}, the parameter {parameter.dtype}")
        return {k: np.array(v, parameter.dtype) if k in self.buffers else v for k, v in entries.items()}

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a file has: room to compute in belongs to the object."""
        return {**vars(self), "_scratch": []}

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={getattr(self, name)}" for name in self.options)
        return f"{type(self).__name__}({len(self.parameters)} parameters, {options})"
