"""Products that sum: matrix products, einsum, convolutions."""

from __future__ import annotations

import functools
import math
from string import ascii_letters
from typing import Any

import numpy as np

from ..products import multiplied, rows_of
from .sets import Labels, Sets
from .traced import Step, UnknownError, carries, held, labels_of, with_zeros

LARGE = 10_000_000
"""So many products are looked at one by one, for a constant factor with zeros."""


def contracted(sets: Sets, terms: list[str], out: str, operands: tuple[Any, ...]) -> Labels:
    """``np.einsum`` of sets: the union of the factors', along the letters that the result does not have.

    Where a constant factor is zero, the others play no part.
    """
    sizes: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        for letter, size in zip(term, labels_of(operand).shape, strict=True):
            sizes[letter] = max(size, sizes.get(letter, 1))
    summed = "".join(letter for letter in sizes if letter not in out)
    space = out + summed
    zeros = [with_zeros(operand) for operand in operands]
    if any(zero is not None for zero in zeros) and math.prod(sizes[c] for c in space) <= LARGE:
        shape = tuple(sizes[c] for c in space)
        full = functools.reduce(
            sets.either, [_aligned(labels_of(o), t, space) for o, t in zip(operands, terms, strict=True)]
        )
        full = np.array(np.broadcast_to(full, shape))
        for term, zero in zip(terms, zeros, strict=True):
            if zero is not None:
                full[np.broadcast_to(_aligned(zero, term, space), shape)] = 0
        return sets.along(full, tuple(range(len(out), len(space)))) if summed else full
    parts = []
    for term, operand in zip(terms, operands, strict=True):
        labels, term = _diagonal(labels_of(operand), term)
        gone = tuple(i for i, letter in enumerate(term) if letter not in out)
        labels = sets.along(labels, gone) if gone else labels
        parts.append(_aligned(labels, "".join(c for c in term if c in out), out))
    found = functools.reduce(sets.either, parts)
    return np.array(np.broadcast_to(found, tuple(sizes[c] for c in out)))


def _diagonal(array: Any, term: str) -> tuple[Any, str]:
    """The array where a letter comes once."""
    for letter in sorted(set(term)):
        while term.count(letter) > 1:
            i = term.index(letter)
            j = term.index(letter, i + 1)
            array = np.moveaxis(np.diagonal(array, axis1=i, axis2=j), -1, i)
            term = term[:j] + term[j + 1 :]
    return array, term


def _aligned(array: Any, term: str, space: str) -> Any:
    """The array with the axes of ``space``, of length 1 where it has none."""
    array, term = _diagonal(array, term)
    array = np.transpose(array, [term.index(c) for c in space if c in term])
    lengths = iter(array.shape)
    return np.reshape(array, [next(lengths) if c in term else 1 for c in space])


@carries(np.einsum)
def _einsum(step: Step) -> Labels:
    subscripts, *operands = step.args
    if not isinstance(subscripts, str):
        raise UnknownError
    left, arrow, out = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    unused = [c for c in ascii_letters if c not in subscripts]
    if "." in subscripts:
        ranks = [np.ndim(held(o)) - len(t.replace("...", "")) for t, o in zip(terms, operands, strict=True) if "." in t]
        most = max(ranks, default=0)
        dots = "".join(unused[:most])
        many = iter(ranks)
        terms = [t.replace("...", dots[most - next(many) :]) if "." in t else t for t in terms]
        out = out.replace("...", dots)
    else:
        dots = ""
    if not arrow:
        joined = "".join(terms)
        out = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots))
    return contracted(step.sets, terms, out, tuple(operands))


def _letters(count: int, start: int = 0) -> str:
    return ascii_letters[start : start + count]


@carries(np.matmul)
def _matmul(step: Step) -> Labels:
    a, b = step.args
    return _product(step.sets, a, b, np.ndim(held(a)), np.ndim(held(b)))


def _product(sets: Sets, a: Any, b: Any, rank_a: int, rank_b: int) -> Labels:
    """A matrix product, of stacks too."""
    batch = max(rank_a - 2, rank_b - 2, 0)
    letters = _letters(batch, 3)
    left = (letters[batch - max(rank_a - 2, 0) :] + "ab") if rank_a > 1 else "b"
    right = (letters[batch - max(rank_b - 2, 0) :] + "bc") if rank_b > 1 else "b"
    return contracted(sets, [left, right], letters + "a" * (rank_a > 1) + "c" * (rank_b > 1), (a, b))


