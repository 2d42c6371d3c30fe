"""pullback train: what it prints, what it writes, and how it fails."""

import csv
import json
import os
import pty
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
from nn import cli
from nn.reports.history import History
from nn.training.optim import OPTIMIZERS
from tests.nn.cli.running import QUICK, command, environment, one_line, process

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


# -- the main job --------------------------------------------------------------------------------------------------


def test_train_on_the_digits():
    """The whole of it, as a user runs it: at least 97 % on images that were held out."""
    result = process("train")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "digits: 1,293 to train, 144 to validate, 360 to test"
    epochs = [line for line in lines if "/40 " in line]
    assert len(epochs) == 40
    number = r"\d+\.\d{4}"
    for line in epochs:
        assert re.fullmatch(rf" *\d+/40 +{number} +{number} +{number} +{number} +[\d,]+", line)
        assert len(line) < 80
    heading = lines[lines.index(epochs[0]) - 1]
    assert heading.split() == ["epoch", "loss", "accuracy", "validation", "loss", "accuracy", "examples/s"]
    assert len(heading) == len(epochs[0])
    percent, right = re.fullmatch(r"test accuracy (\d+\.\d\d)% \((\d+) of 360\)", lines[-2]).groups()
    assert lines[-1] == "written to runs/digits-1"
    assert float(percent) >= 97.0
    assert float(percent) == pytest.approx(100 * int(right) / 360, abs=0.005)
    matrix = [[int(n) if n != "." else 0 for n in line.split()[1:]] for line in lines[-13:-3]]
    assert re.fullmatch(r"always saying \d: 1\d\.\d\d%", lines[-3])
    assert np.trace(matrix) == int(right)
    assert np.sum(matrix) == 360
    files = sorted(path.name for path in Path("runs/digits-1").iterdir())
    assert files == [
        "curves.svg", "graph.dot", "graph.html", "graph.svg", "history.csv", "history.json", "index.html",
        "model.safetensors", "result.json", "run.json", "training.html",
    ]  # fmt: skip


def test_what_the_run_folder_holds(capsys):
    assert cli.main([*QUICK, "--hidden", "12,8", "--seed", "3", "--output", "out/here"]) == 0
    folder = Path("out/here")
    result = json.loads((folder / "result.json").read_text())
    assert result["options"]["hidden"] == [12, 8]
    assert result["options"]["seed"] == 3
    matrix = np.array(result["confusion_matrix"])
    assert result["test_accuracy"] == pytest.approx(np.trace(matrix) / matrix.sum())
    assert f"test accuracy {result['test_accuracy']:.2%}" in capsys.readouterr().out

    right = result["test_accuracy"]  # 20 % of these images
    assert right > 0.15
    model = nn.load(folder / "model.safetensors")
    assert [layer.out_features for layer in model if isinstance(layer, nn.Linear)] == [12, 8, 10]
    images, labels = nn.datasets.digits()
    assert np.mean(model(images).data.argmax(1) == labels) == pytest.approx(right, abs=0.1)
    assert not (folder / "checkpoint.safetensors").exists()

    history = History.load(folder / "history.json")
    assert history["epoch"] == [1, 2]
    with open(folder / "history.csv", newline="") as file:
        assert [float(row["loss"]) for row in csv.DictReader(file)] == list(history)
    for name in ("curves.svg", "graph.svg"):
        assert ElementTree.parse(folder / name).getroot().tag.endswith("svg")
    assert "digraph" in (folder / "graph.dot").read_text()


