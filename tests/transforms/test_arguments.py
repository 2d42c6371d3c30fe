"""Arguments of transforms that make no sense are named, with what is meant."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Tensor, grad, hessian, jacobian, value_and_grad, vmap
from autodiff.tree import flatten

X = np.array([1.0, 2.0, 3.0])
OF_ARGNUMS = [grad, value_and_grad, jacobian, hessian]


@pytest.mark.parametrize("transform", OF_ARGNUMS)
@pytest.mark.parametrize(
    ("argnums", "words"),
    [
        (1.0, r"got 1\.0; write 1, or give the arguments later: \w+\(f\)\(x\)"),
        (0.5, r"got 0\.5; the arguments come later: \w+\(f\)\(x\)"),
        (X, r"got array.*the arguments come later: \w+\(f\)\(x\)"),
        (Tensor(X), r"got Tensor.*the arguments come later: \w+\(f\)\(x\)"),
        ("x", "got 'x'; an argument is differentiated by its position"),
        (("x", "y"), "got 'x'; an argument is differentiated by its position"),
        (None, "got None"),
        (True, "got True"),
        ([0, 1.0], r"got 1\.0"),
        ({"w": X}, "the arguments come later"),
    ],
)
def test_argnums_are_checked_when_they_are_given(transform, argnums, words):
    with pytest.raises(TypeError, match=f"argnums must be an integer or a sequence of them, .*{words}"):
        transform(np.sum, argnums)


@pytest.mark.parametrize("argnums", [0, -1, np.int64(0), [0], (0,), range(1)])
def test_argnums_that_are_integers_are_taken(argnums):
    for transform in OF_ARGNUMS:
        expected, _ = flatten(transform(lambda x: np.sum(x * x))(X))
        found, _ = flatten(transform(lambda x: np.sum(x * x), argnums)(X))
        for one, other in zip(found, expected, strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("transform", OF_ARGNUMS)
def test_none_is_nothing_to_differentiate_by(transform):
    with pytest.raises(TypeError, match="argument 0 is None"):
        transform(lambda x: 1.0)(None)
    parts = transform(lambda p: np.sum(p["w"] ** 2))({"w": X, "b": None})
    assert "b" in str(parts)


def test_a_loss_in_the_place_of_a_function():
    with pytest.raises(TypeError, match=r"got Tensor; pass f itself, not f\(x\); .*loss\.backward\(\), then w\.grad"):
        grad(np.sum(Tensor(X)))


def test_a_function_without_a_return_has_no_jacobian():
    with pytest.raises(TypeError, match="jacobian: the function returned None; does it lack its 'return'"):
        jacobian(lambda x: None)(X)


def test_an_empty_index_picks_nothing_in_a_mapping_as_elsewhere():
    assert vmap(lambda v: v[[]])(X[None]).shape == (1, 0)
    assert vmap(lambda v: v[[], 0])(np.ones((2, 3, 4))).shape == (2, 0)
    assert vmap(grad(lambda v: np.sum(v[[]]) + np.sum(v**2)))(X[None]).tolist() == [[2.0, 4.0, 6.0]]
    assert vmap(lambda v: v[[0, 2]])(X[None]).tolist() == [[1.0, 3.0]]
