"""A Tensor refuses what would lose a gradient, and says what to write instead."""

from __future__ import annotations

import fractions
import math
import warnings

import numpy as np
import pytest

import autodiff
from autodiff import GraphError, Tensor, grad, no_grad
from autodiff.graph import CONSTANT
from autodiff.tensor import wrap


@pytest.fixture
def x():
    return Tensor(np.arange(1.0, 7.0).reshape(2, 3))


def test_integers_are_refused_with_what_to_write():
    for data in ([1, 2], 3, np.array([1, 2]), np.array([True])):
        with pytest.raises(TypeError, match="floating-point.*dtype=float"):
            Tensor(data)
    with pytest.raises(TypeError, match=r"3\.0"):
        grad(lambda v: v * v)(3)
    assert Tensor([1, 2], dtype=float).dtype == np.float64


@pytest.mark.parametrize("data", ["abc", None, [[1.0], [1.0, 2.0]], object()])
def test_what_is_no_array_is_refused(data):
    with pytest.raises((TypeError, ValueError)):
        Tensor(data)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("make", [np.ma.array, np.asmatrix], ids=["masked", "matrix"])
def test_so_are_those_that_meet_a_tensor(make):
    t, other = Tensor(np.ones((2, 2))), make(np.ones((2, 2)))
    for combine in (lambda: t * other, lambda: t + other, lambda: np.arctan2(t, other), lambda: other * t):
        with pytest.raises(TypeError, match=r"rules of its own; pass np\.asarray\(x|would cut this Tensor"):
            combine()


def test_a_fraction_is_refused_before_it_makes_a_python_float_of_a_result():
    with pytest.raises(TypeError, match="multiply: an argument is a Fraction, which has rules of its own"):
        Tensor(2.0) * fractions.Fraction(1, 2)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_with_rules_of_their_own_are_refused():
    for data in (np.ma.masked_array([1.0, 2.0], [True, False]), np.matrix([[1.0]])):
        with pytest.raises(TypeError, match="asarray"):
            Tensor(data)
    with pytest.raises(TypeError, match="Tensor already"):
        Tensor(Tensor(1.0))


def test_it_cannot_be_subclassed():
    with pytest.raises(TypeError, match="attribute"):

        class Mine(Tensor):
            pass


@pytest.mark.parametrize("leave", [float, int, complex, math.exp, np.asarray, np.array, lambda t: [1, 2][t]])
def test_nothing_leaves_the_graph_silently(leave):
    with pytest.raises(TypeError, match=r"t\.item\(\)"):
        leave(Tensor(1.0))


def test_a_list_of_tensors_is_not_an_array_and_the_message_says_stack(x):
    with pytest.raises(TypeError, match=r"np\.stack"):
        np.array([x, x])
    with pytest.raises(TypeError, match=r"np\.stack"):
        np.where(x > 0, x, [Tensor(1.0), Tensor(2.0), Tensor(3.0)])


def test_assigning_into_an_array_is_refused(x):
    array = np.zeros((2, 3))
    with pytest.raises(TypeError, match=r"np\.where"):
        array[:] = x
    with pytest.raises(ValueError, match="sequence") as caught:  # NumPy's own words; the cause is ours
        array[0, 0] = Tensor(1.0)
    assert "a[i] = t.item()" in str(caught.value.__cause__)
    with pytest.raises(TypeError, match="copyto"):
        np.copyto(array, x)
    assert not array.any()


def test_writing_in_place_is_refused_and_teaches(x):
    array = np.ones((2, 3))
    with pytest.raises(TypeError, match=r"array = array \+ tensor"):
        array += x
    with pytest.raises(TypeError, match="existing array"):
        np.exp(x, out=array)
    with pytest.raises(TypeError, match="index_add"):
        np.add.at(x, [0], 1.0)
    with pytest.raises(TypeError, match=r"np\.where\(mask, v, x\)"):
        x[0] = 1.0
    np.testing.assert_array_equal(array, 1.0)


def test_truth_of_many_elements_is_ambiguous(x):
    with pytest.raises(ValueError, match=r"\(2, 3\).*ambiguous.*np\.where"):
        bool(x > 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: np.exp(t, where=np.ones((2, 3), bool)), "where"),
        (lambda t: np.exp(t, dtype=np.float32), "dtype"),
        (lambda t: np.sum(t, dtype=int), "int64, which has no derivative"),
        (lambda t: np.sum(t, out=np.zeros(())), "out"),
        (lambda t: np.max(t, 0, np.zeros(3)), "out="),
        (lambda t: np.ptp(t, 0, np.zeros(3)), "out="),
        (lambda t: np.median(t, axis=0, overwrite_input=True), "overwrite_input"),
        (lambda t: np.mean(t, axis=0, nonsense=1), "nonsense"),
        (lambda t: t.sum(axes=0), "axes"),
        (lambda t: np.reshape(t, (3, 2), order="A"), "order='A' depends on how the array lies in memory"),
    ],
)
def test_a_keyword_that_no_rule_names_is_refused(call, words, x):
    with pytest.raises((TypeError, ValueError), match=words):
        call(x)


