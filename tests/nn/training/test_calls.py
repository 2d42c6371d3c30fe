"""Calls that are noted, made in one piece or on the side."""

import numpy as np

from nn.training.calls import Calls


def test_calls_on_the_side_are_those_in_place():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    calls = Calls()
    calls.room = np.empty(2)
    calls += (np.multiply, x, y, calls.room), (np.add, calls.room, x, x), (np.subtract, y, x, y)
    aside = calls.results(x, y)
    assert x.tolist() == [1.0, 2.0]
    calls.perform()
    assert aside[0].tolist() == x.tolist() == [4.0, 10.0]
    assert aside[1].tolist() == y.tolist() == [-1.0, -6.0]
    assert np.geterr()["over"] == "warn"
