"""Schedules of the learning rate.  The code is in :mod:`nn.training.schedule`, ``cycle`` and ``plateau``."""

from .training.cycle import *  # noqa: F403
from .training.plateau import *  # noqa: F403
from .training.schedule import *  # noqa: F403
