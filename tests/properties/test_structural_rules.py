"""Every rule knows which elements of its result are zero because the cotangent's were left out, and no others.

The truth is found by plain passes: an element of an argument is dead if no output that is left depends on it.  A rule
that calls an element dead that is not makes wrong numbers; one that forgets makes NaN beside an infinite derivative.
"""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.backpropagation import backward
from autodiff.graph import CONSTANT
from autodiff.primitive import Primitive, registry
from autodiff.scipy import load
from autodiff.scipy.compiled import ndarrays_only
from autodiff.structural import Structural, again, functions, structural, tracking
from autodiff.tensor import wrap
from tests.blocks import of_each
from tests.differences import calls, outputs, weights
from tests.testing.seeds import in_turn

load()
RULES = [e for e in registry.values() if not (isinstance(e, Primitive) and e.flat)]
BY_VALUE = {
    "imag", "angle",  # of a real number: i times something, of which the engine keeps the real part
    "qr", "cholesky", "corrcoef",  # some outputs are constants: triangles of zeros, a diagonal of ones
    "poly",  # of a matrix: the second coefficient is its trace, whose derivative is the product of V^-1 and V
    "divmod", "linspace", "logspace", "geomspace",  # products with a constant that is 0
    "histogram_bin_edges", "histogram", "hilbert", "lfilter_zi",
    "lu", "lu_factor", "lu_solved", "lu_solve", "cho_solved", "cho_solve",  # of triangular factors
    "cholesky_banded", "cho_banded_solved", "cho_solve_banded",
    "zoom",  # the weights around a place that is an element are 0
    "gaussian_filter1d", "gaussian_filter",  # the derivative of a Gaussian is 0 in its middle
}  # fmt: skip
"""Functions whose derivative has more zeros than those of selection: there, NaN is as honest as 0."""


def by_node(results, seeds):
    found = {}
    for result, seed in zip(results, seeds, strict=True):
        if isinstance(result, Tensor) and result._node.active:
            found[result._node] = found[result._node] + seed if result._node in found else seed
    return found


def plain(call, arrays):
    """A function from cotangents of the outputs to those of the arguments, by plain passes over one graph."""
    tensors = [Tensor(a) for a in arrays]
    targets = {t._node for t in tensors}
    results = outputs(call(*tensors))

    def pull(seeds):
        found = backward(by_node(results, seeds), targets, retain=True)
        return [found.get(t._node) for t in tensors]

    return pull


def pulled(call, arrays, seeds, how):
    """The cotangents in one of the other kinds of passes, as a pass inside of another one hands them on."""
    tensors = [Tensor(a) for a in arrays]
    targets = {t._node for t in tensors}
    level = again if how == "made again" else tracking
    with level():
        marked = by_node(outputs(call(*tensors)), [structural(s) for s in seeds])
    if how == "recorded":
        marked = {node: wrap(seed, CONSTANT) for node, seed in marked.items()}
    with level():
        found = backward(marked, targets, retain=True, create=how == "recorded", inner=True)
    values = [found.get(t._node) for t in tensors]
    return [v._value if isinstance(v, Tensor) else v for v in values]


def dead_of(value):
    if isinstance(value, Structural) and value.dead is not None:
        return np.ravel(value.dead)
    return np.zeros(np.size(value), bool)


def choices(n, rng):
    """Which outputs are left."""
    place = np.arange(n)
    return [*(rng.random((3, n)) < 0.5), place < 0, place < n // 2, place >= n // 2, place == 0, place % 2 == 0]


def check(entry, call, rng, number=0):
    """Of one call; its ``number`` says which choices and ways are its turn."""
    arrays = call.arrays(rng)
    results = outputs(call(*[Tensor(a) for a in arrays]))
    full = weights(results, rng, np.float64)
    sizes = [w.size for w in full]
    n = sum(sizes)
    if not 0 < n <= 80:
        return

    def seeds(left):
        parts = np.split(left, np.cumsum(sizes)[:-1])
        return [np.where(p.reshape(w.shape), w, 0.0).astype(w.dtype) for p, w in zip(parts, full, strict=True)]

    pull = plain(call, arrays)
    noise = 1e-14 if entry.function in ndarrays_only else 0.0  # by Fourier transforms, a zero is rounding
    rows = [pull(seeds(np.arange(n) == o)) for o in range(n)]
    for left in in_turn(choices(n, rng), number, 3):
        expected = pull(seeds(left))
        for how in ("made again", "recorded"):
            for i, found in enumerate(pulled(call, arrays, seeds(left), how)):
                if found is None:
                    continue
                np.testing.assert_allclose(np.asarray(found), expected[i], rtol=1e-10, atol=1e-12)
                reached = np.zeros(arrays[i].size, bool)
                for o in np.flatnonzero(left):
                    row = np.abs(np.ravel(rows[o][i]))
                    reached |= row > noise * np.max(row, initial=0.0)
                dead = dead_of(found)
                assert not np.any(dead & reached), f"{how}: an element is called dead that an output depends on"
                if entry.name not in BY_VALUE and not any(np.any(a == 0) for a in arrays):
                    assert np.all(dead | reached), f"{how}: it is forgotten that elements are dead"


@of_each("entry", RULES, size=8)
def test_a_rule_knows_what_was_left_out(entry, rng):
    with np.errstate(all="ignore"):
        for number, call in enumerate(calls(entry), len(entry.name)):
            check(entry, call, rng, number)


@pytest.mark.parametrize("wrong", ["forgets", "lies"])
def test_a_wrong_handler_turns_this_red(wrong, rng, monkeypatch):
    if wrong == "forgets":
        monkeypatch.delitem(functions, np.flip)
    else:
        monkeypatch.setitem(functions, np.flip, functions[np.copy])
    entry = registry[np.flip]

    def check_all():
        for number, call in enumerate(calls(entry)):
            check(entry, call, rng, number)

    with pytest.raises(AssertionError, match={"forgets": "forgotten", "lies": "called dead"}[wrong]):
        check_all()
