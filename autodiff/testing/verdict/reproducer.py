"""Code that repeats a check: its imports, and its arguments as expressions."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any

import numpy as np

from ...tensor import Tensor
from ..literals import written

MOST = 32
"""How many numbers an array may have to be printed in a line."""
TAKEN = {"np", "gradcheck", "print"}
"""Names that the code uses itself."""


def _importable(f: Any) -> tuple[str, str] | None:
    """The import and the expression of a function or object that a module has by name; None for any other."""
    owner = getattr(f, "__self__", None)
    if owner is not None and not isinstance(owner, type | ModuleType):  # a method of an object
        found = _importable(owner)
        return None if found is None else (found[0], f"{found[1]}.{f.__name__}")
    module, name = getattr(f, "__module__", None), getattr(f, "__qualname__", None)
    home = sys.modules.get(module or "")
    if name is not None and "<" not in name and _is(_reached(home, name), f):
        return _imported(module, name)
    places = [*([] if home is None else [home]), *sys.modules.values()]
    places.sort(key=lambda place: place is sys.modules["__main__"])  # what can be imported comes first
    for place in places:  # a lambda, an operation, an object: by the name it has
        key = next(
            (k for k, v in getattr(place, "__dict__", {}).copy().items() if v is f and not k.startswith("_")), None
        )
        if key is not None:
            return _imported(place.__name__, key)
    return None


def _reached(home: Any, name: str) -> Any:
    for part in name.split("."):
        home = getattr(home, part, None)
    return home


def _is(found: Any, f: Any) -> bool:
    """Whether an object is the function, or the test of its gradient, which also computes the function."""
    marked = getattr(found, "gradient_property", None)
    return bool(found == f) or (marked is not None and getattr(marked, "function", None) == f)


def _imported(module: Any, name: str) -> tuple[str, str]:
    first, dot, rest = name.partition(".")
    if module == "__main__":
        return "", name
    if first in TAKEN:
        return f"from {module} import {first} as f", f"f{dot}{rest}"
    return f"from {module} import {first}", name


def reproducer(
    f: Any, args: tuple[Any, ...], order: int, seed: int, tolerance: float | None = None, gradient: Any = None
) -> str:
    """Code that repeats the check.  Values that cannot be written as text are left for the user to insert."""
    lines = ["import numpy as np", "from autodiff.testing import gradcheck"]
    texts = [expression(a) for a in args]
    imported = _importable(f)
    if imported is not None:
        lines += [imported[0]] if imported[0] else []
    else:
        inner = inspect.unwrap(f)
        code = getattr(inner, "__code__", None) or getattr(type(inner).__call__, "__code__", None)
        name = getattr(f, "__qualname__", None) or type(f).__name__
        where = f"{name} at {code.co_filename}:{code.co_firstlineno}" if code is not None else name
        lines.append(f"f = f  # put your function here: {where}")
    if None in texts:
        lines.append("args = args  # put your arguments here: they cannot be printed in a line")
        arguments = "*args"
    else:
        arguments = ", ".join(map(str, texts))
    extra = (f", order={order}" if order > 1 else "") + (f", rng={seed}" if isinstance(seed, int) else "")
    extra += f", tolerance={tolerance!r}" if tolerance is not None else ""
    if gradient is not None:
        lines.append("gradient = gradient  # put your gradient here")
        extra += ", gradient=gradient"
    lines.append(f"print(gradcheck({imported[1] if imported else 'f'}, {arguments}{extra}))")
    return "\n".join(lines)


def expression(value: Any) -> str | None:
    """An argument as a Python expression; None if that is too long, or unknown."""
    return written(value) if _is_short(value) else None


def _is_short(value: Any) -> bool:
    """Whether a value is made of numbers, texts and small arrays alone."""
    value = value._value if isinstance(value, Tensor) else value
    if type(value) in (list, tuple):
        return all(map(_is_short, value))
    if type(value) is dict:
        return all(map(_is_short, value.values()))
    if isinstance(value, np.ndarray):
        return value.size <= MOST and value.dtype.kind in "biufc"
    return isinstance(value, np.generic | bool | int | float | complex | str | slice) or value in (None, Ellipsis)
