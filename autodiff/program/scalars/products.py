"""Sums of products: in C a product that only one sum needs is made where it is added, and never lies on the tape.

Most numbers of a graph of scalars are of this kind: the terms of a dot product, and of the gradient of a weight.  A
term that is no product is one times one, which changes no bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .listing import Listing
from .scheduling import Group

Array = Any


def with_products(groups: Sequence[Group], listing: Listing, asked: Sequence[int], one: int) -> list[Group]:
    """The groups, with the products in the sums they are for; ``one`` is the cell of 1, and ``asked`` stay."""
    product, state, factors = _products(groups, listing, one)
    uses = np.zeros(len(product), int)
    np.add.at(uses, np.array(asked, int), 2)
    for group in groups:
        np.add.at(uses, group.operands.ravel(), 1)
    product &= uses == 1
    taken = np.zeros(len(product), bool)
    found = []
    for group in groups:
        terms = group.operands
        mine = product[terms] & (state[terms] == group.errors)
        if listing.operations[group.code].ufunc is np.add and len(terms) > 1 and 2 * int(mine.sum()) > mine.size:
            taken[terms[mine]] = True
            sides = [np.where(mine, side[terms], other) for side, other in zip(factors, (terms, one), strict=True)]
            group = group._replace(operands=np.concatenate(sides), products=True)
        found.append(group)
    return [_without(group, taken) for group in found if not taken[group.cells].all()]


def _products(groups: Sequence[Group], listing: Listing, one: int) -> tuple[Array, Array, tuple[Array, Array]]:
    """By cell: whether it is a product of two doubles, what NumPy does about errors there, and its factors."""
    is_product = np.zeros(one + 1, bool)
    state = np.full(one + 1, -1)
    first, second = np.zeros(one + 1, int), np.zeros(one + 1, int)
    for group in groups:
        if listing.operations[group.code].ufunc is np.multiply:
            is_product[group.cells] = True
            state[group.cells] = group.errors
            first[group.cells], second[group.cells] = group.operands
    return is_product, state, (first, second)


def _without(group: Group, taken: Array) -> Group:
    """A group without the calls that are made elsewhere."""
    left = ~taken[group.cells]
    return group if left.all() else group._replace(cells=group.cells[left], operands=group.operands[:, left])
