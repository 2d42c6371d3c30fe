"""Gradients in buckets, as one of two processes that are alike: what is sent, when, and what comes back."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor
from nn.training import buckets as module
from nn.training.buckets import Buckets


class Twins:
    """A group of two processes that have the same gradients; what is sent comes when it is waited for."""

    def __init__(self):
        self.sent = []

    def start(self, array):
        self.sent.append(array.copy())
        return Request(array)

    def wait(self, request):
        request.array *= 2


class Request:
    def __init__(self, array):
        self.array = array

    def Test(self):
        return False


@pytest.fixture
def twins(monkeypatch):
    monkeypatch.setattr(module, "SIZE", 32)  # four numbers
    return Twins()


def variables(*shapes, dtype=np.float64):
    return [(str(i), Tensor(np.full(shape, i + 1.0, dtype))) for i, shape in enumerate(shapes)]


def pulled(buckets, loss):
    """The gradients after a pass, and how many buckets had been sent when it ended."""
    buckets.begin()
    loss.backward(ready=buckets.calls)
    sent = len(buckets.processes.sent)
    buckets.receive(2 * buckets.complete())
    return [variable.grad for variable in buckets.variables], sent


def test_buckets_go_from_the_last_parameter_to_the_first_while_gradients_are_computed(twins):
    named = variables((2, 2), (2,), (2, 3), ())
    buckets = Buckets(twins, named)
    assert [length for length, _ in buckets.lengths] == [7, 6]
    a, b, c, d = buckets.variables
    seen = []
    a_call = buckets.calls[a]
    buckets.calls[a] = lambda g: (seen.append(len(twins.sent)), a_call(g))
    gradients, sent = pulled(buckets, d * np.sum((np.ones((1, 2)) @ a + b) @ c))
    assert seen == [1]  # that of the last layer was on its way
    assert sent == 2
    ones = np.ones((1, 2))
    expected = [ones.T @ np.full((1, 2), 36.0), np.full(2, 36.0), np.array([[4.0], [4.0]]) @ np.full((1, 3), 4.0), 72.0]
    for found, value in zip(gradients, expected, strict=True):
        np.testing.assert_array_equal(found, 2 * value)


def test_the_order_of_messages_does_not_depend_on_that_of_gradients(twins):
    named = variables((5,), (6,), (7,))
    buckets = Buckets(twins, named)
    a, b, c = buckets.variables
    early = np.sum(c)  # the oldest operation: its gradient comes last
    _, sent = pulled(buckets, early + np.sum(a) * np.sum(b))
    assert sent == 3
    assert [len(array) for array in twins.sent] == [7, 6, 5]


def test_a_parameter_without_a_gradient_keeps_none_unless_another_process_has_one(twins):
    named = variables((5,), (6,), (7,))
    buckets = Buckets(twins, named)
    a, b, c = buckets.variables
    buckets.begin()
    np.sum(a).backward(ready=buckets.calls)
    flags = buckets.complete()
    assert flags.tolist() == [0, 1, 0, 0]
    buckets.receive(flags + np.array([0, 1, 1, 0]))
    assert a.grad.tolist() == [2] * 5
    assert b.grad.tolist() == [0] * 6
    assert c.grad is None


def test_gradients_that_are_there_are_sent_with_those_that_come(twins):
    named = variables((5,), (6,))
    buckets = Buckets(twins, named)
    a, b = buckets.variables
    a.grad, b.grad = np.full(5, 10.0), np.full(6, 20.0)
    (first, second), _ = pulled(buckets, np.sum(a))
    assert first.tolist() == [22] * 5
    assert second.tolist() == [40] * 6


def test_what_a_repeated_pass_finds_is_sent_again(twins):
    named = variables((5,), (6,))
    buckets = Buckets(twins, named)
    a, b = buckets.variables
    a.data = np.arange(5.0)
    selected = np.where(a.data > 0, np.sqrt(a), 0.0)  # the slope of sqrt at 0 is infinite: NaN, and a second pass
    gradients, _ = pulled(buckets, np.sum(selected) + np.sum(b))
    assert len(twins.sent) == 4
    np.testing.assert_allclose(gradients[0], [0.0, *(1 / np.sqrt(np.arange(1, 5)))])
    assert gradients[1].tolist() == [2] * 6


@pytest.mark.parametrize(("dtype", "summed"), [(np.float16, np.float32), (np.float32,) * 2, (np.complex64,) * 2])
def test_a_gradient_has_the_dtype_of_its_parameter(twins, dtype, summed):
    buckets = Buckets(twins, variables((2, 3), dtype=dtype))
    (gradient,), _ = pulled(buckets, np.sum(np.real(buckets.variables[0])))
    assert twins.sent[0].dtype == summed
    assert (gradient.dtype, gradient.shape) == (dtype, (2, 3))
    assert gradient.ravel().tolist() == [2] * 6


def test_parameters_of_other_dtypes_and_none_at_all(twins):
    named = [*variables((2,)), *variables((3,), dtype=np.float32), *variables((0, 4))]
    buckets = Buckets(twins, named)
    assert [dtype for _, dtype in buckets.lengths] == [np.float64, np.float32, np.float64]
    gradients, _ = pulled(buckets, sum(np.sum(v.astype(np.float64)) for v in buckets.variables))
    assert [g.shape for g in gradients] == [(2,), (3,), (0, 4)]
    empty = Buckets(twins, [])
    empty.begin()
    empty.receive(empty.complete())
