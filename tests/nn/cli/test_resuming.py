"""Ctrl-C keeps a run, and --resume goes on as if it had never stopped; the page of a run."""

import json
import re
import signal
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from nn import cli
from nn.cli.keeping import Keeper
from nn.reports.history import History
from nn.safetensors import load_file
from tests.nn.cli.running import command, environment, one_line

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
DIGITS = ["train", "--epochs", "4", "--hidden", "8", "--batch-size", "64", "--quiet"]
BOOK = ["train", "--data", "book.txt", "--context", "8", "--width", "8", "--epochs", "2", "--dropout", "0.2", "--quiet"]


@pytest.fixture
def interrupted(monkeypatch):
    """Press Ctrl-C after a step."""

    before, chosen = Keeper.on_step, []

    def on_step(self, run):
        if run.step in chosen[-1:]:
            signal.raise_signal(signal.SIGINT)
        before(self, run)

    monkeypatch.setattr(Keeper, "on_step", on_step)
    return chosen.append


def arrays(folder):
    return load_file(Path(folder, "model.safetensors"))


@pytest.mark.parametrize(("arguments", "step"), [(DIGITS, 1), (DIGITS, 21), (DIGITS, 42), (DIGITS, 50), (BOOK, 9)])
def test_going_on_is_never_having_stopped(arguments, step, interrupted, capsys):
    Path("book.txt").write_text("the cat sat on the mat.\n" * 30)
    assert cli.main([*arguments, "--output", "whole"]) == 0
    interrupted(step)
    capsys.readouterr()
    assert cli.main([*arguments, "--output", "parts"]) == 130
    out, err = capsys.readouterr()
    assert err == ""
    assert re.fullmatch(r"interrupted in epoch \d of \d; go on with: pullback train --resume parts\n", out)
    assert "interrupted" in Path("parts/index.html").read_text()
    interrupted(-1)
    assert cli.main(["train", "--resume", "parts", "--quiet"]) == 0
    whole, parts = arrays("whole"), arrays("parts")
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])
    one, two = (History.load(f"{name}/history.json") for name in ("whole", "parts"))
    assert one["loss"] == two["loss"]
    assert one["validation_loss"] == two["validation_loss"]
    assert Path("whole/result.json").read_text() == Path("parts/result.json").read_text()


def test_a_process_that_is_interrupted():
    with subprocess.Popen(
        command("train", "--epochs", "100000"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(),
    ) as running:  # fmt: skip
        for line in running.stdout:
            if "/100000 " in line:
                break
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err == ""
    assert out.splitlines()[-1].endswith("go on with: pullback train --resume runs/digits-1")
    assert {"checkpoint.safetensors", "run.json", "index.html"} <= {p.name for p in Path("runs/digits-1").iterdir()}


def test_a_run_that_is_interrupted_can_be_used(interrupted, capsys):
    interrupted(25)
    assert cli.main([*DIGITS, "--output", "parts"]) == 130
    capsys.readouterr()
    assert cli.main(["evaluate", "parts", "--data", "digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.05


def test_what_cannot_go_on(interrupted, capsys):
    Path("book.txt").write_text("the cat sat on the mat.\n" * 30)
    interrupted(9)
    assert cli.main([*BOOK, "--output", "parts"]) == 130
    interrupted(-1)
    assert cli.main([*DIGITS, "--epochs", "1", "--output", "done"]) == 0
    for arguments, words in (
        (["--resume", "nowhere"], "nowhere does not exist"),
        (["--resume", "done"], "done: the training is finished"),
        (["--resume", "parts", "--epochs", "9"], "--epochs and --resume"),
        (["--resume", "parts", "--data", "digits"], "--data and --resume"),
    ):
        capsys.readouterr()
        assert cli.main(["train", *arguments]) == 2
        one_line(capsys.readouterr().err, words)
    Path("book.txt").write_text("the dog sat on the mat.\n" * 30)
    assert cli.main(["train", "--resume", "parts"]) == 1
    one_line(capsys.readouterr().err, "parts: book.txt has changed since the run began")
    Path("parts/checkpoint.safetensors").write_bytes(b"no checkpoint")
    Path("book.txt").write_text("the cat sat on the mat.\n" * 30)
    assert cli.main(["train", "--resume", "parts"]) == 1
    one_line(capsys.readouterr().err, "parts/checkpoint.safetensors")
    assert Path("parts/run.json").exists()


class Page(HTMLParser):
    """The links and the text of a page, and the tags that are not closed."""

    def __init__(self, text):
        super().__init__()
        self.links, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("href", "src")]
        if tag not in ("meta", "link", "br", "rect", "path", "circle", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.words.append(text)


def test_the_page_of_a_run():
    assert cli.main([*DIGITS, "--output", "one & <two>"]) == 0
    folder = Path("one & <two>")
    page = Page((folder / "index.html").read_text())
    assert page.open == []
    text = " ".join(page.words)
    accuracy = json.loads((folder / "result.json").read_text())["test_accuracy"]
    for words in ("digits: mlp", "finished", f"accuracy {accuracy:.2%}", "Confusion matrix", "always saying",
                  "pullback predict 'one & <two>' picture.png", "model.safetensors", "seed"):  # fmt: skip
        assert words in text
    for link in page.links:  # nothing from elsewhere
        assert link.startswith("data:") or (folder / link).exists()
