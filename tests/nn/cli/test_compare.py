"""pullback compare: runs side by side."""

import json
import shutil
from pathlib import Path

import pytest

from nn import cli
from nn.reports.history import History
from tests.nn.cli.running import QUICK, one_line

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    found = []
    for name, options in {"small": [], "slow <b>": ["--lr", "0.00001", "--epochs", "3"]}.items():
        assert cli.main([*QUICK, "--quiet", *options, "--output", str(folder / name)]) == 0
        found.append(str(folder / name))
    return found


def test_the_table_and_the_page(runs, capsys):
    assert cli.main(["compare", *runs]) == 0
    head, small, slow, written = capsys.readouterr().out.splitlines()
    assert written == "written to compare.html"
    assert head.split()[:3] == ["run", "epochs", "made"]
    assert head.split()[-2:] == ["epochs", "lr"]
    assert (small.split()[-2:], slow.split()[-2:]) == (["2", "0.003"], ["3", "1e-05"])
    assert small.count("*") == 3  # loss, accuracy, and loss of the validation
    assert "*" not in slow
    page = Path("compare.html").read_text()
    assert "slow &lt;b&gt;" in page
    assert "slow <b>" not in page
    assert page.count("<g data-curves=") == page.count("</svg>") - 2 == 4  # two are beside the names
    assert page.count('class="matrix"') == 2
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "")
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert [link.rsplit("/", 2)[1:] for link in links[1:]] == [
        ["small", "index.html"],
        ["slow%20%3Cb%3E", "index.html"],
    ]
    assert cli.main(["compare", *runs, "--output", "compare.html"]) == 0  # one of its own is written anew


def test_as_json(runs, capsys):
    assert cli.main(["compare", *runs, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["small", "slow <b>"]
    assert found["small"]["options"] == {"epochs": 2, "lr": 0.003}
    history = History.load(Path(runs[0]) / "history.json")
    assert found["small"]["best validation loss"] == min(history["validation_loss"])
    result = json.loads((Path(runs[0]) / "result.json").read_text())
    assert found["small"]["accuracy"] == result["test_accuracy"]
    assert not Path("compare.html").exists()


def test_runs_of_one_name_are_told_apart_and_an_interrupted_one_is_shown(runs, capsys):
    shutil.copytree(runs[0], "a/small")
    (Path("a/small") / "result.json").unlink()
    assert cli.main(["compare", runs[0], "a/small"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[1:3]] == [runs[0], "a/small"]
    assert "-" in rows[2].split()


@pytest.mark.parametrize(
    ("wrong", "code", "word"),
    [
        (["{0}"], 2, "two different runs"),
        (["{0}", "{0}/."], 2, "two different runs"),
        (["{0}", "nowhere"], 2, "nowhere does not exist"),
        (["{0}", "unready"], 2, "no history yet"),
        (["{0}", "damaged"], 2, "damaged/history.json: not a history"),
        (["{0}", "{1}", "--output", "mine.html"], 2, "mine.html is there, and no comparison"),
        (["{0}", "{1}", "--output", "no/such/folder.html"], 1, "No such file"),
    ],
)
def test_what_cannot_be_compared(runs, wrong, code, word, capsys):
    for name, history in {"unready": None, "damaged": "{}"}.items():
        shutil.copytree(runs[0], name)
        Path(name, "history.json").unlink()
        if history is not None:
            Path(name, "history.json").write_text(history)
    Path("mine.html").write_text("my notes")
    assert cli.main(["compare", *[part.format(*runs) for part in wrong]]) == code
    one_line(capsys.readouterr().err, word)
    assert Path("mine.html").read_text() == "my notes"
