"""The measurements of a training run."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

from autodiff import files

from .curve import svg

__all__ = ["History"]

VALIDATION = "validation_"
NO_CURVES = ("epoch", "learning_rate", "seconds", "rate")
"""The columns that measure no quality."""


class History(Sequence[float]):
    """The training loss of each epoch as a sequence, and all other measurements as columns.

    ``history[i]`` is the loss of epoch i + 1, ``history["validation_loss"]`` is the column of that name.  Columns are
    ``epoch``, ``loss`` (the mean over the epoch's examples, each with the parameters of its own step), the metrics, the
    same for the validation data with ``validation_`` before the name, ``learning_rate``, ``seconds`` (of the epoch,
    with validation) and ``rate`` (training examples per second).

    >>> from nn import History
    >>> history = History([{"epoch": 1, "loss": 2.5, "accuracy": 0.5}, {"epoch": 2, "loss": 1.0, "accuracy": 0.75}])
    >>> list(history), history["accuracy"]
    ([2.5, 1.0], [0.5, 0.75])
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()) -> None:
        self.rows: list[dict[str, float]] = [dict(row) for row in rows]

    @property
    def columns(self) -> list[str]:
        """The names of what was measured."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def append(self, row: Mapping[str, float]) -> None:
        """Add the measurements of one more epoch."""
        self.rows.append(dict(row))

    def best(self, name: str = "loss", *, mode: str = "min") -> dict[str, float]:
        """The row with the smallest (``mode="max"``: largest) value of a column, the first of equal ones.

        NaN is never the best.  Raises KeyError for a column that is not there, ValueError for one of NaN alone.
        """
        if mode not in ("min", "max"):
            raise ValueError(f"history: mode is {mode!r}; it must be 'min' or 'max'")
        values = self[name]
        known = [i for i, value in enumerate(values) if not math.isnan(value)]
        if not known:
            raise ValueError(f"history: every value of '{name}' is NaN, so none is the best")
        return self.rows[(min if mode == "min" else max)(known, key=values.__getitem__)]

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice | str) -> list[float]: ...
    def __getitem__(self, index: int | slice | str) -> float | list[float]:
        if isinstance(index, str):
            if index not in self.columns:
                raise KeyError(f"history: no column '{index}'; there are {', '.join(self.columns) or 'none'}")
            return [row.get(index, math.nan) for row in self.rows]
        return [row["loss"] for row in self.rows][index]

    def __repr__(self) -> str:
        if not self.rows:
            return "History(no epochs)"
        last = ", ".join(f"{name}={value:.4g}" for name, value in self.rows[-1].items() if name != "epoch")
        return f"History({len(self)} epoch{'s' * (len(self) > 1)}; the last: {last})"

    # -- files -----------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write every column to a file: ``.json`` (a list of epochs; null for what is not finite) or ``.csv``.

        The file is written whole or not at all.
        """
        kind = os.path.splitext(path)[1].lower()
        if kind == ".json":
            rows = [{k: v if math.isfinite(v) else None for k, v in row.items()} for row in self.rows]
            files.write(path, json.dumps(rows, indent=1), "\n")
        elif kind == ".csv":
            table = io.StringIO(newline="")
            writer = csv.DictWriter(table, self.columns)
            writer.writeheader()
            writer.writerows(self.rows)
            files.write(path, table.getvalue())
        else:
            raise ValueError(f"history: cannot save to '{os.fspath(path)}'; end the name in .json or .csv")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> History:
        """The history in a ``.json`` file of ``save``.  Raises ValueError that names the file if it is damaged."""
        with open(path, "rb") as file:
            contents = file.read()
        try:
            rows = json.loads(contents)
        except (ValueError, RecursionError) as error:
            raise _damaged(path, f"it is no JSON ({error})") from None
        if not isinstance(rows, list):
            raise _damaged(path, "it is no list of epochs")
        return cls(_loaded(path, i, row) for i, row in enumerate(rows, 1))

    # -- pictures --------------------------------------------------------------------------------------------

    def _panels(self, names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
        """The lines of each quantity: of training and, if there is one, of validation."""
        have = self.columns
        chosen = list(names) or [n for n in have if not n.startswith(VALIDATION) and n not in NO_CURVES]
        panels = {}
        for name in chosen:
            panels[name] = {"training": self[name]}
            if VALIDATION + name in have:
                panels[name]["validation"] = self[VALIDATION + name]
        return panels

    def svg(self, *names: str, live: bool = False) -> str:
        """The curves of these quantities (default: the loss and every metric) as an SVG document.

        With ``live`` it holds the numbers, too, for the script of a page that lets one look closely.
        """
        return svg(self._panels(names), live=live)

    def _repr_svg_(self) -> str:
        return self.svg()

    def plot(self, *names: str, axes: Any = None) -> Any:
        """Draw the curves of these quantities (default: the loss and every metric) with matplotlib.

        ``axes`` is one matplotlib Axes, or a sequence with one for each quantity; by default a new figure.  Returns
        the list of Axes.  Raises ImportError where matplotlib is missing, ValueError for the wrong number of axes.
        """
        panels = self._panels(names)
        if axes is None:
            try:
                from matplotlib import pyplot
            except ImportError:
                raise ImportError(
                    "plot: matplotlib is not installed; pip install 'pullback[plot]', or write history.svg() to a file"
                ) from None
            figure, grid = pyplot.subplots(
                1, max(len(panels), 1), figsize=(5 * max(len(panels), 1), 3.5), squeeze=False, layout="constrained"
            )
            del figure
            axes = grid[0]
        axes = list(axes) if hasattr(axes, "__len__") else [axes]
        if len(axes) < len(panels):
            raise ValueError(f"plot: {len(panels)} quantities ({', '.join(panels)}) but {len(axes)} axes; name fewer")
        for one, (title, lines) in zip(axes, panels.items(), strict=False):
            for i, (label, values) in enumerate(lines.items()):
                marker = "." if len(values) == 1 else None
                one.plot(range(1, len(values) + 1), values, "--" if i else "-", label=label, marker=marker)
            one.set(title=title, xlabel="epoch")
            one.legend()
        return axes


def _damaged(path: str | os.PathLike[str], what: str) -> ValueError:
    return ValueError(f"{os.fspath(path)}: not a history: {what}; load reads the .json file that save wrote")


def _loaded(path: str | os.PathLike[str], epoch: int, row: Any) -> dict[str, float]:
    """The measurements of one epoch in a file."""
    if not isinstance(row, dict):
        raise _damaged(path, f"epoch {epoch} is no mapping from names to numbers")
    for name, value in row.items():
        countable = type(value) is int and abs(value) < 2**63  # JSON knows no end of integers
        if not (value is None or type(value) is float or countable):
            raise _damaged(path, f"'{name[:60]}' of epoch {epoch} is no number")
    return {name: math.nan if value is None else value for name, value in row.items()}
