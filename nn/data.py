"""Batches and splits of arrays of examples.  The code stands in :mod:`nn.training.data`."""

from .training.data import *  # noqa: F403
