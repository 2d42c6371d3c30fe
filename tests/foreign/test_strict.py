"""Rules and engine call functions that any array speaks: the whole table, on the least that an array can be."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff
from autodiff import Tensor
from autodiff.ops.placing import added, picked, replaced
from autodiff.primitive import registry
from autodiff.testing.random.arrays import indices, shapes
from tests.blocks import of_each
from tests.differences import calls
from tests.foreign.contract import COMPILED, ENTRIES, check, has_constants, same, train
from tests.foreign.strict import Jealous, Strict, plain

KIND = (Strict, plain)
ASKING = [np.trim_zeros]
"""Functions that cannot do without the values: the shape of the result depends on them."""
DECIDING = (
    "cov", "delete", "getitem", "index_add", "index_update", "nanpercentile", "nanquantile", "percentile", "piecewise",
    "quantile",
)  # fmt: skip
"""Functions whose masks, probabilities or counts are looked at, and so are ndarrays."""


@of_each("entry", [e for e in ENTRIES if e.function not in ASKING])
def test_value_gradient_and_second_order(entry, rng):
    """No ndarray is mixed with an array that takes none; constants are of its kind, but for those whose values decide.

    A jealous array can do less than a strict one.
    """
    check(entry, (Jealous, plain), rng, constants=entry.name not in DECIDING)


@of_each("entry", [e for e in ENTRIES if e.function not in ASKING and any(map(has_constants, calls(e)))])
def test_a_constant_may_be_an_ndarray(entry, rng):
    check(entry, KIND, rng, made=[call for call in calls(entry) if has_constants(call)])


def test_steps_of_training(rng):
    train((Jealous, plain), rng)


@of_each("entry", COMPILED)
def test_what_compiled_code_computes_is_refused(entry, rng):
    for call in calls(entry):
        with pytest.raises(TypeError, match=f"^{entry.name}: .*SciPy computes it with NumPy's arrays alone"):
            call(*[Tensor(Strict(a)) for a in call.arrays(rng)])


@of_each("entry", [e for e in ENTRIES if e.name in DECIDING])
def test_a_constant_that_decides_is_an_ndarray(entry, rng):
    with pytest.raises(
        TypeError, match="asked for its values|decides the shape|positions as an ndarray|beside a jealous"
    ):
        check(entry, (Jealous, plain), rng, constants=True)


@pytest.mark.parametrize("function", ASKING)
def test_what_needs_values_asks_for_them(function, rng):
    with pytest.raises(TypeError, match="asked for its values"):
        check(registry[function], KIND, rng)


@pytest.mark.parametrize(
    ("what", "forward", "rule"),
    [
        ("a method of ndarray's", lambda x: np.sin(x), lambda g, x: (g * np.cos(x)).copy()),
        ("an attribute of ndarray's", lambda x: np.sin(x), lambda g, x: (g * np.cos(x)).T),
        ("astype", lambda x: np.sin(x), lambda g, x: g * np.cos(x).astype(x.dtype)),
        ("a ufunc's method", lambda x: np.add.reduce(x), lambda g, x: np.broadcast_to(g, x.shape)),
        ("a coercion", lambda x: np.sin(x), lambda g, x: g * np.cos(np.asarray(x))),
        ("a decision", lambda x: np.sin(x), lambda g, x: g * np.cos(x) if np.all(x < 9) else g),
        ("a write", lambda x: np.sin(x), lambda g, x: np.multiply(g, np.cos(x), out=g)),
        ("a function that writes", lambda x: np.sin(x), lambda g, x: np.copyto(np.zeros(3), g) or g * np.cos(x)),
        ("a result that is an ndarray", lambda x: np.sin(x), lambda g, x: np.cos(plain(x)) * plain(g)),
    ],
)
def test_a_rule_that_asks_for_more_turns_red(what, forward, rule, rng):
    def planted(x):
        return forward(x)

    autodiff.primitive(rule, examples=[autodiff.example(autodiff.sample(3))])(planted)
    entry = registry[planted]
    with pytest.raises((TypeError, AttributeError, AssertionError, autodiff.GraphError)):
        check(entry, KIND, rng)


@settings(deadline=None)
@given(st.data())
def test_positions_without_writing(data):
    shape = data.draw(shapes())
    index = data.draw(indices(shape))
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    values = rng.normal(size=x[index].shape)
    total, changed = np.zeros(shape), x.copy()
    np.add.at(total, index, values)
    changed[index] = values
    parts = index if isinstance(index, tuple) else (index,)
    asked = [index]
    if all(isinstance(p, np.ndarray) and p.dtype != bool for p in parts) and len(parts) in (1, len(shape)) and parts:
        asked.append(tuple(map(Strict, parts)) if isinstance(index, tuple) else Strict(index))
    for place in asked:
        np.testing.assert_array_equal(plain(picked(Strict(x), place)), x[index])
        np.testing.assert_allclose(plain(added(Strict(values), place, shape)), total, rtol=1e-13, atol=1e-13)
        np.testing.assert_array_equal(plain(replaced(Strict(x), place, Strict(values))), changed)


def f(x):
    """A number that depends on all of x, with a sum over what was broadcast, a product of matrices and an index."""
    return np.sum(np.tanh(x @ x) * x[0] - np.max(x, axis=1, keepdims=True)) / np.mean(x)


TRANSFORMS = {
    "grad": lambda x: autodiff.grad(f)(x),
    "value_and_grad": lambda x: autodiff.value_and_grad(f)(x)[1],
    "grad of grad": lambda x: autodiff.grad(lambda v: np.sum(np.sin(autodiff.grad(f)(v))))(x),
    "vjp": lambda x: autodiff.vjp(np.linalg.inv, x)[1](x)[0],
    "jvp": lambda x: autodiff.jvp(np.linalg.inv, (x,), (x,))[1],
    "hvp": lambda x: autodiff.hvp(f, (x,), (x,))[0],
    "jacobian": lambda x: autodiff.jacobian(np.linalg.inv)(x),
    "hessian": lambda x: autodiff.hessian(f)(x),
    "vmap": lambda x: autodiff.vmap(lambda row: np.cumsum(row) * row[0])(x),
    "vmap of grad": lambda x: autodiff.vmap(autodiff.grad(lambda row: np.sum(np.sort(row) ** 3 * row[1])))(x),
    "grad of vmap": lambda x: autodiff.grad(lambda v: np.sum(autodiff.vmap(np.cumprod)(v)))(x),
    "checkpoint": lambda x: autodiff.grad(autodiff.checkpoint(f))(x),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    x = np.array([[1.5, 0.25, -0.5], [0.75, 2.0, 0.5], [0.1, -0.3, 1.25]])
    same(TRANSFORMS[name](Strict(x)), TRANSFORMS[name](x), KIND, 1e-11)


def test_two_variables_never_share_a_gradient():
    a, b = Tensor(Strict(np.ones(3))), Tensor(Strict(np.ones(3)))
    seed = Strict(np.ones(3))
    (a + b).backward(seed)
    assert len({id(a.grad), id(b.grad), id(seed)}) == 3


def test_a_gradient_that_is_nan_is_nobodys_business():
    """Exact zeros win in a second look at a gradient that came out NaN; a foreign array is not looked at."""
    x = Tensor(Strict([0.0, 1.0]))
    np.sum(np.sqrt(x) * Strict([0.0, 1.0])).backward()
    assert np.isnan(plain(x.grad)).tolist() == [True, False]


def test_questions_about_shape_and_type_look_at_nothing():
    x = Tensor(Strict(np.ones((2, 3))), dtype=np.float32)
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1), len(x)) == ((2, 3), 2, 6, 3, 2)
    assert (x.dtype, np.iscomplexobj(x), np.result_type(x, 1.0)) == (np.float32, False, np.float32)
    assert type(np.zeros_like(x)) is Strict
    assert repr(x) == f"Tensor({x.data!r}, float32)"


def test_a_copy_is_of_the_same_kind():
    x = Tensor(Strict([1.0, 2.0]))
    again = copy.deepcopy(x)
    assert type(again.data) is Strict
    assert again.data is not x.data
    assert plain(again.data).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("ask", [Tensor.item, Tensor.tolist, bool, lambda t: f"{t:.1f}", lambda t: 1.0 in t])
def test_values_are_asked_of_the_array(ask):
    with pytest.raises(TypeError, match="a strict array was asked for its values"):
        ask(Tensor(Strict(1.0)))


JORDAN = np.array([[1.0, 1.0], [0.0, 1.0]])
BAD = {
    "eigenvectors of equal eigenvalues": (lambda a: np.linalg.eigh(a)[1], np.eye(2)),
    "eigenvalues of a defective matrix": (np.linalg.eigvals, JORDAN),
    "eigenvectors of a defective matrix": (lambda a: np.linalg.eig(a)[1], JORDAN),
    "vectors that depend on a phase": (lambda a: np.linalg.eigh(a)[1], np.array([[1.0, 0.5j], [-0.5j, 2.0]])),
    "vectors of equal singular values": (lambda a: np.linalg.svd(a)[0], np.eye(2)),
    "vectors beyond the rank": (lambda a: np.linalg.svd(a)[0], np.ones((3, 2)) + np.eye(3, 2)),
    "vectors of a singular value of zero": (
        lambda a: np.linalg.svd(a, False)[0],
        np.outer([1.0, 2.0, 3.0], [1.0, 2.0]),
    ),
    "factors of a matrix without full rank": (lambda a: np.linalg.qr(a)[1], np.outer([1.0, 2.0], [1.0, 2.0])),
    "equal roots": (np.roots, np.array([1.0, -2.0, 1.0])),
}
"""What raises where ndarrays are given, since there is no derivative."""


@pytest.mark.parametrize("what", BAD)
def test_where_an_ndarray_raises_a_foreign_array_is_nan(what):
    function, at = BAD[what]

    def pulled(array, of):
        y, pull = autodiff.vjp(function, array)
        return pull(of(np.arange(1.0, 1.0 + y.size).reshape(y.shape) * (1.0 + 0.5j if y.dtype.kind == "c" else 1.0)))[0]

    with pytest.raises(np.linalg.LinAlgError):
        pulled(at, np.asarray)
    with np.errstate(all="ignore"):
        assert not np.isfinite(plain(pulled(Strict(at), Strict))).any()


def test_a_choice_and_a_label_that_are_not_there_are_nan():
    which, of = np.array([0, 2, -1]), Tensor(Strict(np.ones(3)))
    assert np.isnan(plain(np.choose(Strict(which), [of, of]).data)).tolist() == [False, True, True]
    losses = autodiff.softmax_cross_entropy(Tensor(Strict(np.ones((3, 2)))), Strict(which)).data
    assert np.isnan(plain(losses)).tolist() == [False, True, True]


def test_the_exponential_of_a_matrix_that_is_too_large_to_square_unseen_is_nan():
    assert np.isnan(plain(autodiff.expm(Strict(-1e4 * np.eye(2))))).all()
    assert plain(autodiff.expm(Strict(-100.0 * np.eye(1)))) == pytest.approx(np.exp(-100.0))
