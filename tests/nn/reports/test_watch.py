"""The report of a training: what it notes, what it warns of, and its page in a browser."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.reports.watch import MOST, Watch
from tests.draw.browser.conftest import browser  # noqa: F401


def trained(path, *, epochs=4, model=None, example=True, rng=0):
    random = np.random.default_rng(1)
    X, Y = random.normal(size=(64, 4)), random.integers(0, 3, 64)
    model = model or nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Dropout(0.2, rng=3), nn.Linear(8, 3, rng=1))
    watch = Watch(path, model, example=X[:5] if example else None, title="a <run> & more")
    learner = nn.Learner(model, nn.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.5), metrics=["accuracy"])
    learner.fit(X, Y, epochs, 16, validation=(X, Y), rng=rng, on_step=watch.step, on_epoch=watch.epoch, progress=False)
    return watch, model


def test_the_page_holds_curves_norms_and_graph(tmp_path):
    watch, _ = trained(tmp_path / "run.html")
    assert 'http-equiv="refresh"' in watch.path.read_text(encoding="utf-8")
    text = watch.close().read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' not in text
    assert "<title>a &lt;run&gt; &amp; more</title>" in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert data["names"] == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert data["steps"] == list(range(1, 17))
    assert all(len(row) == 16 for row in data["gradients"] + data["weights"])
    assert "validation" in text
    assert text.count("<tr>") == 5
    assert "srcdoc=" in text
    assert [p.name for p in tmp_path.iterdir()] == ["run.html"]


def test_watching_changes_nothing(tmp_path):
    _, watched = trained(tmp_path / "run.html")
    _, other = trained(tmp_path / "other.html", example=False)
    for a, b in zip(watched.parameters(), other.parameters(), strict=True):
        assert a.data.tobytes() == b.data.tobytes()
    assert watched.training


def test_long_runs_keep_a_bounded_number_of_steps(tmp_path):
    model = nn.Linear(2, 1, rng=0)
    watch = Watch(tmp_path / "run.html", model)
    for step in range(1, 10_001):
        watch.step(step, 1.0 / step)
    assert MOST / 3 < len(watch.steps) <= MOST
    assert len(set(np.diff(watch.steps).tolist())) == 1
    assert watch.steps[-1] > 9_900
    assert len(watch.losses) == len(watch.steps) == len(watch.gradients["weight"])


def test_bad_gradients_are_named(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=1))
    watch = Watch(tmp_path / "run.html", model)
    for (_, parameter), value in zip(model.named_parameters(), (1.0, 0.0, 1e-9, np.inf), strict=True):
        parameter.grad = np.full(parameter.shape, value, dtype=parameter.dtype)
    watch.step(1, float("nan"))
    said = watch.warnings()
    assert [w.split(":")[0] for w in said] == ["0.bias", "1.weight", "1.bias"]
    assert ["zero" in said[0], "vanishing" in said[1], "infinite" in said[2]] == [True] * 3
    assert watch.close().exists()


def test_a_model_that_cannot_be_drawn_does_not_end_the_training(tmp_path):
    watch = Watch(tmp_path / "run.html", nn.Linear(2, 1, rng=0), example=np.ones((3, 5)))
    assert "The graph could not be drawn: ValueError" in watch.close().read_text(encoding="utf-8")


def look_closely(page):
    """Values at the pointer and by the keys; a stretch of epochs by dragging; all of them by a double click."""
    line = "document.querySelector('#curves polyline').getAttribute('points')"
    texts = "document.querySelector('#curves .ticks').querySelectorAll('[text-anchor=middle]')"
    labels = f"[...{texts}].map(text => +text.textContent)"
    whole, every = page.evaluate(line), page.evaluate(labels)
    x, y = page.middle("#curves rect[tabindex]")
    page.mouse("mouseMoved", x, y)
    page.wait("/^epoch [67]training \\d\\.\\d+validation \\d\\.\\d+$/.test(document.querySelector('.tip').textContent)")
    page.drag(x, y, x + 100, y)
    page.wait(f"{line} !== {json.dumps(whole)}")
    assert min(page.evaluate(labels)) >= 6
    page.evaluate("document.querySelector('#curves rect[tabindex]').focus()")
    page.press("Escape", 27)
    page.wait("document.querySelector('.tip').hidden")
    assert page.evaluate(labels) == every
    page.press("ArrowRight", 39)
    page.wait("document.querySelector('.tip').textContent.startsWith('epoch 1t')")


def test_the_page_in_a_browser(tmp_path, browser):  # noqa: F811
    watch, _ = trained(tmp_path / "run.html", epochs=12)
    browser.open(watch.close(), height=1900)
    browser.wait("document.querySelector('iframe') !== null")
    assert browser.evaluate("document.getElementById('gradients').width") == 48
    assert browser.evaluate("document.querySelectorAll('#curves path, #curves polyline').length") > 2
    x, y = browser.middle("#gradients")
    browser.mouse("mouseMoved", x, y)
    browser.wait("/step \\d+: \\d/.test(document.getElementById('at-gradients').textContent)")
    look_closely(browser)
    browser.screenshot(Path(os.environ.get("PULLBACK_SCREENSHOTS") or tmp_path) / "watch.png")
    assert browser.console == []
    assert [u for u in browser.requests if u.startswith("http")] == []


def learner(model, rate=0.1):
    return nn.Learner(model, nn.mse_loss, nn.optim.SGD(model.parameters(), lr=rate))


def page(path):
    return path.read_text(encoding="utf-8")


def test_a_run_that_diverges_says_so(tmp_path):
    model = nn.Linear(2, 1, rng=0)
    X, Y = np.full((8, 2), 1e10, np.float32), np.zeros((8, 1), np.float32)
    with np.errstate(all="ignore"), pytest.raises(nn.DivergenceError):
        learner(model, 1e20).fit(X, Y, 3, 4, watch=tmp_path / "run.html", progress=False)
    text = page(tmp_path / "run.html")
    assert '<span class="soft" id="state">stopped</span>' in text
    assert "<li>DivergenceError: fit: the loss became" in text
    assert 'http-equiv="refresh"' not in text


def test_a_run_that_is_interrupted_says_so(tmp_path):
    def interrupt(step, loss):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learner(nn.Linear(2, 1, rng=0)).fit(
            np.ones((8, 2)), np.ones((8, 1)), 3, 2, watch=tmp_path / "run.html", on_step=interrupt, progress=False
        )
    assert "<li>KeyboardInterrupt</li>" in page(tmp_path / "run.html")
    assert "each step" in page(tmp_path / "run.html")


def test_no_epochs_and_no_validation(tmp_path):
    X, Y = np.ones((8, 2)), np.ones((8, 1))
    learner(nn.Linear(2, 1, rng=0)).fit(X, Y, 0, watch=tmp_path / "none.html", progress=False)
    assert "No step has been made." in page(tmp_path / "none.html")
    assert "finished" in page(tmp_path / "none.html")
    learner(nn.Linear(2, 1, rng=0)).fit(X, Y, 3, watch=tmp_path / "run.html", progress=False)
    text = page(tmp_path / "run.html")
    assert "validation" not in text.split("<table>")[0].split("</style>", 1)[1]
    assert ">learning_rate<" not in text  # a curve of what does not change


def test_the_page_is_there_from_the_start_and_written_between_epochs(tmp_path, monkeypatch):
    watch = Watch(tmp_path / "run.html", nn.Linear(2, 1, rng=0))
    assert "running" in page(watch.path)
    watch.step(1, 2.5)
    assert "each step" not in page(watch.path)
    monkeypatch.setattr("nn.reports.watch.REFRESH", -1.0)
    watch.step(2, 2.0)
    assert "each step" in page(watch.path)


def test_a_folder_that_is_not_there_is_no_news_after_an_epoch(tmp_path):
    steps = []
    with pytest.raises(FileNotFoundError):
        learner(nn.Linear(2, 1, rng=0)).fit(
            np.ones((8, 2)), np.ones((8, 1)), 1, watch=tmp_path / "no" / "run.html",
            on_step=lambda step, loss: steps.append(step), progress=False,
        )  # fmt: skip
    assert steps == []


@pytest.mark.parametrize("name", ["run.html", "with space.html"])
def test_a_page_before_the_first_step(tmp_path, name):
    assert Watch(tmp_path / name, nn.Linear(2, 1, rng=0)).close().exists()
