"""Pictures of large graphs: how long they take to draw, how large the page is, what is in sight as it opens."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .drawing import in_browser
from .measuring import Table, number, print_tables
from .processes import ask

CASES = {
    "gpt": "GPT of numbers, its loss",
    "call": "GPT of numbers, the call, with values and gradients",
    "step": "GPT of numbers, a recorded training step",
    "moons": "MLP 2-16-16-1 of numbers on 100 points, its loss",
    "transformer": "transformer of 24 layers",
    "measured": "transformer of 24 layers, with values and gradients",
}


def subject(case: str) -> Callable[[], Any]:
    """What makes the picture; the graph or the program is there already, but for calls."""
    from autodiff import Tensor, capture, relu
    from autodiff.draw import draw

    if case in ("transformer", "measured"):
        from tests.draw.models import Transformer, tokens

        model, x, more = Transformer(24), tokens(), case == "measured"
        return lambda: draw(model, x, values=more, gradients=more)
    if case == "moons":
        import random

        from .scalars import Network, loss_of, moons

        network = Network(Tensor, relu, random.Random(1))
        whole = loss_of(network, moons(random.Random(0)), Tensor)
        return lambda: draw(whole)
    from .scalar_gpt import Model, in_numpy

    model = Model(Tensor, None, in_numpy)
    if case == "call":
        return lambda: draw(model.loss, values=True, gradients=True)
    if case == "gpt":
        loss = model.loss()
        return lambda: draw(loss, names=model.weights)
    model.step()
    program = capture(model.step)
    return lambda: draw(program)


def measured(case: str) -> dict[str, Any]:
    """Seconds of processor time for the picture and for its page, and what is in it."""
    from autodiff import Tensor
    from autodiff.draw import draw
    from autodiff.draw.picture.scene import scene

    draw(Tensor(np.ones(2)) * 2.0).html()  # imports
    make = subject(case)
    started = time.process_time()
    drawing = make()
    drawn = time.process_time()
    page = drawing.html()
    done = time.process_time()
    return {
        "boxes": len(drawing.picture.boxes), "sight": len(scene(drawing.picture).items),
        "draw": drawn - started, "page": done - drawn, "kB": len(page.encode()) / 1000, **in_browser(page),
    }  # fmt: skip


def tables() -> list[Table]:
    """One row a picture."""
    rows = []
    for case, name in CASES.items():
        answer = ask("benchmarks.pictures", case, limit=300.0)
        rows.append([
            name, f"{answer['boxes']:,}", f"{answer['sight']:,}", number(answer["draw"]), number(answer["page"]),
            f"{answer['kB']:,.0f}", answer["drawn"],
        ])  # fmt: skip
    columns = ["", "boxes", "in sight", "s to draw", "s to write the page", "kB", "layout"]
    about = (
        "Each in a process of its own, seconds of processor time. A picture of a call makes the call, and the\n"
        "backward pass if gradients are asked for. In sight: boxes and closed groups as the page opens."
    )
    return [Table("Pictures of large graphs", about, columns, rows)]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        warnings.simplefilter("ignore")
        print(json.dumps(measured(sys.argv[1])))
    else:
        print_tables(tables)
