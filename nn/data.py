"""Batches, splits and files of examples.

The code is in :mod:`nn.training.data`, :mod:`nn.training.loader` and :mod:`nn.training.array_files`.
"""

from .training.array_files import *  # noqa: F403
from .training.data import *  # noqa: F403
from .training.loader import *  # noqa: F403
