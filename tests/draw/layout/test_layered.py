"""Layers: distances, and the order of arrows."""

import itertools

import numpy as np
import pytest

from autodiff.draw.layout.layered import place


def test_layers_keep_distances_and_the_order_of_arrows(rng):
    n = 60
    arrows = sorted({(int(a), int(b)) for a, b in np.sort(rng.integers(0, n, (90, 2)), axis=1) if a < b})
    sizes = rng.uniform(20, 90, n).tolist(), rng.uniform(15, 40, n).tolist()
    placed = place(*sizes, [(a, b, 0.0, 0.0) for a, b in arrows], set(), set())
    for a, b in arrows:
        assert placed.y[a] + sizes[1][a] < placed.y[b]
    for route, (a, b) in zip(placed.routes, arrows, strict=True):
        assert route[0] == (pytest.approx(placed.x[a]), pytest.approx(placed.y[a] + sizes[1][a]))
        assert route[-1] == (pytest.approx(placed.x[b]), pytest.approx(placed.y[b]))
        assert all(q[1] >= p[1] for p, q in itertools.pairwise(route))
