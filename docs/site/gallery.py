"""The examples, each with the graph of what it trains, drawn by ``autodiff.draw`` when the site is built."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autodiff.draw import draw as drawn

FOLDER = Path(__file__).resolve().parents[2] / "examples"
ROLE = re.compile(r":(\w+):`([^`]+)`")


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def _called(name: str, f: Callable[..., Any], *args: Any) -> Any:
    f.__name__ = f.__qualname__ = name
    return drawn(f, *args)


def _denoised(m: ModuleType) -> Any:
    return drawn(m.Denoiser(8, _rng()), _zeros(4, 2), np.zeros(4, int))


def _solved(m: ModuleType) -> Any:
    import nn

    network = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1))
    return _called("solved", lambda y: m.solved(network, y, np.linspace(0.0, 0.1, 2)), _zeros(2))


def _chosen(m: ModuleType) -> Any:
    import nn

    policy = nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1))
    log_prob = lambda state: m.Categorical(logits=policy(state)).log_prob(np.zeros(3, int))  # noqa: E731
    return _called("log_prob", log_prob, np.zeros((3, 4)))


def _mixed(m: ModuleType) -> Any:
    p = {"logits": np.zeros(3), "means": np.zeros((3, 2)), "log scales": np.zeros((3, 2)), "roots": np.zeros((3, 2, 2))}
    return drawn(m.loss, p, np.ones((5, 2)))


def _surprise(m: ModuleType) -> Any:
    start = {"mean": 0.0, "log noise": -1.0, "log scale": 0.0, "log length": 0.0}
    return drawn(m.surprise, start, np.linspace(-1.0, 1.0, 5), np.ones(5))


PICTURES: dict[str, Callable[[ModuleType], Any]] = {
    "makemore_mlp": lambda m: drawn(m.MLP(4, 8, _rng()), np.zeros((2, m.CONTEXT), int)),
    "char_gpt": lambda m: drawn(m.GPT(20, 8, 2, 8, _rng()), np.zeros((2, 8), int), depth=2),
    "cnn_mnist": lambda m: drawn(m.network(8, 4, 16, _rng()), _zeros(2, 1, 8, 8)),
    "lstm_text": lambda m: drawn(m.Writer(20, 8, _rng()), np.zeros((2, 4), int), (_zeros(1, 2, 8), _zeros(1, 2, 8))),
    "vae": lambda m: _called(
        "negative_bound", lambda x: m.negative_bound(m.VAE(16, 8, _rng()), x, _rng()), _zeros(3, 16)
    ),
    "gan": lambda m: drawn(m.network(m.NOISE, 8, 2, _rng()), _zeros(4, m.NOISE)),
    "diffusion_moons": _denoised,
    "cart_pole": _chosen,
    "pinn": lambda m: drawn(m.Solution(8, _rng()), _zeros(4), _zeros(4)),
    "karate_club": lambda m: drawn(m.GraphNetwork(8, _rng())()),
    "gaussian_process": _surprise,
    "mixture": _mixed,
    "black_box_vi": lambda m: drawn(m.bound, -np.ones(2), np.zeros(2), np.ones((5, 2))),
    "fluid": lambda m: drawn(m.advect, np.ones((4, 4)), np.ones((4, 4)), np.ones((4, 4))),
    "wing": lambda m: drawn(m.continued, np.ones((4, 4)), np.ones((4, 4))),
    "neural_ode": _solved,
}
"""How to draw each example, at a small size: what is drawn is the part that has its name."""


def names() -> list[str]:
    """The examples, in the order of the table above."""
    written = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert written == set(PICTURES), f"no picture, or no example: {written ^ set(PICTURES)}"
    return list(PICTURES)


def _docstring(name: str) -> tuple[str, str, str]:
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    title, _, rest = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")
    return title.rstrip("."), ROLE.sub(r"{py:\1}`\2`", rest), text


def pages() -> dict[str, str]:
    """A page for each example: what it is, its graph, its code."""
    found = {}
    for name in names():
        title, rest, code = _docstring(name)
        picture = f"![The graph of a part of this example]({name}.svg)"
        found[f"examples/{name}.md"] = f"# {title}\n\n{rest}\n\n{picture}\n\n```python\n{code}```\n"
    return found


def shown(text: str) -> str:
    """The page of all examples, with a picture of each behind its first paragraph."""
    title, first, rest = text.split("\n\n", 2)
    cards = [f"[![]({name}.svg) {_docstring(name)[0]}]({name}.md)" for name in names()]
    return "\n\n".join([title, first, ":::{container} gallery", *cards, ":::", rest])


def draw(folder: Path) -> None:
    """The picture of each example, in a folder."""
    for name in names():
        PICTURES[name](importlib.import_module(f"examples.{name}")).save(folder / f"{name}.svg")
