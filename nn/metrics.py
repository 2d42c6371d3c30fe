"""How good predictions are, as plain numbers: of classes, of scores, and of numbers.

The code is in :mod:`nn.training.metrics`, :mod:`nn.training.ranking` and :mod:`nn.training.regression`.
"""

from .training.metrics import *  # noqa: F403
from .training.ranking import *  # noqa: F403
from .training.regression import *  # noqa: F403
