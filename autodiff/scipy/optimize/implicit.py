"""Solutions that were found by any means, as Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .layout import Layout
from .objective import Function
from .solutions import solution
from .systems import condition_of


def implicit(
    equations: Callable[..., Any],
    x: Any,
    args: Any = (),
    *,
    symmetric: bool = False,
    solve: str = "auto",
    unconverged: str = "refuse",
) -> Any:
    """``x``, which solves ``equations(x, *args) = 0``, as a function of the Tensors that the equations depend on.

    dx/dp = -(dF/dx)^-1 dF/dp.  ``x`` is any nesting of arrays, found by any means; the equations return as many
    numbers, in any nesting.  ``symmetric`` says that dF/dx is symmetric, as that of a gradient is: conjugate gradients
    are tried then.  ``solve`` and ``unconverged`` are those of :func:`minimize`.  Without Tensors ``x`` is returned in
    its own dtypes.  (Blondel et al., "Efficient and modular implicit differentiation", 2022.)

    >>> from autodiff import grad
    >>> from autodiff.scipy.optimize import implicit
    >>> def sqrt(a):
    ...     x = 1.0
    ...     for _ in range(20):
    ...         x = 0.5 * (x + getattr(a, "data", a) / x)
    ...     return implicit(lambda x: x**2 - a, x)
    >>> round(grad(sqrt)(4.0), 6)
    0.25
    """
    args = args if isinstance(args, tuple) else (args,)
    layout = Layout(x, "implicit")
    function = Function("implicit", equations, layout, args)
    condition = condition_of("implicit", solve, unconverged)._replace(symmetric=symmetric)
    return layout.result(solution(function.vector, layout.start, "implicit", condition))
