"""A long sequence is cut where it begins again."""

from autodiff import capture
from autodiff.draw import draw
from autodiff.draw.picture.model import PART
from autodiff.draw.picture.scalars.parts import bounds
from tests.draw.examples import sight
from tests.draw.picture.scalars.numbers import reader, weights


def parts(drawing):
    return [g for g in drawing.picture.groups if g.kind == PART]


def test_the_positions_of_a_text_are_parts_of_growing_length():
    drawing = draw(reader(weights()))
    found = parts(drawing)
    assert [g.title for g in found] == [f"part {k} of 6" for k in range(1, 7)]
    sizes = [g.operations for g in found]
    assert sizes == sorted(sizes)
    assert sight(drawing) <= 40


def test_a_recorded_step_is_cut_forward_and_backward():
    w = weights(4)

    def step():
        for row in w["query"]:
            for number in row:
                number.grad = None
        loss = reader(w, positions=5, width=4, heads=2)
        loss.backward()
        return loss.item()

    picture = draw(capture(step)).picture
    passes = {g.name: k for k, g in enumerate(picture.groups) if g.kind == "pass"}
    cut = {name: [g for g in picture.groups if g.kind == PART and g.parent == k] for name, k in passes.items()}
    assert len(cut["forward"]) in (4, 5)  # at the first position there is nobody to attend to
    assert len(cut["backward"]) in (4, 5)


def test_bounds():
    assert bounds(list("abxabbxabxc")) == [0, 3, 7, 10]
    assert bounds(list("sxabxabbxab")) == [1, 4, 8, 11]
    assert bounds(list("abcdefghijk")) == []
