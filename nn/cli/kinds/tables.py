"""Tables with a column to predict: a number (regression) or a class."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ... import datasets
from ...datasets.csv_file import Table, TableError, is_missing, listed, number, table_in
from ...layers.module import Module
from ...losses.classification import CrossEntropyLoss
from ...losses.regression import MSELoss
from ...reports.scatter import scatter
from ...training.learner import Learner
from .. import networks
from ..command import USAGE, CommandError
from . import classes
from .kind import Array, Data, Inputs, Kind, Measured, Pair, Recipe, array_in, counts, split

TEST_SHARE = 0.2
FEWEST = 10
"""So many rows are needed to train on some and measure on others."""
FEW = 10
"""A column of at most so many whole numbers holds classes."""
CATEGORIES = 50
"""So many different texts at most become inputs of their own."""


class Column(NamedTuple):
    """A column of inputs: a number with its mean and its spread, or a category with its values."""

    name: str
    mean: float = 0.0
    spread: float = 1.0
    values: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many inputs of the model it makes."""
        return len(self.values) or 1

    def of(self, table: Table) -> Array:
        """The inputs (rows, width)."""
        if not self.values:
            return (np.array(numbers(table, self.name))[:, None] - self.mean) / self.spread
        cells = table.column(self.name)
        if unknown := [row for row, cell in enumerate(cells) if cell not in self.values]:
            raise TableError(
                f"{table.name}: column '{self.name}' has '{cells[unknown[0]]}' ({table.where(unknown)}), which was not "
                f"in the training data; it had {listed(self.values)}"
            )
        return np.eye(len(self.values))[[self.values.index(cell) for cell in cells]]


