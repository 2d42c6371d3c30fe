"""Transforms: functions that take a function and return another.  Nothing is mutated."""

from .batching import BatchingError as BatchingError
from .branches import cond as cond
from .branches import switch as switch
from .checkpointing import checkpoint as checkpoint
from .gradients import grad as grad
from .gradients import value_and_grad as value_and_grad
from .gradients import vjp as vjp
from .jacobians import hessian as hessian
from .jacobians import jacobian as jacobian
from .loops import fori_loop as fori_loop
from .loops import scan as scan
from .loops import while_loop as while_loop
from .mapping import vmap as vmap
from .products import hvp as hvp
from .products import jvp as jvp
