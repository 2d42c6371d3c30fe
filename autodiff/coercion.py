"""The error when a function asks a Tensor for a plain value: which function asked, and what to write instead.

NumPy and Python ask by ``__array__``, ``__float__`` and similar methods, and do not say for which function.  The call
stack shows it: the outermost frame of a library, or else the line of the user.  This module is used only after a
mistake.
"""

from __future__ import annotations

import ast
import linecache
import opcode
import re
import sys
from itertools import islice
from types import FrameType, ModuleType
from typing import Any, NamedTuple, TypeGuard

from . import instead

LIBRARIES = frozenset(
    {
        "numpy", "scipy", "pandas", "matplotlib", "mpl_toolkits", "seaborn", "sklearn", "skimage", "statsmodels",
        "torch", "jax", "tensorflow", "networkx", "sympy", "numba", "xarray", "plotly", "PIL", "joblib",
    }
)  # fmt: skip
"""Packages whose functions ask on their own: what is named is the function of theirs that the user called."""

_PRIVATE = r"_[^_]|<"
"""How names begin that no user knows; those of operators do not."""

_NAMED = LIBRARIES | {"math", "cmath", "statistics"}


class Asker(NamedTuple):
    """The function that needs a plain value, by its public name; ``deed`` says what the line does if it calls none."""

    name: str = ""
    deed: str = ""


def refusal(shape: tuple[int, ...], how: str) -> TypeError:
    """The error for the function that asks; ``how`` names the conversion, in case the function is not found."""
    asker = who_asks(sys._getframe(2))
    return TypeError(instead.message(asker.name, asker.deed or how, shape))


def multiplies_sparse() -> bool:
    """Whether the product of a sparse array of SciPy's asks who asks for a plain array."""
    frame = sys._getframe(2)
    return frame.f_code.co_name == "_matmul_dispatch" and _module(frame).startswith("scipy.sparse")


def boxed(value: Any) -> Any:
    """The value as an array of one object: SciPy takes it for no array, and lets the other operand multiply."""
    import numpy as np

    box = np.empty((), object)
    box[()] = value
    return box


def taught(error: BaseException) -> TypeError | None:
    """The original refusal, if NumPy or another library replaced it by an error of its own; else None.

    NumPy's ``a[i] = t`` ends in "setting an array element with a sequence"; the reason is further up in the traceback.
    """
    words = str(error)
    numpys_own = words.startswith("setting an array element") or words.endswith("with an exception set")
    if not numpys_own and _root(_raised_in(error)) not in LIBRARIES:
        return None
    below: BaseException | None = error
    for _ in range(8):  # a chain may be a circle
        below = below and (below.__cause__ or (None if below.__suppress_context__ else below.__context__))
        if below is not None and is_refusal(below):
            return below.with_traceback(error.__traceback__)
    return None


def is_refusal(error: BaseException) -> TypeGuard[TypeError]:
    """Whether a Tensor raised this because its value would have left the graph."""
    frame = _raised_in(error)
    asked = frame is not None and frame.f_code.co_name.startswith("__")  # __float__, __array__ and the like
    return isinstance(error, TypeError) and asked and _module(frame) == f"{__package__}.conversion"


def _raised_in(error: BaseException) -> FrameType | None:
    """The innermost Python frame in which an error was raised."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return None if step is None else step.tb_frame


def is_differentiated(node: Any) -> bool:
    """Whether a running transform differentiates with respect to this variable; its call is on the call stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _module(frame) == f"{__package__}.transforms.calling":
            groups = frame.f_locals.get("variables", ())
            if any(tensor._node is node for group in groups for tensor in group):
                return True
        frame = frame.f_back
    return False


# -- looking around ----------------------------------------------------------------------------------------------


def who_asks(frame: FrameType | None) -> Asker:
    """The function of a library that asks, found from the innermost frame; or the deed of the user's line."""
    outermost = None
    while frame is not None and _root(frame) == __package__:  # an operation of ours, on a list with a Tensor in it
        frame = frame.f_back
    while frame is not None and _root(frame) in LIBRARIES:
        outermost, frame = frame, frame.f_back
    if outermost is not None:
        return Asker(_public_name(outermost))
    return Asker() if frame is None else _on_the_line(frame)


def _module(frame: FrameType | None) -> str:
    return "" if frame is None else str(frame.f_globals.get("__name__", ""))


def _root(frame: FrameType | None) -> str:
    return _module(frame).partition(".")[0]


def _public_module(module: str) -> str:
    """The public module: ``scipy.linalg`` for ``scipy.linalg._basic``."""
    parts = module.split(".")
    private = next((i for i, part in enumerate(parts) if part.startswith("_") and part != "__main__"), len(parts))
    return ".".join(parts[:private])