def test_the_same_seed_gives_the_same_parameters():
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        assert cli.main([*QUICK, "--seed", seed, "--output", name, "--quiet"]) == 0
    a, b, c = (Path(name, "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_runs_are_numbered_and_never_overwritten(capsys):
    Path("runs/digits-7").mkdir(parents=True)
    Path("runs/digits-old").mkdir()
    for number in (8, 9):
        assert cli.main([*QUICK, "--quiet"]) == 0
        assert f"written to runs/digits-{number}" in capsys.readouterr().out
    assert cli.main([*QUICK, "--output", "runs/digits-8"]) == 1
    assert "runs/digits-8 is not empty" in capsys.readouterr().err


def test_quiet(capsys):
    assert cli.main([*QUICK, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [line.split()[0] for line in out.splitlines()] == ["test", "written"]


def test_every_public_optimizer_is_offered():
    known = {"momentum", "sgd", "adam", "adamw", "nadam", "rmsprop", "adagrad", "adadelta", "lion"}
    assert {*OPTIMIZERS} == known  # but not what is for matrices, or for all data at once


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimizer(optimizer, capsys):
    options = ["--optimizer", optimizer, "--hidden", "", "--label-smoothing", "0", "--lr", "0.01"]
    assert cli.main([*QUICK, *options]) == 0
    out = capsys.readouterr().out
    losses = [float(m) for m in re.findall(r"/2 +(\d\.\d+)", out)]
    assert losses[1] < losses[0]
    assert "loss: cross-entropy\n" in out


# -- MNIST ---------------------------------------------------------------------------------------------------------


def test_mnist_from_a_folder(monkeypatch, capsys):
    rng = np.random.default_rng(0)
    splits = []
    for n in (400, 100):
        labels = np.arange(n) % 10
        images = rng.random((n, 784), dtype=np.float32) * 0.1
        images[np.arange(n), labels * 70] = 1.0
        splits.append((images, labels))
    asked = []
    monkeypatch.setattr(nn.datasets, "mnist", lambda path: (asked.append(path), splits)[1])
    arguments = ["train", "--data", "mnist", "--data-path", "here", "--hidden", "32", "--batch-size", "16"]
    assert cli.main([*arguments, "--lr", "0.01"]) == 0
    assert asked == ["here"]
    out = capsys.readouterr().out
    assert out.startswith("mnist: 360 to train, 40 to validate, 100 to test\n")
    assert "test accuracy 100.00% (100 of 100)\nwritten to runs/mnist-1\n" in out


# -- the terminal --------------------------------------------------------------------------------------------------


def on_a_terminal(*arguments):
    """What a run writes to its terminal."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(command(*arguments), stdout=terminal, stderr=terminal, env=environment()) as running:
        os.close(terminal)
        parts = []
        while True:
            try:
                part = os.read(controller, 65536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not part:
                break
            parts.append(part)
        os.close(controller)
    assert running.returncode == 0
    return b"".join(parts).decode()


def test_the_bar_appears_on_a_terminal_only():
    shown = on_a_terminal(*QUICK, "--epochs", "30")
    drawn = re.findall(r"\r(epoch [^\r\n]*left)", shown)
    assert drawn
    assert all("loss" in line and "accuracy" in line and "examples/s" in line for line in drawn)
    final = [line.split("\r")[-1] for line in shown.replace("\r\n", "\n").split("\n")]
    assert sum("/30 " in line for line in final) == 30
    assert not any("left" in line for line in final)  # no bar is left between the lines
    assert "\r" not in process(*QUICK).stdout
    assert process(*QUICK).stderr == ""


def test_quiet_means_no_bar():
    assert "left" not in on_a_terminal(*QUICK, "--quiet")


# -- mistakes ---------------------------------------------------------------------------------------------------


def failing(capsys, *arguments, code=1):
    assert cli.main(list(arguments)) == code
    return capsys.readouterr().err


def test_missing_files(capsys):
    one_line(
        failing(capsys, "train", "--data", "mnist", code=2),
        "train-images-idx3-ubyte",
        "cache",
        "--data-path",
        "PULLBACK_MNIST",
    )
    one_line(failing(capsys, "train", "--data", "mnist", "--data-path", "nowhere", code=2), "not found in nowhere")


def test_damaged_files(capsys):
    Path("here").mkdir()
    for file in nn.datasets.nist.FILES.values():
        Path("here", file.name).write_bytes(b"\0\0\x08\x01\0\0\0\x05abc")
    message = failing(capsys, "train", "--data", "mnist", "--data-path", "here", code=2)
    one_line(message, "train-images-idx3-ubyte: is cut off: 11 bytes")


def test_a_run_folder_that_cannot_be(capsys):
    Path("file").write_text("in the way")
    one_line(failing(capsys, *QUICK, "--output", "file"), "cannot be written: file is a file; name a folder")
    one_line(failing(capsys, *QUICK, "--output", "file/run"), "cannot be written: file/run: Not a directory")
    one_line(failing(capsys, *QUICK, "--output", "~nouser/x"), "cannot be written: ~nouser/x: no home folder is known")
    Path("runs").write_text("in the way")
    one_line(failing(capsys, *QUICK), "the run folder cannot be written", "runs")


def test_divergence_is_one_line_and_leaves_no_folder(capsys):
    message = failing(capsys, *QUICK, "--optimizer", "sgd", "--lr", "1e38")
    one_line(message, "fit: the loss", "at step", "Try a smaller learning rate")
    assert list(Path("runs").iterdir()) == []
