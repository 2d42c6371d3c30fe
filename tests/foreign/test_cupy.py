"""CuPy arrays inside of Tensors, where CuPy and a device for it are there; elsewhere this file has no tests."""

from __future__ import annotations

import importlib
import importlib.util

import numpy as np
import pytest

from tests.foreign.contract import ENTRIES, check, train
from tests.foreign.test_strict import ASKING, DECIDING

if importlib.util.find_spec("cupy") is not None:
    cupy = importlib.import_module("cupy")

    def from_cupy(array):
        return np.asarray(array.get())

    @pytest.mark.parametrize("entry", [e for e in ENTRIES if e.function not in ASKING], ids=lambda e: e.name)
    def test_value_gradient_and_second_order(entry, rng):
        check(entry, (cupy.asarray, from_cupy), rng, constants=entry.name not in DECIDING)

    def test_steps_of_training(rng):
        train((cupy.asarray, from_cupy), rng)
