"""jit: a function that is recorded when it is called, and replayed when it is called again."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from ..graph import CONSTANT
from ..mode import current
from ..tensor import scalar, wrap
from ..transforms.calling import check_function
from ..tree import flatten
from .capturing import Record, record
from .instruction import Guard, Instruction, PathError, Value, mapped, same
from .passes import direct
from .program import Program
from .reach import reached
from .recorded import CaptureError
from .recording import is_recorded_now
from .replay import Replay
from .surroundings import Snapshot, Surroundings

Array = Any
P = ParamSpec("P")
R = TypeVar("R")

PATHS = 16
"""Programs for one signature; a function that takes more ways than that is not recorded any more."""
EVERY = 256
"""Calls after which a program is audited, when it has been after 2, 4, 8, ... of them."""
_READS = frozenset({"float", "int", "complex", "item", "tolist", "bytes", "value"})


class StaleError(RuntimeError):
    """A function gives another program than before, though nothing has changed that is looked at before each call."""


@dataclass(slots=True)
class _Path:
    """One program of a function, and what it takes for granted."""

    program: Program
    replay: Replay
    surroundings: Surroundings
    tensors: tuple[bool, ...]
    calls: int = 0

    def run(self, given: list[Any]) -> Any:
        """The result; what was a Tensor is one without a graph."""
        leaves = self.replay(given)
        if any(self.tensors):
            pairs = zip(leaves, self.tensors, strict=True)
            leaves = [wrap(scalar(leaf), CONSTANT) if tensor else leaf for leaf, tensor in pairs]
        return self.program.nested(leaves)

    def is_due(self) -> bool:
        """Whether this call is an audit."""
        n = self.calls
        return n >= 2 and (n % EVERY == 0 or (n < EVERY and n & (n - 1) == 0))


@dataclass(slots=True)
class _Signature:
    """The programs for arguments of one nesting, of these shapes and dtypes."""

    text: str
    paths: list[_Path] = field(default_factory=list)
    refusal: str = ""


class Jit(Generic[P, R]):
    """A function and its programs: what :func:`jit` makes."""

    __name__: str

    def __init__(self, function: Callable[P, R]) -> None:
        check_function(function, "jit")
        functools.update_wrapper(self, function)
        self.function: Callable[P, R] = function
        self._signatures: dict[Any, _Signature] = {}
        self._lock = threading.RLock()
        self._aside: dict[str, int] = {}

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's result, from a program if there is one for such arguments."""
        return self._called(args, kwargs)  # type: ignore[no-any-return]

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result, in one of the ways."""
        if current() is not None or is_recorded_now():
            return self._itself("another mode or transform is at work", args, kwargs)
        leaves, key = _signature(args, kwargs)
        if key is None:
            return self._itself("an argument is no array of NumPy's, nor a constant that can be compared", args, kwargs)
        signature = self._signatures.get(key)
        if signature is None:
            with self._lock:
                signature = self._signatures.setdefault(key, _Signature(_described(leaves)))
        if signature.refusal:
            return self._itself(signature.refusal, args, kwargs)
        given = [leaf for leaf in leaves if _is_dynamic(leaf)]
        failed: PathError | None = None
        for path in signature.paths:
            if path.surroundings.changed() is not None:
                continue
            path.calls += 1
            if path.is_due():
                return self._audited(path, signature, args, kwargs)
            try:
                return path.run(given)
            except (ZeroDivisionError, OverflowError):  # of Python's numbers, at the same place as in the function
                raise
            except Exception as error:  # the function itself raises the same, or goes on in another way
                path.calls -= 1
                failed = error if isinstance(error, PathError) else failed
        return self._recorded(signature, args, kwargs, failed)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _itself(self, reason: str, args: Any, kwargs: Any) -> Any:
        """The function's own result, and a note of why."""
        self._aside[reason] = self._aside.get(reason, 0) + 1
        return self.function(*args, **kwargs)

    def _recorded(self, signature: _Signature, args: Any, kwargs: Any, failed: PathError | None) -> Any:
        """Call the function and keep what it does as another program."""
        if len(signature.paths) >= PATHS:
            if failed is not None and failed.guard.read in _READS:
                raise failed
            signature.refusal = f"it took {PATHS} different ways for such arguments"
            return self._itself(signature.refusal, args, kwargs)
        made = self._record(signature, args, kwargs)
        if made is None:
            return self.function(*args, **kwargs)
        self._keep(signature, made)
        return made.returned

    def _record(self, signature: _Signature, args: Any, kwargs: Any) -> Record | None:
        """A record of one call; None if there can be none, and then everything is as before it."""
        leaves = flatten((args, kwargs))[0]
        with self._lock:
            before = Snapshot(reached([("", self.function), *[("", leaf) for leaf in leaves]]), leaves)
            try:
                return record(self.function, args, kwargs)
            except CaptureError as error:
                before.restore()
                signature.refusal = f"{error}"
                return None

    def _audited(self, path: _Path, signature: _Signature, args: Any, kwargs: Any) -> Any:
        """The function's own result; StaleError if it does not do what the program does."""
        made = self._record(signature, args, kwargs)
        if made is None:
            return self._itself(signature.refusal, args, kwargs)
        different = difference(path.program, made.program)
        if isinstance(different, str):
            with self._lock:
                signature.paths.remove(path)
            raise StaleError(f"jit: {self.__name__}: {different}")
        if different is not None and all(difference(p.program, made.program) is not None for p in signature.paths):
            self._keep(signature, made)
        return made.returned

    def _keep(self, signature: _Signature, made: Record) -> None:
        """Keep another program."""
        path = _Path(made.program, Replay(direct(made.program)), Surroundings(made.reach), made.tensors)
        with self._lock:
            signature.paths.insert(0, path)

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that are kept, those of the last signature last."""
        return tuple(path.program for signature in self._signatures.values() for path in reversed(signature.paths))

    def explain(self) -> str:
        """What was recorded for which arguments, what is checked before each run, and what was not recorded."""
        lines = [f"{self.__name__}: {len(self._signatures)} signatures"]
        for signature in self._signatures.values():
            lines.append(f"  {signature.text}")
            for path in signature.paths:
                guards = [i.function for i in path.replay.program.instructions if isinstance(i.function, Guard)]
                lines.append(
                    f"    {len(path.replay.program.instructions)} calls, run {path.calls} times, "
                    f"{path.program.memory.run:,} bytes; checked: {len(guards)} values, "
                    f"{len(path.replay.program.checks)} numbers"
                )
                lines += [f"      {guard.described()}" for guard in guards if guard.read != "NaN"]
            if signature.refusal:
                lines.append(f"    not recorded: {signature.refusal}")
        lines += [f"  {count} calls of the function itself: {reason}" for reason, count in self._aside.items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<jit {self.function!r}>"


def jit(f: Callable[P, R]) -> Jit[P, R]:
    """A function that is recorded at its first call, and replayed from then on: the same results, faster.

    A program is kept for each nesting, shape and dtype of the arguments, for each value of those that are no arrays,
    and for each way that the function took.  What the function reaches is read and written where it is, as by
    :func:`.capture`.  Before each run it is checked that the values which decided something decide the same, and that
    what the function closes over is what it was; else the function is called itself, and recorded.  What else Python
    can hide is audited: at calls 2, 4, 8, ... and each 256th the function is called itself, and StaleError says which
    constant has changed.  Where something cannot be recorded, the function itself is called, with a note in
    ``explain()``.  A result that was a Tensor is one without history.

    >>> import numpy as np
    >>> from autodiff import grad, jit
    >>> slope = jit(grad(lambda x: np.sum(x**3)))
    >>> [slope(np.array([1.0, x])).tolist() for x in (2.0, 3.0)]
    [[3.0, 12.0], [3.0, 27.0]]
    """
    return Jit(f)


def _signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """The leaves of the arguments, and what two calls have in common that one program fits."""
    if not kwargs and all(type(a) is np.ndarray and a.dtype.kind in "fciub" for a in args):  # the commonest case
        return args, tuple((a.shape, a.dtype, a.strides) for a in args)
    leaves, unflatten = flatten((args, kwargs))
    return leaves, _key(leaves, unflatten)


def _is_dynamic(leaf: Any) -> bool:
    """Whether an argument may have another value when the program is run again."""
    return type(leaf) in (np.ndarray, float, complex) or isinstance(leaf, np.inexact)


_STATIC = (int, str, bytes, type(None), np.generic, np.dtype, type)


def _key(leaves: list[Any], unflatten: Any) -> Any:
    """What two calls have in common that one program fits; None if an argument says nothing of that."""
    parts: list[Any] = []
    for leaf in leaves:
        kind = type(leaf)
        if kind is np.ndarray:
            if leaf.dtype.kind not in "fciub":
                return None
            parts.append((leaf.shape, leaf.dtype, leaf.strides))
        elif _is_dynamic(leaf):
            parts.append(kind)
        elif isinstance(leaf, _STATIC):
            parts.append((kind, leaf))
        elif callable(leaf) or hasattr(leaf, "__dict__"):
            if hasattr(kind, "__array_function__") or hasattr(kind, "__array__"):
                return None
            parts.append((kind, id(leaf)))
        else:
            return None
    return _shape_of(unflatten([_Leaf] * len(leaves))), tuple(parts)


class _Leaf:
    """What stands for every leaf of a nesting."""


def _shape_of(tree: Any) -> Any:
    """A nesting as something that can be compared and hashed."""
    if tree is _Leaf:
        return None
    if isinstance(tree, dict):
        return type(tree), tuple((key, _shape_of(part)) for key, part in tree.items())
    if isinstance(tree, list | tuple):
        return type(tree), tuple(map(_shape_of, tree))
    parts = vars(tree).items() if hasattr(tree, "__dict__") else ()
    return type(tree), tuple((name, _shape_of(part)) for name, part in parts)


def _described(leaves: list[Any]) -> str:
    """The arguments in words."""
    words = [f"{x.dtype}{list(x.shape)}" if type(x) is np.ndarray else f"{type(x).__name__}" for x in leaves]
    return f"({', '.join(words)})"


def difference(old: Program, new: Program) -> str | Guard | None:
    """What one program does otherwise than another, in words; None if nothing; the guard if a value decided that."""
    numbered: dict[Value, int] = {}
    other: dict[Value, int] = {}
    for position, (one, two) in enumerate(zip(old.instructions, new.instructions, strict=False)):
        where = "" if one.line is None else f" at {one.line.file}:{one.line.number}"
        a, b = _plain_form(one, numbered, old), _plain_form(two, other, new)
        guard: Any = one.function
        other_guard: Any = two.function
        guards = isinstance(guard, Guard) and isinstance(other_guard, Guard)
        if guards and a[1] == b[1] and guard.read == other_guard.read:
            if not same(guard.expected, other_guard.expected):
                return guard  # type: ignore[no-any-return]
        elif a != b:
            constants = [
                (x, y) for x, y in zip(_flat(one.args), _flat(two.args), strict=False)
                if type(x) is not Value and type(y) is not Value and not same(x, y)
            ]  # fmt: skip
            if one.function == two.function and constants:
                x, y = constants[0]
                return (
                    f"the number {x!r}{where} is a constant of the program, and is {y!r} now; pass it as an argument, "
                    "or keep it where it is looked at (in a closure, a global, an attribute)"
                )
            return f"it does something else{where} than when it was recorded (call {position}), and nothing shows why"
        numbered.update({v: len(numbered) for v in one.results})
        other.update({v: len(other) for v in two.results})
    if len(old.instructions) != len(new.instructions):
        return f"it makes {len(new.instructions)} calls, and made {len(old.instructions)} when it was recorded"
    return None


def _plain_form(instruction: Instruction, numbered: dict[Value, int], program: Program) -> Any:
    """A call with numbers in the place of values, and constants by their bytes."""

    def named(value: Value) -> Any:
        constant = program.constants.get(value)
        return numbered.get(value, value.form) if constant is None else (constant.dtype.str, constant.tobytes())

    return instruction.function, repr(mapped(named, instruction.args)), repr(mapped(named, instruction.kwargs))


def _flat(structure: Any) -> list[Any]:
    if isinstance(structure, tuple | list):
        return [leaf for part in structure for leaf in _flat(part)]
    return [structure]
