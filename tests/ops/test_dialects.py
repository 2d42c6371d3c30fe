"""What people write who come from another library gets an answer."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from autodiff import Tensor, elementwise
from autodiff.dialects import HINTS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("numpy", "use t.data"), ("view", "use t.reshape"), ("unsqueeze", "np.expand_dims"),
        ("cpu", "leave this out"),
        ("requires_grad", "every array a constant"), ("permute", "transpose"), ("add_", "never changed in place"),
        ("nonsense", "no attribute 'nonsense'"), ("sort", "np.sort"), ("__dlpack__", "__dlpack__'"),
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
