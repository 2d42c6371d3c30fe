"""Rows of modules."""

import numpy as np
import pytest

from nn import Linear, ReLU, Sequential


def test_sequential_is_a_sequence():
    layers = [Linear(2, 3, rng=0), ReLU(), Linear(3, 1, rng=1)]
    model = Sequential(*layers)
    assert list(model) == layers
    assert len(model) == 3
    assert model[-1] is layers[-1]
    assert model[:2][0] is layers[0]
    assert isinstance(model[1:], Sequential)
    assert list(Sequential(layers)) == layers
    x = np.ones((1, 2), dtype=np.float32)
    assert np.array_equal(model[2:](model[:2](x)).data, model(x).data)
    assert Sequential()(x) is x
    with pytest.raises(IndexError, match="there is no layer 3; it has 3"):
        model[3]
    with pytest.raises(TypeError, match=r"layer 0 is the class ReLU; make one: ReLU\(\)"):
        Sequential(ReLU)
    with pytest.raises(TypeError, match="layer 1 is a int"):
        Sequential(ReLU(), 3)
