"""detect_upcast: the operation, and its line of code, that left the precision of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...primitive import Primitive
from ...tensor import Tensor
from ..tracing.examples import is_array
from ..tracing.trace import Source, Trace, calling_line


class UpcastError(TypeError):
    """A result in more digits than a Tensor that it was computed from.

    ``operation`` is the name of the operation, ``source`` its line of code.
    """

    def __init__(self, message: str, operation: str, source: Source | None) -> None:
        super().__init__(message + (f"\n  asked for at {source}" if source else ""))
        self.operation: str = operation
        self.source: Source | None = source


class detect_upcast(Trace):  # noqa: N801
    """Raise UpcastError at the first operation that makes float64 of a float32 Tensor.

    A context manager; other threads are not affected.  A NumPy number such as ``np.sqrt(2)`` does that to a Tensor, and
    so does data in float64; everything after it then takes twice the memory and up to twice the time.  A cast by
    ``astype`` is meant, and is no fault.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> from autodiff.testing import UpcastError, detect_upcast
    >>> x = Tensor(np.ones(2, dtype=np.float32))
    >>> try:
    ...     with detect_upcast():
    ...         x * np.sqrt(2)
    ... except UpcastError as error:
    ...     print(str(error).splitlines()[0])
    multiply: a float32 Tensor of shape (2,) became float64; cast the float64 of shape (), or write a Python number
    """

    def saw(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """Compare the dtypes of one operation."""
        results = [r for r in (result if isinstance(result, tuple) else (result,)) if type(r) is Tensor]
        digits = max((_digits(r.dtype) for r in results), default=0)
        arrays = _arrays((*args, *kwargs.values()))
        narrow = [a for a in arrays if type(a) is Tensor and 0 < _digits(a.dtype) < digits]
        if not narrow or primitive.name == "astype":
            return
        others = [a for a in arrays if _digits(a.dtype) == digits or a.dtype.kind in "iu"]
        cure = (
            f"; cast the {others[0].dtype} of shape {np.shape(others[0])}, or write a Python number" if others else ""
        )
        raise UpcastError(
            f"{primitive.name}: a {narrow[0].dtype} Tensor of shape {narrow[0].shape} became {results[0].dtype}{cure}",
            primitive.name, calling_line(),
        )  # fmt: skip


def _digits(dtype: Any) -> int:
    """The size of a real number of this type; 0 for integers, which have no digits to lose."""
    return np.dtype(dtype).itemsize // (2 if dtype.kind == "c" else 1) if dtype.kind in "fc" else 0


def _arrays(values: Any) -> list[Any]:
    """The arrays and numbers of NumPy among the arguments, and in lists of them."""
    found: list[Any] = []
    for value in values:
        if type(value) in (list, tuple):
            found += _arrays(value)
        elif type(value) is Tensor or is_array(value) or isinstance(value, np.generic):
            found.append(value)
    return found
