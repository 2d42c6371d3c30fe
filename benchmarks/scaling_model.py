"""What a training step in many processes costs: a small model of latency, bandwidth and compute.

A link is what one process sends by: each message costs ``latency`` seconds and 1 / ``bandwidth`` seconds a byte.  The
sum of b bytes over n processes takes the least of three ways (R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of
collective communication operations in MPICH", 2005), L and B the latency and the bandwidth:

    recursive doubling   ceil(log2 n) (L + b / B)
    Rabenseifner         2 ceil(log2 n) L + 2 (n - 1) / n b / B
    ring                 2 (n - 1) L + 2 (n - 1) / n b / B

A step computes for a time C.  Bucket i is known at the share r_i of it, and begins to be sent then or when the one
before it has been.  The step ends when the last bucket has come, and one more sum of a few bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Link(NamedTuple):
    """What a message costs: seconds by itself, and bytes a second."""

    latency: float
    bandwidth: float

    def allreduce(self, n: int, size: float) -> float:
        """Seconds until n processes have the sum of ``size`` bytes each."""
        if n == 1:
            return 0.0
        rounds, share = math.ceil(math.log2(n)), 2 * (n - 1) / n
        doubling = rounds * (self.latency + size / self.bandwidth)
        halving = 2 * rounds * self.latency + share * size / self.bandwidth
        ring = 2 * (n - 1) * self.latency + share * size / self.bandwidth
        return min(doubling, halving, ring)


class Bucket(NamedTuple):
    """When its gradients are known, as a share of the step's compute, and how many bytes it has."""

    ready: float
    size: float


SMALL = 80
"""Bytes of the sum that decides: the loss, the number of examples, who has gradients."""


def step(link: Link, n: int, compute: float, buckets: Sequence[Bucket], *, overlap: bool = True) -> float:
    """Seconds of a step of n processes, each of which computes for ``compute`` seconds."""
    end = 0.0
    for bucket in buckets:
        start = max(end, compute * (bucket.ready if overlap else 1.0))
        end = start + link.allreduce(n, bucket.size)
    return max(compute, end) + link.allreduce(n, SMALL)


def fitted(measured: Sequence[tuple[int, float, float]]) -> Link:
    """The link that explains measured sums (processes, bytes, seconds): the least sum of squared logarithms."""

    def fault(link: Link) -> float:
        return sum(math.log(link.allreduce(n, size) / seconds) ** 2 for n, size, seconds in measured)

    best = Link(1e-5, 1e9)
    width = 4.0
    while width > 1.001:  # a search on a grid that becomes finer
        scales = [width**k for k in (-2, -1, 0, 1, 2)]
        best = min((Link(best.latency * a, best.bandwidth * b) for a in scales for b in scales), key=fault)
        width = width**0.75
    return best
