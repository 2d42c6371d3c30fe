"""Rules made wrong on purpose, for every entry of the table.  Names no op."""

from __future__ import annotations

import copy

import numpy as np

from autodiff.primitive import Primitive, Rule, registry
from autodiff.recording import _install


def planted(entry: Primitive, position: int, spoil) -> Primitive:
    """A copy of an entry, outside of the table, whose rule for one argument is spoiled after it has computed."""
    new = copy.copy(entry)
    new.rules = dict(entry.rules)
    rule = entry.rules[position]

    def function(g, *saved):
        return spoil(rule.function(g, *saved))

    new.rules[position] = Rule(entry.name, function, rule.position, rule.wants)
    new.function = function
    new.method = None
    _install(new)
    return new


def one_element(contribution):
    """One element 1 % too large."""
    factors = np.ones(contribution.shape, contribution.dtype)
    if factors.size:
        factors.reshape(-1)[factors.size // 2] = 1.01
    return contribution * factors


def dropped_term(contribution):
    """The mean of it taken away, as when a term of a sum is forgotten."""
    if not contribution.size:
        return contribution
    return contribution - np.mean(contribution) if contribution.size > 1 else contribution * 0.5


FAULTS = {
    "times 1.01": lambda c: c * 1.01,
    "times 1 + 1e-6": lambda c: c * (1 + 1e-6),
    "wrong sign": lambda c: -c,
    "zero": lambda c: c * 0.0,
    "one element": one_element,
    "dropped term": dropped_term,
}


def places():
    """Every (entry, position) that has a rule."""
    return [
        (entry, position)
        for entry in registry.values()
        if isinstance(entry, Primitive) and not entry.flat
        for position, rule in entry.rules.items()
        if rule is not None
    ]
