"""What cannot become a variable is told what it is, and what to pass."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from autodiff import Tensor, checkpoint, grad, jacobian, jvp, no_grad, stop_gradient, vjp, vmap


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


# -- other libraries' arrays -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_values_of_a_variable_are_exported_without_a_copy(shape, dtype):
    t = Tensor(np.ones(shape, dtype))
    there = np.from_dlpack(t)
    assert (there.shape, there.dtype) == (shape, dtype)
    assert np.shares_memory(there, t.data) or not there.size
    assert t.__dlpack_device__() == (1, 0)
    assert not np.shares_memory(np.from_dlpack(t, copy=True), t.data)


def test_a_result_is_not_exported_and_its_data_are():
    t = Tensor([1.0, 2.0])
    for result in (t * 2.0, t[0], np.sum(t)):
        with pytest.raises(TypeError, match=r"^np\.from_dlpack: would cut this Tensor.*np\.from_dlpack\(t\.data\)"):
            np.from_dlpack(result)
        with pytest.raises(TypeError, match="would cut this Tensor"):
            result.__dlpack_device__()
        np.testing.assert_array_equal(np.from_dlpack(result.data), result.data)


def test_what_has_no_gradient_to_lose_is_exported():
    t = Tensor([1.0, 2.0])
    with no_grad():
        assert np.from_dlpack(t * 2.0).tolist() == [2.0, 4.0]
    assert np.from_dlpack(stop_gradient(t * 2.0)).tolist() == [2.0, 4.0]
    assert np.from_dlpack(np.argmax(t)) == 1


TRANSFORMS = {
    "grad": lambda f: grad(f)(np.ones(3)),
    "grad of grad": lambda f: grad(lambda x: np.sum(grad(f)(x)))(np.ones(3)),
    "a nesting": lambda f: grad(lambda p: f(p["w"]))({"w": np.ones(3)}),
    "jacobian": lambda f: jacobian(f)(np.ones(3)),
    "vjp": lambda f: vjp(f, np.ones(3)),
    "jvp": lambda f: jvp(f, (np.ones(3),), (np.ones(3),)),
    "vmap": lambda f: vmap(f)(np.ones((2, 3))),
    "checkpoint": lambda f: grad(checkpoint(f))(np.ones(3)),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_a_transform_differentiates_by_is_not_exported(transform):
    """It would be a constant to the function, whose gradient would be wrong in silence."""
    with pytest.raises((TypeError, BufferError), match="would cut this Tensor|no array in memory"):
        TRANSFORMS[transform](lambda x: np.sum(np.from_dlpack(x) * x))


def test_other_variables_are_exported_inside_a_transform():
    w = Tensor(np.full(3, 2.0))
    assert grad(lambda x: np.sum(np.from_dlpack(w) * x))(np.ones(3)).tolist() == [2.0, 2.0, 2.0]


def test_a_tensor_claims_no_array_namespace():
    """The reasons are in the documentation of the design."""
    assert not hasattr(Tensor(1.0), "__array_namespace__")


def test_what_is_said_when_scipy_is_told_to_take_arrays_of_any_kind():
    code = (
        "import numpy as np, scipy.special, scipy.signal; from autodiff import grad\n"
        "for f in (scipy.special.expit, lambda x: scipy.signal.fftconvolve(x, x)):\n"
        "    try: grad(lambda x: np.sum(f(x)))(np.ones(3))\n"
        "    except TypeError as error: print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "SCIPY_ARRAY_API": "1"}, capture_output=True, text=True
    )
    first, second = run.stdout.splitlines()
    assert first.startswith("scipy.special.expit: ")
    assert first.endswith("SCIPY_ARRAY_API is set: with it the ufuncs of scipy.special take no Tensor; unset it")
    assert second.startswith("scipy.signal.fftconvolve: ")
