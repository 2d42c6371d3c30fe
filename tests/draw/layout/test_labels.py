"""Labels and titles can be read: no label covers another, a title or a box, and no arrow runs through a title."""

import itertools

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.formats.svg import Sheet
from autodiff.draw.layout.labels import overlap
from tests.draw.examples import example
from tests.draw.models import Transformer, tokens
from tests.draw.picture.scalars.numbers import reader, weights


def failure():
    with pytest.raises(ValueError, match="matmul") as caught:
        draw(lambda x, w: (x @ x + w) @ np.concatenate([x, w, w]), np.ones((2, 2)), np.ones((2, 2)))
    return caught.value.drawing


def several_into_one():
    with pytest.raises(ValueError, match="concatenate") as caught:
        draw(
            lambda *arrays: np.concatenate([*arrays, *arrays]), np.ones((10, 10)), np.ones((10, 11)), np.ones((10, 12))
        )
    return caught.value.drawing


def squares():
    x = Tensor(np.ones(3))
    return draw([np.sin(x * x) * (x * x), (x + x) * np.cos(x + x)])


EXAMPLES = {
    "example": example,
    "failure": failure,
    "several": several_into_one,
    "squares": squares,
    "numbers": lambda: draw(reader(weights()), gradients=True),
    **{f"depth {k}": lambda k=k: draw(Transformer(2), tokens(), depth=k, max_nodes=500) for k in (1, 2, 4)},
    "deep": lambda: draw(Transformer(24), tokens(), values=True, gradients=True),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_lies_over_labels_and_titles(name):
    sheet = Sheet(EXAMPLES[name]().picture)
    labels = [frame for _, frame in sheet._labels.values()]
    opened = {("group", g) for g in sheet.scene.inside}
    boxes = [frame for place, frame in sheet.layout.frames.items() if place not in opened]
    titles = list(sheet.titles().values())
    for a, b in itertools.combinations(labels, 2):
        assert not overlap(a, b)
    for label in labels:
        assert not any(overlap(label, other) for other in (*boxes, *titles))
    for _, _, points in sheet.layout.arrows:
        for (x, y), (u, v) in itertools.pairwise(points):
            stretch = (min(x, u), min(y, v), abs(x - u) + 0.01, abs(y - v) + 0.01)
            if x == u:
                assert not any(overlap(stretch, title) for title in titles)
