"""How good predictions are, as plain numbers.  The code stands in :mod:`nn.training.metrics`."""

from .training.metrics import *  # noqa: F403
