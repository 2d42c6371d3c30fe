"""What was written in place between forward and backward is noticed, and what may be written is."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import GraphError, Tensor


def test_writing_into_a_variable_between_forward_and_backward_is_detected():
    w = Tensor(np.ones(3))
    y = np.sum(w * w)
    w.data -= 0.5
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()
    assert w.grad is None


def test_so_is_writing_when_a_view_was_saved():
    w = Tensor(np.ones((2, 3)))
    y = np.sum(np.square(w.T))
    w.data -= 0.5
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_a_new_array_instead_leaves_the_graph_right():
    w = Tensor(np.ones(3))
    y = np.sum(w * w)
    w.data = w.data - 0.5
    y.backward()
    assert w.grad.tolist() == [2.0] * 3


def test_an_update_after_backward_is_what_training_does():
    w = Tensor(np.ones(3))
    for _ in range(3):
        w.grad = None
        np.sum(w * w).backward()
        w.data -= 0.25 * w.grad
    np.testing.assert_allclose(w.data, 0.125)


def test_results_cannot_be_written_into():
    y = Tensor(np.ones(3)) * 2.0
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5.0
    with pytest.raises(GraphError, match="only a variable"):
        y.data = np.zeros(3)


def test_a_scalar_variable_is_updated_in_every_way_of_writing_it():
    w = Tensor(1.0)
    w.data -= 0.25
    w.data[...] = w.data * 2
    assert (w * 1.0).item() == 1.5
    np.multiply(w.data, 2.0, out=w.data)
    assert w.item() == 3.0
