"""Rules made wrong on purpose, for every entry of the table.  Names no op.

A fault is a function ``fault(entry, position) -> Rule | None``: the rule for that argument, spoiled, or None where the
entry has no room for it.  Some faults spoil what a rule returns, some what it is given, and some exchange rules.
"""

from __future__ import annotations

import copy
import functools

import numpy as np

from autodiff import Tensor
from autodiff.backpropagation import backward
from autodiff.primitive import Primitive, Rule, registry
from autodiff.recording import callable_of
from tests.differences import calls, cotangents, outputs


def planted(entry: Primitive, position: int, fault) -> Primitive | None:
    """A copy of an entry, outside of the table, whose rule for one argument has the fault; None if it cannot."""
    rule = fault(entry, position)
    if rule is None:
        return None
    new = copy.copy(entry)
    new.rules = {**entry.rules, position: rule}
    new.function = _by_another_name(entry.function)
    new.method = None
    new.call = callable_of(new)
    return new


def _by_another_name(function):
    """The same function with the same signature, which is not NumPy's: no operator of Tensor becomes the copy's."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


def rewritten(entry, position, make, more=()):
    """The rule for ``position`` with another function ``make(function)``, which may want more values."""
    rule = entry.rules[position]
    return Rule(entry.name, make(rule.function), rule.position, (*rule.wants, *more))


# -- what a rule returns -------------------------------------------------------------------------------------------


def result(spoil):
    """A fault in the result of a rule: ``spoil(contribution)``."""

    def fault(entry, position):
        return rewritten(entry, position, lambda function: lambda g, *saved: spoil(function(g, *saved)))

    return fault


def one_element(contribution):
    """One element 1 % too large: the middle one of those that are not zero."""
    factors = np.ones(contribution.shape, contribution.dtype)
    places = np.flatnonzero(getattr(contribution, "_value", contribution))
    if places.size:
        factors.reshape(-1)[places[places.size // 2]] = 1.01
    return contribution * factors


def dropped_term(contribution):
    """The mean of it taken away, as when a term of a sum is forgotten."""
    if not contribution.size:
        return contribution
    return contribution - np.mean(contribution) if contribution.size > 1 else contribution * 0.5


def other_order(contribution):
    """The elements in the order of another axis; of a vector, from the other end."""
    axes = sum(n > 1 for n in contribution.shape)
    if axes > 1:
        return np.reshape(np.transpose(contribution), contribution.shape)
    return np.reshape(np.flip(np.reshape(contribution, -1)), contribution.shape)


def repeated(contribution):
    """As it was before a sum over an axis that the argument does not have."""
    return np.stack([contribution, contribution])


# -- what a rule is given ------------------------------------------------------------------------------------------


def another_axis(axis):
    """An axis next to this one, or one for all of them."""
    if isinstance(axis, tuple):
        return axis[:-1] if len(axis) > 1 else another_axis(axis[0]) if axis else 0
    return 0 if axis is None else axis - 1 if axis > 0 else axis + 1


def wrong_axis(entry, position):
    """The rule is told of another axis than the function."""
    names = [entry.environment[want] for want in entry.rules[position].wants]
    if "axis" not in names:
        return None
    place = names.index("axis")

    def make(function):
        return lambda g, *saved: function(g, *saved[:place], another_axis(saved[place]), *saved[place + 1 :])

    return rewritten(entry, position, make)


def _arrays_wanted(entry, position):
    """Which of the values that a rule asks for are arguments that have a rule themselves."""
    return [i for i, want in enumerate(entry.rules[position].wants) if entry.rules.get(want) is not None]


def swapped_values(entry, position):
    """Two arguments that a rule asks for, one in the place of the other."""
    places = _arrays_wanted(entry, position)
    if len(places) < 2 or entry.sequence is not None:
        return None

    def make(function):
        def swapped(g, *saved):
            saved = list(saved)
            saved[places[0]], saved[places[1]] = saved[places[1]], saved[places[0]]
            return function(g, *saved)

        return swapped

    return rewritten(entry, position, make)


def swapped_rules(entry, position):
    """The rule of another argument."""
    others = [p for p, rule in entry.rules.items() if rule is not None and p != position]
    if not others:
        return None
    other = entry.rules[others[0]]
    return Rule(entry.name, other.function, position, other.wants)


def not_summed(entry, position):
    """What belongs to one place among those that an argument was broadcast to, in the place of the sum over them."""
    if entry.core is None:
        return None

    def make(function):
        def first(g, *saved):
            contribution, shape = function(g, *saved[:-1]), np.shape(saved[-1])
            while len(contribution.shape) > len(shape):
                contribution = contribution[0]
            once = tuple(slice(0, 1) if n == 1 else slice(None) for n in shape)
            return contribution[once] if shape else contribution

        return first

    return rewritten(entry, position, make, more=(position,))


# -- the lists -----------------------------------------------------------------------------------------------------

FAULTS = {
    "times 1.01": result(lambda c: c * 1.01),
    "times 1 + 1e-6": result(lambda c: c * (1 + 1e-6)),
    "wrong sign": result(lambda c: -c),
    "zero": result(lambda c: c * 0.0),
    "one element": result(one_element),
    "dropped term": result(dropped_term),
    "wrong axis": wrong_axis,
    "elements in the order of another axis": result(other_order),
    "missing sum over what was broadcast": not_summed,
    "shape before the sum": result(repeated),
    "swapped arguments": swapped_values,
    "rule of another argument": swapped_rules,
}
WIDER = result(lambda c: c.astype(np.complex128 if c.dtype.kind == "c" else np.float64))
"""float64 from float32: the values are right."""


def places():
    """Every (entry, position) that has a rule."""
    return [
        (entry, position)
        for entry in registry.values()
        if isinstance(entry, Primitive) and not entry.flat
        for position, rule in entry.rules.items()
        if rule is not None
    ]


def gradients_differ(call, wrong, arrays):
    """Whether the gradients of two calls differ at all, but for rounding."""
    # not all alike: the gradient of a sum of probabilities is rounding alone
    sizes = [np.shape(p._value) for p in outputs(call(*map(Tensor, arrays)))]
    seeds = [np.linspace(0.75, 1.25, int(np.prod(size))).reshape(size) for size in sizes]
    pairs = zip(cotangents(call, arrays, seeds), cotangents(wrong, arrays, seeds), strict=True)
    return any(
        a is not None and not np.allclose(a, b, rtol=1e-9, atol=1e-14 * np.max(np.abs(a), initial=0.0))
        for a, b in pairs
    )


def where_it_shows(entry, position, fault):
    """The first call in which the fault changes a gradient, or raises an error: (call, its arrays, the error or None).

    None if it shows nowhere.
    """
    bad = planted(entry, position, fault)
    if bad is None:
        return None
    for n, call in enumerate(calls(entry)):
        arrays = call.arrays(np.random.default_rng(n))
        wrong = call.with_call(bad.call)
        try:
            if gradients_differ(call, wrong, arrays):
                return wrong, arrays, None
        except Exception as error:
            return wrong, arrays, error
    return None


def keeps_precision(call, position, arrays):
    """Whether a call takes a variable at this position, and gives single precision for single precision."""
    if position not in call.positions:
        return False
    results = [np.asarray(r._value) for r in outputs(call(*map(Tensor, arrays)))]
    gradients = cotangents(call, arrays, [np.ones(r.shape, r.dtype) for r in results])
    mine = [g for g, place in zip(gradients, call.positions, strict=True) if place == position]
    return all(np.finfo(r.dtype).bits == 32 for r in results if r.dtype.kind in "fc") and any(
        g is not None for g in mine
    )


LENGTH = 100_000
LEAST = 1e-6
"""An element below this, beside the largest, is none that a check resolves; its report says how many there are."""


def long(entry, position, length=LENGTH):
    """An elementwise function of long vectors, one element of whose gradient is 1 % too large: the function, its
    arguments, and the number of the element; None if all of the gradient is zero."""
    rng = np.random.default_rng(0)
    arrays = [inside(domain, length, rng) for domain in entry.domain]
    tensors = [Tensor(a) for a in arrays]
    y = entry.call(*tensors)
    sizes = np.abs(backward({y._node: np.ones(length)}, {tensors[position]._node})[tensors[position]._node])
    places = np.flatnonzero((sizes != 0) & (sizes >= LEAST * np.max(sizes)))
    if not places.size:
        return entry.call, arrays, None
    guilty = int(places[places.size // 2])
    factors = np.where(np.arange(length) == guilty, 1.01, 1.0)
    return planted(entry, position, result(lambda c: c * factors)).call, arrays, guilty


def inside(domain, length, rng):
    """Numbers from all over a domain, away from its ends and kinks."""
    margin = 0.08 * (domain.high - domain.low)
    x = rng.uniform(domain.low + margin, domain.high - margin, length)
    for kink in domain.kinks:
        x = np.where(np.abs(x - kink) < 0.1, kink + 0.5, x)
    return x


def names_the_operation(error, entry) -> bool:
    """Whether an error, or a note on it, says whose rule it is."""
    return any(entry.name in text for text in (str(error), *getattr(error, "__notes__", ())))
