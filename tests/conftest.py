import numpy as np
import pytest

from tests.blocks import SEED

collect_ignore = ["typing"]  # code for type checkers, some of it wrong


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)
