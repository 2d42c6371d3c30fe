"""Batches and splits of arrays of examples.  The code is in :mod:`nn.training.data`."""

from .training.data import *  # noqa: F403
