"""Initial values of parameters.  The code stands in :mod:`nn.layers.init`."""

from .layers.init import *  # noqa: F403
