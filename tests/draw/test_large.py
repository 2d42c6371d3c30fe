"""Graphs that would not fit: repeats, limits, depth, focus, hide; without recursion and each box once."""

import itertools
import sys

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.formats.page import reduced
from autodiff.draw.layout.layered import place
from autodiff.draw.picture.grouping import boxes_in_sight
from autodiff.draw.picture.repeats import _runs
from autodiff.draw.picture.scene import scene
from tests.draw.models import Linear, Module, Transformer, tokens


def sight(drawing):
    return len(scene(drawing.picture).items)


def members(picture, g):
    return [i for what, i in picture.groups[g].children]


def test_a_deep_model_fits_in_forty_boxes_and_its_layers_are_drawn_once():
    drawing = draw(Transformer(24), tokens())
    assert sight(drawing) <= 40
    repeats = [g for g in drawing.picture.groups if g.kind == "repeat" and g.copies == 24]
    assert [g.title for g in repeats] == ["blocks.0 … blocks.23: Block × 24"]
    assert "Block × 24" in str(drawing)
    assert "Block × 24" in drawing.svg()
    assert "Block × 24" in drawing.html()
    one = draw(Transformer(1), tokens()).picture.operations - 2
    assert repeats[0].operations == 24 * one


def test_three_layers_with_different_tasks_are_not_a_repeat():
    drawing = draw(Transformer(12), tokens())
    names = {g.title for g in drawing.picture.groups}
    assert {"blocks.0.attention.query: Linear", "blocks.0.attention.key: Linear"} <= names
    assert not any("query …" in name for name in names)


def test_layers_that_stand_side_by_side_are_a_repeat():
    class Ensemble(Module):
        def __init__(self):
            self.members = [Linear(4, 4) for _ in range(30)]

        def forward(self, x):
            return np.sum(np.stack([member(x) for member in self.members]))

    drawing = draw(Ensemble(), tokens())
    assert "members.0 … members.29: Linear × 30" in {g.title for g in drawing.picture.groups}


def test_a_loop_is_a_repeat_of_its_operations():
    def f(x, w):
        for _ in range(50):
            x = np.tanh(x @ w) * 0.5
        return np.sum(x)

    picture = draw(f, np.ones((2, 2)), np.ones((2, 2))).picture
    repeat = next(g for g in picture.groups if g.kind == "repeat")
    assert (repeat.name, repeat.copies, repeat.operations) == ("matmul → tanh → multiply", 50, 150)


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


def test_focus_keeps_paths_alone():
    x, y = Tensor(1.0), Tensor(2.0)
    start = x * y
    left, right = np.sin(start), np.cos(y)
    end = left + right
    drawing = draw(end, focus=(start, end))
    assert [b.operation for b in drawing.picture.boxes] == ["multiply", "sin", "add"]
    assert draw(end, focus=("y", "cos")).picture.operations == 1
    with pytest.raises(ValueError, match="no path"):
        draw(end, focus=(right, left))
    inside = draw(Transformer(3), tokens(), focus=("blocks.1", "blocks.1")).picture
    assert {g.name.split(".")[1] for g in inside.groups if g.kind == "module" and g.operations} == {"1"}


def test_hide_lets_arrows_through():
    x = Tensor(np.ones((2, 2)))
    y = np.sum(np.sin(np.reshape(x, 4)))
    drawing = draw(y, hide="reshape")
    assert [(b.operation, b.parents) for b in drawing.picture.boxes] == [("", []), ("sin", [0]), ("sum", [1])]
    assert draw(y, hide=("variable", "sum")).picture.operations == 2
    assert draw(y, hide=lambda box: box.shape == (4,)).picture.operations == 1
    diamond = Tensor(1.0)
    for _ in range(40):
        diamond = diamond + diamond
    assert draw(diamond * 1.0, hide="add").picture.boxes[-1].parents == [0]


def chain(n):
    y = Tensor(np.ones(2))
    for _ in range(n):
        y = np.sin(y)
    return y


def test_a_hundred_thousand_operations_without_recursion():
    limit = sys.getrecursionlimit()
    y = chain(100_000)
    sys.setrecursionlimit(200)
    try:
        drawing = draw(y)
        summary, page = str(drawing), drawing.html()
    finally:
        sys.setrecursionlimit(limit)
    assert "100,000 operations" in summary
    assert "sin × 100,000" in summary
    assert len(summary.splitlines()) < 10
    assert len(page) < 200_000
    assert "2 of 100,001 boxes" in page
    assert len(drawing.svg()) < 20_000


def test_the_work_grows_linearly():
    calls = []
    for n in (1000, 2000):
        y, count = chain(n), 0

        def profile(frame, event, argument):
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(profile)
        try:
            draw(y)
        finally:
            sys.setprofile(None)
        calls.append(count)
    assert calls[1] < 2.2 * calls[0]


def test_a_page_of_a_very_large_model_holds_its_groups_closed():
    picture = draw(Transformer(3), tokens()).picture
    small = reduced(picture, most=30)
    assert len(small.boxes) < len(picture.boxes)
    assert any("this page holds" in fact for fact in small.facts)
    assert small.groups[0].operations == picture.groups[0].operations
    assert all(0 <= p < len(small.boxes) for b in small.boxes for p in b.parents)
    assert scene(small).items


def test_runs_are_found_at_any_period():
    assert _runs([5] * 7, 3) == [(0, 1, 7)]
    assert _runs([1, 2, 3] * 4 + [9], 3) == [(0, 3, 4)]
    assert _runs([1, 2, 3, 4], 3) == []
    assert _runs([1, 1], 3) == []
    assert _runs([0, *[1, 2] * 3, 0, 7, 7, 7, 7], 3) == [(1, 2, 3), (8, 1, 4)]


def test_layers_keep_distances_and_the_order_of_arrows(rng):
    n = 60
    arrows = sorted({(int(a), int(b)) for a, b in np.sort(rng.integers(0, n, (90, 2)), axis=1) if a < b})
    sizes = rng.uniform(20, 90, n).tolist(), rng.uniform(15, 40, n).tolist()
    placed = place(*sizes, [(a, b, 0.0, 0.0) for a, b in arrows], set(), set())
    for a, b in arrows:
        assert placed.y[a] + sizes[1][a] < placed.y[b]
    for route, (a, b) in zip(placed.routes, arrows, strict=True):
        assert route[0] == (pytest.approx(placed.x[a]), pytest.approx(placed.y[a] + sizes[1][a]))
        assert route[-1] == (pytest.approx(placed.x[b]), pytest.approx(placed.y[b]))
        assert all(q[1] >= p[1] for p, q in itertools.pairwise(route))
