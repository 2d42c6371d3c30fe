"""What works with Dask arrays, found by trying every entry of the table: for ``docs/arrays.md``.

Each call is made with arrays in several chunks, and in one chunk if that fails.  It works if the value and the gradient
are NumPy's, and nothing was computed before they were asked for.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autodiff import vjp
from autodiff.primitive import Primitive, registry
from autodiff.scipy.compiled import ndarrays_only
from autodiff.testing.table.samples import Template, calls

PAGE = Path(__file__).parent / "arrays.md"
SECTION = re.compile(r"(?<=<!-- begin dask -->\n).*(?=<!-- end dask -->)", re.DOTALL)
COLUMNS = ("function", "calls that work", "in one chunk only", "what prevents the others")
ONE_CHUNK, SEVERAL_CHUNKS = -1, 2


class ComputedError(Exception):
    """Something computed, though nobody had asked for a value."""


class OtherResultError(Exception):
    """A result that is not NumPy's."""


class UncomputableError(Exception):
    """A result that Dask promised and does not compute."""


def _refuse(graph: Any, keys: Any, **options: Any) -> Any:
    raise ComputedError


@contextmanager
def lazily() -> Iterator[None]:
    """Nothing may compute inside, and no function that Dask does not have may pass for one that it has."""
    import dask

    with dask.config.set(scheduler=_refuse), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        yield


def chunked(array: Any, chunks: int) -> Any:
    """An array as Dask's, in chunks of this length along each axis; -1 for one chunk."""
    import dask.array

    return dask.array.from_array(np.asarray(array), chunks=chunks)


def outputs(result: Any) -> list[Any]:
    """The arrays that a call returned."""
    return list(result) if isinstance(result, list | tuple) else [result]


def weights(results: list[Any]) -> list[Any]:
    """A cotangent for each result: different numbers, complex for a complex result."""
    made = []
    for result in results:
        shape = np.shape(result)
        w = np.reshape(1.0 + np.arange(np.size(result)) * 0.37 % 1.3, shape)
        made.append(w * (1.0 - 0.5j) if np.iscomplexobj(result) else w)
    return made


def compare(found: Sequence[Any], expected: Sequence[Any]) -> None:
    """Compute, and raise unless these are Dask arrays of what NumPy has."""
    import dask
    import dask.array

    for one in found:
        if not isinstance(one, dask.array.Array):
            raise OtherResultError(f"a {type(one).__name__}")
    try:
        computed = dask.compute(*found, scheduler="sync")
    except Exception as error:
        raise UncomputableError(str(error)) from None
    for one, values, wanted in zip(found, map(np.asarray, computed), map(np.asarray, expected), strict=True):
        if values.shape != wanted.shape or one.dtype != wanted.dtype or values.dtype != wanted.dtype:
            raise OtherResultError(f"{values.dtype} {values.shape} in the place of {wanted.dtype} {wanted.shape}")
        if not np.allclose(values, wanted, rtol=1e-10, atol=1e-10, equal_nan=True):
            raise OtherResultError("other numbers")


def attempt(entry: Any, call: Template, arrays: list[Any], chunks: int) -> None:
    """The value and the gradient of a call with Dask arrays, without computing; raises what goes wrong."""
    expected = outputs(call.with_call(entry.function)(*arrays))
    ours = [chunked(a, chunks) for a in arrays]
    if isinstance(entry, Primitive) and entry.flat:
        with lazily():
            found = outputs(call(*map(_variable, ours)))
        compare([one._value for one in found], expected)
        return
    seeds = weights(expected)
    _, pull = vjp(lambda *a: tuple(outputs(call(*a))), *arrays)
    gradients = pull(tuple(_active(s, r) for s, r in zip(seeds, expected, strict=True)))
    with lazily():
        found, pull = vjp(lambda *a: tuple(outputs(call(*a))), *ours)
        if [r.shape for r in found] != [np.shape(r) for r in expected]:
            raise OtherResultError("another shape")
        pulled = pull(tuple(chunked(_active(s, r), chunks) for s, r in zip(seeds, expected, strict=True)))
    compare((*found, *pulled), (*expected, *gradients))


def _active(seed: Any, result: Any) -> Any:
    return seed if np.asarray(result).dtype.kind in "fc" else np.zeros(np.shape(result))


def _variable(array: Any) -> Any:
    from autodiff import Tensor

    return Tensor(array)


