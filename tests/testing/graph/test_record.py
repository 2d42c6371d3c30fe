"""record: it changes nothing, and what it keeps goes with the graph."""

from __future__ import annotations

import gc

import numpy as np

from autodiff import Tensor
from autodiff.testing import record
from autodiff.testing.graph.record import records


def test_records_die_with_their_graph():
    gc.collect()
    before = len(records)
    with record():
        loss = np.sum(np.exp(Tensor([1.0])))
    assert len(records) == before + 2
    del loss
    assert len(records) == before


def test_recording_changes_nothing():
    def step():
        x = Tensor([0.5, 1.0])
        loss = np.sum(np.exp(x) * x)
        loss.backward()
        return loss.item(), x.grad

    plain = step()
    with record():
        value, gradient = step()
    assert value == plain[0]
    assert gradient.tolist() == plain[1].tolist()
