import numpy as np
import pytest

from autodiff import Tensor
from autodiff.primitive import registry

collect_ignore = ["typing"]  # code for type checkers, some of it wrong


@pytest.fixture
def rng():
    return np.random.default_rng(20240717)


@pytest.fixture
def own_primitives():
    """Whatever a test registers is gone after it: the table's own tests find only what is theirs."""
    before, methods = set(registry), set(vars(Tensor))
    yield
    for function in set(registry) - before:
        del registry[function]
    for method in set(vars(Tensor)) - methods:
        delattr(Tensor, method)
