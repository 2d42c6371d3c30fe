"""A backward pass that is watched: the cotangents of each operation, and the time of its rules."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ...backpropagation import backward
from ...graph import Edge, Node, Parts, is_variable
from ...structural import plain
from ...tensor import Tensor
from ..picture.measure import Measure, measure
from ..picture.model import Picture


class Backward:
    """A backward pass that notes every cotangent and the time of each operation."""

    def __init__(self, outputs: list[Tensor]) -> None:
        self.seconds: dict[Node, float] = {}
        self.arrived: dict[Node, Measure] = {}
        self.error: BaseException | None = None
        self.guilty: Node | None = None
        self.summed = any(t.size != 1 for t in outputs)
        seeds = {t._node: np.ones_like(t._value) for t in outputs if t._node.active}
        try:
            results = backward(seeds, retain=True, visit=self._visit)
            for node, g in results.items():
                self._note(node, g)
            self.guilty = None
        except Exception as error:
            self.error = error

    def _visit(self, edge: Edge, g: Any) -> Any:
        node = self.guilty = edge.node
        self._note(node, g)
        started = time.perf_counter()
        result = edge.pull(g)
        self.seconds[node] = self.seconds.get(node, 0.0) + time.perf_counter() - started
        return result

    def _note(self, node: Node, g: Any) -> None:
        if not isinstance(g, Parts):  # of a second look at a NaN, the second
            self.arrived[node] = measure(plain(g))


def keep_gradients(picture: Picture, position: dict[Node, int], outputs: list[Tensor], timed: bool) -> Backward | None:
    """Make the backward pass and note the cotangent of each node; for a freed graph, the ``.grad`` of its variables."""
    boxes = picture.boxes
    if any(node.saved is None for node in position):
        for node, i in position.items():
            if is_variable(node) and node.grad is not None:
                grad = node.grad._value if isinstance(node.grad, Tensor) else node.grad
                boxes[i].gradient = measure(grad)
        picture.facts.append("gradients: the graph was freed by backward(); those of variables are their .grad")
        return None
    if not any(t._node.active for t in outputs):
        picture.facts.append("gradients: no variable leads to the output, so there are none")
        return None
    swept = Backward(outputs)
    for node, i in position.items():
        boxes[i].gradient = swept.arrived.get(node)
        if timed and node in swept.seconds:
            boxes[i].backward = swept.seconds[node]
    if swept.summed:
        picture.facts.append("gradients: of the sum of the output's elements")
    if swept.guilty is not None:
        box = boxes[position[swept.guilty]]
        box.state, box.message = "failed", f"backward: {type(swept.error).__name__}: {swept.error}"
    judge_gradients(picture)
    return swept


def judge_gradients(picture: Picture) -> None:
    """Mark gradients that are not finite, dead, vanishing or exploding."""
    norms = [b.gradient.typical for b in picture.boxes if b.gradient is not None and b.gradient.typical]
    largest, smallest = max(norms, default=0.0), min(norms, default=0.0)
    for box in picture.boxes:
        g = box.gradient
        if g is None or not g.size or box.state:
            continue
        if g.state:
            box.state, box.message = g.state, "in its gradient"
        elif g.zero:
            box.state = "dead"
        elif g.typical < largest * 1e-6:
            box.state = "vanishing"
        elif g.typical > 1e3 and g.typical > smallest * 1e6:
            box.state = "exploding"
