"""Images: pictures that a user has, arrays, other models, colours."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import nn
from nn import cli
from nn.cli.seeing import blocks
from tests.nn.cli.running import one_line

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "digits-1"
    assert cli.main(["train", "--quiet", "--epochs", "12", "--hidden", "64", "--output", str(folder)]) == 0
    return str(folder)


def photographed(image):
    """A digit of the dataset, dark on light paper, larger, and not in the middle."""
    page = np.full((160, 130), 0.9)
    page[50:130, 5:85] -= 0.8 * np.kron(image, np.ones((10, 10)))
    return Image.fromarray((page * 255).astype(np.uint8))


def test_pictures_of_digits(trained, capsys):
    images, labels = nn.datasets.digits(flat=False)
    paths = []
    for i in range(20):
        paths.append(f"{i}.png" if i else "0.jpg")
        photographed(images[i]).save(paths[-1])
    assert cli.main(["predict", trained, *paths, "--json", "--picture", "seen.svg"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [answer["input"] for answer in answers] == paths
    right = [answer["label"] == str(label) for answer, label in zip(answers, labels, strict=False)]
    assert sum(right) >= 17
    assert ElementTree.parse("seen.svg").getroot().tag.endswith("svg")
    assert all(path in Path("seen.svg").read_text() for path in paths)


def test_what_it_saw_is_shown(trained, capsys):
    images, _ = nn.datasets.digits(flat=False)
    photographed(images[0]).save("zero.png")
    assert cli.main(["predict", trained, "zero.png"]) == 0
    first, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("zero.png: 0 ")
    assert len(rows) == 8
    assert all(len(row) == 18 for row in rows)


def test_blocks_where_none_can_be_printed():
    assert blocks(np.array([[0.0, 1.0]]), "ascii") == "|  ##|"
    assert len(blocks(np.ones((1, 200)), "utf-8")) == 2 * 64 + 2


def test_arrays(trained, capsys):
    images, labels = nn.datasets.digits()
    np.save("several.npy", images[:30])
    np.save("one.npy", (images[0].reshape(8, 8) * 16).astype(np.uint8))
    Path("one.csv").write_text(";".join(f"{v:g}" for v in images[0]) + "\n")
    assert cli.main(["predict", trained, "several.npy", "one.npy", "one.csv", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert len(answers) == 32
    assert np.mean([a["label"] == str(n) for a, n in zip(answers, labels, strict=False)]) > 0.8
    assert answers[0]["label"] == answers[30]["label"] == answers[31]["label"] == "0"


def test_mistakes_and_weights_are_shown(trained):
    page = Path(trained, "index.html").read_text()
    result = json.loads(Path(trained, "result.json").read_text())
    wrong = np.array(result["confusion_matrix"])
    count = int(wrong.sum() - np.trace(wrong))
    assert page.count(", says ") == 2 * min(count, 18) > 0  # in the caption, and for who does not see the picture
    assert page.count("<figure>") == min(count, 18) + 24


def test_evaluation(trained, capsys):
    assert cli.main(["evaluate", trained, "--data", "digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.9
    images, labels = nn.datasets.digits(flat=False)
    np.savez("some.npz", images=images[:50], labels=labels[:50])
    assert cli.main(["evaluate", trained, "--data", "some.npz"]) == 0
    assert "of 50)" in capsys.readouterr().out


BAD = {
    "no file": ("no.png", None, "no.png: No such file"),
    "no picture": ("a.png", b"no picture", "a.png"),
    "an empty picture": ("a.png", np.full((9, 9), 200, np.uint8), "a.png: the picture is empty"),
    "another shape": ("a.npy", np.ones((3, 5)), "float64 of shape (3, 5); the model takes images of shape (8, 8)"),
    "NaN": ("a.npy", np.full(64, np.nan), "not finite"),
    "beyond": ("a.npy", np.full(64, 1e6), "pixels are 0 to 1"),
    "texts": ("a.csv", b"1,2\n3,x\n", "row 2 has a cell that is no number"),
    "objects": ("a.npy", np.array([{}], dtype=object), "a.npy"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_inputs(trained, case, capsys):
    name, contents, words = BAD[case]
    if isinstance(contents, bytes):
        Path(name).write_bytes(contents)
    elif name.endswith(".npy"):
        np.save(name, contents, allow_pickle=True)
    elif contents is not None:
        Image.fromarray(contents).save(name)
    assert cli.main(["predict", trained, name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, words)


DATA = {
    "one array": (np.ones(3), "holds one array"),
    "no arrays": (b"PK\3\4 no zip", "is no file of arrays"),
    "no images": ({"x": np.ones(3)}, "it must have images and labels"),
    "flat": ({"images": np.ones((4, 9)), "labels": np.arange(4)}, "must be numbers (n, height, width)"),
    "too few labels": ({"images": np.ones((4, 3, 3)), "labels": np.arange(3)}, "one for each of 4 images"),
    "few": ({"images": np.ones((4, 3, 3)), "labels": np.arange(4)}, "has 4 images; at least 10 are needed"),
    "one class": ({"images": np.ones((12, 3, 3)), "labels": np.zeros(12, int)}, "nothing to tell apart"),
    "NaN": ({"images": np.full((12, 3, 3), np.nan), "labels": np.arange(12)}, "pixels must be numbers"),
}


@pytest.mark.parametrize("case", DATA)
def test_bad_data(case, capsys):
    arrays, words = DATA[case]
    if isinstance(arrays, dict):
        np.savez("bad.npz", **arrays)
    elif isinstance(arrays, bytes):
        Path("bad.npz").write_bytes(arrays)
    else:
        with open("bad.npz", "wb") as file:
            np.save(file, arrays)
    assert cli.main(["train", "--data", "bad.npz"]) == 2
    one_line(capsys.readouterr().err, "bad.npz", words)
    assert not Path("runs").exists()


def test_a_convolutional_network_on_colours(capsys):
    rng = np.random.default_rng(0)
    labels = np.repeat(["blue", "red"], 40)
    images = rng.integers(0, 60, (80, 6, 7, 3), np.uint8)
    images[:40, ..., 2] += 150
    images[40:, ..., 0] += 150
    np.savez("colours.npz", images=images, labels=labels)
    options = ["--epochs", "6", "--channels", "4", "--hidden", "8", "--batch-size", "16", "--quiet"]
    assert cli.main(["train", "--data", "colours.npz", "--model", "cnn", *options]) == 0
    assert "test accuracy 100.00%" in capsys.readouterr().out
    stream = io.BytesIO()
    Image.new("RGB", (30, 20), (220, 20, 20)).save(stream, "png")
    Path("red.png").write_bytes(stream.getvalue())
    assert cli.main(["predict", "runs/colours-1", "red.png"]) == 0
    assert capsys.readouterr().out.startswith("red.png: red ")


def test_a_model_that_does_not_fit(capsys):
    assert cli.main(["train", "--data", "digits", "--model", "gpt"]) == 2
    one_line(capsys.readouterr().err, "--model gpt does not fit digits, of the kind images: mlp or cnn does")
    assert cli.main(["train", "--channels", "8"]) == 2
    one_line(capsys.readouterr().err, "--channels does not fit --model mlp")
