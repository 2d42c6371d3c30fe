"""Random rounding: rules go on with the results that were moved."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff.primitive import Primitive, registry
from autodiff.scipy import load
from autodiff.testing.problem import Problem
from autodiff.testing.rounding.monte_carlo import noisy_gradient, noisy_values
from autodiff.testing.tracing.trace import operation_node
from tests.blocks import of_each
from tests.differences import calls, outputs

load()
ENTRIES = [e for e in registry.values() if isinstance(e, Primitive) and not e.flat]
KIND = np.finfo(np.float32)


def kept_outputs(node):
    """What rules have kept of the operation's own result: one array, or one for each of several."""
    for edge in node.edges:
        for want, value in zip(edge.rule.wants, edge.saved, strict=True):
            if want == node.primitive.output:
                yield list(value) if isinstance(value, tuple | list) else [value]


@of_each("entry", ENTRIES)
def test_a_rule_keeps_the_result_that_was_moved(entry):
    for n, call in enumerate(calls(entry)):
        moved = []

        def f(*args, call=call, moved=moved):
            result = call(*args)
            moved.append((operation_node(result), [part._value for part in outputs(result)]))
            return result

        arrays = call.arrays(np.random.default_rng(n))
        with np.errstate(all="ignore"):
            noisy_values(Problem(f, arrays), KIND, np.random.default_rng(n))
        for node, values in moved:
            for kept in kept_outputs(node):
                assert [k is v for k, v in zip(kept, values, strict=True)] == [True] * len(values)


@pytest.mark.parametrize("f", [np.exp, np.sin, lambda x: np.linalg.qr(x)[0]], ids=["output", "input", "several"])
def test_a_gradient_is_moved_by_about_one_unit(f):
    problem = Problem(f, (np.array([[0.5, 1.25], [2.0, -0.75]]),))
    weights = np.array([1.0, -0.5, 0.25, 2.0])
    found = [noisy_gradient(problem, weights, unit, np.random.default_rng(0)) for unit in (0.0, 1e-6, 1e-6)]
    apart = [np.max(np.abs(other - found[0])) / np.max(np.abs(found[0])) for other in found[1:]]
    assert all(1e-8 < a < 1e-4 for a in apart)
