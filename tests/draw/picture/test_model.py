"""A picture is plain data: sums over its groups, its longest path, the state that matters most."""

import pytest

from autodiff.draw import draw
from autodiff.draw.picture.model import MEANING, SEVERITY, VARIABLE, Box, Group, Picture, span, worst
from tests.draw.models import Transformer, tokens


def test_a_group_sums_what_is_inside():
    picture = draw(Transformer(3), tokens(), memory=True, times=True).picture
    for g, group in enumerate(picture.groups):
        boxes = [picture.boxes[i] for i in picture.members(("group", g))]
        assert group.operations == sum(box.kind == "operation" for box in boxes)
        assert group.parameters == sum(box.size for box in boxes if box.kind == VARIABLE)
        assert group.kept == sum(box.kept or 0 for box in boxes)
        assert group.forward == pytest.approx(sum(box.forward or 0.0 for box in boxes))


def test_the_depth_is_the_longest_path(rng):
    parents = [[]] + [list(rng.choice(i, size=min(i, 2), replace=False)) for i in range(1, 30)]
    picture = Picture([Box("operation", "f", (), "float64", parents=p) for p in parents], [Group("root", "")])

    def longest(i):
        return 1 + max(map(longest, parents[i]), default=0)

    assert picture.depth == max(map(longest, range(30)))


def test_every_state_has_a_meaning_and_the_worse_of_two_is_shown():
    assert set(MEANING) == {*SEVERITY} - {""}
    for i, a in enumerate(SEVERITY):
        for j, b in enumerate(SEVERITY):
            assert worst(a, b) == SEVERITY[max(i, j)]


def test_a_range_holds_both():
    assert span(None, (1.0, 2.0)) == span((1.0, 2.0), None) == (1.0, 2.0)
    assert span((1.0, 2.0), (0.5, 1.5)) == (0.5, 2.0)
    assert span(None, None) is None


@pytest.mark.parametrize(("shape", "size"), [((), 1), ((2, 3), 6), ((0, 3), 0), (((2,), (3,)), 0), (None, 0)])
def test_the_size_of_a_box(shape, size):
    box = Box("operation", "f", shape, "float64")
    assert box.size == size
    assert bool(box.type) == (shape is not None)
