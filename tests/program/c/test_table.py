"""Every function of the table, and its derivatives, in C and in NumPy."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from autodiff import PathError
from autodiff.program.c import compiler
from autodiff.testing.strategies import programs
from autodiff.testing.table.samples import calls

from ..test_replay import ENTRIES, pulled, to_second_order
from .together import in_c, largest, ulps

ORDERS = {"forward": lambda f: f, "vjp": pulled, "second order": to_second_order}
LIMITS = {"forward": 4, "vjp": 16, "second order": 64}
"""Units in the last place; of a derivative, of the largest number of all: its terms may cancel."""
OTHERS = ("sum", "mean", "max", "prod", "var", "std", "matmul", "logsumexp", "softmax_cross_entropy", "norm", "getitem")
"""Whose second derivatives are looked at beside those of the functions of one element."""
OF_ONE = ("lstm_cell", "lstm_packed")
"""Whose sigmoid is (1 + tanh(z / 2)) / 2, with the error of the number 1."""


@pytest.mark.parametrize("order", ORDERS)
def test_every_function_of_the_table(order, monkeypatch):
    monkeypatch.setattr(compiler, "FLAGS", ("-O0", *compiler.FLAGS[1:]))  # for the compiler's own sake
    names = [
        n
        for n, entry in ENTRIES.items()
        if order != "second order" or getattr(entry, "elementwise", False) or n in OTHERS
    ]
    chosen = [(name, call) for name in names for call in list(calls(ENTRIES[name]))[:1]]
    functions = [
        (ORDERS[order](lambda *arrays, call=call: call(*arrays)), call.arrays(np.random.default_rng(0)))
        for _, call in chosen
    ]
    far = {}
    for (name, call), (program, compiled) in zip(chosen, in_c(functions), strict=True):
        then = call.arrays(np.random.default_rng(1))
        try:
            expected = program(*then)
        except PathError:
            assert name == "poly"  # whose result is complex or not, by its argument
            continue
        at_least = largest(expected) if order != "forward" else 1.0 if name in OF_ONE else 0.0
        apart = ulps(compiled(*then), expected, of=at_least)
        if apart > LIMITS[order]:
            far[name] = apart
    assert not far


def test_random_programs_and_their_gradients(monkeypatch):
    monkeypatch.setattr(compiler, "FLAGS", ("-O0", *compiler.FLAGS[1:]))
    found = []

    @seed(2)
    @settings(max_examples=15, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=HealthCheck)
    @given(programs())
    def collect(program):
        found.append(program)

    collect()
    functions = [(of(lambda *x, p=p: p(*x)), p.arrays) for p in found for of in (ORDERS["forward"], pulled)]
    for (_, arrays), (program, compiled) in zip(functions, in_c(functions), strict=True):
        expected = program(*arrays)
        assert ulps(compiled(*arrays), expected, of=largest(expected)) <= 64
