"""The common part of all optimizers: the step, whole or not at all, and the state."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from .calls import Calls, Room, rooms_for, writable_room
from .checks import checked
from .groups import Group, Parameters, State, group_of, groups_of_parameters
from .options import option
from .together import MANY, sets_of, update_together

Array = Any
Written = list[tuple[Tensor, Array]]
Replaced = list[tuple[Tensor, Array, Array]]


class Optimizer:
    """The common part of all optimizers: groups of variables, one state each, and options such as ``lr``.

    ``parameters`` are variables, or dictionaries {"params": [...], "lr": ...} with options that a group has in
    place of the optimizer's.  A parameter whose ``.grad`` is None is not changed.  A subclass gives its options to
    ``super().__init__`` and defines ``update``.  ``optimizer.lr`` and every other option is that of all groups, to read
    and to set; where groups differ, ``optimizer.groups[i].lr`` is.

    Raises ValueError for no parameters, repeated ones, and options out of range; TypeError for anything but a variable.
    """

    lr: float
    """The learning rate; schedulers change it."""

    buffers: tuple[str, ...] = ()
    """The entries of a parameter's state that are arrays like it."""

    numbers: tuple[str, ...] = ("step",)
    """The entries of a parameter's state that are numbers."""

    elementwise: bool = False
    """Whether ``update`` changes each element by that element of its arguments alone, and returns None: then many
    small parameters are given to it as one array, which pays where it makes more than a few calls.  A class says so
    for itself: its subclasses may change the formula."""

    needs_closure: bool = False
    """Whether ``step`` must be given a function that computes the loss and the gradients, to call it several times."""

    for_any_model: bool = True
    """Whether parameters of any shape, and batches of any size, will do."""

    def __init__(self, parameters: Parameters, lr: float, **options: Any) -> None:
        who = type(self).__name__
        given: Any = parameters
        if not isinstance(given, Iterable):  # the rate, say
            checked(given, who)
        self.defaults: dict[str, Any] = _checked(who, {"lr": lr, **options})
        self.groups: list[Group] = groups_of_parameters(who, parameters, self.defaults)
        self._scratch: list[Room | None] = []
        for group in self.groups:
            self.check(group)

    # -- options and groups ----------------------------------------------------------------------------------

    def check(self, group: Group) -> None:
        """Raise an error if options of a new group do not go together, or its parameters cannot be updated."""

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters: a dict {"params": [...]}, with options where they differ from the optimizer's."""
        who = type(self).__name__
        new = group_of(who, group, self.defaults)
        checked([*self.parameters, *new.params], who)
        self.check(new)
        self._scratch = []
        self.groups.append(new)

    @property
    def param_groups(self) -> list[Group]:
        """The groups, under PyTorch's name."""
        return self.groups

    @property
    def parameters(self) -> list[Tensor]:
        """The parameters of all groups."""
        return [p for group in self.groups for p in group.params]

    @property
    def state(self) -> list[State]:
        """The state of each parameter, in their order."""
        return [state for group in self.groups for state in group.state]

    def __getattr__(self, name: str) -> Any:
        """An option that is not in the object itself: that of all groups."""
        if name not in vars(self).get("defaults", ()):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        groups = self.groups
        if any(group[name] != groups[0][name] for group in groups):
            raise AttributeError(
                f"{type(self).__name__}: {name} differs between the groups; ask for optimizer.groups[0].{name}"
            )
        return groups[0][name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in vars(self).get("defaults", ()):
            object.__setattr__(self, name, value)
            return
        value = option(type(self).__name__, name, value)
        groups = self.groups
        if any(group[name] != groups[0][name] for group in groups):
            raise ValueError(
                f"{type(self).__name__}: {name} differs between the groups; set optimizer.groups[0].{name} ..."
            )
        for group in groups:
            vars(group)[name] = value

    # -- the step --------------------------------------------------------------------------------------------

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient by it.

        ``closure`` is a function that computes the loss and the gradients: it is called first, and its result returned.
        If the step is interrupted at any point, by Ctrl-C or an exception, all parameters and their state are either as
        before or as after the step.
        """
        loss = None if closure is None else closure()
        calls = Calls()
        written, replaced = self._noted(calls)
        perform(calls, written, replaced)
        return loss

    def _noted(self, calls: Calls) -> tuple[Written, Replaced]:
        """Note the calls of all updates; the parameters that they write, and those that get a new array.

        The first with their arrays, the others with the old array and the new one.
        """
        written: Written = []
        replaced: Replaced = []
        parameters = self.parameters
        scratches = iter(self._scratch or self._rooms(parameters))
        together = bool(vars(type(self)).get("elementwise"))
        for group in self.groups:
            done: set[int] = set()
            if together and len(group.params) >= MANY:
                for members in sets_of(group, parameters):
                    written += update_together(self, group, members, calls)
                    done.update(members)
            for i, (parameter, state) in enumerate(zip(group.params, group.state)):  # noqa: B905
                scratch, gradient = next(scratches), None if i in done else parameter.grad
                if gradient is not None:
                    self._note(parameter, gradient, state, group, scratch, calls, written, replaced)
        return written, replaced

    def _rooms(self, parameters: list[Tensor]) -> list[Room | None]:
        """Arrays to compute in, for each parameter; kept if there are some for each."""
        rooms = rooms_for([parameter.data for parameter in parameters])
        if None not in rooms:
            self._scratch = rooms
        return rooms

    def _note(
        self, parameter: Tensor, gradient: Any, state: State, group: Group, scratch: Room | None, calls: Calls,
        written: Written, replaced: Replaced,
    ) -> None:  # fmt: skip
        """Note the calls that update one parameter."""
        if type(gradient) is Tensor:
            gradient = gradient.data
        values, after = parameter.data, state.copy()
        room = writable_room(values, gradient, scratch)
        if room is not None:
            calls.room, calls.other = room
            new = self.update(values, gradient, after, group, calls)
            if new is None:
                written.append((parameter, values))
        else:
            new = self._updated(values, gradient, after, group)
        if new is not None:
            replaced.append((parameter, values, new))
        if after:
            calls.append((state.update, after))

    def update(self, parameter: Array, gradient: Array, state: State, group: Group, calls: Calls) -> Array | None:
        """Note the calls that change ``parameter``, as ``(ufunc, *inputs, out)``, in ``calls``; compute nothing here.

        ``state`` is a copy of the parameter's state.  Values in it become the state after the step, and calls may write
        into its arrays.  ``group`` has the options: ``group.lr``.  ``calls.room`` and ``calls.other`` are arrays like
        the parameter, to compute in.  A simple optimizer computes at once instead, changes only ``state``, and returns
        the new values.
        """
        raise NotImplementedError

    def _updated(self, values: Array, gradient: Array, state: State, group: Group) -> Array:
        """The new values of a parameter that is not writeable; the new state is put into ``state``."""
        calls = Calls()
        calls.room, calls.other = object(), object()  # results are not written, so these only stand for arrays
        new = self.update(values, gradient, state, group, calls)
        if new is None:
            new, *buffers = calls.results(values, *state.values())
            state.update(zip(list(state), buffers, strict=True))
        return new

    # -- state -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The options of each group with the positions of its parameters, and a copy of the state of each parameter."""
        groups, start = [], 0
        for group in self.groups:
            stop = start + len(group.params)
            groups.append({**group.options, "params": list(range(start, stop))})
            start = stop
        return {"optimizer": type(self).__name__, "groups": groups, "state": [_copied(s) for s in self.state]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state_dict`` of an optimizer of the same class over parameters of the same shapes.

        Raises ValueError if it does not fit; then nothing has changed.
        """
        calls = Calls()
        self._note_state(state, calls)
        calls.perform()

    def _note_state(self, state: Mapping[str, Any], calls: Calls) -> None:
        """Note the calls that put a state in the place of the present one."""
        who = f"{type(self).__name__}.load_state_dict"
        known = isinstance(state, Mapping) and any(
            set(state) == {"optimizer", w, "state"} for w in ("groups", "options")
        )
        if not known:
            raise ValueError(
                f"{who}: expected the three entries 'optimizer', 'groups' and 'state' of a state_dict, got a "
                f"{type(state).__name__}"
            )
        if state["optimizer"] != type(self).__name__:
            raise ValueError(f"{who}: the state is of {state['optimizer']}")
        of_each, parameters = list(state["state"] or ()), self.parameters
        if len(of_each) != len(parameters):
            raise ValueError(f"{who}: state of {len(of_each)} parameters, this has {len(parameters)}")
        options = [dict(group) for group in state["groups"]] if "groups" in state else self._from_before(who, state)
        sizes = [len(group.params) for group in self.groups]
        if [len(group.pop("params", ())) for group in options] != sizes:
            raise ValueError(f"{who}: the state has {len(options)} groups, of other sizes than those here: {sizes}")
        mine = {*self.buffers, *self.numbers}
        for i, entries in enumerate(of_each):
            if not mine >= set(entries):
                has = f"parameter {i} has the entries {sorted(entries)}"
                raise ValueError(f"{who}: {has}; of this optimizer are {sorted(mine)}")
        loaded = iter([self._fitted(f"{who}: parameter {i}", *pair) for i, pair in enumerate(zip(of_each, parameters))])  # noqa: B905
        for group, new in zip(self.groups, options, strict=True):
            if not set(new) <= set(self.defaults):
                raise ValueError(f"{who}: options {sorted(new)}, expected {sorted(self.defaults)}")
            whole = Group(type(self).__name__, group.params, {**group.options, **_checked(type(self).__name__, new)})
            self.check(whole)
            vars(whole)["state"] = [next(loaded) for _ in group.params]
            calls.append((vars(group).update, vars(whole)))

    def _from_before(self, who: str, state: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The options of a state that was written when there were no groups."""
        if len(self.groups) > 1 or not state["options"]:
            raise ValueError(f"{who}: the state has the options of one group, this has {len(self.groups)} groups")
        return [{**state["options"], "params": self.groups[0].params}]

    def _fitted(self, who: str, entries: Mapping[str, Any], parameter: Tensor) -> State:
        """A copy of the state of one parameter, if it fits."""
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
        if len(self.groups) > 1:
            return f"{type(self).__name__}({', '.join(map(repr, self.groups))})"
        return f"{type(self).__name__}({self.groups[0].described()})"


def rate_of(optimizer: Any) -> float:
    """The learning rate of an optimizer, of its first group where there are several; NaN if it has none."""
    groups = getattr(optimizer, "groups", None)
    return float(getattr(groups[0] if groups else optimizer, "lr", math.nan))


def perform(calls: Calls, written: Written, replaced: Replaced) -> None:
    """Make the calls of a step, or none of them."""
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


def _checked(who: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: option(who, name, value) for name, value in options.items()}


def _copied(state: State) -> State:
    return {k: np.array(v) if isinstance(v, np.ndarray) else v for k, v in state.items()}
