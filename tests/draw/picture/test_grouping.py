"""Groups: each box in one, opened as far as there is room, the middle put away."""

import numpy as np
import pytest

from autodiff.draw import draw
from autodiff.draw.picture.grouping import boxes_in_sight
from autodiff.draw.picture.scene import scene
from tests.draw.examples import sight
from tests.draw.models import Transformer, tokens


def test_every_box_is_in_exactly_one_group():
    for drawing in (draw(Transformer(5), tokens()), draw(Transformer(5), tokens(), depth=9, max_nodes=25)):
        picture = drawing.picture
        seen = [i for g in picture.preorder() for what, i in picture.groups[g].children if what == "box"]
        assert sorted(seen) == list(range(len(picture.boxes)))
        assert picture.groups[0].operations == picture.operations
        for g in picture.preorder():
            for what, i in picture.groups[g].children:
                assert (picture.boxes[i].group if what == "box" else picture.groups[i].parent) == g


@pytest.mark.parametrize("most", [4, 10, 40, 200])
@pytest.mark.parametrize("depth", [None, 0, 1, 5])
def test_max_nodes_is_kept_and_the_rest_is_counted(most, depth):
    drawing = draw(Transformer(24), tokens(), max_nodes=most, depth=depth)
    assert sight(drawing) <= most
    more = [g for g in drawing.picture.groups if g.kind == "more"]
    for group in more:
        assert group.title == f"… {group.operations:,} more"
        assert group.title in str(drawing)


def test_the_beginning_and_the_end_stay():
    def f(x):
        for k in range(300):  # the Thue-Morse sequence: nothing in it occurs three times in a row
            x = np.sin(x) if k.bit_count() % 2 else np.cos(x)
        return x

    drawing = draw(f, 1.0, max_nodes=20)
    text = str(drawing).splitlines()
    assert text[2].startswith("x ")
    assert text[-1].startswith("output ")
    shown = [drawing.picture.boxes[i].kind for what, i in scene(drawing.picture).items if what == "box"]
    closed = [drawing.picture.groups[i] for what, i in scene(drawing.picture).items if what == "group"]
    assert [g.kind for g in closed] == ["more"]
    assert len(shown) == 19
    assert closed[0].operations == 300 - shown.count("operation")


def test_depth_opens_so_many_levels():
    closed = draw(Transformer(2), tokens(), depth=0)
    assert [line.split()[0] for line in str(closed).splitlines()[2:]] == ["x", "▸", "▸", "▸"]
    assert boxes_in_sight(draw(Transformer(2), tokens(), depth=1).picture) > boxes_in_sight(closed.picture)
