"""A program as a function of ``jax.numpy``, for XLA: a GPU, a TPU, a mesh of many devices."""

from .function import JaxFunction as JaxFunction
from .function import converted as converted
