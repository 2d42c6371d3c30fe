"""What a program runs in."""

from __future__ import annotations

NUMPY, C, AUTO = "numpy", "c", "auto"
"""NumPy, to the last bit; C where it can; C where it can and is faster."""


def check_backend(backend: str) -> None:
    """Raise ValueError if there is no such backend."""
    if backend not in (NUMPY, C, AUTO):
        raise ValueError(f"program: there is no backend {backend!r}; it is 'numpy', 'c' or 'auto'")
