"""The interactive page in a real browser: what a hand does, and what is then in sight."""

import json
import re
import time
from functools import partial

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.formats.style import lines, sizer
from autodiff.draw.layout.compound import layout
from autodiff.draw.picture.model import Box, Group, Picture
from autodiff.draw.picture.scene import scene
from tests.draw.browser.places import diamond, node, where
from tests.draw.examples import NASTY, nasty
from tests.draw.models import Transformer, tokens


def items(browser):
    return browser.evaluate("view.scene.items")


def place(browser):
    return browser.evaluate("[view.x, view.y, view.scale]")


def test_everything_is_in_the_first_picture(show, screenshot):
    drawing = draw(lambda w, x: np.sum(np.tanh(w * x)), np.ones(3), np.ones((2, 3)), values=True, gradients=True)
    browser = show(drawing)
    texts = browser.evaluate("[...document.querySelectorAll('.node text.title')].map(t => t.textContent)")
    assert sorted(texts) == ["multiply", "output = sum", "tanh", "w", "x"]
    assert browser.evaluate("document.querySelectorAll('.edge').length") == 4
    assert browser.evaluate("document.getElementById('title').textContent") == "<lambda>"
    screenshot()


@pytest.mark.parametrize("values", [False, True])
def test_python_and_browser_lay_out_alike(show, values):
    drawing = draw(Transformer(3), tokens(), depth=2, max_nodes=500, values=values)
    browser = show(drawing)
    seen = scene(drawing.picture)
    mine = layout(seen, sizer(drawing.picture, partial(lines, drawing.picture)))
    theirs = browser.evaluate("[...view.layout.frames].map(([k, v]) => [k, v])")
    assert (browser.evaluate("document.querySelectorAll('.cells').length") > 0) == values
    names = {f"{what[0]}{i}": frame for (what, i), frame in mine.frames.items()}
    assert set(names) == {key for key, _ in theirs}
    for key, frame in theirs:
        assert frame == pytest.approx(names[key], abs=0.5)
    ends = {(f"{s[0][0]}{s[1]}", f"{t[0][0]}{t[1]}") for s, t in seen.arrows}
    assert {tuple(pair) for pair in browser.evaluate("view.scene.arrows.map(a => [a.source, a.target])")} == ends


def test_dragging_moves_and_the_wheel_zooms_about_the_pointer(show):
    browser = show(draw(Transformer(2), tokens()))
    x, y, scale = place(browser)
    browser.drag(100, 400, 180, 450)
    assert place(browser) == pytest.approx([x + 80, y + 50, scale])
    left, top = browser.evaluate("(r => [r.left, r.top])(view.svg.getBoundingClientRect())")
    before = [(600 - left - x - 80) / scale, (400 - top - y - 50) / scale]
    browser.mouse("mouseWheel", 600, 400, deltaX=0, deltaY=-300)
    browser.wait(f"view.scale > {scale * 1.2}")
    x, y, scale = place(browser)
    assert [(600 - left - x) / scale, (400 - top - y) / scale] == pytest.approx(before)
    browser.click(*browser.middle("#fit"))
    width, height = browser.evaluate("[view.layout.width * view.scale, view.layout.height * view.scale]")
    assert width <= 1200
    assert height <= 800


def test_a_picture_that_nobody_moved_follows_the_size_of_its_window(show):
    browser = show(diamond())
    middle = "(view.layout.width / 2 * view.scale + view.x) / view.svg.getBoundingClientRect().width"
    browser.call("Emulation.setDeviceMetricsOverride", width=500, height=400, deviceScaleFactor=1, mobile=False)
    browser.wait(f"Math.abs({middle} - 0.5) < 0.01")
    browser.drag(20, 200, 60, 200)
    moved = place(browser)
    browser.call("Emulation.setDeviceMetricsOverride", width=900, height=400, deviceScaleFactor=1, mobile=False)
    browser.wait("view.svg.getBoundingClientRect().width > 800")
    assert place(browser) == moved


def test_a_drag_that_begins_on_a_box_opens_nothing(show):
    browser = show(draw(Transformer(2), tokens(), depth=0))
    before = items(browser)
    x, y = where(browser, node("blocks.0"))
    browser.drag(x, y, x + 90, y + 40)
    assert items(browser) == before


def test_groups_open_and_close(show, screenshot):
    browser = show(draw(Transformer(2), tokens(), depth=0))
    assert len(items(browser)) == 4
    browser.click(*where(browser, node("blocks.0")))
    assert len(items(browser)) > 6
    screenshot("open")
    heading = (
        "[...document.querySelectorAll('.cluster .hit')].find(e => e.getAttribute('aria-label').includes('blocks.0'))"
    )
    browser.click(*where(browser, heading))
    assert len(items(browser)) == 4
    for _ in range(4):
        browser.click(*browser.middle("#open"))
    assert browser.evaluate("view.scene.items.every(i => i[0] === 'b')")
    browser.click(*browser.middle("#close"))
    assert len(items(browser)) == 4


