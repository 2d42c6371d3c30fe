"""A model as text: one line for each module, with the shapes and the number of its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor

from .structure import Holder, Slot, contents, is_copied, row_of, slots_of, unique


def summary(model: Any) -> str:
    """The model as an indented list of its modules.

    Each line names the arrays of the module itself; the last line has the totals, with shared parameters counted once.

    >>> from nn import Linear, ReLU, Sequential
    >>> print(summary(Sequential(Linear(784, 128), ReLU(), Linear(128, 10))))
    Sequential(
      0: Linear(784, 128)  weight (784, 128), bias (128,)  100,480
      1: ReLU()
      2: Linear(128, 10)  weight (128, 10), bias (10,)  1,290
    )  101,770 parameters, float32, 397.5 KiB
    """
    own: dict[int, list[Slot]] = {}
    for slot in slots_of(model):
        own.setdefault(id(slot.owner), []).append(slot)
    lines = _lines(model, own)
    total = _total(model)
    if len(lines) == 1:  # one module: its arrays without their number, which the total repeats
        arrays = _arrays(own.get(id(model), []), counted=False)
        lines = [f"{type(model).__name__}({model.extra_repr()})" + (f"  {arrays}" if arrays else "")]
    return "\n".join(lines) + (f"  {total}" if own or len(lines) > 1 else "")


def _lines(model: Any, own: dict[int, list[Slot]]) -> list[str]:
    """The lines of a module and of those inside it."""
    lines: list[str] = []
    shown: set[int] = set()
    todo: list[tuple[str, str, Any]] = [("", "", model)]  # indent, label and module; None: what closes a bracket
    while todo:
        indent, label, module = todo.pop()
        if module is None:
            lines.append(f"{indent})")
            continue
        if not hasattr(module, "extra_repr"):
            lines.append(f"{indent}{label}{_function(module)}")
            continue
        head = f"{indent}{label}{type(module).__name__}("
        if id(module) in shown:
            lines.append(f"{head}...)  shown above")
            continue
        shown.add(id(module))
        inside = _inside(module)
        arrays = _arrays(own.get(id(module), []))
        lines.append(head + module.extra_repr() + ("" if inside else ")") + (f"  {arrays}" if arrays else ""))
        if inside:
            todo.append((indent, "", None))
            todo.extend((indent + "  ", f"{name}: ", child) for name, child in reversed(inside))
    return lines


def _inside(module: Any) -> list[tuple[str, Any]]:
    """The modules in a module, and the functions in a row of layers, by name."""
    row = {str(i): layer for i, layer in enumerate(row_of(module)) if callable(layer)}
    return list({**row, **{t.name: t.value for t in contents(module) if isinstance(t.value, Holder)}}.items())


def _function(function: Any) -> str:
    """How a function is called, or of what class it is."""
    return str(getattr(function, "__name__", f"{type(function).__name__}()"))


def _arrays(slots: list[Slot], *, counted: bool = True) -> str:
    """'weight (2, 3), bias (3,)  9'; constants are marked."""
    if not slots:
        return ""
    parts = [f"{s.place} {np.shape(s.value)}{'' if _trains(s) else ' constant'}" for s in slots]
    count = sum(np.size(s.value) for s in slots if _trains(s))
    return ", ".join(parts) + (f"  {count:,}" if counted and count else "")


def _trains(slot: Slot) -> bool:
    return isinstance(slot.value, Tensor) or is_copied(slot)


def _total(model: Any) -> str:
    """'101,770 parameters, float32, 397.5 KiB'."""
    slots = list(unique(slots_of(model)))
    values = [s.value for s in slots if _trains(s)]
    count = sum(np.size(v) for v in values)
    text = f"{count:,} parameter{'' if count == 1 else 's'}"
    constants = sum(np.size(s.value) for s in slots if not _trains(s))
    if values:
        dtypes = [np.result_type(v) for v in values]
        names = ", ".join(sorted({str(d) for d in dtypes}))
        text += f", {names}, {in_bytes(sum(np.size(v) * d.itemsize for v, d in zip(values, dtypes, strict=True)))}"
    return text + (f", and {constants:,} constants" if constants else "")


def in_bytes(count: float) -> str:
    """A number of bytes in the unit that fits: 512 B, 397.5 KiB."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB"):
        count /= 1024
        if count < 1024:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} GiB"
