"""scan, while_loop and fori_loop: loops that are one operation, with JAX's calling convention.

The steps are computed as a loop of Python would compute them.  What they recorded is one node of the graph, which
keeps the graph of the steps, or computes it again, a few steps at a time (``checkpoint``).
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..examples import Examples
from ..mode import current, is_recording
from ..tensor import Tensor
from ..tree import flatten
from ..unrecorded import no_grad
from .calling import check_function
from .carries import Carry, Slices, Stack, joined
from .checkpointing import checkpoint as checkpointed
from .checkpointing import generators_of
from .parts import Kept, Kind

Array = Any
_SCAN, _WHILE, _FORI = Kind("scan"), Kind("while_loop"), Kind("fori_loop")


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
    loop = _Scan("scan", "f", _SCAN, f, slices, bool(reverse))
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

    if _rollers and _rollers[0].is_recording():  # the number is counted by the loop itself
        counted = Slices("fori_loop", None, max(last - first, 0))

        def next_step(carry: Any, _: None) -> tuple[Any, None]:
            return (carry[0] + 1, body_fun(carry[0], carry[1])), None

        loop = _Scan("fori_loop", "body_fun", _FORI, next_step, counted, False)
        return loop.run((first, init_val), checkpoint, generators_of(rng, "fori_loop"))[0][1]
    slices = _Counting(first, max(first, last))
    loop = _Scan("fori_loop", "body_fun", _FORI, step, slices, False)
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
    distances grow with the number of steps, so that about its square root is kept at a time.  Everything else is as
    for :func:`scan`.  After ``jax.lax.while_loop``.

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
    loop = _While(cond_fun, body_fun, max_steps)
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


class _Counting(Slices):
    """The numbers from one to another in the place of slices."""

    def __init__(self, first: int, last: int) -> None:
        self.leaves, self.length, self.first = [], last - first, first

    def part(self, start: int, stop: int) -> list[Any]:
        """What says where a part begins."""
        return [start]

    def steps(self, leaves: Any) -> Callable[[int], Any]:
        """The number at a position of a part."""
        start = self.first + leaves[0]
        return lambda i: start + i


class Roller(Protocol):
    """What records some steps as a loop."""

    def position(self) -> int:
        """How much is recorded so far."""

    def is_recording(self) -> bool:
        """Whether a function is recorded now."""

    def prepared(self, carry: Any) -> Any:
        """The carry with its numbers and constants recorded."""

    def rolled(
        self, f: Callable[..., Any], carry: Any, xs: Any, count: int, reverse: bool, before: slice
    ) -> tuple[Any, Any, bool] | None:
        """The last carry, the stacked ys, and True; what one step makes, and False; or None, if nothing is recorded.

        ``before`` says where the step before is.
        """


_rollers: list[Roller] = []
TRIES = 3
"""Steps after which a carry has found its form, or never will."""


def register_roller(roller: Roller) -> None:
    """Ask it for the steps of a scan, after the first one."""
    _rollers[:] = [roller]


class _Scan:
    """A loop over slices."""

    def __init__(
        self, who: str, function: str, kind: Kind, f: Callable[[Any, Any], Any], slices: Slices, reverse: bool
    ) -> None:
        self.who, self.function, self.kind = who, function, kind
        self.f, self.slices, self.reverse = f, slices, reverse

    def run(self, init: Any, checkpoint: Any, generators: list[Any]) -> Any:
        """The last carry, and the stacked ys."""
        count = self.slices.length
        size = _segment(self.who, checkpoint, count)
        if not count:
            return init, self._none(init)
        call = functools.partial(self._whole, init, size, generators)
        return Kept().one_node(self.kind, call, current()) if is_recording() else call()

    def _none(self, init: Any) -> Any:
        """The ys of no steps."""
        stack = Stack(self.who)
        if type(self.slices) is _Counting:
            return None
        with no_grad(), np.errstate(all="ignore"):
            stack.add(self._step(init, self.slices.example(), 0, Carry(self.who, self.function, init))[1], 0)
        return stack.nothing()

    def _whole(self, init: Any, size: int | None, generators: list[Any]) -> Any:
        count = self.slices.length
        carry = Carry(self.who, self.function, init)
        if size is None:
            return self._some(carry, init, self.slices.part(0, count), 0, count)
        bounds = [(n, min(n + size, count)) for n in range(0, count, size)]
        found = []
        for start, stop in reversed(bounds) if self.reverse else bounds:
            some = functools.partial(self._some, carry)
            init, ys = checkpointed(some, rng=generators)(init, self.slices.part(start, stop), start, stop)
            found.append(ys)
        return init, joined(found, self.reverse)

    def _some(self, carry: Carry, value: Any, leaves: list[Any], start: int, stop: int) -> Any:
        """Some of the steps."""
        at, stack = self.slices.steps(leaves), Stack(self.who)
        positions = range(stop - start)
        marks: list[int] = []
        if _rollers:
            value = _rollers[0].prepared(value)
        for n, i in enumerate(reversed(positions) if self.reverse else positions):
            rolled = None
            if _rollers and n <= TRIES:
                marks.append(_rollers[0].position())
                rolled = (
                    self._rolled(carry, value, leaves, start, range(i, stop - start), slice(*marks[-2:])) if n else None
                )
            if rolled is None:
                value, y = self._step(value, at(i), start + i, carry)
            else:
                value, y, done = rolled
                if done:
                    return value, joined([stack.stacked(self.reverse), y], self.reverse)
            stack.add(y, start + i)
        return value, stack.stacked(self.reverse)

    def _rolled(self, carry: Carry, value: Any, leaves: list[Any], start: int, rest: range, before: slice) -> Any:
        """The rest of the steps, recorded as a loop; one step and False, or None, if that is not done."""
        if type(self.slices) is not Slices:
            return None
        i = rest.start
        xs = [leaf[: i + 1] if self.reverse else leaf[i:] for leaf in leaves]
        step = functools.partial(self._step, step=start + i, carry=carry)
        count = i + 1 if self.reverse else len(rest)
        return _rollers[0].rolled(step, value, self.slices.nested(xs), count, self.reverse, before)

    def _step(self, value: Any, x: Any, step: int, carry: Carry) -> Any:
        """One step."""
        try:
            made = self.f(value, x)
        except Exception as error:
            error.add_note(f"in step {step} of {self.who} (of {self.slices.length}, counted from 0)")
            raise
        if not (isinstance(made, tuple) and len(made) == 2):
            raise TypeError(f"{self.who}: f must return a pair, (carry, y); it returned a {type(made).__name__}")
        return carry.taken(made[0], step), made[1]


class _While:
    """A loop as long as a condition holds."""

    def __init__(self, test: Callable[[Any], Any], body: Callable[[Any], Any], most: int | None) -> None:
        self.test, self.body, self.most = test, body, most

    def run(self, init: Any, checkpoint: Any, generators: list[Any]) -> Any:
        """The last value."""
        _segment("while_loop", checkpoint, 0)
        call = functools.partial(self._whole, init, checkpoint, generators)
        return Kept().one_node(_WHILE, call, current()) if is_recording() else call()

    def _whole(self, init: Any, checkpoint: Any, generators: list[Any]) -> Any:
        carry = Carry("while_loop", "body_fun", init)
        if checkpoint is False or checkpoint is None:
            return self._some(carry, init, 0, None)[0]
        value, step, size, more = init, 0, 0, True
        while more:
            size = size + 1 if checkpoint is True else checkpoint
            some = checkpointed(functools.partial(self._some, carry), rng=generators)
            value, step, more = some(value, step, step + size)
        return value

    def _some(self, carry: Carry, value: Any, step: int, stop: int | None) -> Any:
        """Some of the steps: the value, how many steps were made, and whether it is to go on."""
        going: Any = None
        while stop is None or step < stop:
            try:
                now = one_truth("while_loop", "cond_fun", self.test(value))
            except Exception as error:
                error.add_note(f"in the condition of step {step} of while_loop (counted from 0)")
                raise
            several = many(now)
            if several is not None:  # examples, of which some are done
                going = now if going is None else np.logical_and(going, now)
                now = np.any(many(going))
            if not now:
                return value, step, False
            if self.most is not None and step >= self.most:
                raise RuntimeError(
                    f"while_loop: the condition still holds after max_steps={self.most} steps; allow more, or look at "
                    "why it does not end"
                )
            try:
                made = carry.taken(self.body(value), step)
            except Exception as error:
                error.add_note(f"in step {step} of while_loop (counted from 0)")
                raise
            value = made if several is None else chosen(going, made, value)
            step += 1
        return value, step, True


def _segment(who: str, checkpoint: Any, count: int) -> int | None:
    """How many steps are computed again at a time; None if all are kept."""
    if checkpoint is None or checkpoint is False:
        return None
    if checkpoint is True:
        return max(1, math.isqrt(count))
    if isinstance(checkpoint, int | np.integer) and checkpoint > 0:
        return int(checkpoint)
    raise TypeError(f"{who}: checkpoint must be True, False, or a number of steps from 1 on; got {checkpoint!r:.60}")


def one_truth(who: str, what: str, found: Any) -> Any:
    """A condition, checked: one boolean or number."""
    value = found._value if isinstance(found, Tensor) else found
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is None and not isinstance(value, bool | int | float):
        raise TypeError(f"{who}: {what} must be one boolean, got a {type(value).__name__}")
    if np.ndim(value):
        raise TypeError(
            f"{who}: {what} must be one boolean, got shape {np.shape(value)}; take np.all(...) or np.any(...) of it"
        )
    return value


def many(value: Any) -> Any:
    """The conditions of all examples as one array; None if there is but one."""
    if not (isinstance(value, Examples) and value.many):
        return None
    while isinstance(value, Examples) and value.many:
        value = value.held
    return value


def chosen(condition: Any, one: Any, other: Any) -> Any:
    """For each example, one nesting where the condition holds, and the other where it does not."""
    leaves, unflatten = flatten(one)
    return unflatten(
        [a if a is b else np.where(condition, a, b) for a, b in zip(leaves, flatten(other)[0], strict=True)]
    )