def _public_name(frame: FrameType) -> str:
    """The name by which a user calls the function that runs in this frame."""
    module, names = _module(frame), frame.f_code.co_qualname.split(".")
    local = frame.f_locals
    owner = local.get("self", local.get("cls"))
    if "<locals>" in names:  # a decorator's wrapper, which holds what it stands for
        for inner in (local.get(key) for key in frame.f_code.co_freevars):
            if isinstance(inner, str) and callable(getattr(sys.modules.get(_public_module(module)), inner, None)):
                return f"{_public_module(module)}.{inner}"  # which it looks up by its name
            label = getattr(inner, "__name__", "<>")
            if callable(inner) and not re.match(_PRIVATE, label) and isinstance(inner.__module__, str):
                home = _public_module(inner.__module__)
                if owner is None and hasattr(sys.modules.get(home), label):
                    return f"{home}.{label}"
                if owner is None:
                    continue
                return f"{_public_module(type(owner).__module__)}.{type(owner).__name__}.{label}"
        label = getattr(owner, "name", None)  # one of many functions that are made alike
        return f"{_public_module(module)}.{label if isinstance(label, str) else names[0]}"
    if names[-1] == "__ua_function__" and hasattr(local.get("method"), "__name__"):  # how scipy.fft finds its functions
        return f"{_public_module(module)}.{local['method'].__name__}"
    if len(names) == 1 or owner is None:
        return f"{_public_module(module)}.{'.'.join(names)}"
    if names[-1] != "__init__":  # an object that is being made cannot be asked: its __getattr__ may not end
        owner = getattr(owner, "dist", owner)  # a distribution with its parameters fixed
    kind = owner if isinstance(owner, type) else type(owner)
    if names[-1] == "__call__" and not hasattr(sys.modules.get(_public_module(kind.__module__)), kind.__name__):
        return f"{_public_module(module)}.{getattr(owner, '__name__', kind.__name__)}"  # an object like a function
    label = kind.__name__.removesuffix("_gen").removesuffix("_frozen")
    method = "" if names[-1] in ("__init__", "__new__", "__call__") else f".{names[-1]}"
    return f"{_public_module(kind.__module__)}.{label}{method}"


# -- reading the user's line -------------------------------------------------------------------------------------


def _on_the_line(frame: FrameType) -> Asker:
    """What the current instruction of a user's frame does."""
    code = frame.f_code
    operation = opcode.opname[code.co_code[frame.f_lasti]]
    if operation in ("STORE_SUBSCR", "STORE_SLICE"):
        return Asker(deed="setitem")
    if operation in ("BINARY_SUBSCR", "BINARY_SLICE"):
        return Asker(deed="index")
    text = _segment(frame)
    try:
        node: Any = ast.parse(f"({text})", mode="eval").body
    except (SyntaxError, ValueError):
        return Asker()
    if isinstance(node, ast.Subscript):
        return Asker(deed="index")
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Call):
        return Asker(_called(node.func, frame))
    return Asker()


def _segment(frame: FrameType) -> str:
    """The source of the expression that a frame evaluates, or an empty string where there is none."""
    positions = next(islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    first, last, start, stop = positions
    if first is None or last is None or start is None or stop is None or last - first > 50:
        return ""
    lines = [line.encode() for line in linecache.getlines(frame.f_code.co_filename, frame.f_globals)[first - 1 : last]]
    if len(lines) != last - first + 1:
        return ""
    lines[-1] = lines[-1][:stop]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode(errors="replace")


def _called(node: ast.expr, frame: FrameType) -> str:
    """The public name of the function in an expression, if it can be found without running the expression."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return names[-1] if names else ""
    path, builtin = [node.id, *names], vars(sys.modules["builtins"])
    thing = frame.f_locals.get(node.id, frame.f_globals.get(node.id, builtin.get(node.id)))
    for i, name in enumerate(names):
        if isinstance(thing, ModuleType):
            path = [_public_module(thing.__name__), *names[i:]]
        elif not isinstance(thing, type):  # to ask anything else for an attribute might compute
            kind = type(thing)
            if kind.__module__.partition(".")[0] in LIBRARIES:  # a generator of random numbers
                path = [_public_module(kind.__module__), kind.__name__, *names[i:]]
            break
        thing = getattr(thing, name, None)
    module = getattr(thing, "__module__", None)
    if not names and isinstance(module, str) and module.partition(".")[0] in _NAMED:  # from math import sin
        return f"{_public_module(module)}.{getattr(thing, '__name__', node.id)}"
    return ".".join(path)
