"""An LSTM over a whole sequence is its steps, one after the other, in value and to the second derivative."""

import numpy as np
import pytest

from autodiff import grad, lstm, lstm_cell, lstm_packed, vmap
from autodiff.testing import assert_gradcheck

LENGTH, N, WIDTH = 3, 2, 2


def arguments(rng, dtype=np.float64):
    shapes = (LENGTH, N, 4 * WIDTH), (WIDTH, 4 * WIDTH), (N, WIDTH), (N, WIDTH)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def by_steps(z, weight, h, c):
    hs, cs = [], []
    for t in range(len(z)):
        h, c, _, _ = lstm_cell(z[t] + h @ weight, c)
        hs.append(h)
        cs.append(c)
    return np.stack(hs), np.stack(cs)


# what is read of the outputs decides which of the ways back is taken
READ = {
    "all h": lambda h, c: np.sum(h * h),
    "all": lambda h, c: np.sum(h * h * c),
    "the last c": lambda h, c: np.sum(c[-1] ** 3),
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_sequence_is_its_steps(read, rng):
    given = arguments(rng)
    one, two = (lambda *a, f=f: read(*f(*a)) for f in (lstm, by_steps))
    assert all(np.array_equal(a, b) for a, b in zip(lstm(*given), by_steps(*given), strict=True))
    every = tuple(range(4))
    for a, b in zip(grad(one, every)(*given), grad(two, every)(*given), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    assert_gradcheck(one, *given, order=2)


def test_the_dtype_is_kept(rng):
    given = arguments(rng, np.float32)
    assert all(a.dtype == np.float32 for a in lstm(*given))
    assert all(g.dtype == np.float32 for g in grad(lambda *a: np.sum(lstm(*a)[0]), (0, 1, 2, 3))(*given))


def test_many_cotangents_at_once(rng):
    given, weights = arguments(rng), rng.normal(size=(2, LENGTH, N, WIDTH))

    def slopes(weight):
        return grad(lambda *a: np.sum(lstm(*a)[0] * weight), (0, 1))(*given)

    for together, *each in zip(vmap(slopes)(weights), *map(slopes, weights), strict=True):
        np.testing.assert_allclose(together, each, rtol=1e-12, atol=1e-14)


def test_whole_numbers():
    whole = [np.arange(np.prod(shape)).reshape(shape) % 3 for shape in ((2, 1, 8), (2, 8), (1, 2), (1, 2))]
    z, _, _, c = whole
    for one, other in ((lstm, whole), (lambda z, c: lstm_cell(z, c)[:2], (z[0], c))):
        assert all(map(np.array_equal, one(*other), one(*[a.astype(float) for a in other])))


def test_a_number_of_elements_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"lstm_packed: \(57,\) numbers are not 2 steps of width 2"):
        lstm_packed(np.zeros(57), 2, 2)


@pytest.mark.parametrize("place", range(4))
def test_shapes_that_do_not_fit_are_named(place, rng):
    given = arguments(rng)
    given[place] = given[place][..., :-1]
    with pytest.raises(ValueError, match=r"lstm: z has shape .* not empty"):
        lstm(*given)


def test_an_empty_sequence_is_refused(rng):
    z, *rest = arguments(rng)
    with pytest.raises(ValueError, match="not empty"):
        lstm(z[:0], *rest)
