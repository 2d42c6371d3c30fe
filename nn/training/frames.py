"""Tables of pandas, polars and their like, as arrays of numbers.  Neither package is imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Array = Any


def array_of_frame(who: str, name: str, data: Any) -> Any:
    """A table as an array (rows, columns), a column as (rows,); anything else as it is.

    Raises TypeError that names columns that hold no numbers, ValueError for columns with missing values.
    """
    if isinstance(data, np.ndarray | list | tuple | dict):
        return data
    if not hasattr(data, "to_numpy"):
        if hasattr(type(data), "collect") and hasattr(type(data), "columns"):
            raise TypeError(f"{who}: {name} is a {type(data).__name__}, not computed yet; pass what .collect() gives")
        return data
    if hasattr(data, "columns") and hasattr(data, "dtypes"):
        columns = list(_columns(data))
        if not columns:
            raise ValueError(f"{who}: {name} is a table without columns")
        arrays = _numbers(who, name, columns)
        return np.stack(arrays, axis=1, dtype=np.result_type(*arrays), casting="unsafe")
    if hasattr(data, "dtype") and hasattr(data, "name"):
        return _numbers(who, name, [(data.name, data)])[0]
    return data


def _columns(table: Any) -> Iterator[tuple[Any, Any]]:
    """The columns with their names, of which several may be equal."""
    if hasattr(table, "iter_columns"):  # polars
        yield from ((column.name, column) for column in table.iter_columns())
    else:
        yield from table.items()


def _numbers(who: str, name: str, columns: list[tuple[Any, Any]]) -> list[Array]:
    """The columns as arrays."""
    missing = [(label, rows) for label, column in columns if len(rows := _missing(column))]
    odd, arrays = [], []
    for label, column in columns:
        if not _is_numeric(column):
            odd.append(f"{label!r} ({column.dtype})")
        elif not missing:
            arrays.append(np.asarray(column.to_numpy()))
    if odd:
        raise TypeError(
            f"{who}: {name} has columns that hold no numbers: {_some(odd)}; leave them out, or turn them into numbers"
        )
    if missing:
        said = [f"{label!r} ({len(rows)}, first in row {rows[0]})" for label, rows in missing]
        raise ValueError(f"{who}: {name} has missing values in the columns {_some(said)}; fill them, or drop the rows")
    for (label, column), array in zip(columns, arrays, strict=True):
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{who}: {name} has a column that does not become an array of numbers: {label!r} "
                            f"({column.dtype}) became {array.dtype}")  # fmt: skip
    return arrays


def _is_numeric(column: Any) -> bool:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biuf"
    if hasattr(dtype, "is_numeric"):  # polars
        return bool(dtype.is_numeric() and not dtype.is_decimal()) or str(dtype) == "Boolean"
    return getattr(dtype, "kind", "O") in "biuf" and not hasattr(dtype, "categories")


def _missing(column: Any) -> Array:
    """The rows without a value: null, None, NA or NaN."""
    gone = column.is_null() if hasattr(column, "is_null") else column.isna()
    gone = np.asarray(gone.to_numpy() if hasattr(gone, "to_numpy") else gone, bool)
    if hasattr(column, "is_nan") and hasattr(column.dtype, "is_float") and column.dtype.is_float():  # polars
        gone = gone | np.asarray(column.is_nan().fill_null(False).to_numpy(), bool)
    return np.flatnonzero(gone)


def _some(texts: list[str]) -> str:
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
