"""What a server counts, as a text that Prometheus reads.

Source: Prometheus, "Exposition formats", text format 0.0.4.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

FORMAT = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """How many values are at most as large as each bound, how many there are, and their sum.

    >>> found = Histogram("seconds", "How long it took.", (0.1, 1.0))
    >>> found.add(0.5), found.add(0.05)
    (None, None)
    >>> print("\\n".join(found.lines()))
    # HELP seconds How long it took.
    # TYPE seconds histogram
    seconds_bucket{le="0.1"} 1
    seconds_bucket{le="1"} 2
    seconds_bucket{le="+Inf"} 2
    seconds_sum 0.55
    seconds_count 2
    """

    def __init__(self, name: str, what: str, bounds: Sequence[float]) -> None:
        self.name, self.what, self.bounds = name, what, bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def lines(self) -> Iterator[str]:
        """It as text."""
        yield from _head(self.name, self.what, "histogram")
        bounds = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        for bound, count in zip(bounds, itertools.accumulate(self.counts), strict=True):
            yield f'{self.name}_bucket{{le="{bound}"}} {count}'
        yield f"{self.name}_sum {self.total:.10g}"
        yield f"{self.name}_count {sum(self.counts)}"


class Measures:
    """What is counted of requests for predictions, and of passes through the model."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        """Requests by the status of their answer."""
        self.waiting = 0
        """Requests that were let in and are not answered yet."""
        self._seconds = Histogram(
            "pullback_request_seconds", "Time of requests for predictions that were answered with 200.", SECONDS
        )
        self._passes = Histogram("pullback_pass_seconds", "Time of a pass through the model.", SECONDS)
        self._sizes = Histogram("pullback_pass_examples", "Examples that went through the model in one pass.", SIZES)

    def answered(self, status: int, seconds: float) -> None:
        """A request for predictions was answered."""
        self.answers[status] += 1
        if status == 200:
            self._seconds.add(seconds)

    def passed(self, examples: int, seconds: float) -> None:
        """Some examples went through the model."""
        self._sizes.add(examples)
        self._passes.add(seconds)

    def text(self) -> str:
        """All as text."""
        name = "pullback_requests_total"
        lines = [*_head(name, "Requests for predictions, by the status of the answer.", "counter")]
        lines += [f'{name}{{status="{status}"}} {count}' for status, count in sorted(self.answers.items())]
        name = "pullback_waiting_requests"
        lines += [*_head(name, "Requests that are not answered yet.", "gauge"), f"{name} {self.waiting}"]
        for histogram in (self._seconds, self._sizes, self._passes):
            lines += histogram.lines()
        return "\n".join(lines) + "\n"


def _head(name: str, what: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {what}"
    yield f"# TYPE {name} {kind}"
