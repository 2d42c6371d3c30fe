"""vmap: every entry of the table equals a loop over the examples, or refuses; and so do its derivatives."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff
import nn
from autodiff import BatchingError, Tensor, grad, hessian, index_add, index_update, jacobian, no_grad, vjp, vmap
from autodiff.primitive import registry

from .differences import calls, outputs

ENTRIES = list(registry.values())
PROMISED = {
    "matmul", "vecdot", "matvec", "vecmat", "einsum", "tensordot", "dot", "inner", "outer", "sum", "mean", "max", "min",
    "prod", "var", "std", "logsumexp", "cumsum", "argmax", "argmin", "any", "all", "getitem", "scatter_add", "take",
    "take_along_axis", "index_update", "index_add", "reshape", "transpose", "swapaxes", "moveaxis", "squeeze",
    "expand_dims", "ravel", "broadcast_to", "concatenate", "stack", "split", "flip", "roll", "repeat", "tile", "pad",
    "clip", "inv", "det", "solve", "cholesky", "sort", "median", "diagonal", "trace", "fft", "softmax_cross_entropy",
}  # fmt: skip
"""What must be mapped, besides everything elementwise.  The rest of the table is mapped too or refuses."""


def may_refuse(entry):
    return not (getattr(entry, "elementwise", False) or entry.name in PROMISED)


def test_what_is_promised_is_in_the_table():
    assert {e.name for e in ENTRIES} >= PROMISED


def plain(result):
    return [r.data if isinstance(r, Tensor) else r for r in outputs(result)]


def which_are_mapped(n):
    """All arrays, and each one alone."""
    yield (True,) * n
    if n > 1:
        yield from (tuple(i == j for j in range(n)) for i in range(n))


def mapped_calls(entry, rng):
    """Calls with examples of each array stacked, or one array for all, and the calls that a loop would make."""
    for call in calls(entry):
        n = len(call.samples)
        if not n:
            continue
        examples = [call.arrays(rng) for _ in range(3)]
        for mapped in which_are_mapped(n):
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


@pytest.mark.parametrize("entry", ENTRIES, ids=[e.name for e in ENTRIES])
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


@pytest.mark.parametrize("entry", ENTRIES, ids=[e.name for e in ENTRIES])
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


@pytest.mark.usefixtures("own_primitives")
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


@pytest.mark.usefixtures("own_primitives")
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
        (lambda: vmap(np.trim_zeros)(np.eye(2)), BatchingError, "by hand"),
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


# -- derivatives -------------------------------------------------------------------------------------------------


def mlp(p, x, label):
    h = np.tanh(x @ p["w"] + p["b"])
    scores = h @ p["v"]
    return np.log(np.sum(np.exp(scores))) - scores[label]


def test_per_example_gradients_of_a_network(rng):
    p = {"w": rng.normal(size=(4, 5)), "b": rng.normal(size=5), "v": rng.normal(size=(5, 3))}
    xs, labels = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    found = vmap(grad(mlp), in_axes=(None, 0, 0))(p, xs, labels)
    expected = [grad(mlp)(p, x, int(k)) for x, k in zip(xs, labels, strict=True)]
    for name in p:
        np.testing.assert_allclose(found[name], np.stack([e[name] for e in expected]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda w, i: w[i] ** 2,
        lambda w, i: np.sum(np.take(w, i) ** 2) * w[0],
        lambda w, i: np.sum(w[np.stack([i, i])] ** 3),
        lambda w, i: np.sum((2.0 * w)[i] ** 2) * np.sum(np.sin(w)),
        lambda w, i: np.sum(index_add(w, i, w[0]) ** 2),
        lambda w, i: np.sum(index_update(w, i, 3.0 * w[1]) ** 2),
        lambda w, i: vjp(lambda w: w[i] * w, w)[1](np.ones(3))[0][i],
        lambda w, i: np.interp(i + 0.25 * w[0], np.arange(3.0), w),
        lambda w, i: np.interp(i + 0.25 * w[0], np.arange(3.0), np.array([1.0, 4.0, 9.0])),
    ],
)
def test_a_table_that_is_the_same_for_all_is_looked_up_by_each_example(f):
    """Per-example gradients of a table are each example's own; from outside it is the same table, and they add up."""
    w, i = np.array([1.5, 2.0, 3.0]), np.array([0, 2, 2, 1])
    for transform in (grad, jacobian, hessian, lambda f: jacobian(jacobian(f))):
        by_loop = np.stack([transform(lambda w, k=k: f(w, k))(w) for k in i])
        same(vmap(transform(f), (None, 0))(w, i), by_loop)
        same(vmap(transform(f), (0, None))(np.stack([w, w, w, w]), i[1]), by_loop[[1, 1, 1, 1]])
        same(transform(lambda w: np.sum(vmap(f, (None, 0))(w, i)))(w), np.sum(by_loop, axis=0))
        same(transform(lambda w: np.sum(vmap(functools.partial(f, w))(i)))(w), np.sum(by_loop, axis=0))