class Tables(Kind):
    """The rows of a CSV file."""

    name = "table"
    recipes: ClassVar[Mapping[str, Recipe]] = {
        "mlp": Recipe(100, 32, 0.003, hidden=(64, 32), dropout=0.0, label_smoothing=0.0),
    }

    def __init__(
        self, target: str, columns: Sequence[Column], names: Sequence[str], mean: float, spread: float
    ) -> None:
        self.target = target
        self.columns = tuple(columns)
        self.names = list(names)
        """The classes; none for regression."""
        self.mean, self.spread = mean, spread
        self.metrics = ("accuracy",) if names else ()
        self.why = ""

    @classmethod
    def load(
        cls, arguments: argparse.Namespace, model: str, recipe: Recipe, rng: np.random.Generator
    ) -> tuple[Kind, Data]:
        table = datasets.read_csv(arguments.data)
        target = arguments.target
        if target is None:
            raise CommandError(
                f"{table.name}: which column is to be predicted? --target NAME; there are {listed(table.columns, 12)}",
                USAGE,
            )
        ignored = set(arguments.ignore or ())
        for name in (target, *ignored):
            table.column(name)
        used = [name for name in table.columns if name != target and name not in ignored]
        if not used or target in ignored:
            raise CommandError(f"{table.name}: no column is left to predict '{target}' from", USAGE)
        if len(table.rows) < FEWEST:
            raise TableError(f"{table.name}: has {len(table.rows)} rows; at least {FEWEST} are needed")
        complete(table, [*used, target])
        task, why = _task(table, target, arguments.task)
        names: list[str] = []
        if task == "classification":
            names = _ordered(table.column(target))
            y = np.array([names.index(cell) for cell in table.column(target)])
        else:
            y = np.array(numbers(table, target))
        data = split((np.arange(len(y)), y), recipe, TEST_SHARE, rng, stratify=bool(names))
        training = data.train[0]
        columns = [_column(table, name, training) for name in used]
        mean, spread = (0.0, 1.0) if names else _scale(table, target, data.train[1])
        kind = cls(target, columns, names, mean, spread)
        kind.why = f"{target}: {task}, since {why}"
        X = kind.inputs(table)
        return kind, Data(*[(X[rows], kind.targets(values)) for rows, values in data])

    def kept(self) -> dict[str, Any]:
        return {
            "target": self.target, "classes": self.names, "mean": self.mean, "spread": self.spread,
            "columns": [column._asdict() for column in self.columns],
        }  # fmt: skip

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Kind:
        columns = [Column(c["name"], c["mean"], c["spread"], tuple(c["values"])) for c in kept["columns"]]
        return cls(kept["target"], columns, kept["classes"], kept["mean"], kept["spread"])

    def inputs(self, table: Table) -> Array:
        """The inputs of the model, (rows, width)."""
        complete(table, [column.name for column in self.columns])
        with np.errstate(over="ignore"):
            found = np.concatenate([column.of(table) for column in self.columns], axis=1).astype(np.float32)
        if wrong := np.flatnonzero(~np.isfinite(found).all(axis=1)).tolist():
            raise TableError(f"{table.name}: numbers are too far from those of the training ({table.where(wrong)})")
        return found

    def targets(self, values: Array) -> Array:
        """Classes as they are; numbers standardised, (rows, 1)."""
        return values if self.names else ((values[:, None] - self.mean) / self.spread).astype(np.float32)

    def network(self, recipe: Recipe, rng: np.random.Generator) -> Module:
        width = sum(column.width for column in self.columns)
        return networks.mlp(width, recipe.hidden or (), len(self.names) or 1, recipe.dropout, rng)

    def loss(self, recipe: Recipe) -> Any:
        return CrossEntropyLoss(label_smoothing=recipe.label_smoothing or 0.0) if self.names else MSELoss()

    def opening(self, data: Data, recipe: Recipe) -> list[str]:
        categories = [column.name for column in self.columns if column.values]
        inputs = f"inputs: {len(self.columns) - len(categories)} columns of numbers, standardised"
        inputs += f"; {len(categories)} of categories ({listed(categories)})" if categories else ""
        smoothing = recipe.label_smoothing or 0.0
        loss = classes.loss_line(smoothing, len(self.names)) if self.names else _MSE
        return [counts(data), self.why, inputs, loss]

    def measure(self, learner: Learner, examples: Pair) -> Measured:
        if self.names:
            return classes.measured(learner, examples, self.names)
        X, Y = examples
        wanted, found = self._numbers(Y), self._numbers(learner.predict(X))
        error = float(np.sqrt(np.mean((found - wanted) ** 2)))
        baseline = float(np.sqrt(np.mean((wanted - self.mean) ** 2)))
        total = float(np.sum((wanted - wanted.mean()) ** 2))
        r2 = 1 - float(np.sum((found - wanted) ** 2)) / total if total else float("nan")
        result = {"rmse": error, "baseline_rmse": baseline, "r2": r2, "loss": learner.evaluate(X, Y)["loss"]}
        picture = scatter(wanted.tolist(), found.tolist(), self.target, "predicted")
        return Measured(
            [],
            result,
            [("Predicted and true values", picture)],
            f"error {error:.6g} (root mean square of {self.target}; R² {r2:.4f})",
            f"always saying the mean, {self.mean:.6g}: an error of {baseline:.6g}",
        )

    def _numbers(self, outputs: Array) -> Array:
        return np.asarray(outputs, np.float64)[:, 0] * self.spread + self.mean

    def read(self, path: str, contents: bytes) -> Inputs:
        if path.lower().endswith(".npy"):
            values = array_in(path, contents)
            names = [column.name for column in self.columns]
            if any(column.values for column in self.columns):
                raise ValueError(f"{path}: the model takes categories, which a .npy file cannot have; give a .csv file")
            values = np.atleast_2d(values)
            if values.ndim != 2 or values.shape[1] != len(names) or values.dtype.kind not in "buif":
                raise ValueError(
                    f"{path}: holds {values.dtype} of shape {values.shape}; the model takes {len(names)} numbers for "
                    f"each example: {listed(names, 12)}"
                )
            rows = [[repr(float(value)) for value in row] for row in values]
            table = Table(path, tuple(names), rows, list(range(1, len(rows) + 1)))
        else:
            table = table_in(path, contents)
        return self._read(table)

    def taken(self, instances: Sequence[Any]) -> Inputs:
        names = tuple(column.name for column in self.columns)
        rows = [_row(instance, names, i) for i, instance in enumerate(instances, 1)]
        return self._read(Table("instances", names, rows, list(range(1, len(rows) + 1)), "instance"))

    def form(self) -> dict[str, Any]:
        columns = [
            {"name": c.name, "values": list(c.values)} if c.values else {"name": c.name, "mean": c.mean}
            for c in self.columns
        ]
        return {"kind": self.name, "columns": columns, "target": self.target, "classes": self.names}

    def _read(self, table: Table) -> Inputs:
        return Inputs(self.inputs(table), [table.where([row]) for row in range(len(table.rows))])

    def answers(self, outputs: Array) -> tuple[list[str], list[dict[str, Any]]]:
        if self.names:
            return classes.answers(outputs, self.names)
        found = self._numbers(outputs).tolist()
        return [f"{self.target} {value:.6g}" for value in found], [{self.target: value} for value in found]

    def examples(self, source: str, folder: str | None) -> Pair:
        table = datasets.read_csv(source)
        cells = table.column(self.target)
        complete(table, [self.target])
        if not self.names:
            return self.inputs(table), self.targets(np.array(numbers(table, self.target)))
        if unknown := [row for row, cell in enumerate(cells) if cell not in self.names]:
            raise TableError(
                f"{table.name}: '{cells[unknown[0]]}' in column '{self.target}' ({table.where(unknown)}) is no class "
                f"of the model; it has {listed(self.names, 12)}"
            )
        return self.inputs(table), np.array([self.names.index(cell) for cell in cells])


