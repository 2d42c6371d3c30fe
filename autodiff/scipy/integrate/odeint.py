"""odeint: the solution of an equation at given times, for any nesting of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...tensor import Tensor, value_of
from .field import Field, State, array_of
from .ivp import CHECKPOINTS, check, check_steps, is_involved, named
from .marching import March
from .solved import Solved
from .tableaus import tabled

Array = Any
MOST = 100_000
"""Steps between two outputs, if ``mxstep`` does not say how many."""

_REFUSED = {
    "Dfun": "derivatives are found by themselves; leave it out",
    "col_deriv": "leave it out",
    "full_output": "write solve_ivp, whose result has the counts",
    "ml": "write solve_ivp(method='LSODA', lband=) for values",
    "mu": "write solve_ivp(method='LSODA', uband=) for values",
    "tcrit": "solve from one critical time to the next",
    "hmin": "leave it out: a step too small to be taken is an error",
    "ixpr": "leave it out",
    "mxhnil": "leave it out",
    "mxordn": "write method='DOP853' or 'RK45' for an order",
    "mxords": "write method='Radau' for a stiff equation",
    "printmessg": "leave it out: a failure is an error",
}


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    *,
    rtol: float | None = None,
    atol: Any = None,
    h0: float = 0.0,
    hmax: float = 0.0,
    mxstep: int = 0,
    tfirst: bool = False,
    method: str = "DOP853",
    adjoint: str = "discrete",
    checkpoints: int = CHECKPOINTS,
    adjoint_rtol: float | None = None,
    adjoint_atol: float | None = None,
    **other: Any,
) -> Any:
    """The solution of dy/dt = func(y, t, *args), y(t[0]) = y0, at the times ``t``, which ascend or descend.

    As ``scipy.integrate.odeint``: an array whose first axis are the times; a number ``y0`` is a vector of one.  ``y0``
    may also be an array of any shape or a nesting of arrays, as for ``jax.experimental.ode.odeint``; so are the state
    that ``func`` gets, what it returns, and the result, whose leaves have one axis more.  ``method`` is one of
    :func:`solve_ivp`: "Radau" for stiff equations.  ``rtol`` and ``atol`` are 1.49e-8 by default, ``mxstep`` is the
    greatest number of steps between two outputs.  The adjoints are those of :func:`solve_ivp`.

    Raises RuntimeError if the equation cannot be solved up to the last time.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import integrate
    >>> def last(k):
    ...     return integrate.odeint(lambda y, t, k: -k * y, np.ones(1), np.array([0.0, 1.0]), (k,))[-1, 0]
    >>> f"{grad(last)(2.0):.6f}"  # the derivative of exp(-k)
    '-0.135335'
    """
    for name in other:
        raise TypeError(f"odeint: {name!r} has no counterpart here; {_REFUSED.get(name, 'see its signature')}")
    check("odeint", adjoint, checkpoints, {})
    method = named(method)
    args = args if isinstance(args, tuple) else (args,)
    times = np.asarray(array_of(t, "odeint"), float)
    _check_times(times)
    if isinstance(y0, float | int | complex | np.generic) or (np.ndim(value_of(y0)) == 0 and hasattr(y0, "shape")):
        y0 = np.reshape(y0, (1,))
    elif isinstance(y0, list) and all(
        np.ndim(value_of(leaf)) == 0 for leaf in y0
    ):  # a list of numbers, as SciPy takes it
        y0 = np.stack([leaf if isinstance(leaf, Tensor) else float(leaf) for leaf in y0]) if y0 else np.zeros(0)
    state = State(y0, "odeint")
    call = func if tfirst else lambda t, y, *args: func(y, t, *args)
    field = Field(call, args, state, "odeint")
    if not times.size:
        return state.unpacked(np.zeros((0, state.flat.shape[0]), state.dtype), (0,))
    options: dict[str, Any] = {
        "rtol": 1.49012e-8 if rtol is None else rtol,
        "atol": 1.49012e-8 if atol is None else atol,
    }
    tolerances = {
        "rtol": adjoint_rtol or options["rtol"],
        "atol": np.max(options["atol"]) if adjoint_atol is None else adjoint_atol,
    }
    options |= {name: value for name, value in (("first_step", h0), ("max_step", hmax)) if value}
    span = (float(times[0]), float(times[-1]))
    if span[0] == span[1]:
        march: Any = Still(field, array_of(state.flat, "odeint"), times, method)
    else:
        march = March(
            field,
            array_of(state.flat, "odeint"),
            span,
            method,
            times,
            None,
            False,
            checkpoints,
            options,
            mxstep or MOST,
        )
    if march.status:
        raise RuntimeError(
            f"odeint: the solution stopped at t = {march.trace.times[-1]:g} before t = {times[-1]:g}: {march.message}; "
            "is the right side finite there? For a stiff equation write method='Radau'"
        )
    first = t[0] if isinstance(t, Tensor) else span[0]
    if not is_involved(field, state.flat, first):
        values = np.stack(march.values)
    else:
        check_steps(method, adjoint, False, None)
        (values,) = Solved(
            march, state.flat, first, t if isinstance(t, Tensor) else times, adjoint, tolerances
        ).outputs()
    return state.unpacked(values, (len(times),))


def _check_times(times: Array) -> None:
    if times.ndim != 1:
        raise ValueError(f"odeint: t is a vector of times, got the shape {times.shape}")
    d = np.diff(times)
    if not np.all(np.isfinite(times)) or not (np.all(d >= 0) or np.all(d <= 0)):
        raise ValueError("odeint: t must ascend or descend, from the time of y0 to the last output")


class Still(March):
    """A solution that does not move: all times are the same."""

    def __init__(self, field: Field, y0: Array, times: Array, method: str) -> None:
        from .discrete import Tap, Trace

        field.plain(float(times[0]), y0)
        self.field, self.status = field, 0
        self.name, self.method = method, tabled(method)
        self.trace = Trace(float(times[0]), np.array(y0), 2, self.method is not None and self.method.implicit)
        self.times, self.frames = times.tolist(), []
        self.values, self.taps = [y0] * len(times), [Tap(0, 0.0)] * len(times)
