"""The film of the backward pass, in a real browser."""

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw
from tests.draw.browser.places import diamond, where
from tests.draw.models import Transformer, tokens


def test_the_film_runs_in_reverse_topological_order(show, screenshot):
    browser = show(diamond())
    browser.click(*browser.middle("#film"))
    order = browser.evaluate("view.film.steps.map(s => view.film.name(s.item))")
    assert order == ["y", "sin", "a", "x"]
    browser.click(*browser.middle("#play"))
    browser.evaluate("view.film.go(0)")
    assert "a must wait: 1 of 2" in browser.evaluate("document.getElementById('caption').textContent")
    browser.click(*browser.middle("#next"))
    browser.click(*browser.middle("#next"))
    assert "added up all 2 cotangents" in browser.evaluate("document.getElementById('caption').textContent")
    assert browser.evaluate("document.querySelector('.badge').textContent") == "2 of 2"
    screenshot()
    browser.click(*browser.middle("#film"))
    assert browser.evaluate("document.getElementById('player').hidden")


def test_the_wrong_order_is_shown_to_be_wrong(show, screenshot):
    x = Tensor(2.0)
    a = x * 3.0
    y = a * np.sin(a)
    browser = show(draw(y))
    browser.click(*browser.middle("#film"))
    browser.click(*browser.middle("#play"))
    browser.click(*browser.middle("#naive"))
    assert browser.evaluate("view.film.steps.some(s => !s.whole)")
    browser.evaluate("view.film.go(view.film.steps.findIndex(s => !s.whole))")
    assert "only 1 of its 2 cotangents" in browser.evaluate("document.getElementById('caption').textContent")
    browser.evaluate("view.film.go(99)")
    assert "used 1, got 2 of 2" in browser.evaluate("document.querySelector('.wrong .badge').textContent")
    screenshot()


def test_the_film_keeps_what_works_in_sight(show):
    browser = show(draw(Transformer(24), tokens(), gradients=True))
    browser.click(*browser.middle("#film"))
    browser.click(*browser.middle("#play"))
    last = browser.evaluate("view.film.steps.length") - 1
    for step in (0, last // 2, last):
        browser.evaluate(f"view.film.go({step})")
        x, y = where(browser, "view.elements.get(view.film.steps[view.film.at].item)")
        assert 0 < x < 1200
        assert 40 < y < browser.evaluate("document.getElementById('player').getBoundingClientRect().top")


def test_the_film_plays_by_itself(show):
    browser = show(diamond())
    browser.click(*browser.middle("#film"))
    browser.wait("view.film.at === view.film.steps.length - 1")
    browser.wait("view.film.timer === null")
    assert browser.evaluate("view.film.at") == browser.evaluate("view.film.steps.length") - 1  # and stays there
