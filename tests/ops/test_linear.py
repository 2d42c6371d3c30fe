"""einsum, with letters of length 1 beside others and of length 0."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autodiff import grad

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
