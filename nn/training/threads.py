"""The number of threads of NumPy's matrix products; one thread if more would only wait for each other.

The threads of a product wait for the slowest one, which takes long if other programs use the processor.  Measured on
two cores: on a busy machine, a training step with products of 2 to 50 million multiplications took ten times as long
with two threads as with one, and with products of 1,000 million twice as long.  On an idle machine it took two thirds,
and half, of the time.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import glob
import importlib.util
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

LARGE = 2**28
"""So many multiplications in one product are worth more threads: one core works for some ten milliseconds on them."""

VARIABLES = (
    "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip
"""Where a user says how many threads there shall be."""

_NAMES = [
    *(
        (f"{p}openblas_get_num_threads{s}", f"{p}openblas_set_num_threads{s}")
        for p in ("scipy_", "")
        for s in ("64_", "")
    ),
    ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads"),
]


class _Control(NamedTuple):
    get: Callable[[], int]
    set: Callable[[int], Any]


@functools.cache
def _control() -> _Control | None:
    """The two functions that control the threads of NumPy's BLAS library; None for an unknown library."""
    module = importlib.util.find_spec("numpy._core._multiarray_umath")
    # what a module was linked with is found through it, but on Windows, where its file must be named
    beside = os.path.join(os.path.dirname(os.path.dirname(np.__file__)), "numpy.libs", "*openblas*")
    for path in [module.origin if module else None, *glob.glob(beside)]:
        try:
            library = ctypes.CDLL(path) if path else None
        except OSError:
            continue
        for get, set_ in _NAMES if library else ():
            if hasattr(library, get) and hasattr(library, set_):
                return _Control(getattr(library, get), getattr(library, set_))
    return None


def count() -> int | None:
    """The number of threads that a matrix product may use; None if it is unknown."""
    control = _control()
    return None if control is None else control.get()


def described(number: int | None) -> str:
    """The number of threads in words: with another number the last digits differ, and so does the run."""
    if number is None:
        return "as many threads as NumPy's library takes"
    return f"{number} thread{'s' * (number != 1)} (OPENBLAS_NUM_THREADS sets another number)"


@contextlib.contextmanager
def chosen(multiplications: int) -> Iterator[int | None]:
    """A context of one thread, unless a product has more than ``LARGE`` multiplications or the user set a number.

    Gives the number of threads, None if it is unknown; afterwards it is as before.

    >>> from nn.training import threads
    >>> before = threads.count()
    >>> with threads.chosen(32 * 64 * 256) as number:
    ...     assert number == threads.count()
    >>> threads.count() == before
    True
    """
    control = _control()
    if control is None or multiplications >= LARGE or any(os.environ.get(name) for name in VARIABLES):
        yield count()
        return
    before = control.get()
    try:
        control.set(1)
        yield control.get()
    finally:
        control.set(before)
