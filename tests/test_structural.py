"""Zeros by selection win over infinite derivatives; zeros by value do not.

A program that selects and one that never had what it did not select have the same derivatives: to second order, under
every transform, whatever stands between the selection and the singular function.  And where a zero is the value of a
product, a derivative is right, NaN or infinite, and never a finite wrong number.
"""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor, checkpoint, grad, hessian, hvp, jacobian, jvp, relu, vjp, vmap
from tests.blocks import of_each

SINGULAR = {  # functions and a point where a derivative of them is not finite
    "log": (np.log, 0.0),
    "sqrt": (np.sqrt, 0.0),
    "1/x": (lambda x: 1.0 / x, 0.0),
    "reciprocal": (np.reciprocal, 0.0),
    "x**0.5": (lambda x: x**0.5, 0.0),
    "x**1.5": (lambda x: x**1.5, 0.0),
    "x**-2": (lambda x: x**-2.0, 0.0),
    "arcsin": (np.arcsin, 1.0),
    "arccos": (np.arccos, 1.0),
    "arctanh": (np.arctanh, 1.0),
    "arccosh": (np.arccosh, 1.0),
    "log1p": (np.log1p, -1.0),
    "cbrt": (np.cbrt, 0.0),
    "length": (lambda x: np.sqrt(x * x), 0.0),
    "log of a length": (lambda x: np.log(np.hypot(x, x)), 0.0),
    "exp far out": (lambda x: np.exp(np.exp(x)), 800.0),
    "power of itself": (lambda x: (x * 1.0) ** x, 0.0),
}
REGULAR = {1.0: 0.25, -1.0: 0.25, 0.0: 0.75, 800.0: 0.75}
"""A point where the function is smooth, for each one where it is not."""

BAD = np.array([False, True, False, True, False])
GOOD = np.flatnonzero(~BAD)
WEIGHTS = np.array([0.5, 1.5, -1.0, 0.75, 2.0])


def left_out(y, zero=0.0):
    return np.where(BAD, zero, y)


def by_mask(y, x):
    """The condition is computed from the variable: a Tensor of truth values."""
    return y * ~((x == x[1]) | (x == x[3]))


SELECTIONS = {  # of the elements of y, which are functions of those of x; those at BAD do not count
    "where": lambda y, x: left_out(y),
    "where 0": lambda y, x: left_out(y, 0),
    "where with an array": lambda y, x: np.where(~BAD, y, np.zeros(5, y.dtype)),
    "where on the other side": lambda y, x: np.where(~BAD, y, x * 0.5 - 0.5 * x),
    "where of a Tensor": lambda y, x: np.where((x == x[1]) | (x == x[3]), 0.0, y),
    "where of numbers": lambda y, x: np.where((~BAD).astype(int), y, 0.0),
    "mask as a factor": lambda y, x: left_out(y * ~BAD),
    "mask of a Tensor": lambda y, x: np.nan_to_num(by_mask(y, x)),
    "indices": lambda y, x: y[GOOD],
    "boolean index": lambda y, x: y[~BAD],
    "slice": lambda y, x: y[::2],
    "one by one": lambda y, x: np.stack([y[0], y[2], y[4]]),
    "take": lambda y, x: np.take(y, GOOD),
    "take_along_axis": lambda y, x: np.take_along_axis(y, GOOD, 0),
    "compress": lambda y, x: np.compress(~BAD, y),
    "extract": lambda y, x: np.extract(~BAD, y),
    "delete": lambda y, x: np.delete(y, [1, 3]),
    "set": lambda y, x: y.at[np.array([1, 3])].set(0.0),
    "set by slice": lambda y, x: y.at[1::2].set(7.0),
    "add elsewhere": lambda y, x: y[::2].at[0].add(y[2]),
    "split": lambda y, x: np.concatenate(np.split(y, 5)[::2]),
    "iteration": lambda y, x: np.stack([e for e, bad in zip(y, BAD, strict=True) if not bad]),
    "unstack": lambda y, x: np.stack([np.unstack(y)[i] for i in GOOD]),
    "reshape and diagonal": lambda y, x: np.diagonal(np.reshape(y[np.array([0, 1, 3, 2])], (2, 2)) * 1.0),
    "tril": lambda y, x: np.tril(np.stack([y[:2], y[2:4]])[:, ::-1] * 1.0)[1:, 1:],
    "triu": lambda y, x: np.triu(y[np.array([[0, 2], [1, 4]])]),
    "diag": lambda y, x: np.diag(y[np.array([[0, 1], [3, 2]])]),
    "trace": lambda y, x: np.trace(y[np.array([[0, 1], [3, 2]])]),
    "select": lambda y, x: np.select([BAD, ~BAD], [np.zeros(5, y.dtype), y]),
    "choose": lambda y, x: np.choose(BAD.astype(int), [y, np.zeros(5, y.dtype)]),
    "piecewise": lambda y, x: np.piecewise(y, [~BAD], [lambda v: v * 1.0, 0.0]),
    "roll": lambda y, x: np.roll(y, 1)[np.array([1, 3, 0])],
    "flip and pad": lambda y, x: np.pad(np.flip(y), 2)[np.array([2, 4, 6])],
    "repeat": lambda y, x: np.repeat(y, [1, 0, 2, 0, 1]),
    "concatenate": lambda y, x: np.concatenate([x, y])[np.array([5, 7, 9])],
    "gathered rows": lambda y, x: np.moveaxis(np.broadcast_to(y, (2, 5)), 0, 1)[::2],
    "max where": lambda y, x: np.max(y, where=~BAD, initial=-9.0) + y[::2],
    "sum where": lambda y, x: np.sum(y, where=~BAD),
    "mean where": lambda y, x: np.mean(y, where=~BAD),
    "prod where": lambda y, x: np.prod(y, where=~BAD),
    "var where": lambda y, x: np.var(y, where=~BAD),
}

