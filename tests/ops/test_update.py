"""Assignments as new arrays: index_update, index_add and t.at[index]."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor, grad, index_add, index_update, jacobian, no_grad

X = np.array([1.0, 2.0, 3.0, 4.0])
EVEN = np.array([True, False, True, False])


def assigned(x, index, change):
    """What plain NumPy makes of it."""
    x = x.copy()
    change(x, index)
    return x


@pytest.mark.parametrize("index", [1, slice(1, None), EVEN, [0, 3], np.array([2, 0]), ..., (slice(None, None, 2),)])
@pytest.mark.parametrize(
    ("method", "assignment"),
    [
        ("set", lambda x, i: x.__setitem__(i, 5.0)),
        ("add", lambda x, i: np.add.at(x, i, 5.0)),
        ("subtract", lambda x, i: np.subtract.at(x, i, 5.0)),
        ("multiply", lambda x, i: np.multiply.at(x, i, 5.0)),
        ("divide", lambda x, i: np.divide.at(x, i, 5.0)),
        ("power", lambda x, i: np.power.at(x, i, 5.0)),
        ("max", lambda x, i: np.maximum.at(x, i, 5.0)),
        ("min", lambda x, i: np.minimum.at(x, i, 5.0)),
    ],
)
def test_each_method_is_the_assignment_that_it_replaces(index, method, assignment):
    t = Tensor(X)
    new = getattr(t.at[index], method)(5.0)
    np.testing.assert_allclose(new.data, assigned(X, index, assignment), rtol=1e-15)
    np.testing.assert_array_equal(t.data, [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(t.at[index].get().data, X[index])
    np.testing.assert_allclose(t.at[index].apply(lambda v: v * v).data[index], X[index] ** 2)


def test_a_loop_that_fills_an_array():
    def filled(x):
        out = Tensor(np.zeros(4))
        for i in range(4):
            out = out.at[i].set(x[i] * (out[i - 1] + 1.0))
        return out

    expected = [1.0, 4.0, 15.0, 64.0]
    np.testing.assert_array_equal(filled(Tensor(X)).data, expected)
    h = 1e-6
    numeric = [(filled(Tensor(X + h * e)).data - filled(Tensor(X - h * e)).data) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(jacobian(filled)(X), np.stack(numeric, axis=1), atol=1e-7)


def test_values_that_were_overwritten_get_no_gradient():
    found = grad(lambda v: np.sum(index_update(np.zeros(3), np.array([1, 1, 2]), v) * 7.0))(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(found, [0.0, 7.0, 7.0])
    assert grad(lambda v: np.sum(index_update(np.zeros(3), [0, 0], v)))(3.0) == 1.0
    assert grad(lambda v: np.sum(index_add(np.zeros(3), [0, 0], v)))(3.0) == 2.0


def test_only_add_and_set_take_an_element_twice():
    t = Tensor(X)
    assert t.at[[0, 0]].add(1.0).tolist() == [3.0, 2.0, 3.0, 4.0]
    assert t.at[[0, 0]].subtract(1.0).tolist() == [-1.0, 2.0, 3.0, 4.0]
    for method in ("multiply", "divide", "power", "max", "min"):
        with pytest.raises(ValueError, match=rf"at\[\].{method}: .*twice"):
            getattr(t.at[[0, 0]], method)(2.0)
    with pytest.raises(ValueError, match="twice"):
        t.at[[0, -4]].multiply(2.0)
    assert t.at[[True, True, False, False]].multiply(2.0).tolist() == [2.0, 4.0, 3.0, 4.0]


def test_plain_arrays_give_plain_arrays_and_keep_their_type():
    x = X.astype(np.float32)
    assert type(index_update(x, 0, 9.0)) is np.ndarray
    assert index_update(x, 0, np.float64(9.5)).dtype == np.float32
    assert index_update(np.arange(3), 0, 9).tolist() == [9, 1, 2]
    assert x[0] == 1.0
    assert np.signbit(index_update(np.array([-0.0, 1.0]), 1, 2.0)[0])
    assert index_update(np.zeros(()), (), 3.0) == 3.0
    assert grad(lambda v: np.sum(index_update(x, 0, v)))(np.float64(1.0)) == 1.0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: index_update(Tensor(X), 0, np.ones(2)), ValueError, r"\(2,\) do not fit into x.index. of shape \(\)"),
        (lambda: index_add(Tensor(X), slice(1, 3), np.ones(3)), ValueError, r"x has shape \(4,\)"),
        (lambda: index_update(Tensor(X), slice(1, 3), np.ones((1, 2))), ValueError, "do not fit"),
        (lambda: index_update(np.arange(3), 0, Tensor(1.5)), TypeError, r"x.astype\(float64\)"),
        (lambda: index_update(X, 0, 1.0 + 1j), TypeError, "x holds float64 and the values complex128"),
        (lambda: Tensor(X).at[9].set(1.0), IndexError, "out of bounds"),
        (lambda: index_update(X, Tensor(1.0), 1.0), IndexError, "index float64"),
        (lambda: Tensor(X).__setitem__(0, 1.0), TypeError, r"x = x.at\[i\].set\(v\)"),
        (lambda: Tensor(X).__setitem__(0, 1.0), TypeError, r"x = x.at\[i\].add\(v\)"),
    ],
)
def test_wrong_input_says_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_an_augmented_assignment_binds_the_name_to_a_new_tensor():
    x = t = Tensor(X)
    y = t * t
    t += 1.0
    assert x is not t
    np.sum(y + t).backward()
    np.testing.assert_array_equal(x.grad, 2 * X + 1)
    with no_grad():
        assert x.at[0].add(1.0).tolist()[0] == 2.0


def test_values_of_one_axis_are_repeated_over_an_index_of_several():
    """NumPy's own np.add.at reads beyond the end of them."""
    places, values = np.array([[1, 1, 1], [1, 0, 1]]), np.array([1.0, 10.0, 100.0])
    np.testing.assert_array_equal(index_add(np.zeros(2), places, values), [10.0, 212.0])
    np.testing.assert_array_equal(index_add(np.zeros(2), (places,), Tensor(values)).data, [10.0, 212.0])
