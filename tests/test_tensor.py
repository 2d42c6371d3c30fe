"""A Tensor speaks NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor, grad


@pytest.fixture
def x():
    return Tensor(np.arange(1.0, 7.0).reshape(2, 3))


# -- speaking NumPy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 2.0, np.float32(2.0), np.float64(2.0), np.int64(2), True])
def test_numbers_of_every_kind_combine_from_both_sides(number, x):
    for result in (number * x, x * number, number - x, number**x, x / number):
        assert isinstance(result, Tensor)
    np.testing.assert_array_equal((number - x).data, number - x.data)


def test_arrays_and_lists_combine_from_both_sides(x):
    listed = [1.0, 2.0, 3.0]
    row = np.array(listed)
    for result, expected in [(row * x, row * x.data), (x * row, row * x.data), (x + listed, x.data + row)]:
        assert isinstance(result, Tensor)
        np.testing.assert_array_equal(result.data, expected)
    assert isinstance(np.ones((4, 2)) @ x, Tensor)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_python_numbers_do_not_change_the_dtype(dtype):
    t = Tensor(np.ones(3, dtype))
    result = np.sum(np.tanh(2 * t + 1.5) ** 2 / 3 - 1)
    assert result.dtype == dtype
    result.backward()
    assert t.grad.dtype == dtype


def test_mixed_precision_gives_each_variable_its_own_dtype_back():
    a, b = Tensor(np.ones(3, np.float32)), Tensor(np.ones(3))
    np.sum(a * b).backward()
    assert a.grad.dtype == np.float32
    assert b.grad.dtype == np.float64


def test_shape_and_type_questions_need_no_node(x):
    assert (np.shape(x), np.ndim(x), np.size(x), len(x)) == ((2, 3), 2, 6, 2)
    assert np.result_type(x, np.float32(1)) == np.float64
    assert isinstance(np.zeros_like(x), np.ndarray)
    assert np.allclose(x, x.data)
    assert (x.shape, x.ndim, x.size, x.dtype, x.T.shape) == ((2, 3), 2, 6, np.float64, (3, 2))


def test_ufunc_methods(x):
    np.testing.assert_array_equal(np.add.reduce(x).data, [5.0, 7.0, 9.0])
    np.testing.assert_array_equal(np.add.reduce(x, axis=1, keepdims=True).data, [[6.0], [15.0]])
    np.testing.assert_array_equal(np.multiply.reduce(x, axis=None).data, 720.0)
    np.testing.assert_array_equal(np.maximum.reduce(x, axis=-1).data, [3.0, 6.0])
    np.testing.assert_array_equal(np.add.accumulate(x, axis=1).data, np.cumsum(x.data, axis=1))
    np.testing.assert_array_equal(np.multiply.outer(x, [1.0, 2.0]).data, np.multiply.outer(x.data, [1.0, 2.0]))


def test_methods_spell_like_ndarray(x):
    assert x.reshape(3, 2).shape == x.reshape((3, 2)).shape == x.reshape(-1, 2).shape == (3, 2)
    assert x.transpose().shape == x.transpose(1, 0).shape == x.transpose((1, 0)).shape == (3, 2)
    assert x.sum(axis=0).shape == (3,)
    assert x.flatten().shape == x.ravel().shape == (6,)
    assert [row.tolist() for row in x] == x.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert 4.0 in x
    assert 40.0 not in x


def test_comparisons_are_tensors_and_choose(x):
    mask = x > 2.0
    assert mask.dtype == bool
    np.testing.assert_array_equal(x[mask].data, [3.0, 4.0, 5.0, 6.0])
    np.sum(np.where(mask, x * x, 0.0)).backward()
    np.testing.assert_array_equal(x.grad, np.where(x.data > 2, 2 * x.data, 0))


def test_equality_is_elementwise_and_hash_is_identity(x):
    assert (x == x.data).data.all()
    assert len({x: 1, Tensor(x.data): 2}) == 2


def test_a_tensor_index_picks_rows(x):
    rows = np.argmax(x, axis=0)
    assert x[rows, [0, 1, 2]].tolist() == [4.0, 5.0, 6.0]


def test_an_integer_result_is_a_position(x):
    best = np.argmax(x[0])
    assert [10, 20, 30][best] == 30
    assert np.arange(3)[best] == 2


def test_control_flow_reads_single_values():
    t = Tensor(3.0)
    assert t > 2
    assert bool(t)
    assert [t.item(), Tensor([[5.0]]).item()] == [3.0, 5.0]
    assert grad(lambda v: v * v if v > 0 else -v)(3.0) == 6.0
    assert grad(lambda v: v * v if v > 0 else -v)(-3.0) == -1.0


def test_sum_of_a_generator_and_inplace_operators_make_new_tensors():
    t = Tensor([1.0, 2.0])
    total = sum(v * v for v in t)
    before = total
    total += 1.0
    assert before.item() == 5.0
    assert total.item() == 6.0
    total.backward()
    assert t.grad.tolist() == [2.0, 4.0]


def test_repr_is_short_and_says_what_it_is():
    t = Tensor(np.array([1.0, 2.0], np.float32))
    assert repr(t) == "Tensor([1., 2.], float32)"
    assert repr(np.exp(t * 0)) == "Tensor([1., 1.], float32, exp)"
    assert repr(Tensor(2.5)) == "Tensor(2.5, float64)"
    assert len(repr(Tensor(np.zeros((1000, 1000))))) < 200


def test_format_is_that_of_the_number(x):
    assert f"{Tensor(2.5) * 2:.2f}" == "5.00"
    assert f"{x}" == repr(x)
    with pytest.raises(TypeError, match=r"\(2, 3\)"):
        f"{x:.2f}"


def test_data_of_a_0d_result_is_an_array():
    total = np.sum(Tensor([1.0, 2.0]))
    assert isinstance(total.data, np.ndarray)
    assert total.data.shape == ()
    assert total.data == 3.0


def test_data_is_shared_with_a_variable_and_not_copied():
    array = np.zeros(3)
    t = Tensor(array)
    assert t.data is array


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 3)])
def test_empty_arrays_go_through(shape):
    t = Tensor(np.ones(shape))
    np.sum(np.tanh(t) * 2.0 + t[..., :1]).backward()
    assert t.grad.shape == shape


def test_import_needs_no_table_of_its_own_for_a_new_ufunc():
    """A ufunc that nobody registered is refused by name; one that a user registers works at once."""
    half = np.frompyfunc(lambda v: v / 2, 1, 1)
    with pytest.raises(TypeError, match="no derivative is registered"):
        half(Tensor([1.0]))
