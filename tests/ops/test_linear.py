"""einsum, with letters of length 1 beside others and of length 0, and of large products of matrices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autodiff import Tensor, capture, grad, vmap

SUBSCRIPTS = [
    "b,cb->c", "i,i->", "ij,jk->ik", "ij->", "i,i,i->i", "ij,kj,k->i", "ij,ij->", "i...,j->j...", "...ij,...jk->...ik",
    "ij,j", "ab,ab,b->a", "i,i->i",
]  # fmt: skip


def operands(subscripts, rng):
    """Arrays of every combination of lengths 0, 1 and 2 for the letters, each with or without a 1 in their place."""
    terms = subscripts.partition("->")[0].split(",")
    letters = sorted({c for t in terms for c in t if c.isalpha()})
    count = sum(c.isalpha() for t in terms for c in t)
    for lengths in itertools.product((0, 1, 2), repeat=len(letters)):
        sizes = dict(zip(letters, lengths, strict=True))
        for ones in itertools.product((False, True), repeat=min(count, 4)):
            one, arrays = iter(ones), []
            for term in terms:
                lengths_here = [1 if next(one, False) else sizes[c] for c in term if c != "."]
                arrays.append(rng.normal(size=[3] * ("..." in term) + lengths_here))
            yield arrays


@pytest.mark.parametrize("subscripts", SUBSCRIPTS)
def test_a_letter_may_be_of_length_1_in_some_operands(subscripts, rng):
    for arrays in operands(subscripts, rng):
        try:
            weights = rng.normal(size=np.shape(np.einsum(subscripts, *arrays)))
        except ValueError:  # the lengths do not fit
            continue

        def f(*p, weights=weights):
            return np.sum(weights * np.einsum(subscripts, *p))

        found = grad(f, argnums=tuple(range(len(arrays))))(*arrays)
        for i, (x, g) in enumerate(zip(arrays, found, strict=True)):
            d = rng.normal(size=x.shape)  # f is linear in each operand
            moved = [f(*arrays[:i], x + s * d, *arrays[i + 1 :]) for s in (0.5, -0.5)]
            np.testing.assert_allclose(np.sum(g * d), moved[0] - moved[1], rtol=1e-9, atol=1e-9)


STACKS = {"kij,nkj->nki": ((8, 16, 20), (40, 8, 20)), "...ij,...jk->...ik": ((3, 40, 30), (3, 30, 40)),
          "ai,bi": ((60, 50), (70, 50))}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("subscripts", STACKS)
def test_large_products_of_matrices_are_made_by_matmul(subscripts, dtype, rng):
    a, b = ((rng.normal(size=shape) + 1j * rng.normal(size=shape)) for shape in STACKS[subscripts])
    a, b = (x.astype(dtype) if dtype is np.complex128 else x.real.astype(dtype) for x in (a, b))
    rtol = 1e-3 if dtype is np.float32 else 1e-11
    expected = np.einsum(subscripts, a, b)
    np.testing.assert_allclose(np.einsum(subscripts, Tensor(a), b).data, expected, rtol=rtol, atol=rtol)
    if dtype is np.complex128:
        return
    weights = rng.normal(size=expected.shape).astype(dtype)

    def f(a, b):
        return np.sum(weights * np.einsum(subscripts, a, b))

    slopes = grad(f, argnums=(0, 1))(a, b)
    assert [g.dtype for g in slopes] == [dtype, dtype]
    exact = f(a.astype(np.float64), b.astype(np.float64))  # f is linear in each
    for x, g in zip((a, b), slopes, strict=True):
        np.testing.assert_allclose(np.sum(g.astype(np.float64) * x), exact, rtol=rtol)
    text = str(capture(f, a, b)) + str(capture(grad(f), a, b))
    assert (text.count("np.einsum('"), text.count("optimize=True")) == (2, 1)  # plain arrays by NumPy alone


def test_a_product_of_small_or_narrow_matrices_is_numpys_to_the_last_bit(rng):
    for subscripts, a, b in (("bp,bpi->pi", (50, 100), (50, 100, 3)), ("ij,jk->ik", (20, 20), (20, 20))):
        x, y = rng.normal(size=a), rng.normal(size=b)
        np.testing.assert_array_equal(np.einsum(subscripts, Tensor(x), y).data, np.einsum(subscripts, x, y))
    x, y = rng.normal(size=(30, 20, 20)), rng.normal(size=(20, 20))  # many small ones are one large product
    found = vmap(lambda x: np.einsum("ij,jk->ik", x, y))(x)
    np.testing.assert_allclose(found, np.einsum("zij,jk->zik", x, y), rtol=1e-12)
    with pytest.raises(ValueError, match=r"^einsum: "):
        np.einsum("ij,jk->ik", Tensor(rng.normal(size=(400, 300))), rng.normal(size=(200, 400)))
    with pytest.raises(ValueError, match=r"^einsum: "):
        np.einsum("ijk,jk->ik", Tensor(rng.normal(size=(400, 300))), rng.normal(size=(300, 400)))