def test_float32_stays_float32():
    x = np.ones((2, 3), np.float32)
    assert vmap(lambda x: np.mean(x * 2.0))(x).dtype == np.float32
    assert vmap(grad(lambda x: np.mean(np.sin(x) * 0.5)))(x).dtype == np.float32
    assert grad(lambda w: np.sum(vmap(lambda x: x * w)(x)))(np.float32(2.0)).dtype == np.float32


def orders(f):
    """First, second and third derivatives of a scalar function."""
    yield grad(f)
    yield lambda w: grad(lambda w: np.sum(grad(f)(w) ** 2))(w)
    yield lambda w: grad(lambda w: np.sum(grad(lambda w: np.sum(grad(f)(w) ** 2))(w) ** 2))(w)


XS = np.array([[0.3, -0.2], [0.5, 0.9], [-0.4, 0.1]])
W = np.array([0.7, -0.3])


@pytest.mark.parametrize(
    "body",
    [
        lambda w, x: np.sum(np.sin(w * x)),
        lambda w, x: np.sum(np.sin(w)) + 0.0 * x[0],  # inside, nothing differs between examples
        lambda w, x: np.sum(grad(lambda v: np.sum(np.sin(v * w) * x))(x)),
        lambda w, x: np.sum(grad(lambda v: np.sum(np.sin(v * w) * x))(w)),
        lambda w, x: np.sum(vmap(lambda y: y * w[0] * x)(w)),
        lambda w, x: np.sum(vmap(grad(lambda y: np.sum(y**3 * w * x)))(w)),
        lambda w, x: np.sum(jacobian(lambda v: np.tanh(v * w))(x)),
        lambda w, x: np.sum(vjp(lambda v: np.tanh(v * w), x)[1](w)[0]),
        lambda w, x: np.sum(index_update(x, 0, w[1]) ** 3) * np.sum(index_add(w, [0, 0], x)),
    ],
)
def test_an_outer_variable_to_third_order(body):
    for by_map, by_loop in zip(
        orders(lambda w: np.sum(np.cos(vmap(lambda x: body(w, x))(XS)))),
        orders(lambda w: sum(np.cos(body(w, x)) for x in XS)),
        strict=True,
    ):
        np.testing.assert_allclose(by_map(W), by_loop(W), rtol=1e-9)


def test_the_imperative_style_inside_and_outside():
    w = Tensor(2.0)
    np.sum(vmap(lambda x: np.sin(x) * w)(XS)).backward()
    assert w.grad == pytest.approx(np.sum(np.sin(XS)))
    w.grad = None
    out = vmap(lambda x: np.sum(x * w))(XS)
    with pytest.raises(Exception, match="single number"):
        out.backward()
    out.backward(np.ones(3))
    assert w.grad == pytest.approx(np.sum(XS))


def test_nested_mappings_and_hessians():
    np.testing.assert_allclose(vmap(lambda a: vmap(lambda b: a @ b)(XS))(XS), XS @ XS.T)
    np.testing.assert_allclose(vmap(vmap(np.sin), in_axes=1, out_axes=1)(XS), np.sin(XS))
    f = lambda x: np.sum(x**3) * x[0]  # noqa: E731
    np.testing.assert_allclose(vmap(hessian(f))(XS), np.stack([hessian(f)(x) for x in XS]))
    g = lambda a, b: np.sum(np.sin(a) * b)  # noqa: E731
    found = vmap(lambda a: vmap(grad(g, (0, 1)), (None, 0))(a, XS))(XS)
    for k in (0, 1):
        expected = np.stack([np.stack([grad(g, k)(a, b) for b in XS]) for a in XS])
        np.testing.assert_allclose(found[k], expected)


def test_recording_off_around_and_inside():
    with no_grad():
        np.testing.assert_allclose(vmap(grad(lambda x: np.sum(x**2)))(XS), 2 * XS)
        out = vmap(lambda x: x * Tensor(2.0))(XS)
    np.testing.assert_allclose(out, 2 * XS)

    def inside(x):
        with no_grad():
            scale = np.sum(x)
        return np.sum(x) * scale

    np.testing.assert_allclose(vmap(grad(inside))(XS), XS.sum(1, keepdims=True) * np.ones(2))