BY_VALUE = {  # what is selected are numbers above 0.5, which those at BAD are not
    "maximum": lambda y, x: np.maximum(y, 0.5),
    "maximum of two arrays": lambda y, x: np.maximum(y, np.full(5, 0.5, y.dtype)),
    "minimum": lambda y, x: np.minimum(-y, -0.5),
    "fmax": lambda y, x: np.fmax(0.5, y),
    "fmin": lambda y, x: np.fmin(-0.5, -y),
    "relu": lambda y, x: relu(y - 0.5),
    "clip": lambda y, x: np.clip(y, 0.5, 9.0),
    "clip from below": lambda y, x: np.clip(y, 0.5, None),
    "a Tensor's condition": lambda y, x: y * (y > 0.5),
    "where": lambda y, x: np.where(y > 0.5, y, 0.0),
    "max": lambda y, x: np.max(np.stack([y, np.full(5, 0.5, y.dtype)]), axis=0),
    "min": lambda y, x: np.min(np.stack([-y, np.full(5, -0.5, y.dtype)]), axis=0),
    "largest": lambda y, x: np.max(y),
    "ptp of some": lambda y, x: np.ptp(np.maximum(y, 0.5)[1:]),
    "sort": lambda y, x: np.sort(y)[2:],
    "partition": lambda y, x: np.partition(y, 2)[2:],
    "median": lambda y, x: np.median(y),
    "quantile": lambda y, x: np.quantile(y, 0.9),
    "argmax": lambda y, x: y[np.argmax(y)],
    "nanmax": lambda y, x: np.nanmax(y),
}

BETWEEN = {  # linear: what may stand between a singular function and a selection
    "nothing": lambda y: y,
    "factor": lambda y: y * WEIGHTS.astype(y.dtype),
    "cast": lambda y: y.astype(np.float64),
    "shape": lambda y: np.squeeze(np.transpose(np.reshape(y, (5, 1)), (1, 0)), 0),
    "diagonal matrix": lambda y: np.sum(np.where(np.eye(5, dtype=bool), y, 0.0), axis=0),
    "split and joined": lambda y: np.concatenate([y[:2], y[2:]]),
    "stacked": lambda y: np.stack([y, y])[0] * 0.5 + np.stack([y, y])[1] * 0.25,
}


def measured(y):
    """A number that depends on all that is left, with second derivatives."""
    z = np.ravel(y)
    weights = (1.0 + 0.5 * np.arange(z.size)).astype(z.dtype)
    return np.sum(np.sin(z * 0.5) * weights) + 0.25 * np.sum(z * z * weights)


def quick(f, x):
    """First and second derivatives of f at a vector, by two ways."""
    return {"grad": grad(f)(x), "jacobian": jacobian(f, mode="forward")(x)}, {"hessian": hessian(f)(x)}


