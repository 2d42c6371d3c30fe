"""Schedules of the learning rate.  The code is in :mod:`nn.training.schedule`."""

from .training.schedule import *  # noqa: F403