def test_a_zero_cotangent_wins_over_an_infinite_derivative():
    xs = np.array([[0.0, 2.0], [1.0, 0.0]])
    with np.errstate(divide="ignore"):
        found = vmap(grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0))))(xs)
    np.testing.assert_array_equal(found, [[0.0, 0.5], [1.0, 0.0]])


def test_the_caller_s_array_is_not_written_into():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="read-only"):
        vmap(lambda row: row.data.__setitem__(0, 5.0))(x)
    assert np.all(x == 1.0)


# -- indices -----------------------------------------------------------------------------------------------------

SHAPE = (3, 4, 2)


@st.composite
def indices(draw, examples=3):
    """An index into an array of SHAPE: for each axis an integer, a slice, an array, or one that differs by example.

    Drawn as a function from the number of an example to its index, and the arrays that differ.
    """
    parts, mapped, count = [], [], draw(st.integers(1, 3))
    shape = draw(st.sampled_from([(), (2,), (2, 3), (1,)]))
    number = st.integers(-2, 1)  # right for any axis, wherever an ellipsis puts it
    for _ in range(count):
        kind = draw(st.sampled_from(["int", "slice", "array", "mapped", "none", "list"]))
        if kind == "int":
            parts.append(draw(number))
        elif kind == "slice":
            parts.append(draw(st.sampled_from([slice(None), slice(1, None), slice(None, None, -1), slice(0, 0)])))
        elif kind == "none":
            parts += [None, draw(number)]
        elif kind == "list":
            parts.append(draw(st.lists(number, min_size=1, max_size=1)))
        else:
            size = (examples, *shape) if kind == "mapped" else shape
            many = int(np.prod(size))
            array = np.array(draw(st.lists(number, min_size=many, max_size=many))).reshape(size)
            if kind == "mapped":
                mapped.append(array)
                parts.append(("mapped", len(mapped) - 1))
            else:
                parts.append(array)
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    return parts, mapped


def filled(parts, arrays):
    return tuple(arrays[p[1]] if isinstance(p, tuple) else p for p in parts)


@given(indices())
def test_any_index_equals_a_loop(index):
    parts, mapped = index
    x = np.arange(3.0 * 24).reshape(3, *SHAPE)
    expected = [x[i][filled(parts, [m[i] for m in mapped])] for i in range(3)]
    found = vmap(lambda x, *arrays: x[filled(parts, arrays)])(x, *mapped)
    np.testing.assert_array_equal(found, np.stack(expected))
    weights = np.cos(np.arange(found.size)).reshape(found.shape)
    gradient = vmap(lambda x, w, *arrays: grad(lambda x: np.sum(x[filled(parts, arrays)] * w))(x))(x, weights, *mapped)
    by_loop = [
        grad(lambda v, i=i: np.sum(v[filled(parts, [m[i] for m in mapped])] * weights[i]))(x[i]) for i in range(3)
    ]
    np.testing.assert_allclose(gradient, np.stack(by_loop))


@given(indices())
def test_any_update_equals_a_loop(index):
    parts, mapped = index
    x = np.arange(3.0 * 24).reshape(3, *SHAPE)
    values = [np.cos(x[i][filled(parts, [m[i] for m in mapped])]) for i in range(3)]
    for update in (index_update, index_add):

        def changed(x, v, *arrays, update=update):
            return update(x, filled(parts, arrays), v)

        def loss(x, v, *arrays, changed=changed):
            return np.sum(np.sin(changed(x, v, *arrays)))

        expected = [changed(x[i], values[i], *[m[i] for m in mapped]) for i in range(3)]
        np.testing.assert_array_equal(vmap(changed)(x, np.stack(values), *mapped), np.stack(expected))
        by_loop = [grad(loss, (0, 1))(x[i], values[i], *[m[i] for m in mapped]) for i in range(3)]
        found = vmap(grad(loss, (0, 1)))(x, np.stack(values), *mapped)
        for k in (0, 1):
            np.testing.assert_allclose(found[k], np.stack([b[k] for b in by_loop]))


def test_rows_of_a_table_chosen_by_examples(rng):
    table, ids = rng.normal(size=(5, 2)), np.array([0, 3, 3])
    for look in (lambda t, i: t[i], lambda t, i: np.take(t, i, axis=0)):
        np.testing.assert_array_equal(vmap(look, (None, 0))(table, ids), table[ids])
        found = grad(lambda t, look=look: np.sum(vmap(lambda i: np.sin(look(t, i)))(ids)))(table)
        np.testing.assert_allclose(found, grad(lambda t: np.sum(np.sin(t[ids])))(table))
