"""Callbacks of a training, and the state that they see.  The code is in :mod:`nn.training.callbacks`."""

from .training.callbacks import *  # noqa: F403
from .training.checkpoint import *  # noqa: F403
from .training.displays import *  # noqa: F403
from .training.loggers import *  # noqa: F403
from .training.run import *  # noqa: F403
from .training.stopping import *  # noqa: F403
