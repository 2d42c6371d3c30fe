"""What people write who come from another library gets an answer."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest

import autodiff
from autodiff import Tensor, elementwise, grad, hessian, hvp, jacobian, jvp, value_and_grad, vmap
from autodiff.dialects import HINTS, NAMES, TRANSFORMS
from autodiff.primitive import registry
from tests.blocks import of_each


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("numpy", "use t.data"), ("view", "use t.reshape"), ("unsqueeze", "np.expand_dims"),
        ("cpu", "leave this out"),
        ("requires_grad", "every array a constant"), ("permute", "transpose"), ("add_", "never changed in place"),
        ("nonsense", "no attribute 'nonsense'"), ("sort", "np.sort"), ("__cuda_array_interface__", "__"),
    ],
)  # fmt: skip
def test_an_attribute_that_is_called_otherwise_here(name, words):
    with pytest.raises(AttributeError, match=f"^'Tensor' object has no attribute '{name}'") as caught:
        getattr(Tensor(1.0), name)
    assert words in str(caught.value)


def test_hints_are_for_what_is_missing_only():
    for name in HINTS:
        assert not hasattr(Tensor(np.ones(2)), name)


def test_keywords_of_another_library():
    with pytest.raises(TypeError, match="'requires_grad'; every Tensor is a variable"):
        Tensor(1.0, requires_grad=True)
    with pytest.raises(TypeError, match="'nonsense'; it takes data and dtype"):
        Tensor(1.0, nonsense=True)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: t.sum(dim=0), "sum: 'dim' is PyTorch's word; write axis="),
        (lambda t: t.mean(dim=0, keepdim=True), "mean: 'dim' is PyTorch's word; write axis="),
        (lambda t: t.max(axis=0, keepdim=True), "max: 'keepdim' is PyTorch's word; write keepdims="),
        (lambda t: t.argmax(dim=0), "argmax: 'dim' is PyTorch's word; write axis="),
        (lambda t: t.std(unbiased=False), "std: 'unbiased' is PyTorch's word; write ddof="),
    ],
)
def test_keywords_of_pytorch_in_functions_of_numpy(call, words):
    with pytest.raises(TypeError, match=f"^{words}"):
        call(Tensor(np.ones((2, 3))))


def methods():
    """The methods that take an axis, by the table."""
    entries = [entry for entry in registry.values() if entry.method and "axis" in entry.parameters]
    assert len(entries) > 10
    return entries


@of_each("entry", methods())
def test_no_method_with_an_axis_takes_dim_for_it(entry):
    for wrong, right in (("dim", "axis"), ("keepdim", "keepdims")):
        with pytest.raises(TypeError, match=f"'{wrong}' is PyTorch's word; write {right}="):
            getattr(Tensor(np.ones((2, 2))), entry.method)(**{wrong: 0})


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, jvp, hvp, vmap])
@pytest.mark.parametrize("word", TRANSFORMS)
def test_keywords_of_other_transforms(transform, word):
    with pytest.raises(TypeError, match=f"^{transform.__name__}: '{word}' is "):
        transform(np.sum, **{word: 0})
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        transform(np.sum, nonsense=0)


def test_a_transform_that_answers_is_still_itself():
    assert list(inspect.signature(grad).parameters) == ["f", "argnums", "has_aux"]
    assert grad.__doc__.startswith("A function that returns the gradient")


@pytest.mark.parametrize("name", NAMES)
def test_names_of_other_packages(name):
    with pytest.raises(AttributeError, match=f"^module 'autodiff' has no attribute '{name}'; use "):
        getattr(autodiff, name)
    with pytest.raises(AttributeError, match="^module 'autodiff' has no attribute 'nonsense'$"):
        _ = autodiff.nonsense


def test_arrays_have_these_methods_too():
    z = Tensor(np.array([1.0 + 2.0j, 0.0]))
    assert z.conj().data.tolist() == [1.0 - 2.0j, 0.0]
    assert z.nonzero()[0].tolist() == [0]


def test_what_asks_for_an_attribute_still_works():
    t = Tensor(np.ones(2))
    assert copy.deepcopy(t).data.tolist() == pickle.loads(pickle.dumps(t)).data.tolist() == [1.0, 1.0]
    assert not hasattr(t, "held")


@pytest.mark.parametrize(
    ("function", "rules", "words"),
    [
        (lambda a, b: a * b, 1, "takes 2 arguments, but there are 1 rules; give one rule an argument"),
        (lambda x: x, 2, "takes 1 argument, but there are 2 rules"),
        (lambda x: x, 0, "takes 1 argument, but there are 0 rules"),
        (np.hypot, 3, "hypot: takes 2 arguments, but there are 3 rules"),
    ],
)
def test_one_rule_an_argument(function, rules, words):
    with pytest.raises(TypeError, match=words):
        elementwise(function, *[lambda g: g] * rules)


@pytest.mark.parametrize("name", ["save", "savetxt", "savez", "savez_compressed"])
def test_a_file_holds_plain_values(name, tmp_path):
    with pytest.raises(TypeError, match=rf"^{name}: a file holds plain values; write np\.{name}\(path, t\.data\)"):
        getattr(np, name)(tmp_path / "file", Tensor([1.0]))


@pytest.mark.parametrize(
    ("name", "words"),
    [("abs", r"use np\.abs\(t\)"), ("matmul", r"use np\.matmul\(t\)"), ("cat", r"use np\.concatenate\(\[t, u\]\)")],
)
def test_a_method_that_is_a_function_of_numpys(name, words):
    with pytest.raises(AttributeError, match=words):
        getattr(Tensor(1.0), name)
    with pytest.raises(AttributeError, match=r"use np\.exp, which takes Tensors"):
        _ = autodiff.exp
