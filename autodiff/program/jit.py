"""jit: a function that is recorded when it is called, and replayed when it is called again."""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, overload

from ..collector import rarely
from ..mode import current
from ..transforms.calling import check_function
from .audit import Audit, rehearsed
from .backends import NUMPY, check_backend
from .capturing import Call, Record, without_graph
from .difference import difference
from .exclusion import Lock, OccupiedError, recording, wait
from .explanation import explained
from .instruction import PathError
from .path import Path, Signature
from .program import Program
from .recorded import CaptureError, PassingError
from .recording import is_recorded_now
from .signature import described, is_dynamic, signature_of

P = ParamSpec("P")
R = TypeVar("R")

PATHS = 16
"""Programs for one signature; a function that takes more ways than that is not recorded any more."""
_READS = frozenset({"float", "int", "complex", "item", "tolist", "bytes", "value"})


class StaleError(RuntimeError):
    """A function gives another program than before, though nothing has changed that is looked at before each call."""


class _Notes:
    """How often the function itself was called, by reason: an object of ours, into which a capture does not look.

    What wraps the function has the same attributes: ``functools.wraps`` copies them.
    """

    def __init__(self) -> None:
        self.aside: Counter[str] = Counter()


class Jit(Generic[P, R]):
    """A function and its programs: what :func:`jit` makes."""

    __name__: str = "function"

    def __init__(self, function: Callable[P, R], backend: str = NUMPY) -> None:
        check_function(function, "jit")
        check_backend(backend)
        self.backend: str = backend
        functools.update_wrapper(self, function)
        self.function: Callable[P, R] = function
        self._signatures: dict[Any, Signature] = {}
        self._lock = Lock()
        self._notes = _Notes()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The function's result, from a program if there is one for such arguments."""
        return self._called(args, kwargs)  # type: ignore[no-any-return]

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result, in one of the ways."""
        if current() is not None or is_recorded_now():
            return self._itself("another mode or transform is at work", args, kwargs)
        leaves, key = signature_of(args, kwargs)
        if key is None:
            return self._itself("an argument is no array of NumPy's, nor a constant that can be compared", args, kwargs)
        signature = self._signatures.get(key)
        if signature is None:
            signature = self._signatures.setdefault(key, Signature(described(leaves)))
        if signature.refusal:
            return self._itself(signature.refusal, args, kwargs)
        given = leaves if leaves is args else [leaf for leaf in leaves if is_dynamic(leaf)]  # all are arrays
        while True:
            try:
                return self._by_a_path(signature, given, args, kwargs)
            except OccupiedError:
                wait()

    def _by_a_path(self, signature: Signature, given: Sequence[Any], args: Any, kwargs: Any) -> Any:
        """The result of the program that fits, or of the function itself, which is recorded then."""
        failed: PathError | None = None
        for path in signature.paths:
            if path.surroundings.changed() is not None:
                continue
            path.calls += 1
            if path.calls == 2 and path.fits():
                return self._recorded_again(path, signature, args, kwargs)
            if path.is_due():
                with self._lock:
                    audit = rehearsed(path, given)
                    if audit is not None:
                        return self._audited(audit, path, signature, args, kwargs)
                path.calls -= 1
                continue
            try:
                if not path.writes:
                    return path.run(given)
                with self._lock:
                    return path.run(given)
            except (ZeroDivisionError, OverflowError, OccupiedError):  # of Python's numbers, as in the function
                raise
            except Exception as error:  # the function itself raises the same, or goes on in another way
                if hasattr(error, "finished"):  # an error of floating point that NumPy was to raise: all is done
                    raise
                path.calls -= 1
                failed = error if isinstance(error, PathError) else failed
        return self._recorded(signature, args, kwargs, failed)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __copy__(self) -> Jit[P, R]:
        return Jit(self.function, self.backend)

    def __deepcopy__(self, memo: Any) -> Jit[P, R]:
        return Jit(copy.deepcopy(self.function, memo), self.backend)

    def __reduce__(self) -> Any:
        return Jit, (self.function, self.backend)

    def _itself(self, reason: str, args: Any, kwargs: Any) -> Any:
        """The function's own result, and a note of why."""
        self._notes.aside[reason] += 1
        return self.function(*args, **kwargs)

    def _recorded(self, signature: Signature, args: Any, kwargs: Any, failed: PathError | None) -> Any:
        """Call the function and keep what it does as another program."""
        if len(signature.paths) >= PATHS:
            if failed is not None and failed.guard.read in _READS:
                raise failed
            signature.refusal, signature.paths = f"it took {PATHS} different ways for such arguments", ()
            return self._itself(signature.refusal, args, kwargs)
        made = self._record(signature, args, kwargs)
        if made is None:
            return self.function(*args, **kwargs)
        signature.paths = Path(made, self.backend), *signature.paths
        return made.returned

    def _record(self, signature: Signature, args: Any, kwargs: Any) -> Record | None:
        """A record of one call; None if there can be none, and then everything is as before it."""
        with recording():
            call = Call(self.function, args, kwargs)
            try:
                return call.record()
            except Exception as error:  # the function itself may do better, or raises the same
                call.take_back()
                if isinstance(error, CaptureError) and not isinstance(error, PassingError):
                    signature.refusal, signature.paths = f"{error}", ()
                    return None
                said = f"{error}" if isinstance(error, CaptureError) else f"{type(error).__name__}: {error}"
                signature.passed[said] += 1
                if signature.passed.total() > max(PATHS, sum(path.calls for path in signature.paths)):
                    signature.refusal = said
            except KeyboardInterrupt:  # while it is recorded, a step of an optimizer is no unit
                call.take_back()
                raise
            return None

    def _recorded_again(self, path: Path, signature: Signature, args: Any, kwargs: Any) -> Any:
        """The first audit: the function is recorded once more, before the program has given any result."""
        made = self._record(signature, args, kwargs)
        if made is None:
            return self.function(*args, **kwargs)
        with rarely():
            different = difference(path.program, made.program)
        if isinstance(different, str):
            signature.refusal, signature.paths = different, ()
        elif (
            different is not None
            and len(signature.paths) < PATHS
            and all(difference(p.program, made.program) is not None for p in signature.paths)
        ):
            signature.paths = Path(made, self.backend), *signature.paths
        return made.returned

    def _audited(self, audit: Audit, path: Path, signature: Signature, args: Any, kwargs: Any) -> Any:
        """The function's own result; StaleError if it is not that of the program."""
        result = self.function(*args, **kwargs)
        if audit.agrees(result):
            return without_graph(result)
        different = self._what_is_different(path, args, kwargs)
        if not isinstance(different, str):
            if audit.agrees(result, rounding=True):  # a library whose last bits depend on where arrays lie in memory
                return without_graph(result)
            different = (
                "it computes something else while it is recorded: it asks for type(x), where isinstance(x, np.ndarray) "
                "is right, or depends on what changes from call to call"
            )
        signature.paths = tuple(p for p in signature.paths if p is not path)
        raise StaleError(f"jit: {self.__name__}: {different}; results since the last audit may be wrong")

    def _what_is_different(self, path: Path, args: Any, kwargs: Any) -> Any:
        """What the function does otherwise than the program, found by another call, which is taken back."""
        with recording():
            call = Call(self.function, args, kwargs)
            try:
                return difference(path.program, call.record().program)
            except CaptureError as error:
                return f"{error}"
            finally:
                call.take_back()

    def release(self) -> None:
        """Give back the memory that the programs compute in; they stay, and take it again when they are run."""
        for signature in self._signatures.values():
            for path in signature.paths:
                path.release()

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that are kept, those of the last signature last."""
        return tuple(path.program for signature in self._signatures.values() for path in reversed(signature.paths))

    def explain(self) -> str:
        """What was recorded for which arguments, what is checked before and in each run, and what was not recorded."""
        return explained(self.__name__, self._signatures.values(), self._notes.aside)

    def __repr__(self) -> str:
        return f"<jit {self.function!r}>"


@overload
def jit(f: Callable[P, R], *, backend: str = ...) -> Jit[P, R]: ...
@overload
def jit(f: None = None, *, backend: str = ...) -> Callable[[Callable[P, R]], Jit[P, R]]: ...
def jit(f: Callable[P, R] | None = None, *, backend: str = NUMPY) -> Any:
    """A function that is recorded at its first call, and replayed from then on: the same results, faster.

    A program is kept for each nesting, shape and dtype of the arguments, for each value of those that are no arrays,
    and for each way that the function took.  What the function reaches is read and written where it is, as by
    :func:`.capture`.  Before each run it is checked that the values which decided something decide the same, and that
    what the function closes over is what it was; else the function is called itself, and recorded.  What else Python
    can hide is audited: at calls 2, 4, 8, ... and each 256th the function is called itself, and StaleError says which
    constant has changed.  Where something cannot be recorded, the function itself is called, with a note in
    ``explain()``.  A result that was a Tensor is one without history.

    ``backend="numpy"`` gives the function's results to the last bit; with ``"c"`` C computes what it can, and with
    ``"auto"`` what it can and is faster at, where a compiler is found: see :meth:`.Program.compiled`.

    >>> import numpy as np
    >>> from autodiff import grad, jit
    >>> slope = jit(grad(lambda x: np.sum(x**3)))
    >>> [slope(np.array([1.0, x])).tolist() for x in (2.0, 3.0)]
    [[3.0, 12.0], [3.0, 27.0]]
    """
    if f is None:
        return functools.partial(jit, backend=backend)
    return Jit(f, backend)
