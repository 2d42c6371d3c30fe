"""What must be true of every entry of the table.  No op is named here: a new registration is tested as it stands."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff
from autodiff import Tensor
from autodiff.dispatch import COMPARISONS, OPERATORS
from autodiff.graph import CONSTANT
from autodiff.primitive import Composite, Primitive, registry
from autodiff.scipy import load
from autodiff.tensor import wrap
from autodiff.testing import survey
from autodiff.testing.table.survey import main_call
from docs.__main__ import spelled
from docs.checks import row, rows
from tests.blocks import of_each
from tests.differences import (
    calls,
    central,
    complex_step,
    cotangents,
    dot,
    layouts,
    numpy_function,
    outputs,
    slope,
    total,
    weights,
)
from tests.testing.seeds import in_turn, is_deep

load()  # all that can be in the table
ENTRIES = list(registry.values())
RULES = [e for e in ENTRIES if not (isinstance(e, Primitive) and e.flat)]
ROWS = frozenset(rows())
NUMBERS = {entry.function: number for number, entry in enumerate(ENTRIES)}
FLAT = [e for e in ENTRIES if isinstance(e, Primitive) and e.flat]


def differentiable(entry, call):
    """Which of a call's arrays have a rule: all, unless an elementwise entry says None for one."""
    if isinstance(entry, Primitive) and entry.elementwise:
        return lambda i: entry.rules[call.positions[i]] is not None
    return lambda i: True


def check_order_one(entry, call, rng):
    """The VJP against central differences, and to 14 digits by the complex step where that is possible."""
    arrays = call.arrays(rng)
    plain = numpy_function(call, entry)
    seeds = weights(outputs(plain(*arrays)), rng, np.float64)
    found = cotangents(call, arrays, seeds)
    for i, cotangent in enumerate(found):
        if not differentiable(entry, call)(i):
            assert cotangent is None
            continue
        assert cotangent is not None, f"no gradient for array {i}"
        expected = central(lambda moved: total(plain, moved, seeds), arrays, i)
        scale = np.max(np.abs(expected), initial=1.0)
        np.testing.assert_allclose(cotangent, expected, rtol=1e-8, atol=1e-9 * scale)
        if getattr(entry, "analytic", False):
            exact = complex_step(plain, arrays, seeds, i)
            if exact is not None:
                np.testing.assert_allclose(cotangent, exact, rtol=1e-12, atol=1e-13 * scale)


def check_order_two(entry, call, rng):
    """The recorded VJP, differentiated by its arguments and its cotangent, against differences of the raw VJP.

    Along random directions: element by element it would take most of the time of these tests.
    """
    arrays = call.arrays(rng)
    seeds = weights(outputs(numpy_function(call, entry)(*arrays)), rng, np.float64)
    first = cotangents(call, arrays, seeds)
    directions = [None if c is None else d for c, d in zip(first, weights(arrays, rng, np.float64), strict=True)]

    def projected(moved):
        found = cotangents(call, moved[: len(arrays)], moved[len(arrays) :])
        kept = [(c, d) for c, d in zip(found, directions, strict=True) if d is not None]
        return dot([c for c, _ in kept], [d for _, d in kept])

    everything = [*arrays, *seeds]
    tensors = [Tensor(a) for a in everything]
    pulled = cotangents(call, tensors[: len(arrays)], tensors[len(arrays) :], create=True)
    scalar = sum(np.real(np.sum(c * d)) for c, d in zip(pulled, directions, strict=True) if d is not None)
    found = (
        autodiff.backpropagation.backward({scalar._node: np.float64(1.0)}, {t._node for t in tensors})
        if scalar._node.active
        else {}
    )
    gradients = [found.get(t._node, np.zeros(t.shape)) for t in tensors]
    for _ in range(2):  # a direction sees every element, and in two of them no two faults cancel
        u = weights(everything, rng, np.float64)
        expected = slope(lambda t, u=u: projected([a + t * d for a, d in zip(everything, u, strict=True)]))
        terms = [np.real(g * d) for g, d in zip(gradients, u, strict=True)]
        scale = max(np.max(np.abs(part), initial=1.0) for part in terms)
        np.testing.assert_allclose(sum(map(np.sum, terms)), expected, rtol=1e-7, atol=1e-8 * scale)