def test_groups_open_by_keyboard(show):
    browser = show(draw(Transformer(2), tokens(), depth=0))
    browser.evaluate(f"({node('blocks.0')}).focus()")
    browser.press("Enter", 13)
    assert len(items(browser)) > 6
    assert browser.evaluate("document.activeElement.getAttribute('aria-label')").startswith("close blocks.0")
    browser.press("Enter", 13)
    assert len(items(browser)) == 4


def test_a_repeat_shows_one_of_its_blocks_and_all_of_them_on_demand(show, screenshot):
    browser = show(draw(Transformer(24), tokens()))
    few = len(items(browser))
    assert few <= 40
    screenshot("one")
    browser.evaluate(
        "view.describe('g' + view.graph.groups.findIndex(g => g.kind === 'repeat' && g.title.includes('24')))"
    )
    browser.click(*browser.middle("#details button:last-child"))
    assert sum(item[0] == "g" for item in items(browser)) >= 24
    screenshot("all")


def test_search_finds_in_closed_groups_and_opens_them(show, screenshot):
    browser = show(draw(Transformer(24), tokens()))
    browser.press("/", 191)
    browser.type("blocks.17.down.weight")
    assert browser.evaluate("document.getElementById('found').textContent") == "1 found"
    browser.press("Enter", 13)
    x, y = where(browser, "view.elements.get(view.picked)")
    assert 500 < x < 700
    assert 200 < y < 600
    assert "blocks.17.down.weight" in browser.evaluate("document.getElementById('details').textContent")
    screenshot()
    browser.evaluate("document.getElementById('search').value = ''")
    browser.type("no such thing")
    assert browser.evaluate("document.getElementById('found').textContent") == "0 found"


def test_details_say_what_is_known(show, screenshot):
    def f(x):
        return np.sum(np.tanh(x) * 2.0)

    browser = show(draw(f, np.ones(3), values=True, gradients=True, memory=True, times=True))
    browser.click(*where(browser, node("tanh")))
    text = browser.evaluate("document.getElementById('details').innerText")
    for wanted in (
        "(3,) float64",
        "g * (1.0 - y * y)",
        "np.sum(np.tanh(x) * 2.0)",
        "0.7616",
        "gradient",
        "keeps",
        "forward",
    ):
        assert wanted in text
    screenshot()
    browser.press("Escape", 27)
    assert browser.evaluate("document.getElementById('details').hidden")


def test_hovering_shows_the_path(show, screenshot):
    x, y = Tensor(np.ones(2)), Tensor(np.ones(2))
    left, right = np.sin(x), np.cos(y)
    browser = show(draw(left + np.tanh(right)))
    browser.mouse("mouseMoved", *where(browser, node("right")))
    browser.wait("document.querySelectorAll('.node.hot').length > 0")
    hot = browser.evaluate("[...document.querySelectorAll('.node.hot text.title')].map(t => t.textContent).sort()")
    assert hot == ["add", "right = cos", "tanh", "y"]
    screenshot()
    browser.mouse("mouseMoved", 5, 500)
    browser.wait("document.querySelectorAll('.hot').length === 0")


def test_a_box_speaks_for_all_until_all_are_shown(show):
    drawing = draw(Transformer(24), tokens(), gradients=True, values=True)
    browser = show(drawing)
    box = next(i for i, b in enumerate(drawing.picture.boxes) if b.name == "blocks.0.norm.gain")
    text = f"view.elements.get('b{box}').textContent"
    assert "all 24 together:" in browser.evaluate(text)
    browser.evaluate(
        "{ const repeat = view.graph.groups.find(g => g.kind === 'repeat' && g.title.includes('24'));"
        f" repeat.all = true; view.reveal({box}); }}"
    )
    assert "together" not in browser.evaluate(text)
    assert "‖g‖" in browser.evaluate(text)


def test_dark_pages_are_dark(show, screenshot):
    browser = show(draw(Transformer(1), tokens(), gradients=True), dark=True)
    colour = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", colour))) < 60
    screenshot()
    browser.click(*browser.middle("#scheme"))
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_states_are_told_by_signs_too(show, screenshot):
    def f(a, b, c):
        return np.sum(a * 0.0) + np.sum(np.sqrt(b)) + np.sum(c * np.array([np.nan, 1.0]))

    with np.errstate(all="ignore"):
        browser = show(draw(f, np.ones(2), np.zeros(2), np.ones(2), gradients=True, values=True))
    text = browser.evaluate("document.getElementById('world').textContent")
    assert "✖ NaN" in text
    assert "∞ inf" in text
    assert "∅ zero gradient" in text
    screenshot()


