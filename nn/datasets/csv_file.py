"""Tables in CSV files: a header with the names of the columns, then one row a line; cells are texts.

``,``, ``;`` and the tabulator are found as the delimiter; cells in quotes may hold delimiters and ends of lines.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from typing import NamedTuple

from autodiff import files

from .text import decoded

DELIMITERS = ",;\t"
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
"""What stands for a missing value, in small letters."""
_SHOWN = 5


class TableError(ValueError):
    """A file is no table, or a table does not have what was asked for."""


class Table(NamedTuple):
    """The rows of a CSV file as texts; ``lines`` are the numbers of their first lines in the file.

    ``unit`` is what these numbers count, where the rows do not come from a file.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    unit: str = "line"

    def column(self, name: str) -> list[str]:
        """The cells of a column, without spaces around them.  Raises TableError for a name that is not there."""
        if name not in self.columns:
            raise TableError(f"{self.name}: there is no column '{name}'; there are {listed(self.columns, 12)}")
        at = self.columns.index(name)
        return [row[at].strip() for row in self.rows]

    def where(self, rows: Sequence[int]) -> str:
        """These rows by their lines in the file: "lines 3, 8 and 12", shortened."""
        lines = [f"{self.lines[row]:,}" for row in rows]
        return f"{self.unit}{'s' * (len(lines) > 1)} {listed(lines, _SHOWN)}"


def listed(names: Sequence[str], most: int = _SHOWN) -> str:
    """Some names with commas, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def is_missing(cell: str) -> bool:
    """Whether nothing is known: an empty cell, NA, NaN, null, ?."""
    return cell.strip().lower() in MISSING


def number(cell: str) -> float | None:
    """The number in a cell, or None for a text; infinity counts as text."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def read_csv(path: str | os.PathLike[str]) -> Table:
    """The table in a CSV file (UTF-8): names from its first line, then cells as texts.

    The delimiter is whichever of ``,``, ``;`` and the tabulator the first line has most of, outside of quotes.  Empty
    lines are left out.  Raises TableError for a file without rows, for names that are empty or occur twice, for quotes
    that do not end, and for rows of another length than the header, each with its line.

    >>> import os, tempfile
    >>> from nn.datasets import read_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "towns.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write('town;people\\n"Basel; Riehen";200000\\nZug;30000\\n')
    ...     table = read_csv(path)
    >>> table.columns, table.column("town"), table.lines
    (('town', 'people'), ['Basel; Riehen', 'Zug'], [2, 3])
    """
    with open(files.expanded(path), "rb") as file:
        return table_in(os.fspath(path), file.read())


def table_in(name: str, contents: bytes) -> Table:
    """The table that is the contents of a CSV file, as :func:`read_csv` gives it."""
    text = decoded(name, contents)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True, skipinitialspace=True)
    found: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                found.append((before + 1, row))
            before = reader.line_num
    except csv.Error as error:
        raise TableError(f"{name}: line {before + 1:,}: {error}; is a quote not closed?") from None
    if not found:
        raise TableError(f"{name}: is empty; the first line must have the names of the columns")
    (_, header), *rows = found
    columns = tuple(cell.strip() for cell in header)
    _check_header(name, columns)
    wrong = [(line, len(row)) for line, row in rows if len(row) != len(columns)]
    if wrong:
        line, cells = wrong[0]
        more = f" (and {len(wrong) - 1:,} more lines are of another length)" if len(wrong) > 1 else ""
        raise TableError(f"{name}: line {line:,} has {cells} cells, and the header {len(columns)}{more}")
    if not rows:
        raise TableError(f"{name}: has a header and no rows")
    return Table(name, columns, [row for _, row in rows], [line for line, _ in rows])


def _check_header(name: str, columns: tuple[str, ...]) -> None:
    if not all(columns):
        raise TableError(f"{name}: column {columns.index('') + 1} has no name in the first line")
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise TableError(f"{name}: several columns have the name {listed(twice)}; give each its own")
    if all(number(column) is not None for column in columns):
        raise TableError(f"{name}: the first line, {listed(columns)}, has numbers; it must have the columns' names")


def _delimiter(text: str) -> str:
    """The delimiter that the first line with anything in it has most of, outside of quotes."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=outside.count)