@contextmanager
def asked() -> Iterator[list[str]]:
    """The names of the functions that NumPy's protocols bring to Dask."""
    import dask.array

    names: list[str] = []
    kind = dask.array.Array
    function, ufunc = kind.__array_function__, kind.__array_ufunc__

    def note(asked: Any) -> None:
        theirs = isinstance(asked, np.ufunc) and not hasattr(np, asked.__name__)
        module = "scipy.special" if theirs else "np" if isinstance(asked, np.ufunc) else asked.__module__
        names.append(f"{module.replace('numpy', 'np')}.{asked.__name__}")

    def noting_function(self: Any, called: Any, types: Any, args: Any, kwargs: Any) -> Any:
        note(called)
        return function(self, called, types, args, kwargs)

    def noting_ufunc(self: Any, called: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        note(called)
        return ufunc(self, called, method, *inputs, **kwargs)

    kind.__array_function__, kind.__array_ufunc__ = noting_function, noting_ufunc
    try:
        yield names
    finally:
        kind.__array_function__, kind.__array_ufunc__ = function, ufunc


def root(error: BaseException) -> BaseException:
    """What an error was first."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def reason(error: BaseException, names: list[str]) -> str:
    """What Dask was asked in vain."""
    error = root(error)
    if isinstance(error, ComputedError):
        return "the values"
    if isinstance(error, UncomputableError):
        return "to compute it"
    if isinstance(error, OtherResultError):
        return "the values, which decide the type" if "complex" in str(error) else "NumPy's result"
    name = f"`{names[-1]}`" if names else "an index"
    if isinstance(error, FutureWarning) or "NotImplemented" in str(error):
        return name
    keyword = re.search(r"keyword arguments? \W*(\w+)", str(error))
    if isinstance(error, TypeError) and keyword:
        return f"{name} with `{keyword[1]}=`"
    return f"{name} of such arguments"


class Trial(NamedTuple):
    """What came of one entry: how many calls there are, how many work, how many in one chunk alone, why others not."""

    calls: int
    working: int
    one_chunk: int
    reasons: tuple[str, ...]
    errors: tuple[BaseException, ...]


def tried(entry: Any, made: Sequence[Template] | None = None) -> Trial:
    """Calls of an entry, or every one, with Dask arrays, in several chunks, and in one where that fails."""
    working = one_chunk = count = 0
    reasons: dict[str, None] = {}
    errors = []
    for call in calls(entry) if made is None else made:
        arrays = call.arrays(np.random.default_rng(1))
        try:
            call.with_call(entry.function)(*arrays)
        except TypeError:  # made for integers or truth values
            continue
        count += 1
        try:
            attempt(entry, call, arrays, SEVERAL_CHUNKS)
            working += 1
            continue
        except Exception:
            pass
        with asked() as names:
            try:
                attempt(entry, call, arrays, ONE_CHUNK)
                one_chunk += 1
            except Exception as error:
                reasons[reason(error, names)] = None
                errors.append(error)
    return Trial(count, working + one_chunk, one_chunk, tuple(reasons), tuple(errors))


def row(spelled: str, found: Trial) -> str:
    """One line of the table; nothing for an entry of which every call works, however it is cut."""
    if found.working == found.calls and not found.one_chunk:
        return ""
    cells = (spelled, f"{found.working} of {found.calls}", str(found.one_chunk or ""), ", ".join(found.reasons))
    return f"| {' | '.join(cells)} |"


def limits(spelled: Callable[[Any], str]) -> str:
    """The section of the page: a row for each entry of which not every call works."""
    import dask

    entries = [entry for function, entry in registry.items() if function not in ndarrays_only]
    written = [line for line in (row(spelled(entry), tried(entry)) for entry in entries) if line]
    head = [
        f"Dask {dask.__version__}. Of {len(entries)} functions, {len(entries) - len(written)} work in every call.\n",
        f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|",
    ]  # fmt: skip
    return "\n".join([*head, *written]) + "\n"


def page(spelled: Callable[[Any], str]) -> str:
    """The page with the section written again."""
    return SECTION.sub(lambda _: limits(spelled), PAGE.read_text(encoding="utf-8"))


def rows() -> list[str]:
    """The rows that stand in the page now."""
    found = SECTION.search(PAGE.read_text(encoding="utf-8"))
    return [line for line in (found[0] if found else "").splitlines() if line.startswith("| `")]
