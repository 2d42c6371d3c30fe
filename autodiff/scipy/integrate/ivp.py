"""solve_ivp: SciPy's initial value problems, with derivatives by all that a solution depends on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import integrate
from scipy.optimize import OptimizeResult

from ...tensor import Tensor, value_of
from .dense import OdeSolution, event_time, position
from .field import Field, State, array_of
from .marching import SOLVERS, March, Root
from .solved import Solved
from .tableaus import tableau

Array = Any
CHECKPOINTS = 100
"""States that are kept, or twice as many."""

MESSAGES = {
    0: "The solver successfully reached the end of the integration interval.",
    1: "A termination event occurred.",
}
_OPTIONS = ("rtol", "atol", "max_step", "first_step", "min_step", "jac", "jac_sparsity", "lband", "uband")


class OdeResult(OptimizeResult):  # type: ignore[misc]  # SciPy is not typed
    """What :func:`solve_ivp` found, under the names of ``scipy.integrate.solve_ivp``."""


def solve_ivp(
    fun: Callable[..., Any],
    t_span: Sequence[Any],
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    *,
    adjoint: str = "discrete",
    checkpoints: int = CHECKPOINTS,
    adjoint_rtol: float | None = None,
    adjoint_atol: Any = None,
    **options: Any,
) -> OdeResult:
    """Solve dy/dt = f(t, y, *args), y(t0) = y0, a vector of n numbers, by SciPy's own solver, with derivatives.

    Arguments, options and result are those of ``scipy.integrate.solve_ivp``.  ``y``, shape (n, times), ``t_events``,
    ``y_events`` and ``sol`` are Tensors if ``y0``, ``args``, a time, or a Tensor that a function closes over is one.
    Methods are those of SciPy and "Tsit5".  The steps of RK23, RK45, Tsit5, DOP853 and Radau (stiff) have derivatives;
    with BDF and LSODA the adjoint is the continuous one.

    ``adjoint="discrete"`` is the exact derivative of the steps that were taken, whose sizes are constants; it keeps at
    most ``2 * checkpoints`` states, and can be differentiated again.  ``"continuous"`` solves the adjoint equation
    backward with tolerances ``adjoint_rtol`` and ``adjoint_atol`` (by default those of the solution), in constant
    memory; its error is that of both passes.  The time of an event follows from event(t, y(t)) = 0.

    Raises TypeError and ValueError for arguments that do not fit, CaptureError inside of ``capture``: the number of
    steps depends on values, so ``jit`` calls the function itself.  A failure is told by ``status`` and ``message``.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> from autodiff.scipy import integrate
    >>> def last(k):
    ...     return integrate.solve_ivp(lambda t, y: -k * y, (0.0, 1.0), np.ones(1), rtol=1e-9, atol=1e-12).y[0, -1]
    >>> f"{grad(last)(1.0):.6f}"  # the derivative of exp(-k)
    '-0.367879'
    """
    if vectorized:
        raise TypeError("solve_ivp: vectorized=True has no counterpart here; leave it out")
    check("solve_ivp", adjoint, checkpoints, options)
    method = named(method)
    try:
        args = () if args is None else tuple(args)
    except TypeError:
        raise TypeError(
            f"Supplied 'args' cannot be unpacked. Please supply `args` as a tuple (e.g. `args=({args},)`)"
        ) from None
    if np.ndim(value_of(y0)) != 1:
        raise ValueError("`y0` must be 1-dimensional.")
    t0, t1 = t_span
    span = (float(array_of(t0, "solve_ivp")), float(array_of(t1, "solve_ivp")))
    if span[0] != span[0] or span[1] != span[1]:
        raise ValueError(f"solve_ivp: t_span is {span}; the solution has a first and a last time")
    state = State(y0, "solve_ivp")
    field = Field(fun, args, state, "solve_ivp")
    wanted = None if t_eval is None else _times(t_eval, *span)
    functions = None if events is None else [events] if callable(events) else list(events)
    if callable(options.get("jac")):
        jac = options["jac"]
        options["jac"] = lambda t, y: array_of(jac(t, y, *field.rebuilt()), "solve_ivp")
    march = March(
        field, array_of(state.flat, "solve_ivp"), span, method, wanted, functions, dense_output, checkpoints, options
    )
    times = _shown_times(march, t0, t1, t_eval)
    start = t0 if isinstance(t0, Tensor) else span[0]
    if not is_involved(field, state.flat, start, times):
        return _result(march, *_plain(march, dense_output))
    check_steps(method, adjoint, dense_output, functions)
    tolerances = {
        "rtol": adjoint_rtol or options.get("rtol", 1e-3),
        "atol": _first(adjoint_atol, options.get("atol", 1e-6)),
    }
    solved = Solved(march, state.flat, start, times, adjoint, tolerances)
    return _result(march, *_recorded(solved, functions, dense_output, times, args))


def is_involved(field: Field, *given: Any) -> bool:
    """Whether the solution depends on a variable."""
    if not field.follows:
        return False
    active = any(isinstance(value, Tensor) and value._node.active for value in given)
    return active or bool(field.active) or bool(field.closed)


def _first(given: Any, otherwise: Any) -> Any:
    given = otherwise if given is None else given
    if np.ndim(given):
        raise ValueError(
            "solve_ivp: the continuous adjoint has more components than y; give adjoint_atol as one number"
        )
    return given


def check(who: str, adjoint: str, checkpoints: Any, options: dict[str, Any]) -> None:
    """Raise the error for a way to differentiate, or an option, that there is not."""
    from ...program.recorded import CaptureError
    from ...program.recording import is_recorded_now

    if is_recorded_now():
        raise CaptureError(
            f"{who}: the number of steps depends on values, and a program has one number; capture what is before "
            "and after the solution (the pullback of many steps is recorded by itself)"
        )
    if adjoint not in ("discrete", "continuous"):
        raise ValueError(f"{who}: adjoint is 'discrete' or 'continuous', got {adjoint!r}")
    if isinstance(checkpoints, bool) or not isinstance(checkpoints, int) or checkpoints < 2:
        raise ValueError(f"{who}: checkpoints is a number of states, 2 or more, got {checkpoints!r}")
    for name in options:
        if name not in _OPTIONS:
            raise TypeError(f"{who}: no option is called {name!r}; there are {', '.join(_OPTIONS)}")


def check_steps(method: str, adjoint: str, dense: bool, events: Any) -> None:
    """Raise ValueError for steps without a derivative, TypeError for what the continuous adjoint leaves out."""
    if adjoint == "discrete":
        tableau(method)
    if adjoint == "continuous" and (dense or events):
        raise TypeError(
            "solve_ivp: the continuous adjoint keeps no steps, so it has no derivative of events or of dense output; "
            "write adjoint='discrete', or t_eval for the times that are needed"
        )


def named(method: Any) -> str:
    """The name of a method, given by name or as SciPy's class."""
    for name, solver in SOLVERS.items():
        if method is solver or method == name:
            return name
    raise ValueError(f"`method` must be one of {', '.join(SOLVERS)}, got {method!r}")


