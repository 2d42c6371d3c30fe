"""Where C's arithmetic, or a look at elements, might be another one than NumPy's: the same bits."""

import numpy as np
import pytest

from autodiff import capture

from .together import in_c, ulps

RNG = np.random.default_rng(0)
A = RNG.normal(size=(5, 5))
CUBE, COLUMN = RNG.normal(size=(4, 4, 4)), RNG.normal(size=(4, 1))
FIRST, SECOND = np.arange(4)[:, None], np.tile([3, 1, 2], 4)[:3, None]
"""Indices; what lies behind those of the second axis would do as well, so that reading it is no error."""
ENDS = np.array([1, 2**63 - 1, -(2**63), 0])
ENDS_32 = np.array([1, 2**31 - 1, -(2**31), 0], np.int32)
ROOTS = np.array([-np.inf, -0.0, 4.0, np.inf, np.nan])


def rows(x):
    return np.max(x, axis=-1), np.max(x, axis=-1, keepdims=True)


def filled(x):
    positive = x > 0
    positive[0] = 0.5
    return positive, positive & (x < 1)


def filled_by_rows(x):
    y = x * 1.0
    y[1:3] = x[0]
    y[[0, 2]] = 7
    return y * 2.0


def copied(x):
    y = x * 1.0
    z = np.reshape(y, (25,), copy=True)
    z += 1.0
    return y * 2.0, z


def picked(x, i, j, k):
    y = x[i, j, k]
    return y[..., 1:] - y[..., :-1]


LOOKS = {
    "rows in another order": (lambda x: x - rows(x)[0][::-1][:, None], A),
    "rows in another order, kept": (lambda x: x - rows(x)[1][::-1], A),
    "rows and rows in another order": (lambda x: rows(x)[0] + rows(x)[0][::-1], A),
    "rows and their transpose": (lambda x: rows(x)[0] + rows(x)[0].T, CUBE),
    "a column for rows of two axes": (lambda x, y: np.max(x, axis=-1, keepdims=True) * y, CUBE, COLUMN),
    "an order by its place": (lambda x: (np.ravel(x * 1.0, "F") + 1.0, np.reshape(x * 1.0, (25,), "F") + 1.0), A),
    "a method's order by its place": (lambda x: (x * 1.0).ravel("F") * 2.0, A),
    "a copy that is asked for": (copied, A),
    "picked by arrays of several axes": (picked, CUBE, FIRST[..., None], SECOND, np.argsort(CUBE[:, :3])),
    "matrices picked by arrays of two axes": (lambda x, i, j: x[i, j] * 2.0, CUBE, FIRST, SECOND[:, 0]),
}
NUMBERS = {
    "beyond the largest": (lambda x: (x + 1 > x, x * 3, x * x), ENDS),
    "below the least": (lambda x: (x - 1 < x, np.abs(x) < 0, -x), ENDS),
    "of 32 bits": (lambda x: (x + np.int32(1) > x, np.abs(x) >= 0, np.square(x)), ENDS_32),
    "of 16 bits": (lambda x: x * x, np.array([65535, 60000], np.uint16)),
    "sums and products": (lambda x: (np.sum(x), np.prod(x[:3]), np.sum(x[:, None] + x, axis=0)), ENDS),
    "less than none": (lambda x: (x > -1, x < -1, x == -1), np.array([0, 2**32 - 1], np.uint32)),
    "more than all": (lambda x: (x < 2**63, x + 1), np.array([0, 5])),
    "a half is true": (filled, A),
    "a half is true, without axes": (lambda x: (np.any(x), np.all(x)), np.array(0.5)),
    "256 is true": (lambda x: np.any(x * 2), np.array(128)),
    "roots": (lambda x: (x**0.5, np.float_power(x, 0.5), x[0] ** 0.5, x[1] ** 0.5, x + 1.0), ROOTS),
}
LEFT = {
    "a start and a mask": (lambda x: (np.sum(x, initial=2.0), np.max(x, initial=0.5, where=x < 1)), A),
    "a dtype of the sum": (lambda x: (np.sum(x, dtype=np.float32), np.mean(x, dtype=np.float32)), A),
    "a mean of whole numbers": (lambda x: (np.mean(x), np.var(x), np.std(x)), ENDS_32),
    "the largest truth": (lambda x: (np.max(x > 0, axis=0), np.min(x > 0)), A),
    "a dtype of the function": (lambda x: np.add(x, 1, dtype=np.float32), A.astype(np.float16)),
    "a function in part": (lambda x: np.multiply(x, 2.0, out=np.zeros_like(x), where=x > 0), A),
    "two results": (lambda x: np.divmod(x, 0.75), A),
    "one bound": (lambda x: (np.clip(x, None, 0.5), np.clip(x, 0.5, None), np.clip(x, -1, 1)), A),
    "bounds of whole numbers": (lambda x: np.clip(x, 1, 3), np.arange(6)),
    "half precision": (lambda x: np.exp(x) * x, A.astype(np.float16)),
    "complex numbers": (lambda x: np.real(np.exp(1j * x) * x), A),
    "products of many matrices": (lambda x: x @ x, CUBE),
    "products of two dtypes": (lambda x: x @ x.astype(np.float32), A),
    "products of nothing": (lambda x: x @ x.T, np.zeros((3, 0))),
    "numbers that are written at places": (filled_by_rows, A),
    "bytes in the other order": (lambda x: x + 1.0, A.astype(">f8")),
}
"""What C has no words for, or no room."""
CASES = LOOKS | NUMBERS | LEFT


@pytest.fixture(scope="module")
def compiled():
    with np.errstate(all="ignore"):
        return dict(zip(CASES, in_c([(f, args) for f, *args in CASES.values()]), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_the_same_bits(compiled, name):
    (program, made), args = compiled[name], CASES[name][1:]
    with np.errstate(all="ignore"):
        expected, got = program(*args), made(*args)
    assert ulps(got, expected) == 0
    for one, other in zip(*[r if isinstance(r, tuple) else (r,) for r in (got, expected)], strict=True):
        assert np.array_equal(np.signbit(one), np.signbit(other)) or np.isnan(other).any()


def test_a_large_product_of_a_sliding_window():
    def windows(x, w):
        return np.lib.stride_tricks.sliding_window_view(x, 100) @ w

    x, w = RNG.normal(size=400), RNG.normal(size=(100, 30))
    assert ulps(capture(windows, x, w).compiled("c")(x, w), windows(x, w), of=16.0) <= 4


def test_calls_between_regions_see_what_is_written_through_another_argument():
    def f(x, y):
        x += 1.0
        return np.sort(y), x * 2.0

    x, y = A[0].copy(), A[0].copy()
    expected, got = f(x, x), capture(f, np.ones(5), np.ones(5)).compiled("c")(y, y)
    assert ulps(got, expected) == 0
    assert y.tolist() == x.tolist()
