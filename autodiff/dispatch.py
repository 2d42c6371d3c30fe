"""Dispatch: the entries of the table, and the methods and operators of Tensor that call them.

An ``np.`` call looks up its function in the table.  Methods and operators are attributes of Tensor; ``methods`` notes
which of them came from which entry.  So the table removes only attributes that it added.  ``item``, ``data`` and
``shape`` belong to Tensor itself, whatever the name of a user's operation is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .dialects import Absent
from .primitive import Composite, Function, Primitive, late, registry, supplied
from .recording import callable_of
from .tensor import Tensor

Entry = Primitive | Composite

OPERATORS = {
    np.add: "add", np.subtract: "sub", np.multiply: "mul", np.divide: "truediv", np.power: "pow",
    np.remainder: "mod", np.floor_divide: "floordiv", np.matmul: "matmul",
    np.bitwise_and: "and", np.bitwise_or: "or", np.bitwise_xor: "xor",
}  # fmt: skip
COMPARISONS = {
    np.equal: "eq", np.not_equal: "ne", np.less: "lt", np.less_equal: "le", np.greater: "gt",
    np.greater_equal: "ge", np.negative: "neg", np.positive: "pos", np.absolute: "abs", np.invert: "invert",
    np.round: "round",
}  # fmt: skip
ALIASES: dict[Any, str] = {np.conjugate: "conj"}
"""Further names of methods."""

methods: dict[str, Entry] = {}
"""What the table gave to Tensor: the line that each method and operator means, by its name."""


_absent: dict[str, Absent] = {}
"""What stood where a method stands now: the error that says that a Tensor has none of that name."""


def enter(entry: Entry, *, replace: bool = False, suggested: str = "") -> None:
    """Add an entry to the table with its callable, its methods and its operators; or raise and change nothing.

    ``suggested`` is the name of the method if none was asked for; it is used if it is free.
    """
    function = entry.function
    old = registry.get(function) or supplied(function)
    if old is not None and not replace:
        raise ValueError(
            f"{old.name}: is registered already; write replace=True to put another rule in the place of that one, "
            "everywhere it is used"
        )
    entry.method = _named(entry, old, suggested)
    entry.call = callable_of(entry)
    registry[function] = entry
    _install(entry, old)


def leave(entry: Entry) -> None:
    """Remove an entry from the table, with its methods and operators."""
    registry.pop(entry.function, None)
    _withdraw([name for name, other in methods.items() if other is entry])


@contextmanager
def restored() -> Iterator[None]:
    """Undo all registrations and replacements at the end of the block; for tests."""
    before = {entry: (entry.method, entry.call) for entry in registry.values()}
    try:
        yield
    finally:
        before |= {entry: (entry.method, entry.call) for entry in late if entry not in before}
        known = {entry.function for entry in before}
        for entry in [entry for entry in registry.values() if entry.function not in known]:
            leave(entry)
        for entry, (method, call) in before.items():
            entry.method, entry.call = method, call
            old = registry.get(entry.function)
            if old is not entry or (method and methods.get(method) is not entry):
                registry[entry.function] = entry
                _install(entry, old)


def _named(entry: Entry, old: Entry | None, suggested: str) -> str | None:
    """The name of an entry's method, if it is free; None for no method."""
    asked = entry.method
    if asked is None and old is not None:
        return old.method
    if asked is None:
        usable = suggested.isidentifier() and not suggested.startswith("_")
        return suggested if usable and _owner(suggested, entry) is None else None
    owner = _owner(asked, entry) if asked else None
    if owner is not None:
        raise ValueError(
            f"{entry.name}: the method '{asked}' of a Tensor is {owner}; give another name, or method='' for no method"
        )
    return asked or None


def _owner(name: str, entry: Entry) -> str | None:
    """The owner of a name on Tensor, in words; None if the entry may use it."""
    holder = methods.get(name)
    if holder is None:
        return "no operation's" if hasattr(Tensor, name) else None
    same = holder.function is entry.function or _origin(holder.function) == _origin(entry.function)
    return None if same else f"that of the operation '{holder.name}'"


def _origin(function: Function) -> Any:
    """Where a function is defined: the same place if a notebook's cell, or a reload, defines it again."""
    return getattr(function, "__module__", None), getattr(function, "__qualname__", function)


def _doors(entry: Entry) -> dict[str, Function]:
    """The attributes of Tensor that mean an entry."""
    call, function = entry.call, entry.function
    doors = {name: call for name in (entry.method, ALIASES.get(function)) if name}
    if function in OPERATORS:
        doors[f"__{OPERATORS[function]}__"] = call
        doors[f"__r{OPERATORS[function]}__"] = _reflected(call)
    if function in COMPARISONS:
        doors[f"__{COMPARISONS[function]}__"] = call
    return doors


def _reflected(call: Function) -> Callable[[Any, Any], Any]:
    return lambda self, other: call(other, self)


def _install(entry: Entry, old: Entry | None) -> None:
    """Let the methods and operators of Tensor call this entry, and remove those that called the old one."""
    doors = _doors(entry)
    if old is not None:
        _withdraw([name for name, other in methods.items() if other is old and name not in doors])
    for name, call in doors.items():
        holder = methods.get(name, entry)
        if holder is not entry and holder.function is not entry.function:
            holder.method = None  # of an earlier definition of the same function
        missing = vars(Tensor).get(name)
        if type(missing) is Absent:
            _absent[name] = missing
        setattr(Tensor, name, call)
        methods[name] = entry


def _withdraw(names: list[str]) -> None:
    for name in names:
        del methods[name]
        if name in _absent:
            setattr(Tensor, name, _absent[name])
        else:
            delattr(Tensor, name)
