"""Functions of ``scipy.integrate`` with derivatives: solutions of ordinary differential equations, and integrals.

SciPy takes the steps.  The derivative is an adjoint: discrete (of the steps), or continuous (of the equation).
"""

from __future__ import annotations

from ...primitive import lasting
from .ivp import OdeResult, solve_ivp
from .odeint import odeint
from .tsit5 import Tsit5

with lasting():
    from .quadrature import cumulative_trapezoid, quad, simpson, trapezoid

__all__ = ["OdeResult", "Tsit5", "cumulative_trapezoid", "odeint", "quad", "simpson", "solve_ivp", "trapezoid"]
