"""``scipy.optimize`` with exact derivatives, for functions of any nesting of arrays, and with solutions as Tensors."""

from .fitting import curve_fit, least_squares
from .implicit import implicit
from .minimizing import minimize, minimize_scalar
from .roots import brentq, fixed_point, root, root_scalar

__all__ = [
    "brentq",
    "curve_fit",
    "fixed_point",
    "implicit",
    "least_squares",
    "minimize",
    "minimize_scalar",
    "root",
    "root_scalar",
]
