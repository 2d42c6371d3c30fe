"""The record of a run: a sequence of losses, columns, files and pictures."""

import csv
import json
import math
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from nn.reports.curve import svg
from nn.reports.history import History

ROWS = [
    {"epoch": 1, "loss": 2.0, "accuracy": 0.25, "validation_loss": 2.5, "validation_accuracy": 0.5, "seconds": 0.5},
    {"epoch": 2, "loss": 1.0, "accuracy": 0.5, "validation_loss": 1.5, "validation_accuracy": 0.75, "seconds": 0.5},
    {"epoch": 3, "loss": 0.5, "accuracy": 1.0, "validation_loss": 1.75, "validation_accuracy": 0.5, "seconds": 0.5},
]
SVG = "{http://www.w3.org/2000/svg}"


def test_is_a_sequence_of_losses():
    history = History(ROWS)
    assert list(history) == [2.0, 1.0, 0.5]
    assert len(history) == 3
    assert history[0] == 2.0
    assert history[-1] == 0.5
    assert history[1:] == [1.0, 0.5]
    np.testing.assert_array_equal(np.asarray(history), [2.0, 1.0, 0.5])
    assert 1.0 in history
    assert min(history) == 0.5
    assert list(reversed(history)) == [0.5, 1.0, 2.0]
    with pytest.raises(IndexError):
        history[3]


def test_columns():
    history = History(ROWS)
    assert history["validation_loss"] == [2.5, 1.5, 1.75]
    assert history.columns == list(ROWS[0])
    with pytest.raises(KeyError, match="no column 'accuarcy'; there are epoch, loss, accuracy"):
        history["accuarcy"]


def test_rows_are_copied():
    row = dict(ROWS[0])
    history = History([row])
    history.append(row)
    row["loss"] = 7.0
    assert list(history) == [2.0, 2.0]


def test_repr():
    assert repr(History()) == "History(no epochs)"
    assert repr(History(ROWS[:1])).startswith("History(1 epoch; the last: loss=2, accuracy=0.25,")
    assert repr(History(ROWS)).startswith("History(3 epochs; the last: loss=0.5,")


def test_json_round_trip(tmp_path):
    history = History([*ROWS, {**ROWS[0], "validation_loss": math.inf}])
    history.save(tmp_path / "h.json")
    json.loads((tmp_path / "h.json").read_text(), parse_constant=pytest.fail)  # no NaN or Infinity: those are no JSON
    loaded = History.load(tmp_path / "h.json")
    assert loaded.rows[:3] == ROWS
    assert math.isnan(loaded["validation_loss"][3])


def test_csv(tmp_path):
    History(ROWS).save(tmp_path / "h.csv")
    with open(tmp_path / "h.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{k: float(v) for k, v in row.items()} for row in rows] == ROWS


def test_an_unknown_kind_of_file(tmp_path):
    with pytest.raises(ValueError, match=r"end the name in \.json or \.csv"):
        History(ROWS).save(tmp_path / "h.xlsx")


# -- pictures ------------------------------------------------------------------------------------------------------


def polylines(text):
    root = ElementTree.fromstring(text)
    return [
        [tuple(float(c) for c in point.split(",")) for point in line.get("points").split()]
        for line in root.iter(f"{SVG}polyline")
    ]


def test_svg_shows_every_quantity_with_its_validation():
    root = ElementTree.fromstring(History(ROWS).svg())
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert texts.count("training") == texts.count("validation") == 2
    assert "loss" in texts
    assert "accuracy" in texts
    assert "seconds" not in texts
    assert len(polylines(History(ROWS).svg("loss"))) == 2


def test_svg_lines_go_where_the_values_are():
    (line, _) = polylines(History(ROWS).svg("loss"))
    assert len(line) == 3
    (x1, y1), (x2, y2), (x3, y3) = line
    assert x1 < x2 < x3
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 < y2 < y3  # a smaller loss is lower in the picture, where y points down
    assert (y2 - y1) / (y3 - y2) == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize(
    "rows", [[], ROWS[:1], [{"loss": 0.0}] * 3, [{"loss": math.nan}], [{"loss": 1e-300}, {"loss": 1e300}]]
)
def test_svg_of_what_is_hard_to_scale(rows):
    for points in polylines(History(rows).svg()):
        assert all(math.isfinite(c) for point in points for c in point)


def test_svg_leaves_out_what_is_not_finite():
    (line,) = polylines(svg({"loss": {"training": [1.0, math.inf, 2.0]}}))
    assert len(line) == 2


def test_svg_escapes_names():
    texts = [t.text for t in ElementTree.fromstring(svg({"<a & b>": {'"c"': [1.0, 2.0]}})).iter(f"{SVG}text")]
    assert "<a & b>" in texts
    assert '"c"' in texts


def test_plot_with_matplotlib():
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    try:
        axes = History(ROWS).plot()
        assert [a.get_title() for a in axes] == ["loss", "accuracy"]
        assert axes[0].lines[0].get_ydata().tolist() == [2.0, 1.0, 0.5]
        assert axes[0].lines[1].get_ydata().tolist() == [2.5, 1.5, 1.75]
        assert axes[0].lines[0].get_xdata().tolist() == [1, 2, 3]
        _, own = pyplot.subplots()
        assert History(ROWS).plot("accuracy", axes=own) == [own]
        assert len(own.lines) == 2
        with pytest.raises(ValueError, match=r"2 quantities \(loss, accuracy\) but 1 axes"):
            History(ROWS).plot(axes=own)
    finally:
        pyplot.close("all")


def test_plot_without_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from nn.reports.history import History\n"
        "h = History([{'epoch': 1, 'loss': 1.0}]); h.svg()\n"
        "try: h.plot()\n"
        "except ImportError as e: print(e)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'pullback[plot]'" in result.stdout


DAMAGED = {
    "nothing": b"",
    "cut off": b'[{"epoch": 1, "lo',
    "no UTF-8": b'[{"\xff": 1}]',
    "nested beyond reason": b"[" * 100_000,
    "an integer beyond reason": b'[{"loss": ' + b"9" * 400 + b"}]",
    "an object": b'{"epoch": 1}',
    "a number": b"3",
    "a row that is a list": b"[[1, 2]]",
    "a row that is null": b"[null]",
    "text for a number": b'[{"epoch": 1, "loss": "1.5"}]',
    "a list for a number": b'[{"loss": [1.5]}]',
    "true for a number": b'[{"loss": true}]',
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_named(damage, tmp_path):
    path = tmp_path / "history.json"
    path.write_bytes(DAMAGED[damage])
    with pytest.raises(ValueError, match="not a history: ") as caught:
        History.load(path)
    assert type(caught.value) is ValueError
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 300
