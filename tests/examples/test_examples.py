"""Every example runs as a user runs it, at a small size, and learns something."""

import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"
PATHS = sorted(path for path in FOLDER.glob("*.py") if path.stem != "__init__")

# what each returns, and the level that it has to pass: one that nothing reaches without having learned
BELOW = {
    "makemore_mlp": 2.7,  # knowing how often each letter is used gives 2.83
    "char_gpt": 2.8,  # knowing how often each character is used gives 3.09
    "lstm_text": 2.5,  # the same text
    "vae": 26.5,  # pixels that know nothing of each other: 27.1
    "diffusion_moons": 0.25,  # of normally distributed points: 0.28
    "pinn": 0.4,  # of the initial values, kept: 0.69
    "gaussian_process": 0.1,  # without the points: 0.35
    "fluid": 0.5,  # at first 1
    "neural_ode": 0.6,  # at first 1.5
}
ABOVE = {
    "cnn_mnist": 0.85,  # by chance 0.1
    "gan": 0.5,  # of normally distributed points: 0.26; of four clusters alone: 0.5
    "cart_pole": 100,  # before the training about 20
    "karate_club": 0.9,  # by chance 0.5
    "mixture": -2.3,  # of one Gaussian: -3.6
    "black_box_vi": -1.0,  # at first -12
    "wing": 0.1,  # at first 0
}


@pytest.mark.parametrize("name", [path.stem for path in PATHS])
def test_an_example_learns(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # its picture is written where it is run
    monkeypatch.setenv("PULLBACK_MNIST", str(tmp_path))
    main = importlib.import_module(f"examples.{name}").main
    found = main(quick=True)
    assert found < BELOW[name] if name in BELOW else found > ABOVE[name]
    assert len(capsys.readouterr().out.splitlines()) >= 2
    picture = inspect.signature(main).parameters.get("picture")
    assert [path.name for path in tmp_path.iterdir()] == ([picture.default] if picture else [])
    assert all(path.stat().st_size > 500 for path in tmp_path.iterdir())


def test_the_data_of_the_gan_have_every_cluster():
    gan = importlib.import_module("examples.gan")
    points = gan.clusters(1000, np.random.default_rng(0))
    nearest = np.linalg.norm(points[:, None] - gan.CENTRES, axis=-1).argmin(axis=1)
    assert np.bincount(nearest, minlength=8).min() > 80


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_an_example_can_be_read_in_one_go(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    said = text.partition('"""')[2].partition('"""')[0]
    assert f"python -m examples.{path.stem}" in said
    assert re.search(r"What to expect: .*\d", said), "a figure that was measured"


def test_the_page_names_every_example():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\w+)\.py\)", page)) == {path.stem for path in PATHS} == {*BELOW, *ABOVE}


def test_the_page_says_what_the_examples_say():
    said, told = "", set()
    for row in re.findall(r"^\| .* \|$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)[1:]:
        _, name, _, result, seconds, _ = row.split("|")
        link = re.search(r"\((\w+\.py)\)", name)  # a row without one is of the same example
        said = (FOLDER / link[1]).read_text(encoding="utf-8").split('"""')[1] if link else said
        figures = {figure.rstrip(".,") for figure in re.findall(r"\d[\d.,]+", result)}
        assert figures <= {figure.rstrip(".,") for figure in re.findall(r"\d[\d.,]+", said)}, name
        assert f"{seconds.strip()} seconds" in said, name
        told |= figures
    assert len(told) > len(PATHS)
