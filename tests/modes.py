"""Every mode of the library, as a way to do something in it."""

from __future__ import annotations

import numpy as np

from autodiff import Tensor, no_grad, vmap
from autodiff.draw.capture.names import Names
from autodiff.draw.capture.tracer import Tracer
from autodiff.mode import current, entered, unwatched
from autodiff.scipy.optimize.solutions import _Seen
from autodiff.testing import detect_anomaly, detect_upcast, record
from autodiff.testing.rounding.first_order import _Results
from autodiff.testing.rounding.monte_carlo import _Moving
from autodiff.testing.tracing.backward import _Watched
from autodiff.testing.tracing.replay import _Log
from autodiff.testing.tracing.trace import Trace
from autodiff.transforms.mapping import _Mapping
from autodiff.unrecorded import Unrecorded


class Seen(Trace):
    """The names of the operations that it saw."""

    def __init__(self):
        super().__init__()
        self.names = []

    def saw(self, primitive, args, kwargs, result):
        self.names.append(primitive.name)


def within(make, around=current):
    """A function that calls another one inside of a new mode."""

    def run(function):
        with entered(around()), make():
            return function()

    return run


def mapped(function):
    """A call inside of a mapping over two examples."""
    made = []

    def once(one):
        made.append(function())
        return made[0] if isinstance(made[0], Tensor | np.ndarray | float) else one

    results = vmap(once)(np.zeros(2))
    return made[0] if results.shape == (2,) and not isinstance(made[0], Tensor | np.ndarray | float) else results[1]


def seen(function):
    """A call inside of the mode that looks for what the equation of a search depends on."""
    with entered(_Seen(0)):
        return function()


MAKERS = {
    no_grad: no_grad,
    record: record,
    detect_anomaly: detect_anomaly,
    detect_upcast: detect_upcast,
    Tracer: lambda: Tracer(Names(), values=True),
    _Log: _Log,
    _Results: _Results,
    _Moving: lambda: _Moving(0.0, np.random.default_rng(0), None),
    _Watched: lambda: _Watched(lambda rule, edge, g, saved: rule(g, *saved)),
}
"""How each mode of the library is made that is turned on by ``with``."""
MODES = {
    **{kind: within(make, unwatched if kind is _Moving else current) for kind, make in MAKERS.items()},
    _Mapping: lambda function: mapped(function),
    _Seen: seen,
}
"""How something is done in each mode of the library."""
BASES = {Trace, Unrecorded}
"""What modes are made from."""
HIDING = {no_grad, _Moving}
"""What a mode around does not see the operations of."""
