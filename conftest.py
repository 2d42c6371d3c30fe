"""What every test run shares: how long Hypothesis searches, and the option that turns browser tests on."""

# What is set before NumPy is loaded stands before its import.
# ruff: noqa: E402

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator

# the tests run on every core: products on as many threads would wait for each other
for _library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from autodiff.dispatch import restored
from autodiff.primitive import registry

# The shared run must end in minutes and give the same verdict twice; the deep one is for a night, and for hunting.
# It does not explain: tests that plant a fault would spend most of their time on that.
settings.register_profile(
    "default", max_examples=25, deadline=None, derandomize="CI" in os.environ, phases=set(Phase) - {Phase.explain}
)
settings.register_profile("deep", max_examples=1000, deadline=None)
settings.load_profile("default")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a run in the background: the programs tested must hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--browser", action="store_true", help="run the tests that drive a headless Chromium as well")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a headless Chromium; runs with --browser only")
    # it comes once, with the first of hundreds of tests; that it comes is a test of its own
    config.addinivalue_line("filterwarnings", "ignore:program. no C compiler was found:RuntimeWarning")


def _is_borrowed(item: pytest.Item) -> bool:
    """Whether an example is NumPy's own: a method of Tensor carries the docstring of the function it stands for."""
    if not isinstance(item, pytest.DoctestItem):
        return False
    name = item.name.rpartition(".")[2]
    return item.dtest is not None and item.dtest.docstring == getattr(getattr(np, name, None), "__doc__", None)


@given(st.none())
@settings(max_examples=1, database=None)
def _hypothesis_finds_numpys_generator(nothing: None) -> None:
    """At its first run Hypothesis asks the collector who holds NumPy's generator, so that must be before a freeze."""


def pytest_collection(session: pytest.Session) -> None:
    gc.disable()  # thousands of tests are made and none is dropped: there is nothing to find


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the collector away from the tests themselves: many a test calls it, and would wait for it to visit all."""
    gc.enable()
    _hypothesis_finds_numpys_generator()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not _is_borrowed(item)]
    if config.getoption("--browser"):
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser:  # deselected, not skipped: the closing line counts them
        config.hook.pytest_deselected(items=browser)
        items[:] = [item for item in items if item not in browser]


class _Table:
    """The table as it was before the first test; what a test changed is undone after it."""

    def __init__(self) -> None:
        self.block = restored()
        self.block.__enter__()
        self.lines = list(registry.items())

    def is_changed(self) -> bool:
        return self.lines != list(registry.items())

    def put_back(self) -> None:
        self.block.__exit__(None, None, None)


_tables: list[_Table] = []


@pytest.fixture(autouse=True)
def _table_restored() -> Iterator[None]:
    """An example, a test or what it asks for may register a function, even a wrong one: no other test sees it."""
    if not _tables:
        _tables.append(_Table())
    yield
    if _tables[0].is_changed():
        _tables.pop().put_back()


def pytest_unconfigure(config: pytest.Config) -> None:
    while _tables:
        _tables.pop().put_back()
