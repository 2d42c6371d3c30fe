"""scan, while_loop and fori_loop: loops that are one operation, with JAX's calling convention.

The steps are computed as a loop of Python would compute them.  What they recorded is one node of the graph, which
keeps the graph of the steps, or computes it again, a few steps at a time (``checkpoint``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..tensor import Tensor
from .calling import check_function
from .carries import Slices
from .checkpointing import generators_of
from .parts import Kind
from .repeating import Repeat
from .rollers import rollers
from .scanning import Counting, Scan

_SCAN, _FORI = Kind("scan"), Kind("fori_loop")


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    *,
    checkpoint: bool | int = False,
    rng: Any = (),
) -> tuple[Any, Any]:
    """A loop that carries a state along an axis: carry, y_t = f(carry, xs[t]); returns the last carry and all y_t.

    ``init`` is any nesting of arrays and numbers; ``f`` must return the carry in the same nesting, shapes and dtypes.
    ``xs`` is any nesting of arrays, which are sliced along their first axes; None for nothing, and then ``length`` is
    the number of steps.  The y_t, in any nesting, are stacked along a new first axis.  ``reverse`` goes from the last
    slice to the first, and the y_t stand where their slices did.  ``unroll`` is JAX's, and changes nothing.

    The loop is one node of the graph: derivatives by ``init``, by ``xs`` and by each Tensor that ``f`` closes over are
    found, to any order.  :func:`.capture` and :func:`.jit` record the steps as a loop.  It keeps what every step saves;
    with ``checkpoint=n`` it keeps the carry of every n-th step, and computes n steps again at a time in the backward
    pass; with ``checkpoint=True`` n is about the square root of the number of steps, the least memory.  ``rng`` names
    the generators that ``f`` draws from, as for :func:`.checkpoint`.

    Without steps the carry is ``init``, and the ys have length 0; ``f`` is called once with zeros for their shapes.
    An error in ``f`` names the step.  Raises TypeError for a carry of another form, ValueError for another nesting, and
    for arrays of different lengths.  After ``jax.lax.scan``.

    >>> import numpy as np
    >>> from autodiff import grad
    >>> def step(total, x):
    ...     return total + x**2, total
    >>> scan(step, 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(14.0), array([0., 1., 5.]))
    >>> grad(lambda x: scan(step, 0.0, x)[0])(np.array([1.0, 2.0, 3.0])).tolist()
    [2.0, 4.0, 6.0]
    """
    check_function(f, "scan")
    if not isinstance(unroll, bool | int | np.integer):
        raise TypeError(f"scan: unroll must be a whole number, got {unroll!r:.60}")
    slices = Slices("scan", xs, length)
    loop = Scan("scan", "f", _SCAN, f, slices, bool(reverse))
    carry, ys = loop.run(init, checkpoint, generators_of(rng, "scan"))
    return carry, ys


def fori_loop(
    lower: int,
    upper: int,
    body_fun: Callable[[int, Any], Any],
    init_val: Any,
    *,
    unroll: int | bool | None = None,
    checkpoint: bool | int = False,
    rng: Any = (),
) -> Any:
    """A loop that counts: val = body_fun(i, val) for i from ``lower`` to ``upper - 1``; returns the last val.

    ``i`` is a Python integer.  Everything else is as for :func:`scan`.  After ``jax.lax.fori_loop``.

    >>> fori_loop(0, 5, lambda i, total: total + i, 0)
    10
    """
    check_function(body_fun, "fori_loop")
    first, last = (_whole(n, name) for n, name in ((lower, "lower"), (upper, "upper")))

    def step(value: Any, i: int) -> tuple[Any, None]:
        return body_fun(i, value), None

    if rollers and rollers[0].is_recording():  # the number is counted by the loop itself
        counted = Slices("fori_loop", None, max(last - first, 0))

        def next_step(carry: Any, _: None) -> tuple[Any, None]:
            return (carry[0] + 1, body_fun(carry[0], carry[1])), None

        loop = Scan("fori_loop", "body_fun", _FORI, next_step, counted, False)
        return loop.run((first, init_val), checkpoint, generators_of(rng, "fori_loop"))[0][1]
    slices = Counting(first, max(first, last))
    loop = Scan("fori_loop", "body_fun", _FORI, step, slices, False)
    return loop.run(init_val, checkpoint, generators_of(rng, "fori_loop"))[0]


def while_loop(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    *,
    max_steps: int | None = None,
    checkpoint: bool | int = False,
    rng: Any = (),
) -> Any:
    """A loop as long as a condition holds: ``while cond_fun(val): val = body_fun(val)``; returns the last val.

    ``val`` is any nesting of arrays and numbers; ``body_fun`` must keep nesting, shapes and dtypes.  ``cond_fun`` gives
    one boolean.  Unlike JAX's it has a derivative: of the steps that were made.  In ``vmap`` it goes on until no
    example goes on, and examples that are done keep their values.  More steps than ``max_steps`` are an error, so that
    a loop that does not end is one.  With ``checkpoint=n`` every n-th val is kept; with ``checkpoint=True`` the
    distances grow with the number of steps, so that about its square root is kept at a time.  A program makes as many
    steps as its arguments ask for.  Everything else is as for :func:`scan`.  After ``jax.lax.while_loop``.

    >>> from autodiff import grad
    >>> def newton(a):
    ...     return while_loop(lambda x: abs(x * x - a) > 1e-12, lambda x: (x + a / x) / 2, a)
    >>> round(newton(2.0), 9), round(grad(newton)(2.0), 9)
    (1.414213562, 0.353553391)
    """
    check_function(cond_fun, "while_loop")
    check_function(body_fun, "while_loop")
    if max_steps is not None and (isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < 0):
        raise TypeError(f"while_loop: max_steps must be a whole number, 0 or more; got {max_steps!r:.60}")
    loop = Repeat(cond_fun, body_fun, max_steps)
    return loop.run(init_val, checkpoint, generators_of(rng, "while_loop"))


def _whole(n: Any, name: str) -> int:
    """A bound of a loop."""
    try:
        return operator.index(n)
    except TypeError:
        value = n._value if isinstance(n, Tensor) else n
        dtype, size = getattr(value, "dtype", None), np.size(value)
        if size == 1 and dtype is not None and dtype.kind in "iu":
            return int(value)
        raise TypeError(f"fori_loop: {name} must be a whole number, got {n!r:.60}") from None