def test_where_true_is_what_numpy_passes_for_nothing(x):
    assert np.exp(x, where=True).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: t + np.ones(4), r"add: .*\(2, 3\).*\(4,\).*reshape"),
        (lambda t: t @ np.ones(4), r"matmul: .*\(2, 3\).*\(4,\)"),
        (lambda t: np.reshape(t, (4, 2)), r"reshape: .*\(2, 3\)"),
        (lambda t: np.concatenate([t, np.ones(3)]), r"concatenate: .*\(2, 3\).*\(3,\)"),
        (lambda t: t[5], r"getitem: .*5"),
        (lambda t: t[0, 0, 0], r"getitem: .*too many"),
        (lambda t: np.sum(t, axis=7), r"sum: .*7"),
        (lambda t: np.transpose(t, (0, 0)), r"transpose: .*repeated"),
        (lambda t: np.einsum("ij,jk->ik", t, np.ones((2, 2))), r"einsum: .*\(2, 3\).*\(2, 2\)"),
        (lambda t: np.take(t, [9], axis=0), r"take: .*9"),
        (lambda t: t + "a", r"add: "),
        (lambda t: t * None, r"multiply: "),
    ],
)
def test_shapes_that_do_not_match_name_the_operation(call, words, x):
    with pytest.raises((ValueError, TypeError, IndexError), match=words):
        call(x)
    with no_grad(), pytest.raises((ValueError, TypeError, IndexError), match=words):
        call(x)


def test_an_unsupported_function_names_its_neighbours(x):
    with pytest.raises(TypeError, match=r"packbits: no derivative is registered.*t\.data"):
        np.packbits(x)


def test_a_tensor_where_only_numbers_make_sense_is_refused(x):
    with pytest.raises(TypeError, match="'axis' is not an argument to differentiate"):
        np.roll(x, 1, axis=Tensor(1.0))


def test_backward_wants_one_number_or_a_gradient(x):
    with pytest.raises(GraphError, match=r"\(2, 3\).*gradient="):
        (x * x).backward()
    with pytest.raises(ValueError, match=r"\(3,\).*\(2, 3\)"):
        (x * x).backward(np.ones(3))
    (x * x).backward(np.ones((2, 3)))
    np.testing.assert_array_equal(x.grad, 2 * x.data)


def test_a_gradient_to_start_from_is_made_of_numbers():
    x = Tensor(np.ones(2))
    (x * 2.0).backward([1, 2])
    assert x.grad.tolist() == [2.0, 4.0]
    for wrong in (np.array(["a", "b"]), np.array([1.0, None]), np.array([1j, 1j])):
        with pytest.raises(TypeError, match="backward: the gradient is"):
            (x * 2.0).backward(wrong)


def test_a_gradient_that_is_set_must_fit():
    x = Tensor(np.ones(2, np.float32))
    for wrong in (np.ones(3), np.ones((2, 2)), 0.0):
        with pytest.raises(ValueError, match=r"grad: the variable has shape \(2,\), the new values"):
            x.grad = wrong
    for wrong in (np.ones(2) * 1j, np.array(["a", "b"])):
        with pytest.raises(TypeError, match="grad: the variable holds float32, the new values are"):
            x.grad = wrong
    x.grad = np.ones(2)
    assert x.grad.dtype == np.float32
    x.grad = None
    assert x.grad is None


def test_what_has_no_derivative_anywhere_says_so():
    with pytest.raises(GraphError, match=r"\(it is sum\): what leads to it has a derivative of zero everywhere"):
        np.sum(Tensor(np.ones(2)) > 0).backward()
    with pytest.raises(GraphError, match=r"no variable leads to this Tensor \(it is a constant\)"):
        wrap(np.float64(1.0), CONSTANT).backward()


def test_elements_are_not_deleted_and_many_are_no_number(x):
    with pytest.raises(TypeError, match=r"delitem.*np\.delete"):
        del x[0]
    with pytest.raises(ValueError, match=r"item: a Tensor of shape \(2, 3\) is no single number"):
        x.item()


def test_a_complex_loss_wants_a_real_part():
    with pytest.raises(GraphError, match=r"np\.real"):
        (Tensor(1.0 + 2.0j) * 2.0).backward()


def test_the_gradient_of_a_result_is_not_kept_and_the_message_teaches():
    w = Tensor(1.0)
    w -= 0.1
    with pytest.raises(GraphError, match=r"w\.data -= lr \* w\.grad"):
        _ = w.grad
    with pytest.raises(GraphError):
        w.grad = None


def test_new_data_must_fit():
    w = Tensor(np.ones(3, np.float32))
    with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)"):
        w.data = np.ones(4)
    with pytest.raises(TypeError, match="complex"):
        w.data = np.ones(3, complex)
    with pytest.raises(TypeError, match=r"other\.data"):
        w.data = Tensor(np.ones(3))
    w.data = np.full(3, 2.0)
    assert w.dtype == np.float32


def test_forward_warnings_are_numpys_own_and_backward_is_quiet():
    x = Tensor(0.0)
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        y = np.log(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y.backward()
    assert np.isinf(x.grad)


def test_0d_and_empty_have_no_length_or_no_rows():
    with pytest.raises(TypeError, match="0-d"):
        len(Tensor(1.0))
    with pytest.raises(TypeError, match="0-d"):
        iter(Tensor(1.0))
    assert list(Tensor(np.ones((0, 2)))) == []


def test_public_names_are_documented():
    for name in autodiff.__all__:
        assert getattr(autodiff, name).__doc__, name
