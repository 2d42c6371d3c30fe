"""Handwritten digits, a small set that comes with the package and MNIST from its original files; and two half moons."""

from .idx import DamagedFileError, read_idx
from .moons import moons
from .nist import mnist
from .uci import digits

__all__ = ["DamagedFileError", "digits", "mnist", "moons", "read_idx"]
