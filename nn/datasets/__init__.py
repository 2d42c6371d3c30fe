"""Handwritten digits: a small set that comes with the package, and MNIST from its original files."""

from .idx import DamagedFileError, read_idx
from .nist import mnist
from .uci import digits

__all__ = ["DamagedFileError", "digits", "mnist", "read_idx"]
