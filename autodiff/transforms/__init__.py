"""Functions that turn a function into its derivatives.  Nothing is mutated."""

from .gradients import grad as grad
from .gradients import value_and_grad as value_and_grad
from .gradients import vjp as vjp