_MSE = "loss: squared error of the standardised target (always saying the mean has about 1)"


# -- what is in a column -------------------------------------------------------------------------------------------


def complete(table: Table, names: Sequence[str]) -> None:
    """Raise TableError if a value is missing in one of these columns, with the lines."""
    found = []
    for name in names:
        if rows := [row for row, cell in enumerate(table.column(name)) if is_missing(cell)]:
            found.append(f"'{name}' ({table.where(rows)})")
    if found:
        raise TableError(
            f"{table.name}: values are missing in {listed(found)}; fill them in, take these lines out, or leave a "
            "column out with --ignore NAME"
        )


def numbers(table: Table, name: str) -> list[float]:
    """A column of numbers.  Raises TableError for a text among them, with the lines."""
    values = [number(cell) for cell in table.column(name)]
    if wrong := [row for row, value in enumerate(values) if value is None]:
        texts = [f"'{table.column(name)[row]}'" for row in wrong]
        raise TableError(
            f"{table.name}: column '{name}' has numbers, but also {listed(texts, 3)} ({table.where(wrong)}); write "
            "numbers with a point and no thousands separator"
        )
    return [value for value in values if value is not None]


def _row(instance: Any, names: Sequence[str], i: int) -> list[str]:
    """The cells of an instance in JSON: values by the names of their columns, or in the order of the columns."""
    if isinstance(instance, Mapping):
        if absent := [name for name in names if name not in instance]:
            raise TableError(f"instances: instance {i} has no {listed(absent)}; the model takes {listed(names, 12)}")
        values = [instance[name] for name in names]
    elif isinstance(instance, list) and len(instance) == len(names):
        values = instance
    else:
        size = f"a list of {len(instance)}" if isinstance(instance, list) else f"a {type(instance).__name__}"
        raise TableError(
            f"instances: instance {i} is {size}; it must be an object, or a list of {len(names)}, with "
            f"{listed(names, 12)}"
        )
    if wrong := [n for n, v in zip(names, values, strict=True) if isinstance(v, bool | list | Mapping)]:
        raise TableError(f"instances: instance {i} has no number or text as {listed(wrong)}")
    return ["" if value is None else str(value) for value in values]


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether a column is one of numbers: half of its cells are."""
    return 2 * sum(number(cell) is not None for cell in cells) >= len(cells)


def _task(table: Table, name: str, asked: str | None) -> tuple[str, str]:
    """What is predicted, and why."""
    cells = table.column(name)
    different = set(cells)
    if len(different) < 2:
        raise TableError(f"{table.name}: every line has '{cells[0]}' in column '{name}'; there is nothing to learn")
    if asked == "regression" and not _is_numeric(cells):
        raise TableError(
            f"{table.name}: column '{name}' holds texts like '{cells[0]}', so --task must be classification"
        )
    if asked:
        return asked, "--task says so"
    if not _is_numeric(cells):
        return "classification", f"it holds {len(different)} different texts"
    values = set(numbers(table, name))
    whole = all(value == int(value) for value in values)
    if whole and len(values) <= FEW and 3 * len(values) <= len(cells):
        return "classification", f"it holds {len(values)} different whole numbers (--task regression predicts a number)"
    return "regression", f"it holds {len(values):,} different numbers (--task classification takes them as classes)"


def _ordered(cells: Sequence[str]) -> list[str]:
    """The different cells, as numbers if they are."""
    different = sorted(set(cells))
    if all(number(cell) is not None for cell in different):
        different.sort(key=lambda cell: number(cell) or 0.0)
    return different


def _column(table: Table, name: str, training: Array) -> Column:
    """What is kept of a column: its mean and spread over the examples for training, or its values."""
    cells = table.column(name)
    if _is_numeric(cells):
        return Column(name, *_scale(table, name, np.array(numbers(table, name))[training]))
    values = _ordered(cells)
    if len(values) > CATEGORIES:
        raise TableError(
            f"{table.name}: column '{name}' holds {len(values):,} different texts, and {CATEGORIES} are the most that "
            f"can be inputs; leave it out: --ignore {name}"
        )
    return Column(name, values=tuple(values))


def _scale(table: Table, name: str, values: Array) -> tuple[float, float]:
    """The mean and the standard deviation, 1 for a column that does not vary."""
    with np.errstate(all="ignore"):
        mean, spread = float(np.mean(values)), float(np.std(values))
    if not np.isfinite(spread):
        raise TableError(f"{table.name}: the numbers in column '{name}' are too large to be standardised; scale them")
    return mean, spread if spread > 1e-12 * max(abs(mean), 1e-300) else 1.0