def transforms(f, x):
    """First and second derivatives of f at a vector, by many ways."""
    n = x.size
    eye = np.eye(n, dtype=x.dtype)
    by_backward = [backward_twice(f, x, e) for e in eye]
    gradients = {
        "grad": grad(f)(x),
        "create_graph": by_backward[0][0],
        "checkpoint": grad(checkpoint(f))(x),
        "vjp": vjp(f, x)[1](np.ones((), x.dtype)[()])[0],
        "vmap of grad": vmap(grad(f))(np.stack([x, x]))[1],
        "grad of vmap": grad(lambda xs: np.sum(vmap(f)(xs)))(np.stack([x, x]))[0],
        "jvp": np.array([jvp(f, (x,), (e,))[1] for e in eye]),
        "vmap of jvp": vmap(lambda e: jvp(f, (x,), (e,))[1])(eye),
        "jacobian, forward": jacobian(f, mode="forward")(x),
        "jacobian, by row": jacobian(f, mode="reverse", vectorize=False)(x),
    }
    hessians = {
        "create_graph": np.stack([second for _, second in by_backward]),
        "hessian": hessian(f)(x),
        "jacobian of grad": jacobian(grad(f), mode="reverse", vectorize=False)(x),
        "jacobian of grad, forward": jacobian(grad(f), mode="forward")(x),
        "checkpoint": hessian(checkpoint(f))(x),
        "grad of grad": np.stack([grad(lambda u, e=e: np.sum(grad(f)(u) * e))(x) for e in eye]),
        "vmap of hvp": vmap(lambda e: hvp(f, (x,), (e,))[0])(eye),
        "grad of checkpoint of grad": np.stack(
            [grad(lambda u, e=e: np.sum(checkpoint(grad(f))(u) * e))(x) for e in eye]
        ),
        "hessian of vmap": hessian(lambda xs: np.sum(vmap(f)(xs)))(np.stack([x, x]))[0, :, 0],
    }
    return gradients, hessians


def backward_twice(f, x, v):
    """The gradient by Tensor.backward, and that of its product with v."""
    t = Tensor(x.copy())
    f(t).backward(create_graph=True)
    first, t.grad = t.grad, None
    np.sum(first * v).backward()
    return first.data, np.zeros_like(x) if t.grad is None else t.grad


def check(f, f_without, x, ways):
    """The derivatives of f are those of a function that never had the other elements of x."""
    rtol = 1e-4 if x.dtype == np.float32 else 1e-9
    with np.errstate(all="ignore"):
        gradients, hessians = ways(f, x)
        slope, curvature = np.zeros(x.size), np.zeros((x.size, x.size))
        slope[GOOD] = grad(f_without)(x[GOOD])
        curvature[np.ix_(GOOD, GOOD)] = hessian(f_without)(x[GOOD])
    for how, found in gradients.items():
        np.testing.assert_allclose(found, slope, rtol=rtol, atol=rtol, err_msg=how)
    for how, found in hessians.items():
        np.testing.assert_allclose(found, curvature, rtol=rtol, atol=rtol, err_msg=how)


def point(name, dtype=np.float64):
    function, singular = SINGULAR[name]
    regular = REGULAR[singular] if name not in ("arccosh",) else 1.5
    x = np.where(BAD, singular, regular + 0.05 * np.arange(5))
    return function, x.astype(dtype)


def embedded(values):
    """A vector of five with these elements in the good places, and in the others numbers that harm nothing."""
    full = [values[0], values[0] * 0.0 + 0.2, values[1], values[1] * 0.0 + 0.3, values[2]]
    return np.stack(full)


def programs(select, between, function):
    """The program, and the same with regular numbers in the place of what is not selected."""

    def f(x):
        return measured(select(between(function(x)), x))

    def without(x):
        return measured(select(between(embedded(function(x))), embedded(x)))

    return f, without


@pytest.mark.parametrize("selection", SELECTIONS)
@of_each("name", SINGULAR)
def test_what_is_not_selected_does_not_count(name, selection):
    function, x = point(name)
    check(*programs(SELECTIONS[selection], BETWEEN["nothing"], function), x, quick)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_nor_does_it_under_any_transform(selection):
    function, x = point("log")
    check(*programs(SELECTIONS[selection], BETWEEN["factor"], function), x, transforms)


@pytest.mark.parametrize("selection", SELECTIONS)
@of_each("between", BETWEEN)
def test_nor_behind_other_operations_and_in_single_precision(selection, between):
    function, x = point("x**0.5", np.float32)
    check(*programs(SELECTIONS[selection], BETWEEN[between], function), x, quick)


LOW = ("sqrt", "x**0.5", "x**1.5", "cbrt", "arccosh", "log")
"""Functions that are lower where they are singular than where they are not."""


def lifted(name):
    function, x = point(name)
    return (lambda v: np.log(v) + 2.0) if name == "log" else function, x


@pytest.mark.parametrize("selection", BY_VALUE)
@of_each("name", LOW)
def test_nor_where_the_values_decide(name, selection):
    function, x = lifted(name)
    check(*programs(BY_VALUE[selection], BETWEEN["nothing"], function), x, quick)


@pytest.mark.parametrize("selection", BY_VALUE)
def test_nor_where_the_values_decide_under_any_transform(selection):
    function, x = lifted("sqrt")
    check(*programs(BY_VALUE[selection], BETWEEN["nothing"], function), x, transforms)