def test_the_key_says_what_colours_mean(show, screenshot):
    with np.errstate(all="ignore"):
        browser = show(draw(lambda a, b: np.sum(np.sqrt(a)) + np.sum(b * 0.0), np.zeros(2), np.ones(2), gradients=True))
    browser.click(*browser.middle("#key"))
    text = browser.evaluate("document.getElementById('details').innerText")
    for wanted in ("variable", "operation", "∞ inf", "∅ zero gradient", "its gradient is exactly zero", "bar"):
        assert wanted in text
    assert "input" not in text
    screenshot()
    browser.click(*browser.middle("#key"))
    assert browser.evaluate("document.getElementById('details').hidden")


def test_a_failure_is_at_the_top_of_the_facts(show, screenshot):
    with pytest.raises(ValueError, match="matmul") as caught:
        draw(lambda x, w: np.tanh(x @ w) @ w, np.ones((2, 3)), np.ones((3, 4)))
    browser = show(caught.value.drawing)
    assert browser.evaluate("document.querySelector('footer .failed').textContent").startswith("FAILED: ValueError")
    assert browser.evaluate("document.querySelectorAll('.node .failed').length") == 1
    screenshot()


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_no_text_becomes_code(show, name):
    browser = show(nasty(name))
    assert browser.evaluate("document.querySelectorAll('script').length") == 2
    browser.evaluate("view.describe('b0')")
    browser.evaluate("view.describe('b1')")
    assert browser.evaluate("document.querySelectorAll('#details dd').length") > 3


def test_the_picture_in_sight_is_saved_as_svg(show):
    browser = show(diamond())
    browser.evaluate(
        "window.saved = null; { const make = URL.createObjectURL;"
        " URL.createObjectURL = blob => { blob.text().then(t => { window.saved = t; }); return make(blob); };"
        " HTMLAnchorElement.prototype.click = () => {}; } document.getElementById('svg').onclick()"
    )
    browser.wait("window.saved !== null")
    text = browser.evaluate("window.saved")
    import xml.etree.ElementTree as ElementTree

    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "sin" in text
    assert "var(--" not in text


def test_a_model_of_three_thousand_boxes(show, screenshot):
    drawing = draw(Transformer(67), tokens())
    picture = drawing.picture
    assert len(picture.boxes) > 2900
    assert len(drawing.html()) < 500_000
    everything = draw(Transformer(67), tokens(), values=True, gradients=True, memory=True, times=True)
    assert len(everything.html()) < 500_000
    assert show(everything).evaluate("view.graph.boxes.length") == len(picture.boxes)
    browser = show(drawing)
    assert len(items(browser)) <= 40
    assert browser.evaluate("view.graph.boxes.length") == len(picture.boxes)
    # with everything open: the layout of all boxes at once
    browser.evaluate("view.graph.groups.forEach(g => { g.open = true; g.all = true; }); view.show(); view.fit()")
    assert len(items(browser)) == len(picture.boxes)
    screenshot()


def test_a_hundred_thousand_operations(show):
    y = Tensor(np.ones(2))
    for _ in range(100_000):
        y = np.sin(y)
    browser = show(draw(y))
    assert len(items(browser)) == 2
    assert "this page holds 2 of 100,001 boxes" in browser.evaluate("document.getElementById('facts').textContent")


def test_a_cell_of_a_notebook_holds_the_page_in_a_frame(browser, tmp_path, screenshot):
    path = tmp_path / "cell.html"
    path.write_text(
        f"<!DOCTYPE html><meta charset=utf-8>{diamond()._repr_mimebundle_()['text/html']}", encoding="utf-8"
    )
    browser.open(path)
    end = time.monotonic() + 10
    while browser.evaluate("document.querySelector('iframe') === null") and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    assert browser.console == []
    screenshot()


def test_svg_is_shown_by_the_browser(browser, tmp_path, screenshot):
    browser.open(draw(Transformer(1), tokens(), depth=1).save(tmp_path / "graph.svg"))
    assert browser.evaluate("document.documentElement.tagName") == "svg"
    assert browser.evaluate("document.querySelectorAll('.node').length") > 5
    assert browser.console == []
    screenshot()


def test_numbers_of_layout_are_finite_whatever_the_graph(show, rng):
    boxes = [Box("operation", "f", (2,), "float64", parents=sorted(set(rng.integers(0, i, 3).tolist())) if i else [])
             for i in range(120)]  # fmt: skip
    for box in boxes:
        box.arguments = [""] * len(box.parents)
        box.label = "f"
    picture = Picture(boxes, [Group("root", "")], outputs=[119])
    picture.arrange()
    from autodiff.draw import Drawing

    browser = show(Drawing(picture))
    assert json.loads(
        browser.evaluate("JSON.stringify([...view.layout.frames.values()].flat().every(Number.isFinite))")
    )
