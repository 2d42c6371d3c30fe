"""Changes of batches of images on their way into a training.  The code is in :mod:`nn.training.transforms`."""

from .training.transforms import *  # noqa: F403