def check_order_three(call, rng):
    """The slope along a direction of the slope along it of the VJP along it, against differences of that of the VJP."""
    arrays = [*call.arrays(rng)]
    seeds = weights(outputs(call(*map(Tensor, arrays))), rng, np.float64)
    first = cotangents(call, arrays, seeds)
    directions = [None if c is None else d for c, d in zip(first, weights(arrays, rng, np.float64), strict=True)]

    def along(function):
        """The derivative of a function of arrays along the directions."""

        def derivative(*arrays):
            found = autodiff.grad(function, tuple(range(len(arrays))))(*arrays)
            parts = zip(found, directions, strict=True)
            return sum(np.real(np.sum(g * d)) for g, d in parts if d is not None)

        return derivative

    def value(*arrays):
        return sum(np.real(np.sum(y * w)) for y, w in zip(outputs(call(*arrays)), seeds, strict=True) if w is not None)

    second, pairs = along(along(value)), list(zip(arrays, directions, strict=True))
    expected = slope(lambda t: second(*[a if d is None else a + t * d for a, d in pairs]))
    np.testing.assert_allclose(along(second)(*arrays), expected, rtol=1e-6, atol=1e-7)


@of_each("entry", ENTRIES)
def test_it_says_where_it_can_be_tested(entry):
    if isinstance(entry, Primitive) and entry.elementwise:
        assert len(entry.domain) == len(entry.parameters)
    else:
        assert entry.examples, "give examples= when registering"
    assert calls(entry)


