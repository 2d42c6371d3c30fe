"""Arrays of many examples: what one looks like, and how NumPy computes on all of them at once."""

from .array import Batched, BatchingError, Level, RaggedError, innermost, is_of, spread

__all__ = [
    "Batched",
    "BatchingError",
    "Level",
    "RaggedError",
    "innermost",
    "is_of",
    "spread",
]
