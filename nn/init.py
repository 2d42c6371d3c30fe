"""Initial values of parameters.  The code is in :mod:`nn.layers.init`."""

from .layers.init import *  # noqa: F403