@of_each("entry", ENTRIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_is_numpy(entry, dtype, rng):
    for call in calls(entry):
        if entry in FLAT and np.dtype(dtype) == np.float32 and not entry.elementwise:
            continue
        arrays = call.arrays(rng, dtype)
        try:
            expected = outputs(numpy_function(call, entry)(*arrays))
        except TypeError:
            assert entry in FLAT  # a bitwise function: made for integers and booleans
            continue
        for result, plain in zip(outputs(call(*[Tensor(a) for a in arrays])), expected, strict=True):
            assert isinstance(result, Tensor)
            assert result.dtype == np.asarray(plain).dtype
            assert result.shape == np.shape(plain)
            if isinstance(entry, Composite):  # the same sums, perhaps in another order
                np.testing.assert_allclose(result.data, plain, rtol=8 * np.finfo(dtype).eps)
            else:
                np.testing.assert_array_equal(result.data, plain)


@of_each("entry", RULES)
def test_order_one(entry, rng):
    for call in calls(entry):
        check_order_one(entry, call, rng)


@of_each("entry", RULES)
def test_order_two(entry, rng):
    for call in calls(entry):
        check_order_two(entry, call, rng)


@of_each("entry", RULES)
def test_order_three(entry, rng):
    check_order_three(main_call(entry), rng)


@of_each("entry", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_raw_and_recorded_backward_agree_and_keep_shape_and_dtype(entry, dtype, rng):
    for call in calls(entry):
        arrays = call.arrays(rng, dtype)
        results = outputs(numpy_function(call, entry)(*arrays))
        seeds = [w.astype(np.asarray(r).dtype) for w, r in zip(weights(results, rng, dtype), results, strict=True)]
        before = [a.copy() for a in arrays]
        raw = cotangents(call, arrays, seeds)
        recorded = cotangents(call, arrays, [wrap(s, CONSTANT) for s in seeds], create=True)
        for array, kept, one, two in zip(arrays, before, raw, recorded, strict=True):
            np.testing.assert_array_equal(array, kept)
            if one is None:
                assert two is None
                continue
            assert one.shape == array.shape == two.shape
            assert one.dtype == array.dtype == two.dtype
            np.testing.assert_array_equal(one, two.data)


@of_each("entry", RULES)
def test_memory_layout_makes_no_difference(entry, rng):
    for call in calls(entry):
        arrays = call.arrays(rng)
        seeds = weights(outputs(numpy_function(call, entry)(*arrays)), rng, np.float64)
        expected = cotangents(call, arrays, seeds)
        for i, array in enumerate(arrays):
            for _, same in layouts(array):
                np.testing.assert_array_equal(same, array)
                found = cotangents(call, [*arrays[:i], same, *arrays[i + 1 :]], seeds)
                for one, two in zip(found, expected, strict=True):
                    if one is not None:
                        np.testing.assert_allclose(one, two, rtol=1e-13, atol=1e-13)


@of_each("entry", RULES)
def test_a_zero_cotangent_gives_a_zero_gradient(entry, rng):
    for call in calls(entry):
        arrays = call.arrays(rng)
        seeds = [np.zeros(np.shape(r)) for r in outputs(numpy_function(call, entry)(*arrays))]
        for cotangent in cotangents(call, arrays, seeds):
            assert cotangent is None or not np.any(cotangent)


@of_each("entry", ENTRIES, size=8)
def test_orders_dtypes_kinks_and_wrong_calls(entry):
    """Three orders agree with differences, types are kept, kinks are kinks, and wrong calls are refused by name.

    The checker tries three orders of each entry in a deep run, of one in eight in the usual one, and the first of all.
    """
    (orders,) = in_turn((3, *[1] * 7), NUMBERS[entry.function])[:1] if not is_deep() else (3,)
    found = survey(entry, orders=orders)
    assert found.faults == ()
    assert found.orders == (0 if entry in FLAT else orders)
    found = found._replace(orders=3)
    assert row(spelled(entry), found, len(entry.errors)) in ROWS, "write the table again with 'python -m docs'"


@of_each("entry", FLAT)
def test_zero_derivatives_are_recorded_and_let_nothing_through(entry, rng):
    for call in calls(entry):
        arrays = call.arrays(rng)
        try:
            result = call(*[Tensor(a) for a in arrays])
        except TypeError:
            result = call(*[Tensor(a) > 0 for a in arrays])
        assert isinstance(result, Tensor)
        assert not result._node.active
        assert result._node.primitive is entry


@of_each("entry", ENTRIES)
def test_method_operator_and_numpy_call_are_one(entry, rng):
    spelled = []
    if entry.method is not None:
        spelled.append(lambda a, *rest, **kw: getattr(a, entry.method)(*rest, **kw))
    suffix = {**OPERATORS, **COMPARISONS}.get(entry.function)
    if suffix is not None:
        spelled.append(lambda a, *rest: getattr(a, f"__{suffix}__")(*rest))
        if len(getattr(entry, "parameters", ())) == 2 and entry.function in OPERATORS:
            spelled.append(lambda a, b: getattr(b, f"__r{suffix}__")(a))
    if isinstance(entry.function, np.ufunc) or entry.function.__module__.startswith("numpy"):
        spelled.append(entry.function)
    for call in calls(entry):
        arrays = call.arrays(rng)
        try:
            expected = outputs(call(*[Tensor(a) for a in arrays]))
        except TypeError:
            assert entry in FLAT
            continue
        for spelling in spelled:
            if spelling is not entry.function and call.positions[0] != 0:
                continue  # a method is called on the first argument, which is no Tensor here
            found = outputs(call.with_call(spelling)(*[Tensor(a) for a in arrays]))
            for one, two in zip(found, expected, strict=True):
                assert isinstance(one, Tensor)
                np.testing.assert_array_equal(one.data, two.data)


@pytest.mark.parametrize("wrong", ["factor", "sign", "shape", "dropped", "swapped", "mutates"])
def test_a_wrong_rule_turns_these_tests_red(wrong, rng):
    """Plant a wrong rule in a copy of a right entry: the checks above must refuse it."""
    rules = {
        "factor": (lambda g, b: g * b * 1.01, lambda g, a: g * a),
        "sign": (lambda g, b: g * b, lambda g, a: -g * a),
        "shape": (lambda g, b: (g * b)[..., None], lambda g, a: g * a),
        "dropped": (lambda g: g, lambda g, a: g * a),
        "swapped": (lambda g, a: g * a, lambda g, b: g * b),
        "mutates": (lambda g, b: np.multiply(g, b, out=g), lambda g, a: g * a),
    }[wrong]

    def product(a, b):
        return a * b

    right = registry[np.multiply]
    autodiff.elementwise(product, *rules)
    entry = registry[product]
    entry.domain = right.domain

    def check_all():
        for call in calls(entry):
            check_order_one(entry, call, rng)

    with pytest.raises((AssertionError, autodiff.GraphError, ValueError)):
        check_all()


def test_a_rule_that_is_wrong_in_second_order_alone_turns_them_red_too(rng):
    def sine(x):
        return np.sin(x)

    autodiff.elementwise(sine, lambda g, x: g * autodiff.stop_gradient(np.cos(x)))
    entry = registry[sine]
    for call in calls(entry)[:2]:  # the third has no elements
        check_order_one(entry, call, rng)
        with pytest.raises(AssertionError):
            check_order_two(entry, call, rng)


def test_and_so_does_one_that_is_wrong_in_third_order_alone(rng):
    def cosine(x):
        return np.cos(x)

    cosine = autodiff.elementwise(cosine, lambda g, x: -g * autodiff.stop_gradient(np.sin(x)))

    def sine(x):
        return np.sin(x)

    autodiff.elementwise(sine, lambda g, x: g * cosine(x))
    call = main_call(registry[sine])
    check_order_two(registry[sine], call, rng)
    with pytest.raises(AssertionError):
        check_order_three(call, rng)


def test_the_table_has_no_entry_of_an_unknown_kind():
    assert all(isinstance(e, Primitive | Composite) for e in ENTRIES)
