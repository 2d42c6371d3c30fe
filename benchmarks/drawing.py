"""Drawing graphs: the size of the picture, the time to make it, and the time a browser takes to lay it out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .measuring import NOT_INSTALLED, Table, number, print_tables, version
from .processes import ask

CONTESTANTS = {"pullback": "pullback", "torchviz": "torchviz", "torchview": "torchview", "MyGrad": "mygrad"}
DOUBLINGS = 16
CHAIN = 100_000
LAYERS = 67  # 3,020 boxes: operations, parameters and the input
SECONDS = 120.0


def _dot_seconds(source: str) -> float | str:
    """How long Graphviz takes to make an SVG of a graph."""
    program = shutil.which("dot")
    if program is None:
        return "no program dot"
    started = time.perf_counter()
    try:
        done = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True, timeout=SECONDS / 2)
    except subprocess.TimeoutExpired:
        return f"not done after {SECONDS / 2:.0f} s"
    return time.perf_counter() - started if done.returncode == 0 else "dot failed"


# -- what is drawn -------------------------------------------------------------------------------------------------


def doubled(x: Any) -> Any:
    """y = y + y, again and again: the number of paths doubles each time, the number of operations grows by one."""
    for _ in range(DOUBLINGS):
        x = x + x
    return x


def chained(x: Any, sine: Callable[[Any], Any]) -> Any:
    """One long chain."""
    for _ in range(CHAIN):
        x = sine(x)
    return x


def torch_transformer() -> Any:
    """The model of tests/draw/models.py in PyTorch."""
    import torch
    from torch import nn

    size = 4

    class Norm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(size))

        def forward(self, x: Any) -> Any:
            centred = x - x.mean(-1, keepdim=True)
            return centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + 1e-5) * self.gain

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value, self.out = (nn.Linear(size, size) for _ in range(4))

        def forward(self, x: Any) -> Any:
            query, key, value = self.query(x), self.key(x), self.value(x)
            scores = query @ key.swapaxes(-1, -2) * size**-0.5
            weights = torch.exp(scores - scores.amax(-1, keepdim=True))
            return self.out(weights / weights.sum(-1, keepdim=True) @ value)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.attention = Norm(), Attention()
            self.up, self.down = nn.Linear(size, 2 * size), nn.Linear(2 * size, size)

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norm(x))
            return x + self.down(torch.clamp(self.up(x), min=0))

    return nn.Sequential(*[Block() for _ in range(LAYERS)], nn.Linear(size, 3))


def mygrad_transformer() -> Any:
    """The output of the same model, computed with MyGrad, which has no modules."""
    import mygrad as mg

    random = np.random.default_rng(7)

    def linear(inputs: int, outputs: int) -> Any:
        weight, bias = mg.tensor(random.normal(size=(inputs, outputs))), mg.tensor(np.zeros(outputs))
        return lambda x: mg.matmul(x, weight) + bias

    def block(x: Any) -> Any:
        centred = x - mg.mean(x, axis=-1, keepdims=True)
        h = centred / mg.sqrt(mg.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * mg.tensor(np.ones(size))
        query, key, value = (linear(size, size)(h) for _ in range(3))
        scores = mg.matmul(query, mg.swapaxes(key, -1, -2)) * size**-0.5
        weights = mg.exp(scores - mg.max(scores, axis=-1, keepdims=True))
        x = x + linear(size, size)(mg.matmul(weights / mg.sum(weights, axis=-1, keepdims=True), value))
        return x + linear(2 * size, size)(mg.maximum(linear(size, 2 * size)(x), 0.0))

    size = 4
    x: Any = np.ones((2, 3, size))
    for _ in range(LAYERS):
        x = block(x)
    return linear(size, 3)(x)


# -- the contestants: each answers with seconds, bytes and boxes -----------------------------------------------------


def pullback(case: str) -> dict[str, Any]:
    """``draw``, with the file that it writes: SVG laid out, the summary, or the page."""
    from autodiff import Tensor
    from autodiff.draw import draw

    draw(Tensor(1.0) * 2.0).svg()  # imports
    if case == "doubled":
        y = doubled(Tensor(np.ones(3)))
        started = time.perf_counter()
        drawing = draw(y)
        text = drawing.svg()
        return _answer(started, text, len(drawing.picture.boxes))
    if case == "chain":
        y = chained(Tensor(np.ones(3)), np.sin)
        started = time.perf_counter()
        drawing = draw(y)
        text = str(drawing)
        return _answer(started, text, len(drawing.picture.boxes))
    from tests.draw.models import Transformer, tokens

    model, x = Transformer(LAYERS), tokens()
    started = time.perf_counter()
    drawing = draw(model, x)
    text = drawing.html()
    return _answer(started, text, len(drawing.picture.boxes)) | in_browser(text)


def in_browser(text: str) -> dict[str, Any]:
    """Milliseconds of layout in Chromium, as the page opens and with every group open."""
    from tests.draw.browser.chromium import Chromium, executable

    if executable() is None:
        return {"drawn": "chromium is not installed"}
    browser = Chromium()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "page.html")
            path.write_text(text, encoding="utf-8")
            browser.open(path)
            browser.wait("typeof view !== 'undefined' && !!view.film")
            first = browser.evaluate("view.layoutTime")
            browser.evaluate("view.graph.groups.forEach(g => { g.open = true; g.all = true; }); view.show()")
            times = []
            for _ in range(3):
                browser.evaluate("view.show()")
                times.append(browser.evaluate("view.layoutTime"))
            boxes = browser.evaluate("view.scene.items.length")
    finally:
        browser.close()
    return {"drawn": f"{first:.0f} ms as it opens, {min(times):.0f} ms with all {boxes:,} boxes open (browser)"}


def torchviz(case: str) -> dict[str, Any]:
    """``make_dot``: the nodes of the backward pass."""
    import torch
    from torchviz import make_dot

    if case == "model":
        model = torch_transformer()
        started = time.perf_counter()
        graph = make_dot(model(torch.ones(2, 3, 4)), params=dict(model.named_parameters()))
    else:
        x = torch.ones(3, requires_grad=True)
        y = doubled(x) if case == "doubled" else chained(x, torch.sin)
        started = time.perf_counter()
        graph = make_dot(y)
    answer = _answer(started, graph.source, graph.source.count("[label="))
    return answer | ({"drawn": _dot_seconds(graph.source)} if case == "model" else {})


def torchview(case: str) -> dict[str, Any]:
    """``draw_graph``: modules, of a model only."""
    import torch
    from torchview import draw_graph

    if case != "model":
        return {"failed": "draws modules only"}
    model = torch_transformer()
    started = time.perf_counter()
    graph = draw_graph(model, input_data=torch.ones(2, 3, 4), depth=1000, expand_nested=True)
    source = graph.visual_graph.source
    return _answer(started, source, source.count("[label=<")) | {"drawn": _dot_seconds(source)}


def mygrad(case: str) -> dict[str, Any]:
    """``build_graph``, without rendering."""
    import mygrad as mg
    from mygrad.computational_graph import build_graph

    x = mg.tensor(np.ones(3))
    y = mygrad_transformer() if case == "model" else doubled(x) if case == "doubled" else chained(x, mg.sin)
    started = time.perf_counter()
    source = build_graph(y, render=True).source  # which renders nothing, but returns the graph
    return _answer(started, source, source.count("[label="))


def _answer(started: float, text: str, boxes: int) -> dict[str, Any]:
    return {"seconds": time.perf_counter() - started, "bytes": len(text.encode()), "boxes": boxes}


# -- the tables ----------------------------------------------------------------------------------------------------


def _rows(case: str, more: bool) -> list[list[str]]:
    rows = []
    for name, distribution in CONTESTANTS.items():
        blank = [""] * (3 if more else 2)
        if name != "pullback" and version(distribution) == NOT_INSTALLED:
            rows.append([name, NOT_INSTALLED, *blank])
            continue
        answer = ask("benchmarks.drawing", name.lower(), case, limit=SECONDS)
        if "failed" in answer:
            rows.append([name, str(answer["failed"]), *blank])
            continue
        row = [name, number(answer["seconds"]), number(answer["bytes"] / 1000), f"{answer['boxes']:,}"]
        drawn = answer.get("drawn", "")
        rows.append([*row, *([f"{drawn:.3g} s (dot)" if isinstance(drawn, float) else str(drawn)] if more else [])])
    return rows


def tables() -> list[Table]:
    """One table a graph."""
    about = "Each library in a process of its own; from the finished graph to {}."
    columns = ["", "seconds", "kB", "boxes"]
    peers = ", ".join(f"{name} {version(d)}" for name, d in CONTESTANTS.items() if name != "pullback")
    return [
        Table(
            f"Drawing {DOUBLINGS} times y = y + y",
            f"{about.format('a laid out SVG (pullback) or DOT that is not laid out (the others)')}\n"
            f"An operation and its result are one box here: 17, where a box for each of the two makes 33. {peers}.",
            columns,
            _rows("doubled", more=False),
        ),
        Table(
            f"Drawing a chain of {CHAIN:,} operations",
            about.format("the printed summary (pullback) or DOT (the others)"),
            columns,
            _rows("chain", more=False),
        ),
        Table(
            f"Drawing a transformer of {LAYERS} layers",
            "From the call of the model to the interactive page (pullback) or DOT (the others); then the layout: in\n"
            "headless Chromium, or by Graphviz to SVG.",
            [*columns, "laid out in"],
            _rows("model", more=True),
        ),
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        warnings.simplefilter("ignore")
        contestant = {"pullback": pullback, "torchviz": torchviz, "torchview": torchview, "mygrad": mygrad}[sys.argv[1]]
        print(json.dumps(contestant(sys.argv[2])))
    else:
        print_tables(tables)
