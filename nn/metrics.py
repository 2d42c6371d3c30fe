"""How good predictions are, as plain numbers.  The code is in :mod:`nn.training.metrics`."""

from .training.metrics import *  # noqa: F403
