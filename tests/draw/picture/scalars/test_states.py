"""A few small gradients among many numbers are nothing to point at, many are."""

import pytest

from autodiff import Tensor
from autodiff.draw import draw


@pytest.mark.parametrize(("small", "state"), [(2, ""), (30, "vanishing")])
def test_small_gradients_are_pointed_at_if_there_are_many(small, state):
    x = [Tensor(1.0) for _ in range(60)]
    terms = [v * (1e-9 if k < small else 1.0) for k, v in enumerate(x)]
    picture = draw(sum(terms[1:], terms[0]), gradients=True).picture
    assert {box.state for box in picture.boxes if box.state} == ({state} if state else set())