@carries(np.dot, np.inner, np.outer, np.vdot, np.kron)
def _dots(step: Step) -> Labels:
    a, b = step.args
    ranks = np.ndim(held(a)), np.ndim(held(b))
    first, second = _letters(ranks[0]), _letters(ranks[1], ranks[0])
    if step.function is np.dot and min(ranks):
        last = second[-2] if ranks[1] > 1 else second[-1]
        second = second.replace(last, first[-1])
        return contracted(step.sets, [first, second], first[:-1] + second.replace(first[-1], ""), (a, b))
    if step.function is np.inner and min(ranks):
        return contracted(step.sets, [first, second[:-1] + first[-1]], first[:-1] + second[:-1], (a, b))
    if step.function is np.vdot and ranks[0] == ranks[1]:
        return contracted(step.sets, [first, first], "", (a, b))
    if step.function is np.outer or not min(ranks):
        found = contracted(step.sets, [first, second], first + second, (a, b))
        return found.reshape(np.shape(step.y))
    raise UnknownError


@carries(np.tensordot)
def _tensordot(step: Step) -> Labels:
    given = step.given("a", "b", "axes")
    a, b, axes = given["a"], given["b"], held(given.get("axes", 2))
    first, second = list(_letters(np.ndim(held(a)))), list(_letters(np.ndim(held(b)), np.ndim(held(a))))
    if isinstance(axes, int):
        axes = (range(len(first) - axes, len(first)), range(axes))
    left, right = [[one] if isinstance(one, int) else list(one) for one in axes]
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    out = [c for i, c in enumerate(first) if i not in [n % len(first) for n in left]]
    out += [c for i, c in enumerate(second) if i not in [n % len(second) for n in right]]
    return contracted(step.sets, ["".join(first), "".join(second)], "".join(out), (a, b))


@carries(np.vecdot)
def _vecdot(step: Step) -> Labels:
    a, b = step.args
    ranks = np.ndim(held(a)), np.ndim(held(b))
    batch = max(ranks) - 1
    letters = _letters(batch, 1)
    return contracted(step.sets, [letters[batch - n + 1 :] + "a" for n in ranks], letters, (a, b))


@carries(np.matvec, np.vecmat)
def _matvec(step: Step) -> Labels:
    a, b = step.args
    cores = ("ab", "b") if step.function is np.matvec else ("a", "ab")
    ranks = [np.ndim(held(one)) - len(core) for one, core in zip((a, b), cores, strict=True)]
    letters = _letters(max(ranks), 2)
    terms = [letters[max(ranks) - n :] + core for n, core in zip(ranks, cores, strict=True)]
    return contracted(step.sets, terms, letters + ("a" if step.function is np.matvec else "b"), (a, b))


@carries(multiplied)
def _sparse_product(step: Step) -> Labels:
    """Each row of the result depends on what its stored values meet."""
    data, x, indices, indptr, _, transposed = step.args
    here, there = rows_of(held(indptr)), held(indices)
    here, there = (there, here) if transposed else (here, there)
    values = labels_of(data)
    right = labels_of(x)
    met = step.sets.either(values.reshape(-1, *(1,) * (right.ndim - 1)), right[there])
    columns = int(np.prod(right.shape[1:], dtype=int))
    places = here[:, None] * columns + np.arange(columns)
    return step.sets.grouped(places, met, int(np.size(step.y))).reshape(np.shape(step.y))


@carries(np.convolve, np.correlate)
def _convolved(step: Step) -> Labels:
    """A sum over a window, of the first array's elements and of the second's turned round."""
    given = step.given("a", "v", "mode")
    first, second = labels_of(given["a"]), labels_of(given["v"])
    if not first.size or not second.size:
        raise UnknownError
    zero = [with_zeros(given[name]) for name in ("a", "v")]
    if step.function is np.convolve:
        second, zero[1] = second[::-1], None if zero[1] is None else zero[1][::-1]
    n = len(second) - 1
    place = np.pad(np.arange(1, len(first) + 1), n)
    window = np.lib.stride_tricks.sliding_window_view(place, n + 1)  # 0 where the first has no element
    both = step.sets.either(np.concatenate([[0], first])[window], second)
    both[window == 0] = 0
    if zero[0] is not None:
        both[np.concatenate([[False], zero[0]])[window]] = 0
    if zero[1] is not None:
        both[:, zero[1]] = 0
    full = step.sets.along(both, (-1,))
    mode = held(given.get("mode", "full" if step.function is np.convolve else "valid"))
    if step.function is np.correlate and len(second) > len(first):
        raise UnknownError
    length = len(step.y)
    if mode not in ("full", "same", "valid"):
        raise UnknownError
    start = (len(full) - length) // 2
    return full[start : start + length]
