"""pullback train and generate on texts."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from nn import cli
from nn.cli.kinds.texts import Texts
from nn.cli.networks import CharacterGPT
from tests.nn.cli.running import one_line

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")
SMALL = ["--quiet", "--context", "8", "--width", "16", "--batch-size", "16", "--epochs", "3", "--lr", "0.01"]


@pytest.fixture
def book():
    Path("book.txt").write_text("the cat sat on the mat.\n" * 40)


@pytest.mark.parametrize("model", ["gpt", "lstm"])
def test_a_text_is_learned_and_written(book, model, capsys):
    assert cli.main(["train", "--data", "book.txt", "--model", model, *SMALL]) == 0
    assert "bits for each character" in capsys.readouterr().out
    result = json.loads(Path("runs/book-1/result.json").read_text())
    assert result["test_loss"] < result["test_baseline_loss"] < result["test_guessing_loss"]
    assert Path("runs/book-1/index.html").read_text().count('class="attention"') == (8 if model == "gpt" else 0)
    assert result["test_guessing_loss"] == pytest.approx(math.log(len(set("the cat sat on the mat.\n"))))

    texts = []
    for seed in ("1", "1", "2"):
        options = ["--prompt", "the c", "--length", "40", "--seed", seed]
        assert cli.main(["generate", "runs/book-1", *options]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("the c")
    assert len(texts[0]) == len("the c") + 40 + 1
    assert cli.main(["evaluate", "runs/book-1", "--data", "book.txt", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["loss"] == pytest.approx(result["test_loss"], abs=0.3)


def test_a_text_of_one_line(capsys):
    Path("line.txt").write_text("the cat sat on the mat. " * 40)
    assert cli.main(["train", "--data", "line.txt", *SMALL, "--epochs", "1"]) == 0
    assert "What it writes" in Path("runs/line-1/index.html").read_text()


def test_temperature_and_top_k():
    kind = Texts("gpt", "abcd", 4)
    model = CharacterGPT(4, 4, 1, 8, 2, rng=np.random.default_rng(0))
    model.head.bias.data = np.array([0.0, 3.0, 2.0, 1.0], np.float32)

    def written(**options):
        return "".join(kind.written(model, "a", 60, np.random.default_rng(0), **options))

    assert len(set(written(temperature=0))) == 1
    assert written(temperature=0) == written(top=1)
    assert len(set(written(temperature=5.0, top=2))) == 2
    assert len(set(written(temperature=5.0))) == 4


def test_a_gpt_sees_no_later_character():
    model = CharacterGPT(5, 6, 2, 8, 2, rng=np.random.default_rng(0)).eval()
    x = np.array([[0, 1, 2, 3, 4, 0]])
    for heads in model.attention(x):
        assert heads.shape == (2, 6, 6)
        np.testing.assert_allclose(np.sum(heads.data, axis=-1), 1.0, rtol=1e-6)
        assert not np.triu(heads.data, 1).any()
    other = x.copy()
    other[0, 4:] = 1
    one, two = model(x).data, model(other).data
    np.testing.assert_array_equal(one[0, :4], two[0, :4])
    assert not np.allclose(one[0, 4:], two[0, 4:])


def test_the_embedded_text_is_the_default(capsys):
    tiny = ["--context", "4", "--width", "4", "--heads", "1", "--layers", "1", "--epochs", "1", "--batch-size", "4096"]
    assert cli.main(["train", "--model", "gpt", *tiny]) == 0
    out = capsys.readouterr().out
    assert out.startswith("sonnets: 86,048 characters to train")
    assert "guessing has 4.127" in out
    assert "written to runs/sonnets-1" in out


USAGE = {
    "an unknown character": (["generate", "runs/book-1", "--prompt", "Zoë"], "does not know 'Z' 'ë'"),
    "no prompt": (["generate", "runs/book-1", "--prompt", ""], "--prompt is empty"),
    "a picture": (["predict", "runs/book-1", "book.txt"], "'pullback generate' lets it write"),
    "a short text": (["evaluate", "runs/book-1", "--data", "short.txt"], "has 3 characters; more than 8 are needed"),
    "an unknown text": (["evaluate", "runs/book-1", "--data", "sonnets"], "sonnets: the model does not know"),
    "training on a short one": (["train", "--data", "short.txt"], "has 3 characters"),
    "no text": (["train", "--data", "no.txt"], "is not UTF-8"),
    "a target": (["train", "--data", "book.txt", "--target", "x"], "--target goes with a table"),
    "wrong heads": (["train", "--data", "book.txt", "--width", "9"], "--width 9 does not make 4 equal heads"),
    "a model for images": (["train", "--data", "book.txt", "--model", "cnn"], "of the kind text: gpt or lstm does"),
    "no temperature": (["generate", "runs/book-1", "--temperature", "-1"], "'-1' is not a number of at least 0"),
    "no length": (["generate", "runs/book-1", "--length", "0"], "at least 1"),
    "no run": (["generate", "nowhere"], "nowhere does not exist"),
    "a folder that is no run": (["generate", "."], "is no folder of a run"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "book-1"
    book = folder.parent / "book.txt"
    book.write_text("the cat sat on the mat.\n" * 40)
    assert cli.main(["train", "--data", str(book), "--output", str(folder), *SMALL, "--epochs", "1"]) == 0
    return folder


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage(book, trained, case, capsys):
    arguments, words = USAGE[case]
    Path("short.txt").write_text("cat")
    Path("no.txt").write_bytes(b"\xff\xfe")
    capsys.readouterr()
    assert cli.main([str(trained) if a == "runs/book-1" else a for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, words)
    assert not Path("runs").exists()


def test_a_run_of_images_does_not_write(capsys):
    assert cli.main(["train", "--epochs", "1", "--hidden", "", "--quiet"]) == 0
    capsys.readouterr()
    assert cli.main(["generate", "runs/digits-1"]) == 2
    one_line(capsys.readouterr().err, "learned digits, no text")


def test_a_damaged_run(trained, capsys, tmp_path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "run.json").write_text('{"kind": "text"}')
    assert cli.main(["generate", str(folder)]) == 2
    one_line(capsys.readouterr().err, "run.json: is damaged")
    (folder / "run.json").write_text((trained / "run.json").read_text())
    assert cli.main(["generate", str(folder)]) == 2
    one_line(capsys.readouterr().err, "has no model")
    (folder / "model.safetensors").write_bytes(b"no model")
    assert cli.main(["generate", str(folder)]) == 2
    one_line(capsys.readouterr().err, "model.safetensors")
