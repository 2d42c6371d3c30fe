"""Named arrays in a file, in the safetensors format.  The code is in :mod:`nn.io.safetensors`."""

from .io.safetensors import *  # noqa: F403
