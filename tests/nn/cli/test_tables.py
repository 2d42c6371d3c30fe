"""pullback train, predict and evaluate on tables."""

import json
from pathlib import Path

import numpy as np
import pytest

from nn import cli
from tests.nn.cli.running import one_line

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
QUICK = ["--quiet", "--hidden", "16", "--epochs", "60", "--lr", "0.03", "--batch-size", "16"]


def written(name, header, rows, delimiter=","):
    lines = [delimiter.join(map(str, row)) for row in [header, *rows]]
    Path(name).write_text("\n".join(lines) + "\n")


@pytest.fixture
def houses():
    """price = 3 area + 100 in Zug; large is whether the area is above 50."""
    rng = np.random.default_rng(0)
    areas, cities = rng.normal(50, 10, 120), rng.choice(["Basel", "Zug"], 120)
    rows = [
        (f"{a:.3f}", c, f"{3 * a + 100 * (c == 'Zug'):.3f}", int(a > 50)) for a, c in zip(areas, cities, strict=True)
    ]
    written("houses.csv", ("area", "city", "price", "large"), rows, ";")
    return rows


def train(*arguments):
    return cli.main(["train", "--data", "houses.csv", *QUICK, *arguments])


def test_regression(houses, capsys):
    assert train("--target", "price", "--ignore", "large") == 0
    out = capsys.readouterr().out
    assert out.startswith("test error ")
    assert "root mean square of price" in out
    result = json.loads(Path("runs/houses-1/result.json").read_text())
    assert result["test_rmse"] < 0.2 * result["test_baseline_rmse"]
    prepared = json.loads(Path("runs/houses-1/run.json").read_text())["prepared"]
    area, city = prepared["columns"]
    assert area["mean"] == pytest.approx(50, abs=3)
    assert area["spread"] == pytest.approx(10, abs=2)
    assert city["values"] == ["Basel", "Zug"]

    assert cli.main(["evaluate", "runs/houses-1", "--data", "houses.csv", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["r2"] > 0.95

    written("new.csv", ("city", "area"), [("Zug", 40), ("Basel", 60)])  # in another order, with another delimiter
    assert cli.main(["predict", "runs/houses-1", "new.csv", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["input"] == "line 2"
    assert first["price"] == pytest.approx(220, abs=25)
    assert second["price"] == pytest.approx(180, abs=25)
    assert cli.main(["predict", "runs/houses-1", "new.csv"]) == 0
    assert capsys.readouterr().out.startswith("line 2: price 2")


def test_classification(houses, capsys):
    assert train("--target", "city", "--ignore", "large") == 0
    assert "test accuracy" in capsys.readouterr().out
    assert cli.main(["evaluate", "runs/houses-1", "--data", "houses.csv"]) == 0
    out = capsys.readouterr().out
    assert "always saying " in out
    assert "confusion matrix" in out
    assert cli.main(["predict", "runs/houses-1", "houses.csv", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert {answer["label"] for answer in answers} == {"Basel", "Zug"}
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1)


TASKS = {
    ("city", None): "city: classification, since it holds 2 different texts",
    ("large", None): "large: classification, since it holds 2 different whole numbers",
    ("price", None): "price: regression, since it holds 120 different numbers",
    ("large", "regression"): "large: regression, since --task says so",
}


@pytest.mark.parametrize("target", TASKS)
def test_the_task_is_found_and_said(houses, target, capsys):
    column, task = target
    options = ["--task", task] if task else []
    arguments = ["train", "--data", "houses.csv", "--target", column, "--epochs", "1", "--hidden", "", *options]
    assert cli.main(arguments) == 0
    out = capsys.readouterr().out
    assert TASKS[target] in out
    assert "always saying" in out


def test_a_column_of_numbers_for_predictions(houses, capsys):
    assert train("--target", "price", "--ignore", "city,large", "--epochs", "2") == 0
    np.save("areas.npy", np.array([[40.0], [60.0]]))
    capsys.readouterr()
    assert cli.main(["predict", "runs/houses-1", "areas.npy"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert cli.main(["predict", "runs/houses-1", "areas.npy", "--picture", "seen.svg"]) == 2
    one_line(capsys.readouterr().err, "learned no images")
    np.save("wrong.npy", np.ones((2, 3)))
    assert cli.main(["predict", "runs/houses-1", "wrong.npy"]) == 2
    one_line(capsys.readouterr().err, "float64 of shape (2, 3)", "1 numbers", "area")


def with_changes(rows, changes):
    rows = [list(row) for row in rows]
    for row, column, value in changes:
        rows[row][column] = value
    return rows


def changed(rows, changes):
    written("bad.csv", ("area", "city", "price", "large"), with_changes(rows, changes))


BAD = {
    "missing": ([(0, 0, ""), (7, 0, "NA"), (3, 1, "?")], "missing in 'area' (lines 2, 9), 'city' (line 5)"),
    "text": ([(4, 0, "big"), (5, 0, "1,000")], "cells"),
    "text in a number column": ([(4, 0, "big")], "column 'area' has numbers, but also 'big' (line 6)"),
    "text in the target": ([(4, 2, "dear")], "column 'price' has numbers, but also 'dear' (line 6)"),
    "infinity": ([(4, 0, "inf")], "column 'area' has numbers, but also 'inf' (line 6)"),
    "too many texts": ([(i, 1, f"town {i}") for i in range(120)], "--ignore city"),
    "too large": ([(i, 0, f"{i}e300") for i in range(120)], "column 'area' are too large to be standardised"),
    "nothing to learn": ([(i, 2, "5") for i in range(120)], "every line has '5' in column 'price'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables(houses, case, capsys):
    changes, words = BAD[case]
    changed(houses, changes)
    assert cli.main(["train", "--data", "bad.csv", "--target", "price"]) == 2
    one_line(capsys.readouterr().err, "bad.csv", words)
    assert not Path("runs").exists()


USAGE = {
    ("--target", "cost"): "there is no column 'cost'; there are area, city, price, large",
    (): "--target NAME; there are area, city, price, large",
    ("--target", "price", "--ignore", "price"): "no column is left",
    ("--target", "price", "--ignore", "rooms"): "no column 'rooms'",
    ("--target", "city", "--task", "regression"): "--task must be classification",
    ("--target", "price", "--model", "lstm"): "--model lstm does not fit houses.csv, of the kind table: mlp does",
    ("--target", "price", "--context", "8"): "--context does not fit --model mlp",
}


@pytest.mark.parametrize("options", USAGE)
def test_wrong_options(houses, options, capsys):
    assert cli.main(["train", "--data", "houses.csv", *options]) == 2
    one_line(capsys.readouterr().err, USAGE[options])


def test_few_rows(capsys):
    written("few.csv", ("a", "b"), [(1, 2)] * 9)
    assert cli.main(["train", "--data", "few.csv", "--target", "b"]) == 2
    one_line(capsys.readouterr().err, "has 9 rows; at least 10 are needed")


@pytest.mark.parametrize(("changes", "words"), [
    ([(3, 1, "Bern")], "column 'city' has 'Bern' (line 5), which was not in the training data; it had Basel, Zug"),
    ([(3, 0, "")], "missing in 'area' (line 5)"),
    ([(3, 0, "x")], "also 'x' (line 5)"),
])  # fmt: skip
def test_bad_inputs_later(houses, changes, words, capsys):
    assert train("--target", "price", "--epochs", "1", "--ignore", "large") == 0
    changed(houses, changes)
    for command in (["predict", "runs/houses-1", "bad.csv"], ["evaluate", "runs/houses-1", "--data", "bad.csv"]):
        capsys.readouterr()
        assert cli.main(command) == 2
        one_line(capsys.readouterr().err, "bad.csv", words)


def test_a_constant_column_does_no_harm():
    rng = np.random.default_rng(0)
    written("flat.csv", ("a", "b", "c"), [(7, x, 2 * x) for x in rng.normal(size=40).round(3)])
    assert cli.main(["train", "--data", "flat.csv", "--target", "c", *QUICK]) == 0
    assert json.loads(Path("runs/flat-1/result.json").read_text())["test_r2"] > 0.8
