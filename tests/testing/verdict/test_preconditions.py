"""What makes a function unfit for a check is said in words of its own, never as a mismatch."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autodiff.testing import gradcheck

X = np.array([0.5, 1.0, 2.0])


def assigns(x):
    x.data = x.data * 2.0
    return x * 1.0


def writes_into_a_dict(p):
    p["w"].data[:] = 0.0
    return p["w"] * 1.0


def writes_into_counts(x, counts):
    counts[0] += 1
    return x * counts[0]


@pytest.mark.parametrize(
    ("f", "args", "message"),
    [
        (assigns, (X,), "writes into its argument x"),
        (writes_into_a_dict, ({"w": X},), "writes into its argument p['w']"),
        (writes_into_counts, (X, np.zeros(2, int)), "writes into its argument of int64"),
        (lambda x: None, (X,), "did it forget its return"),
        (lambda x: (), (X,), "holds no number"),
        (lambda m, w: np.sum(m(X)) + np.sum(w), (nn.Linear(3, 2, rng=0),), None),
    ],
)
def test_it_is_said(f, args, message):
    if message is None:  # a parameter that is passed beside its module
        args, message = (args[0], args[0].weight), "m.weight and w share memory"
    report = gradcheck(f, *args)
    assert report.verdict == "inconclusive", report
    assert message in report.reason


@pytest.mark.parametrize("seed", range(12))
def test_dropout_of_a_single_number(seed):
    dropout = nn.Dropout(0.5, rng=seed)
    report = gradcheck(lambda x: dropout(x), np.ones(3))
    assert report.verdict == "inconclusive"
    assert "not deterministic" in report.reason
