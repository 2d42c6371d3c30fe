"""Searches over data of another library: each part of it is read once for a value and its gradient together."""

import dask.array as da
import numpy as np
import pytest

from autodiff.scipy.optimize import minimize
from autodiff.scipy.optimize.measured import PLAIN, Measured

PARTS = 3


class Read:
    """Rows in parts, each of which is counted when it is read."""

    def __init__(self, dtype=float):
        self.values = np.random.default_rng(0).normal(size=(30, 4)).astype(dtype)
        self.count = 0
        parts = da.from_array(self.values, chunks=(30 // PARTS, 4))
        self.array = parts.map_blocks(self._read, meta=np.zeros((0, 0), dtype))

    def _read(self, part):
        self.count += 1
        return part


def loss(p, x):
    z = np.tanh(x @ p["w"]) + p["b"]
    return np.mean((z - x[:, 0]) ** 2) + 0.01 * np.sum(p["w"] ** 2)


def start(dtype=float):
    return {"w": np.ones(4, dtype), "b": 0.0}


@pytest.mark.parametrize("jit", [None, True])
@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "Nelder-Mead"])
def test_each_call_reads_each_part_once(method, jit):
    read = Read()
    options = {"method": method, "options": {"maxiter": 4}}
    found = minimize(loss, start(), args=(read.array,), jit=jit, **options)
    wanted = minimize(loss, start(), args=(read.values,), jit=False, **options)
    assert read.count == PARTS * found.nfev
    assert found.nfev == wanted.nfev
    np.testing.assert_allclose(found.x["w"], wanted.x["w"], rtol=1e-10)
    np.testing.assert_allclose(found.fun, wanted.fun, rtol=1e-12)
    assert type(found.x["w"]) is np.ndarray


def test_products_with_the_hessian():
    read = Read()
    options = {"method": "trust-ncg", "options": {"maxiter": 3}}
    found = minimize(loss, start(), args=(read.array,), **options)
    wanted = minimize(loss, start(), args=(read.values,), **options)
    np.testing.assert_allclose(found.x["w"], wanted.x["w"], rtol=1e-10)


def test_single_precision():
    read = Read(np.float32)
    found = minimize(loss, start(np.float32), args=(read.array,), method="BFGS", options={"maxiter": 2})
    assert found.x["w"].dtype == np.float32
    assert read.count == PARTS * found.nfev


def test_a_start_of_another_library():
    read = Read()
    found = minimize(lambda w: np.sum((read.array @ w - 1.0) ** 2), da.zeros(4, chunks=2), method="BFGS")
    assert found.success
    np.testing.assert_allclose(found.x, np.linalg.lstsq(read.values, np.ones(30))[0], rtol=1e-5)


def test_what_is_not_computed_yet_is_not_recorded():
    measured = Measured("minimize", lambda z: da.from_array(z), None, None)
    for _ in range(PLAIN + 2):
        measured(np.ones(1))
    assert measured.program is None
