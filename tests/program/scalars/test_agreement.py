"""What is computed for arrays has the bits of what is computed for numbers."""

import operator

import numpy as np
import pytest

from autodiff.program.scalars import agreement
from autodiff.program.scalars.agreement import agrees, in_order, ufunc_of


@pytest.mark.parametrize("function", [operator.add, operator.truediv, np.less, np.logical_not])
def test_what_ieee_defines_is_not_compared(function):
    assert ufunc_of(function) is agreement.EXACT[function]


def test_another_function_is_found_out():
    class Other:
        nin = 1

        def __call__(self, x, out):
            out[...] = np.exp(x)
            out[8:] = np.nextafter(out[8:], np.inf)  # as by another algorithm, where an array is long

    agrees_with = agrees.__wrapped__
    assert agrees_with(np.exp, np.exp) is agrees(np.exp, np.exp)
    assert not agrees_with(np.exp, Other())
    assert not agrees_with(lambda x: 1 / float(x), np.reciprocal)  # which raises


def test_rows_of_calls():
    assert in_order(np.add)  # or sums would be slow
    assert not in_order.__wrapped__(type("Pairs", (), {
        "__call__": staticmethod(np.add), "reduce": staticmethod(lambda a, axis, initial: a[::-1].sum(axis)),
        "accumulate": np.add.accumulate, "__hash__": lambda self: hash(np.add), "__eq__": lambda self, o: o is np.add,
    })())  # fmt: skip


@pytest.mark.parametrize("function", [np.matmul, np.modf, np.bitwise_and, len, operator.floordiv])
def test_what_is_not_for_a_tape(function):
    assert ufunc_of(function) is None
