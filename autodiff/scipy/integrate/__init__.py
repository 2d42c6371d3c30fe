"""Functions of ``scipy.integrate`` with derivatives: solutions of ordinary differential equations.

SciPy takes the steps.  The derivative is an adjoint: discrete (of the steps), or continuous (of the equation).
"""

from __future__ import annotations

from .ivp import OdeResult, solve_ivp
from .odeint import odeint

__all__ = ["OdeResult", "odeint", "solve_ivp"]
