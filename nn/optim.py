"""Optimizers, and limits on gradients.  The code is in :mod:`nn.training.optim`."""

from .training.optim import *  # noqa: F403
