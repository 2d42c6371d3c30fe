import numpy as np
import pytest

from autodiff.dispatch import restored

collect_ignore = ["typing"]  # code for type checkers, some of it wrong


@pytest.fixture
def rng():
    return np.random.default_rng(20240717)


@pytest.fixture
def own_primitives():
    """Whatever a test registers is gone after it: the table's own tests find only what is theirs."""
    with restored():
        yield
