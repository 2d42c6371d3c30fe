"""What cannot become a variable is told what it is, and what to pass."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from autodiff import Tensor


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, r"got None; does a function lack its 'return'\?"),
        ("a", r"got the text 'a'; write Tensor\(float\(text\)\)"),
        (["1.0"], r"got the text '1\.0'; write Tensor\(float\(text\)\)"),
        ([1.0, None], "got None"),
        ([[1.0, 2.0], [3.0]], r"the rows have different lengths \(1, 2\).*pad.*\[Tensor\(row\) for row in rows\]"),
        ([[1.0, 2.0], 3.0], r"the rows have different lengths \(2, none\)"),
        ([np.ones(2), np.ones(3)], r"the rows have different lengths \(2, 3\)"),
        ([[[1.0], [2.0]], [[3.0]]], r"the rows have different lengths \(1, 2\)"),
        ([1, 2], r"floating-point, got int64; write Tensor\(x, dtype=float\)"),
        (range(3), "floating-point, got int64"),
        (True, "floating-point, got bool"),
        ({"a": 1.0}, r"got a dict; make a Tensor of each value"),
        ({1.0}, r"got a set.*write Tensor\(list\(x\)\)"),
        ((v for v in [1.0]), r"got a generator.*write Tensor\(list\(x\)\)"),
        (np.exp, "got an instance of ufunc.*call it first"),
        (object(), "got an instance of object.*pass an array"),
        ([Tensor(1.0), 2.0], r"got a list with Tensors in it.*np\.stack\(list\)"),
        (Tensor(1.0), "the data is a Tensor already"),
        (scipy.sparse.csr_array(np.eye(2)), r"got a csr_array, which is sparse.*x\.toarray\(\)"),
    ],
)
def test_the_message_says_what_it_is_and_what_to_pass(data, words):
    with pytest.raises((TypeError, ValueError), match=f"^Tensor: .*{words}"):
        Tensor(data)


def test_an_unknown_dtype_is_numpys_to_complain_about():
    with pytest.raises(TypeError, match="^Tensor: data type 'float33' not understood"):
        Tensor(1.0, dtype="float33")


def test_values_of_a_table_become_a_variable():
    class Series:
        def to_numpy(self):
            raise AssertionError

        def __array__(self, dtype=None, copy=None):
            return np.ones(2)

    assert Tensor(Series()).shape == (2,)