def _times(t_eval: Any, t0: float, t1: float) -> Array:
    """The times of the outputs, checked as SciPy checks them."""
    wanted = np.asarray(array_of(t_eval, "solve_ivp"), float)
    if wanted.ndim != 1:
        raise ValueError("`t_eval` must be 1-dimensional.")
    if np.any(wanted < min(t0, t1)) or np.any(wanted > max(t0, t1)):
        raise ValueError("Values in `t_eval` are not within `t_span`.")
    d = np.diff(wanted)
    if (t1 > t0 and np.any(d <= 0)) or (t1 < t0 and np.any(d >= 0)):
        raise ValueError("Values in `t_eval` are not properly sorted.")
    return wanted


def _shown_times(march: March, t0: Any, t1: Any, t_eval: Any) -> Any:
    """The times of the outputs: Tensors where they were given as Tensors."""
    count = len(march.times)
    if t_eval is not None:
        return t_eval[:count] if isinstance(t_eval, Tensor) else np.array(march.times)
    ends = isinstance(t1, Tensor) and march.status == 0 and count > 1
    if not isinstance(t0, Tensor) and not ends:
        return np.array(march.times)
    first = [np.reshape(t0, (1,))] if isinstance(t0, Tensor) else []
    last = [np.reshape(t1, (1,))] if ends else []
    return np.concatenate([*first, np.array(march.times[len(first) : count - len(last)]), *last])


Found = tuple[Any, Any, Any, Any, Any]


def _plain(march: March, dense: bool) -> Found:
    """Times, values, times and values of events, and the solution, as arrays."""
    times, values = list(march.times), list(march.values)
    events = march.events
    t_events = y_events = solution = None
    if events is not None:
        roots = [[r for r in events.roots if r.event == i] for i in range(len(events.functions))]
        t_events = [np.array([r.t for r in of]) for of in roots]
        y_events = [np.array([r.y for r in of]) for of in roots]
    if march.terminal is not None and march.wanted is None:
        times.append(march.terminal.t)
        values.append(march.terminal.y)
    if dense:
        solution = integrate.OdeSolution(_knots(march), [f.polynomial for f in march.frames])
    n = march.trace.states[0].size
    return np.array(times), np.array(values).reshape(len(values), n).T, t_events, y_events, solution


def _knots(march: March) -> list[float]:
    knots = list(march.trace.times)
    if march.terminal is not None:
        knots[-1] = march.terminal.t
    return knots


def _recorded(solved: Solved, functions: Any, dense: bool, times: Any, args: tuple[Any, ...]) -> Found:
    """The same as Tensors."""
    march = solved.march
    values, *whole = solved.outputs()
    solution = t_events = y_events = None
    if whole:
        states, stages = whole
        solution = OdeSolution(solved, states, stages, _knots(march))
    if march.events is not None:
        t_events, y_events = [], []
        for i, function in enumerate(functions):
            roots = [_event(solved, solution, r, function, args) for r in march.events.roots if r.event == i]
            t_events.append(np.stack([t for t, _ in roots]) if roots else np.zeros(0))
            y_events.append(np.stack([y for _, y in roots]) if roots else np.zeros(0))
            if roots and march.terminal is not None and march.terminal.event == i and march.wanted is None:
                t, y = roots[-1]
                times = np.concatenate([times, np.reshape(t, (1,))])
                values = np.concatenate([values, np.reshape(y, (1, -1))])
    return times, np.transpose(values), t_events, y_events, solution if dense else None


def _event(solved: Solved, solution: Any, root: Root, function: Any, args: tuple[Any, ...]) -> tuple[Any, Any]:
    """The time of an event, and the state then."""
    k = position(solved.frames, root.frame)
    t = event_time(solution, k, root.t, lambda t, y: function(t, y, *args))
    return t, solution.at(t, k)


def _result(march: March, t: Any, y: Any, t_events: Any, y_events: Any, solution: Any) -> OdeResult:
    solver, status = march.solver, march.status
    return OdeResult(
        t=t, y=y, sol=solution, t_events=t_events, y_events=y_events, nfev=solver.nfev, njev=solver.njev,
        nlu=solver.nlu, status=status, message=march.message or MESSAGES[status or 0], success=status != -1,
    )  # fmt: skip
