"""Optimizers, and limits on gradients.  The code stands in :mod:`nn.training.optim`."""

from .training.optim import *  # noqa: F403
