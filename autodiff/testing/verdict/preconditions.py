"""Reasons why a function cannot be checked, found before any slope is measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...examples import Examples
from ...graph import GraphError, topological_order
from ...tensor import Tensor
from ...tree import flatten
from ..problem import Problem, UnusableError, as_real, values_of

Array = Any


def examine_arguments(problem: Problem) -> None:
    """Raise UnusableError for arguments that cannot be varied one by one."""
    if any(isinstance(leaf._value if isinstance(leaf, Tensor) else leaf, Examples) for leaf in problem.leaves):
        raise UnusableError(
            "an argument is one of many examples, all of which vmap computes at once; "
            "check from outside what is mapped, gradcheck(vmap(f), xs), or each operation, check_graph(f, x)"
        )
    if not problem.inputs:
        kinds = sorted({str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in problem.leaves}) or ["none"]
        raise UnusableError(
            f"no argument holds floating-point numbers (got {', '.join(kinds)}); write x.astype(float) or 1.0"
        )
    for place in problem.inputs:
        array = np.asarray(values_of(problem.leaves[place.number]))
        if array.size and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)):
            raise UnusableError(
                f"{place.path} is an expanded view of shape {place.shape}: elements that share one number in memory "
                "cannot be varied one by one; pass its .copy(), or expand inside the function"
            )
        if not np.isfinite(array).all():
            raise UnusableError(f"{place.path} holds a NaN or an infinity; a slope needs finite numbers around it")
    _examine_sharing(problem)


def _examine_sharing(problem: Problem) -> None:
    held = [(p, problem.leaves[p.number]) for p in problem.inputs]
    arrays = [(p, np.asarray(values_of(leaf))) for p, leaf in held]
    for n, (place, array) in enumerate(arrays):
        for other, earlier in arrays[:n]:
            if array.size and earlier.size and np.may_share_memory(array, earlier) and _overlap(array, earlier):
                raise UnusableError(
                    f"{other.path} and {place.path} share memory: varying one varies the other, and the gradient of "
                    "each alone has no meaning; pass a .copy(), or make one argument of them"
                )
    tensors = [(p, leaf) for p, leaf in held if isinstance(leaf, Tensor) and leaf._node.active]
    for place, tensor in tensors:
        behind = set(topological_order([tensor._node])) - {tensor._node}
        for other, candidate in tensors:
            if candidate._node in behind:
                raise UnusableError(
                    f"{place.path} was computed from {other.path}: they cannot be varied independently; "
                    f"compute it inside the function, or pass {place.path}.data"
                )


def _overlap(a: Array, b: Array) -> bool:
    try:
        return bool(np.shares_memory(a, b, max_work=10_000))  # type: ignore[arg-type]
    except Exception:  # NumPy's TooHardError: the layouts are too intricate to decide cheaply
        return True


def examine_function(problem: Problem) -> tuple[Array, Any]:
    """Call ``f`` a few times at x.  Returns its flat value and its pullback; raises UnusableError with the reason."""
    problem.speaks_arrays = problem.given_gradient is not None and _takes_no_tensors(problem)
    first = _watched(problem)
    base = problem.value(problem.x)
    outputs, pull = problem.pullback(problem.x)
    for again in (first, problem.value(problem.x), _flat(outputs)):
        if base.shape != again.shape or not np.array_equal(base, again, equal_nan=True):
            _explain_difference(base, again)
    problem.real = problem.real and not any(o.dtype.kind == "c" for o in outputs)
    if not base.size:
        return base, pull
    bad = int(np.sum(~np.isfinite(base)))
    if bad:
        raise UnusableError(
            f"f(x) is not finite in {bad} of {base.size} outputs: x is outside of the domain, or the value overflows; "
            "choose other arguments"
        )
    _try_arrays(problem, base)
    return base, pull


def _takes_no_tensors(problem: Problem) -> bool:
    """Whether f takes arrays only, which is allowed if the gradient is given."""
    try:
        problem.call([Tensor(a) for a in problem.arrays(problem.x)])
    except TypeError:
        return True
    return False


def _flat(outputs: list[Array]) -> Array:
    """All outputs in one vector, complex ones as pairs."""
    return np.concatenate([as_real(o).astype(np.float64) for o in outputs]) if outputs else np.zeros(0)


def _watched(problem: Problem) -> Array:
    """Call ``f`` on variables, test whether it writes into its arguments, and return its outputs."""
    arrays = problem.arrays(problem.x)
    tensors = [Tensor(a) for a in arrays]
    constants = [leaf for leaf in problem.leaves if isinstance(leaf, np.ndarray) and leaf.dtype.kind not in "fcO"]
    before = [constant.copy() for constant in constants]
    originals = [a.copy() for a in arrays]
    with np.errstate(all="ignore"):
        result = problem.call(list(arrays) if problem.speaks_arrays else list(tensors))
    if not flatten(result)[0]:
        raise UnusableError(f"f returned {result!r}, which holds no number; did it forget its return?")
    outputs = problem.outputs(result)
    for place, array, tensor, original in zip(problem.inputs, arrays, tensors, originals, strict=True):
        if not all(np.array_equal(now, original, equal_nan=True) for now in (array, np.asarray(tensor._value))):
            raise UnusableError(
                f"f writes into its argument {place.path}: every later call sees other numbers; "
                "write into a copy, or build a new array with np.where"
            )
    for constant, original in zip(constants, before, strict=True):
        if not np.array_equal(constant, original):
            raise UnusableError(
                f"f writes into its argument of {constant.dtype} and shape {constant.shape}: every later call sees "
                "other numbers; write into a copy"
            )
    return _flat(outputs)


def _explain_difference(first: Array, second: Array) -> None:
    if first.shape != second.shape:
        raise UnusableError(
            f"f is not deterministic: it returned {first.size} numbers, then {second.size}, for the same arguments"
        )
    gap = float(np.nanmax(np.abs(first - second)))
    scale = float(np.nanmax(np.abs(first)))
    if not gap <= 1e-13 * scale:
        raise UnusableError(
            f"f is not deterministic: two calls with the same arguments differ by {gap:.3g} (dropout in training mode, "
            "or a generator that moves on); call .eval(), or make a generator with a fixed seed inside the function"
        )


def _try_arrays(problem: Problem, base: Array) -> None:
    """Use plain arrays from now on if they give the same values: then nothing is recorded."""
    problem.speaks_arrays = True
    try:
        same = np.array_equal(problem.value(problem.x), base)
    except (TypeError, AttributeError, ValueError, GraphError):
        same = False
    problem.speaks_arrays = bool(same)
