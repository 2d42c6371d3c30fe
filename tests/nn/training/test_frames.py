"""Tables of pandas and polars, as far as they are asked: columns, dtypes, missing values, and arrays of them."""

import numpy as np
import pandas
import pytest

import nn
from nn import DataLoader, Learner, Linear, mse_loss, optim
from nn.data import train_test_split


def Frame(**columns):
    return pandas.DataFrame(columns)


def Series(name, values, dtype=None):
    return pandas.Series(values, name=name, dtype=dtype)


class Kind:
    """A dtype, as polars has it."""

    def __init__(self, name, numeric=True):
        self.name, self.numeric = name, numeric

    def __str__(self):
        return self.name

    def is_numeric(self):
        return self.numeric

    def is_decimal(self):
        return self.name == "Decimal"

    def is_float(self):
        return self.name.startswith("Float")


class Column:
    """A column, as polars has it, in which a missing value is no NaN, but becomes one on the way to an array."""

    def __init__(self, name, values, dtype):
        self.name, self.values, self.dtype = name, values, dtype

    def __len__(self):
        return len(self.values)

    def to_numpy(self):
        return np.array([np.nan if value is None else value for value in self.values])

    def is_null(self):
        return Column("", [value is None for value in self.values], Kind("Boolean", False))

    def is_nan(self):
        return Column("", [None if v is None else v != v for v in self.values], Kind("Boolean", False))

    def fill_null(self, value):
        return Column("", [value if v is None else v for v in self.values], self.dtype)


class Polar:
    """A table, as polars has it."""

    def __init__(self, *columns):
        self.parts = list(columns)
        self.columns = [part.name for part in columns]
        self.dtypes = [part.dtype for part in columns]

    def iter_columns(self):
        return iter(self.parts)

    def __len__(self):
        return len(self.parts[0])

    def to_numpy(self):
        raise AssertionError("columns are asked one by one")


FLOAT, INT, TEXT = Kind("Float64"), Kind("Int64"), Kind("String", False)
TABLES = {
    "pandas": (Frame(a=[1.0, 2.0, 3.0, 4.0], b=[1, 0, 1, 1], c=[True, False, True, True]), Series("y", [1, 2, 3, 4])),
    "polars": (
        Polar(Column("a", [1.0, 2.0, 3.0, 4.0], FLOAT), Column("b", [1, 0, 1, 1], INT),
              Column("c", [True, False, True, True], Kind("Boolean", False))),
        Column("y", [1, 2, 3, 4], INT),
    ),
}  # fmt: skip
EXPECTED = np.array([[1.0, 1, 1], [2, 0, 0], [3, 1, 1], [4, 1, 1]])


def learner():
    model = Linear(3, 1, rng=0, dtype=np.float64)
    return Learner(model, lambda z, y: mse_loss(z[:, 0], y), optim.SGD(model.parameters(), lr=0.01))


@pytest.mark.parametrize("kind", TABLES)
def test_tables_are_taken_where_data_enters(kind):
    table, column = TABLES[kind]
    runs = []
    for data in ((table, column), (EXPECTED, np.array([1, 2, 3, 4]))):
        it = learner()
        losses = list(it.fit(*data, 2, 2, rng=0, validation=data))
        runs.append((losses, it.predict(data[0]).tolist(), it.evaluate(*data)))
    assert runs[0] == runs[1]
    ((x, y),) = DataLoader(table, column, batch_size=4)
    assert (x.dtype, x.tolist(), y.tolist()) == (np.float64, EXPECTED.tolist(), [1, 2, 3, 4])
    assert next(iter(DataLoader({"x": table}, batch_size=2)))["x"].tolist() == EXPECTED[:2].tolist()
    assert next(iter(DataLoader(table, batch_size=2))).tolist() == EXPECTED[:2].tolist()
    assert next(iter(nn.batches(table, batch_size=4))).tolist() == EXPECTED.tolist()
    assert [part.shape for part in train_test_split(table, column, rng=0)] == [(3, 3), (1, 3), (3,), (1,)]


WRONG = {
    "text": (Frame(a=[1.0], city=["Rome"], day=np.array(["2020"], "M8[D]")), TypeError,
             r"fit: X has columns that hold no numbers: 'city' \((str|object)\), 'day' \(datetime64\[s\]\)"),
    "objects": (Frame(a=np.array([None], object)), TypeError, r"hold no numbers: 'a' \(object\)"),
    "missing": (Frame(a=[1.0, np.nan, np.nan], b=[1, 2, 3]), ValueError,
                r"fit: X has missing values in the columns 'a' \(2, first in row 1\); fill them"),
    "text of polars": (Polar(Column("city", ["Rome"], TEXT)), TypeError, r"'city' \(String\)"),
    "decimals": (Polar(Column("price", [1], Kind("Decimal"))), TypeError, r"'price' \(Decimal\)"),
    "null": (Polar(Column("a", [1, None], INT), Column("b", [np.nan, 1.0], FLOAT)), ValueError,
             r"'a' \(1, first in row 1\), 'b' \(1, first in row 0\)"),
    "many": (Frame(**{f"c{i}": ["text"] for i in range(7)}), TypeError, "'c4' .* and 2 more"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_number_is_named(case):
    table, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        learner().fit(table, np.ones(len(table)), 1)
    with pytest.raises(error, match=message.removeprefix("fit: X")):
        DataLoader(table)


def test_a_plan_of_a_table_and_a_table_without_columns():
    class Lazy:
        columns = ("a",)

        def collect(self):
            raise AssertionError

    with pytest.raises(TypeError, match=r"predict: X is a Lazy, not computed yet; pass what \.collect\(\) gives"):
        learner().predict(Lazy())
    with pytest.raises(ValueError, match="X is a table without columns"):
        learner().predict(pandas.DataFrame(index=[0]))
