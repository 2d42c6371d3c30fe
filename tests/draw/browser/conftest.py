"""One browser for all tests of pages.

Where no Chromium is installed these tests are skipped, and pytest's summary says so; with ``CI`` set in the
environment a missing browser is a failure.  Screenshots go to the folder named by ``PULLBACK_SCREENSHOTS``.
"""

import os
from pathlib import Path

import pytest

from tests.draw.browser.chromium import Chromium, executable


@pytest.fixture(scope="session")
def browser():
    if executable() is None:
        message = "chromium is not installed (apt-get install chromium): the drawn pages are not tested in a browser"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    chromium = Chromium()
    yield chromium
    chromium.close()


@pytest.fixture
def screenshot(browser, request, tmp_path):
    """A function that keeps what the window shows."""
    folder = Path(os.environ.get("PULLBACK_SCREENSHOTS") or tmp_path)

    def keep(name=""):
        browser.screenshot(folder / f"{request.node.name}{name and '-'}{name}.png")

    return keep


@pytest.fixture
def show(browser, tmp_path):
    """Open the page of a drawing; at the end, nothing was written to the console and nothing fetched."""
    opened = []

    def open_page(drawing, **how):
        path = drawing.save(tmp_path / f"page{len(opened)}.html")
        opened.append(path)
        browser.open(path, **how)
        browser.wait("typeof view !== 'undefined' && !!view.film")
        return browser

    yield open_page
    browser.evaluate("1")  # events that are still on their way
    assert browser.console == []
    assert [url for url in browser.requests if not url.startswith("blob:")] == [opened[-1].resolve().as_uri()]
