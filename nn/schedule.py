"""Schedules of the learning rate.  The code stands in :mod:`nn.training.schedule`."""

from .training.schedule import *  # noqa: F403
