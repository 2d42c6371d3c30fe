"""Searches keep nothing: what the function closes over is freed with the result, without the garbage collector."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.scipy.optimize import brentq, curve_fit, fixed_point, implicit, least_squares, minimize, root
from autodiff.scipy.sparse.linalg import cg

SEARCHES = {
    "BFGS": lambda data, p: minimize(lambda x: np.sum((x - data * p) ** 2), np.zeros(3)).x,
    "Newton-CG": lambda data, p: minimize(lambda x: np.sum((x - data * p) ** 2), np.zeros(3), method="Newton-CG").x,
    "trust-constr": lambda data, p: minimize(
        lambda x: np.sum((x - data * p) ** 2), np.zeros(3), method="trust-constr",
        constraints={"type": "ineq", "fun": lambda x: np.sum(data) - x[0]},
    ).x,
    "root": lambda data, p: root(lambda x: x**3 + x - data * p, np.zeros(3)).x,
    "least_squares": lambda data, p: least_squares(lambda x: x**3 + x - data * p, np.zeros(3)).x,
    "fixed_point": lambda data, p: fixed_point(lambda x: np.cos(x) - data * p * 0.1, np.zeros(3)),
    "brentq": lambda data, p: brentq(lambda x: x - np.sum(data) * p, 0.0, 20.0),
    "implicit": lambda data, p: implicit(lambda x: x - data * p, data * 2),
    "curve_fit": lambda data, p: curve_fit(lambda x, a: a * data * x, np.ones(3), np.ones(3) * p)[0],
    "cg": lambda data, p: cg(lambda x: data * x * p, np.ones(3))[0],
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_what_a_function_closes_over_is_freed(name):
    def freed():
        data = np.array([1.0, 2.0, 3.0])
        p = Tensor(2.0)
        found = SEARCHES[name](data, p)
        np.sum(found).backward()
        assert p.grad is not None
        return weakref.ref(data)

    gc.collect()
    gc.disable()
    try:
        assert freed()() is None
    finally:
        gc.enable()
