"""A model as text: one line a module, with the shapes and the number of its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor

from .module import _CONTAINERS, Module, Slot, _is_copied, _items, _join, _slots, _unique


def summary(model: Module) -> str:
    """The model as an indented list of its modules.

    Each line names the arrays that the module itself holds; the last one gives the totals, shared parameters once.

    >>> from nn import Linear, ReLU, Sequential
    >>> print(summary(Sequential(Linear(784, 128), ReLU(), Linear(128, 10))))
    Sequential(
      0: Linear(784, 128)  weight (784, 128), bias (128,)  100,480
      1: ReLU()
      2: Linear(128, 10)  weight (128, 10), bias (10,)  1,290
    )  101,770 parameters, float32, 397.5 KiB
    """
    own: dict[int, list[Slot]] = {}
    for slot in _slots(model):
        own.setdefault(id(slot.owner), []).append(slot)
    lines: list[str] = []
    _describe(model, "", "", own, lines, set())
    total = _total(model)
    if len(lines) == 1:  # one module: its arrays without their number, which the total repeats
        arrays = _arrays(own.get(id(model), []), counted=False)
        lines = [f"{type(model).__name__}({model.extra_repr()})" + (f"  {arrays}" if arrays else "")]
    return "\n".join(lines) + (f"  {total}" if own or len(lines) > 1 else "")


def _describe(
    module: Module, name: str, indent: str, own: dict[int, list[Slot]], lines: list[str], seen: set[int]
) -> None:
    """Append the lines of a module and of those inside it."""
    label = f"{indent}{name}: " if name else indent
    head = f"{label}{type(module).__name__}("
    if id(module) in seen:
        lines.append(f"{head}...)  shown above")
        return
    seen.add(id(module))
    inside = list(_children(module))
    arrays = _arrays(own.get(id(module), []))
    if not inside:
        lines.append(f"{head}{module.extra_repr()})" + (f"  {arrays}" if arrays else ""))
        return
    lines.append(head + module.extra_repr() + (f"  {arrays}" if arrays else ""))
    for child_name, child in inside:
        _describe(child, child_name, indent + "  ", own, lines, seen)
    lines.append(f"{indent})")


def _children(module: Module) -> Any:
    """The modules directly inside a module, with their names from it."""

    entered: set[int] = set()

    def find(thing: Any, name: str) -> Any:
        if isinstance(thing, Module):
            yield name, thing
        elif type(thing) in _CONTAINERS and id(thing) not in entered:
            entered.add(id(thing))
            for key, value in _items(thing):
                yield from find(value, _join(name, str(key)))

    for attribute, value in vars(module).items():
        yield from find(value, "" if attribute == module._inlined else attribute)


def _arrays(slots: list[Slot], *, counted: bool = True) -> str:
    """'weight (2, 3), bias (3,)  9'; constants are marked."""
    if not slots:
        return ""
    parts = [f"{s.path} {np.shape(s.value)}{'' if _trains(s) else ' constant'}" for s in slots]
    count = sum(np.size(s.value) for s in slots if _trains(s))
    return ", ".join(parts) + (f"  {count:,}" if counted and count else "")


def _trains(slot: Slot) -> bool:
    return isinstance(slot.value, Tensor) or _is_copied(slot)


def _total(model: Module) -> str:
    """'101,770 parameters, float32, 397.5 KiB'."""
    slots = list(_unique(_slots(model)))
    values = [s.value for s in slots if _trains(s)]
    count = sum(np.size(v) for v in values)
    text = f"{count:,} parameter{'' if count == 1 else 's'}"
    constants = sum(np.size(s.value) for s in slots if not _trains(s))
    if values:
        dtypes = [np.result_type(v) for v in values]
        names = ", ".join(sorted({str(d) for d in dtypes}))
        text += f", {names}, {_bytes(sum(np.size(v) * d.itemsize for v, d in zip(values, dtypes, strict=True)))}"
    return text + (f", and {constants:,} constants" if constants else "")


def _bytes(count: float) -> str:
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} GiB"
