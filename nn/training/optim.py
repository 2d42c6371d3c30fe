"""Optimizers: they change parameters by their gradients.

Each update notes calls of NumPy's ufuncs, which write in place, so no large array is allocated.  A step makes the calls
of all updates as one unit: after an interruption, the parameters are either as before or as after the step.  The
formulas, their names and defaults are those of PyTorch.

To add one, write its class, a constructor with its options and the formula ``change``, and put its name into
``__all__``: groups, schedules, saved states and ``pullback train`` know it then.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from .adaptive import Adadelta, Adagrad, Adam, AdamW, NAdam, RMSprop
from .clipping import clip_grad_norm_, clip_grad_value_
from .descent import SGD, Lion, Muon
from .ema import EMA
from .groups import Group
from .joint import Joint
from .lbfgs import LBFGS
from .optimizer import Optimizer

__all__ = [
    "EMA",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Group",
    "Joint",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm_",
    "clip_grad_value_",
]

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "momentum": functools.partial(SGD, momentum=0.9),
    **{
        name.lower(): kind
        for name, kind in list(globals().items())
        if isinstance(kind, type) and issubclass(kind, Optimizer) and kind.for_any_model and kind is not Optimizer
    },
}
"""Every optimizer for any model under its name in small letters, with its defaults."""
