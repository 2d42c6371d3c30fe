"""Layers, neurons and heads of single numbers are drawn once."""

import numpy as np

from autodiff import Tensor, capture
from autodiff.draw import draw
from tests.draw.examples import sight
from tests.draw.picture.scalars.numbers import linear, matrix, neurons, reader, weights


def titles(drawing):
    return {g.title for g in drawing.picture.groups if g.kind == "repeat"}


def test_a_layer_is_one_neuron_so_many_times():
    x = [Tensor(1.0 * k) for k in range(8)]
    first = neurons(x, matrix(16, 8), [Tensor(0.0) for _ in range(16)])
    second = neurons(first, matrix(4, 16), [Tensor(0.0) for _ in range(4)])
    drawing = draw(sum(second[1:], second[0]))
    assert "neuron: dot product of 8, plus 1 → relu × 16" in titles(drawing)
    assert "neuron: dot product of 16, plus 1 → relu × 4" in titles(drawing)
    assert sight(drawing) <= 40


def test_queries_keys_and_values_are_three_layers():
    x = [Tensor(1.0 * k) for k in range(8)]
    query, key, value = (linear(x, matrix(8, 8)) for _ in range(3))
    scores = [q * k for q, k in zip(query, key, strict=True)]
    output = sum(np.exp(s) * np.sin(v) for s, v in zip(scores, value, strict=True))
    layers = [g for g in draw(output).picture.groups if g.title == "dot product of 8 × 8"]
    assert len(layers) == 3


def test_the_heads_of_attention_are_drawn_once():
    loss = reader(weights())
    heads = [g for g in draw(loss).picture.groups if g.kind == "repeat" and g.copies == 3]
    assert any("dot product of 2 → multiply" in g.name for g in heads)


def test_each_number_is_in_exactly_one_group():
    w = weights()
    loss = reader(w)
    loss.backward(retain_graph=True)
    for drawing in (draw(loss, values=True), draw(capture(lambda: reader(weights()).item()))):
        picture = drawing.picture
        seen = [i for g in picture.preorder() for what, i in picture.groups[g].children if what == "box"]
        assert sorted(seen) == list(range(len(picture.boxes)))
        for g in picture.preorder():
            for what, i in picture.groups[g].children:
                assert (picture.boxes[i].group if what == "box" else picture.groups[i].parent) == g


def test_all_blocks_of_a_repeat_have_the_same_structure():
    picture = draw(reader(weights()), gradients=True).picture
    repeats = [g for g in picture.groups if g.kind == "repeat"]
    assert len(repeats) > 20

    def shape(g):
        return [picture.boxes[i].operation if what == "box" else shape(i) for what, i in picture.groups[g].children]

    for repeat in repeats:
        assert len({str(shape(block)) for _, block in repeat.children}) == 1
