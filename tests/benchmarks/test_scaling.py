"""The model of what a step in many processes costs."""

import pytest

from benchmarks.scaling_model import SMALL, Bucket, Link, fitted, step


def test_a_sum_takes_the_least_of_three_ways():
    link = Link(1e-6, 1e9)
    assert link.allreduce(1, 1e6) == 0
    assert link.allreduce(8, 8) == pytest.approx(3 * (1e-6 + 8e-9))  # doubling: three rounds
    assert link.allreduce(8, 1e8) == pytest.approx(6e-6 + 2 * 7 / 8 * 0.1)  # in halves: fewer messages than the ring
    assert link.allreduce(2, 1e8) == pytest.approx(1e-6 + 0.1)


def test_what_is_known_early_is_hidden():
    link, buckets = Link(0.0, 1e9), [Bucket(0.5, 4e8), Bucket(1.0, 1e8)]
    small = link.allreduce(2, SMALL)
    assert step(link, 2, 1.0, buckets) == pytest.approx(1.1 + small)
    assert step(link, 2, 1.0, buckets, overlap=False) == pytest.approx(1.5 + small)
    assert step(link, 2, 0.1, buckets) == pytest.approx(0.55 + small)  # one after the other
    assert step(link, 1, 1.0, buckets) == 1.0


def test_the_link_that_fits_is_found():
    link = Link(3e-6, 5e9)
    found = fitted([(4, size, link.allreduce(4, size)) for size in (8, 1024, 1 << 17, 1 << 22)])
    assert found.latency == pytest.approx(link.latency, rel=0.01)
    assert found.bandwidth == pytest.approx(link.bandwidth, rel=0.01)
