"""vmap: every entry of the table equals a loop over the examples, or refuses; and so do its derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autodiff
import nn
from autodiff import BatchingError, Tensor, grad, hessian, vmap
from autodiff.primitive import registry
from tests.blocks import of_each
from tests.differences import calls, outputs
from tests.testing.seeds import in_turn

ENTRIES = list(registry.values())
REFUSED = {
    "trim_zeros",  # the values decide how long the result is
    "expm",  # the values decide how often it squares
}
"""What is not mapped, each for a reason.  Everything else in the table must be."""


def may_refuse(entry):
    return entry.name in REFUSED


def test_what_is_refused_is_in_the_table():
    assert {e.name for e in ENTRIES} >= REFUSED


def plain(result):
    return [r.data if isinstance(r, Tensor) else r for r in outputs(result)]


def which_are_mapped(n, number):
    """All arrays, and one alone: each in turn."""
    yield (True,) * n
    if n > 1:
        yield from in_turn([tuple(i == j for j in range(n)) for i in range(n)], number)


def mapped_calls(entry, rng):
    """Calls with examples of each array stacked, or one array for all, and the calls that a loop would make."""
    for number, call in enumerate(calls(entry)):
        n = len(call.samples)
        if not n:
            continue
        examples = [call.arrays(rng) for _ in range(3)]
        for mapped in which_are_mapped(n, number):
            stacked = [np.stack([e[i] for e in examples]) if m else examples[0][i] for i, m in enumerate(mapped)]
            each = [[e[i] if m else examples[0][i] for i, m in enumerate(mapped)] for e in examples]
            yield call, tuple(0 if m else None for m in mapped), stacked, each


def loss_of(call):
    def loss(*arrays):
        results = [r for r in outputs(call(*arrays)) if isinstance(r, Tensor) and r.dtype.kind in "fc"]
        return sum(np.sum(np.real(np.sin(r))) for r in results) + 0.0 * np.sum(np.real(arrays[0]))

    return loss


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@of_each("entry", ENTRIES)
def test_every_entry_equals_a_loop(entry, rng):
    for call, axes, stacked, each in mapped_calls(entry, rng):
        try:
            expected = [plain(call(*[Tensor(a) for a in arrays])) for arrays in each]
        except TypeError:  # a bitwise function: made for integers
            continue
        try:
            found = outputs(vmap(call, axes)(*stacked))
        except BatchingError:
            assert may_refuse(entry)
            continue
        for j, array in enumerate(found):
            same(array, np.stack([e[j] for e in expected]))


@of_each("entry", ENTRIES)
def test_per_example_gradients_and_gradients_of_a_mapping(entry, rng):
    for call, axes, stacked, each in mapped_calls(entry, rng):
        loss, numbers = loss_of(call), tuple(range(len(axes)))
        gradient = grad(loss, numbers)
        try:
            expected = [gradient(*arrays) for arrays in each]
        except TypeError:
            continue
        try:
            found = vmap(gradient, axes)(*stacked)
            total = grad(lambda *arrays, loss=loss, axes=axes: np.sum(vmap(loss, axes)(*arrays)), numbers)(*stacked)
        except BatchingError:
            assert may_refuse(entry)
            continue
        for j in numbers:
            by_loop = np.stack([e[j] for e in expected])
            same(found[j], by_loop)
            same(total[j], by_loop if axes[j] == 0 else np.sum(by_loop, axis=0))


def test_a_primitive_that_leaves_numpy_is_computed_example_by_example():
    @autodiff.primitive(lambda g, x, y: np.array([float(g) * float(y) / v for v in x.tolist()]), None)
    def product(x, note):
        return np.asarray(math.prod(np.asarray(x).tolist()))[()]

    xs = np.array([[2.0, 3.0], [5.0, 7.0], [1.0, 4.0]])
    f = lambda x: product(x * 2.0, "text") ** 2  # noqa: E731
    same(vmap(f)(xs), np.stack([f(x) for x in xs]))
    same(vmap(grad(f))(xs), np.stack([grad(f)(x) for x in xs]))
    same(grad(lambda w: np.sum(vmap(lambda x: f(x * w))(xs)))(3.0), sum(grad(lambda w, x=x: f(x * w))(3.0) for x in xs))
    nested = vmap(lambda x: vmap(lambda s: f(x * s))(np.array([1.0, 2.0])))(xs)
    same(nested, np.stack([[f(x * s) for s in (1.0, 2.0)] for x in xs]))


def test_several_outputs_of_a_primitive_that_leaves_numpy():
    @autodiff.primitive(lambda g, x: np.float64(1.0) * g[0] + g[1] * 2.0 * x)
    def both(x):
        return np.float64(x), np.float64(float(x) ** 2)

    xs = np.array([2.0, 3.0])
    f = lambda x: both(x)[0] * both(x)[1]  # noqa: E731
    same(vmap(grad(f))(xs), 3 * xs**2)


@pytest.mark.parametrize(
    "f",
    [
        np.unwrap,
        lambda x: np.linalg.lstsq(np.outer(x, x) + np.eye(3), x)[0],
        lambda x: np.searchsorted(np.sort(x), x),
        lambda x: np.partition(x, np.argmax(x) % 2),
        lambda x: np.convolve(x, x[:2]),
        lambda x: np.polyfit(np.arange(3.0), x, 1),
        lambda x: np.interp(0.5, np.arange(3.0), x),
        lambda x: np.reshape(np.outer(x, x), (9,), order="F"),
        lambda x: np.cumsum(np.outer(x, x)),
        lambda x: np.nanquantile(np.where(x > 3.0, np.nan, x), 0.3),
        lambda x: np.nanmedian(np.outer(x, x), axis=0),
        lambda x: np.quantile(x, autodiff.stop_gradient(np.abs(np.sin(x[0])))),
        lambda x: np.histogram(x, 3, (0.0, 9.0), None, x)[0],
        lambda x: np.real(np.roots(x) ** 2),
        lambda x: np.cross(np.stack([x, x * x]), x, axis=-1),
    ],
)
def test_what_has_no_batching_rule_is_computed_example_by_example(f):
    xs = np.array([[0.2, 1.5, 4.0], [2.0, 9.0, 5.0]])
    same(vmap(f)(xs), np.stack([np.asarray(f(x)) for x in xs]))
    loss = lambda x: np.sum(f(x) * 1.0) + 0.0 * x[0]  # noqa: E731
    same(vmap(grad(loss))(xs), np.stack([grad(loss)(x) for x in xs]))
    same(vmap(hessian(loss))(xs), np.stack([hessian(loss)(x) for x in xs]))
    same(grad(lambda xs: np.sum(vmap(loss)(xs)))(xs), np.stack([grad(loss)(x) for x in xs]))


def test_per_example_gradients_of_a_classifier(rng):
    """Labels are plain integers, inside of a mapping too."""
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Linear(4, 3, rng=rng))
    xs, labels = rng.normal(size=(6, 2, 3)), rng.integers(0, 3, (6, 2))

    def loss(model, x, y):
        return nn.cross_entropy(model(x), y)

    found = vmap(grad(loss), (None, 0, 0))(model, xs, labels)
    each = [grad(loss)(model, x, y) for x, y in zip(xs, labels, strict=True)]
    for stacked, *by_loop in zip(found.parameters(), *[g.parameters() for g in each], strict=True):
        same(stacked.data, np.stack([g.data for g in by_loop]))
    same(
        vmap(loss, (None, 0, 0))(model, xs, labels).data,
        [loss(model, x, y).item() for x, y in zip(xs, labels, strict=True)],
    )


# -- axes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_axes", "out_axes"), [(0, 0), (1, 0), (-1, 1), (2, -1), ((-2,), (0)), (([1]), 2)])
def test_axes(in_axes, out_axes):
    x = np.arange(24.0).reshape(2, 3, 4)
    axis = in_axes if isinstance(in_axes, int) else in_axes[0]
    expected = np.stack([np.sin(part) * 2 for part in np.moveaxis(x, axis, 0)], axis=out_axes)
    np.testing.assert_array_equal(vmap(lambda p: np.sin(p) * 2, in_axes, out_axes)(x), expected)


def test_axes_of_nestings():
    params = {"w": np.ones((3, 2)), "b": [np.arange(2.0)]}
    x = np.arange(8.0).reshape(2, 4)

    def f(p, x):
        return {"y": p["w"] @ x + p["b"][0] * 1.0, "s": np.sum(x)}

    with pytest.raises(ValueError, match="matmul|shapes"):
        vmap(f, in_axes=(None, 1))(params, x)
    params["b"] = [1.5]
    out = vmap(f, in_axes=({"w": None, "b": None}, 1), out_axes={"y": 1, "s": 0})(params, x)
    assert out["y"].shape == (3, 4)
    np.testing.assert_allclose(out["s"], x.sum(0))
    many = {"w": np.ones((5, 3, 2)), "b": [np.arange(5.0)]}
    out = vmap(f, in_axes=({"w": 0, "b": 0}, None))(many, x[:, 0])
    np.testing.assert_allclose(out["y"], np.ones((5, 3, 2)) @ x[:, 0] + np.arange(5.0)[:, None])


def test_keywords_are_mapped_and_outputs_that_do_not_differ_are_repeated():
    x = np.arange(3.0)
    np.testing.assert_array_equal(vmap(lambda x, *, s: x * s)(x, s=x), x * x)
    assert vmap(lambda x: 1.0)(x).tolist() == [1.0, 1.0, 1.0]
    assert vmap(lambda x: (x, np.ones(2)), out_axes=(0, None))(x)[1].tolist() == [1.0, 1.0]
    assert vmap(lambda x: np.sum(x))(np.ones((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: vmap(np.sin)(1.0), ValueError, "no axis 0 to map over"),
        (lambda: vmap(np.sin, in_axes=3)(np.ones(2)), ValueError, "no axis 3"),
        (lambda: vmap(np.sin, in_axes=None)(np.ones(2)), ValueError, "nothing to map over"),
        (lambda: vmap(np.add)(np.ones(2), np.ones(3)), ValueError, "different numbers of examples"),
        (lambda: vmap(np.add, (0, 0, 0))(np.ones(2), np.ones(2)), ValueError, "does not fit 2 arguments"),
        (lambda: vmap(np.sin, out_axes=2)(np.ones(2)), ValueError, "out_axes 2"),
        (lambda: vmap(np.sin, out_axes=None)(np.ones(2)), BatchingError, "differs between examples"),
        (lambda: vmap(lambda x: "s")(np.ones(2)), TypeError, "returned a str"),
        (lambda: vmap(lambda x: x if x > 0 else -x)(np.array([1.0, -1.0])), BatchingError, "np.where"),
        (lambda: vmap(lambda x: x[x > 0])(np.eye(2)), BatchingError, r"np.where\(mask"),
        (lambda: vmap(lambda x: np.unique(x.data))(np.eye(2)), BatchingError, "'unique' gives results of a length"),
        (
            lambda: vmap(np.roots)(np.array([[0.0, 1.0, 2.0], [1.0, 3.0, 2.0]])),
            BatchingError,
            "'roots' gives results of",
        ),
        (lambda: vmap(np.trim_zeros)(np.tri(2)), BatchingError, "by hand"),
        (lambda: vmap(lambda x: np.nonzero(x))(np.eye(2)), BatchingError, r"by hand: \[f\(x\) for x in xs\]"),
        (lambda: vmap(lambda x: np.unwrap(x))(np.ones((0, 2))), BatchingError, "example by example, and there are"),
        (lambda: vmap(lambda i: np.arange(3)[i])(np.arange(2)), BatchingError, r"Tensor\(array\)\[index\]"),
        (lambda: vmap(lambda i: int(i))(np.arange(2)), BatchingError, "int"),
        (lambda: vmap(lambda x: x.item())(np.ones(2)), BatchingError, "item"),
        (lambda: vmap(lambda x: float(x.data))(np.ones(2)), BatchingError, "float"),
        (lambda: vmap(lambda x: np.asarray(x.data))(np.ones(2)), BatchingError, "plain array"),
        (lambda: vmap(lambda x: np.add(x.data, 1.0, out=np.ones(2)))(np.ones(2)), BatchingError, "existing array"),
        (lambda: vmap(lambda x: x @ x)(np.ones(2)), ValueError, "matmul"),
        (lambda: vmap(lambda x: x[3])(np.ones((2, 3))), IndexError, "out of bounds"),
        (lambda: vmap(lambda x: np.sum(x, axis=1))(np.ones((2, 3))), ValueError, "axis 1 is out of bounds"),
    ],
)
def test_wrong_input_says_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_decision_that_all_examples_take_alike_is_taken():
    f = vmap(lambda x: x * 2.0 if np.sum(x) > 0 else x)
    np.testing.assert_array_equal(f(np.ones((2, 3))), 2 * np.ones((2, 3)))
    np.testing.assert_array_equal(f(-np.ones((2, 3))), -np.ones((2, 3)))
    with pytest.raises(ValueError, match="ambiguous"):
        vmap(lambda x: 1.0 if x > 0 else x)(np.ones((2, 3)))
