"""What cannot take part in an operation is named, with what to write, in every operation and from both sides."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from autodiff import Tensor, grad, no_grad, vmap
from autodiff.primitive import Primitive, registry
from tests.blocks import of_each


class Series:
    """What the columns of a table look like to NumPy: they answer ufuncs with labels of their own."""

    __array_priority__ = 1000

    def __init__(self, values):
        self.values = values

    @property
    def shape(self):
        return self.values.shape

    @property
    def dtype(self):
        return self.values.dtype

    def to_numpy(self):
        return self.values

    def __array__(self, dtype=None, copy=None):
        return self.values

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [v.values if isinstance(v, Series) else np.asarray(v) for v in inputs]
        return Series(getattr(ufunc, method)(*plain, **kwargs))


FOREIGN = {
    "sparse array": (scipy.sparse.csr_array(np.eye(3)), r"x\.toarray\(\)"),
    "sparse matrix": (scipy.sparse.csr_matrix(np.eye(3)), r"x\.toarray\(\)|A\.toarray\(\)"),
    "series": (Series(np.ones(3)), r"x\.to_numpy\(\)"),
}
OPERATIONS = [
    entry for entry in registry.values() if isinstance(entry, Primitive) and entry.core and len(entry.parameters) == 2
]


@pytest.mark.parametrize("kind", FOREIGN)
@of_each("entry", OPERATIONS, size=64)
def test_no_operation_of_two_arguments_takes_a_container_with_rules_of_its_own(entry, kind):
    other, words = FOREIGN[kind]
    t = Tensor(np.ones((3, 3)))
    for arguments in ((t, other), (other, t)):
        with pytest.raises(TypeError, match=f"^{entry.name}: .*{words}"):
            entry.call(*arguments)
        with no_grad(), pytest.raises(TypeError, match=f"^{entry.name}: .*{words}"):
            entry.call(*arguments)
    with pytest.raises(TypeError, match=words):
        vmap(lambda v: entry.call(v, other))(np.ones((2, 3, 3)))


@pytest.mark.parametrize("kind", FOREIGN)
def test_neither_does_an_operator_or_a_function_of_many(kind):
    other, words = FOREIGN[kind]
    for combine in (
        lambda t: t * other,
        lambda t: t @ other if kind == "series" else t + other,
        lambda t: other - t if kind != "series" else t - other,
        lambda t: np.dot(t, other) if kind == "series" else t - other,
        lambda t: np.linalg.solve(other, t),
    ):
        with pytest.raises(TypeError, match=words):
            grad(lambda v: np.sum(combine(v)))(np.ones((3, 3)))  # noqa: B023


ODD = [
    ("a", "the text 'a'.*float"),
    (None, "None.*'return'"),
    ({"a": 1.0}, "a dict"),
    ({1.0}, "a set"),
    (np.exp, "the function 'exp'.*call it"),
    ([1.0, "b"], "a list with the text 'b'"),
    ([1.0, None], "a list with None"),
    (np.array(["a"]), "an array of text"),
    (np.array([None]), "an array of Python objects"),
    (np.array(["2020-01-01"], "M8[D]"), "an array of dates"),
]


@pytest.mark.parametrize(("odd", "words"), ODD)
@of_each("entry", OPERATIONS, size=64)
def test_what_holds_no_numbers_is_named_in_every_operation(entry, odd, words):
    t = Tensor(np.ones((3, 3)))
    for arguments in ((t, odd), (odd, t)):
        for recorded in (True, False):
            try:
                result = entry.call(*arguments) if recorded else unrecorded(entry.call, arguments)
            except TypeError as error:
                message = str(error)
            except ValueError as error:  # a product of an array and of what has no axes
                message = str(error)
            else:  # comparing with anything is allowed, as it is in NumPy
                assert entry.flat
                assert result.dtype.kind in "bO"
                continue
            assert message.startswith(f"{entry.name}: ")
            assert np.any([part in message for part in (words.split(".*")[0], "axes and needs")]), message


def unrecorded(call, arguments):
    with no_grad():
        return call(*arguments)


def test_errors_in_a_users_own_operation_stay_what_they_are():
    with pytest.raises(AttributeError, match="no attribute 'shpe'"):
        np.sum(Tensor([1.0])).shpe  # noqa: B018


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a, b: a @ a, r"^matmul: the lengths of the axes that are multiplied differ, 3 and 2; transpose one"),
        (lambda a, b: a @ b[:2], r"^matmul: the lengths.* 3 and 2; .*float64 \(2, 3\), b float64 \(2,\)"),
        (lambda a, b: b @ a, r"^matmul: the lengths.* 3 and 2; "),
        (lambda a, b: np.dot(a, a), r"^dot: matmul: the lengths.* 3 and 2; "),
        (lambda a, b: np.vecdot(a, b[:2]), r"^vecdot: the lengths.* 3 and 2; "),
        (lambda a, b: a @ 2.0, r"^matmul: b has 0 axes and needs at least 1; a number multiplies with \*"),
    ],
)
def test_shapes_of_products_are_told_in_words(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call(Tensor(np.ones((2, 3))), Tensor(np.ones(3)))
    assert "signature" not in str(caught.value)
    with no_grad(), pytest.raises(ValueError, match=words):
        call(Tensor(np.ones((2, 3))), Tensor(np.ones(3)))


def test_a_list_that_was_forgotten():
    t = Tensor(np.ones(3))
    for name in ("concatenate", "stack"):
        with pytest.raises(TypeError, match=rf"^{name}: takes one list of arrays.*write {name}\(\[t, u\]\)"):
            getattr(np, name)(t, t)
    with pytest.raises(ValueError, match=r"concatenate: numbers have no axis.*np\.stack"):
        np.concatenate(t)
