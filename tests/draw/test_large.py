"""Graphs that would not fit: repeats, limits, depth, focus, hide; without recursion and each box once."""

import sys

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw


def members(picture, g):
    return [i for what, i in picture.groups[g].children]


def chain(n):
    y = Tensor(np.ones(2))
    for _ in range(n):
        y = np.sin(y)
    return y


def test_twenty_thousand_operations_without_recursion():
    limit = sys.getrecursionlimit()
    y = chain(20_000)
    sys.setrecursionlimit(200)
    try:
        drawing = draw(y)
        summary, page = str(drawing), drawing.html()
    finally:
        sys.setrecursionlimit(limit)
    assert "20,000 operations" in summary
    assert "sin × 20,000" in summary
    assert len(summary.splitlines()) < 10
    assert len(page) < 200_000
    assert "2 of 20,001 boxes" in page
    assert len(drawing.svg()) < 20_000


def test_the_work_grows_linearly():
    calls = []
    for n in (300, 600):
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
