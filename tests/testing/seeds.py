"""How many seeds a statement about gradcheck is tried with."""

from __future__ import annotations

from hypothesis import settings


def seeds(most: int) -> range:
    """A third of them in the shared run, all of them with ``--hypothesis-profile=deep``."""
    return range(most if settings.default.max_examples > 100 else -(-most // 3))
