"""Arrays of examples: the class, and NumPy's functions on all examples at once."""

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
