"""Sparse Jacobians and Hessians: products with sums of columns, or of rows, from which every entry is read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ...examples import Examples, every
from ...ops.kinks import meets_kinks, transposing
from ...program import CaptureError, capture
from ...program.recorded import PassingError, Recorded
from ...tensor import Tensor
from ...transforms import grad, vmap
from ...transforms.batching import BatchingError
from ...transforms.calling import Call, check_argnums, check_function, close, numbers, one_or_all, pull, recording
from ...transforms.products import is_active, nan_with, pullback
from ...tree import flatten
from .arrays import assembled
from .coloring import colored, symmetric
from .patterns import pattern_of
from .patterns.sets import DenseError
from .plan import Plan, contradiction

Array = Any
_REMEMBERED = 8
"""So many patterns are kept for one function, one for each set of shapes."""


class Options(NamedTuple):
    """What the caller wants."""

    who: str
    mode: str
    vectorize: bool | None
    chunk_size: int | None
    sparsity: Any


def derivatives(
    f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, keywords: tuple[Any, ...]
) -> Callable[..., Any]:
    """The function that returns the derivatives of ``f`` as sparse arrays, in the nestings of output and argument.

    ``keywords`` are those of :func:`jacobian`, in the order of :class:`Options`.
    """
    options = Options(*keywords)
    check_function(f, options.who)
    check_argnums(argnums, options.who)
    inner = grad(f, argnums, has_aux=has_aux) if options.who == "hessian" else f
    plans: dict[Any, Plan] = {}

    @functools.wraps(f)
    def sparse_derivatives(*args: Any, **kwargs: Any) -> Any:
        positions = numbers(argnums, args, options.who)
        call = Call(functools.partial(inner, **kwargs), args, positions, options.who, has_aux)
        _check(call, options)
        work = _Work(call, functools.partial(inner, **kwargs), args, positions, has_aux, options, plans)
        rows = [one_or_all(call.arguments(row), argnums) for row in work.blocks()]
        result = call.result(rows)
        return (result, call.seen_aux()) if has_aux else result

    return sparse_derivatives


def _check(call: Call, options: Options) -> None:
    """Raise for what has no sparse derivative."""
    who = options.who
    if call.returned is None:
        raise TypeError(f"{who}: the function returned None; does it lack its 'return'?")
    values = [v._value for v in call.variables]
    if any(isinstance(v, Examples) and v.many for v in values):
        raise TypeError(
            f"{who}: inside of vmap, each example would have a sparse array of its own; leave sparsity= away there, or "
            "map by hand: [f(x) for x in xs]"
        )
    kinds = [np.result_type(o._value if isinstance(o, Tensor) else o).kind for o in call.outputs]
    if "c" in [*kinds, *[v.dtype.kind for v in call.variables]]:
        raise TypeError(f"{who}: with sparsity=, arguments and outputs are real; take np.real and np.imag")


class _Work:
    """One call of a function that returns sparse derivatives."""

    def __init__(
        self, call: Call, f: Callable[..., Any], args: Sequence[Any], positions: list[int], has_aux: bool,
        options: Options, plans: dict[Any, Plan],
    ) -> None:  # fmt: skip
        self.call, self.options, self.plans = call, options, plans
        self._function, self._args, self._positions, self._has_aux = f, args, positions, has_aux
        self.heights = tuple(int(np.size(every(_value(o)))) for o in call.outputs)
        self.widths = tuple(v.size for v in call.variables)

    def blocks(self) -> list[list[Any]]:
        """The sparse array of each output and each variable."""
        plan, data = self._found()
        variables = self.call.variables
        found = []
        for row in plan.blocks(self.heights, self.widths):
            parts = []
            for (entries, indices, ends), v in zip(row, variables, strict=True):
                part = data if len(entries) == plan.pattern.nnz else data[entries]
                part = part if part.dtype == v.dtype else np.astype(part, v.dtype)
                parts.append(assembled(part, indices, ends, (len(ends) - 1, v.size)))
            found.append(parts)
        return found

    def _found(self) -> tuple[Plan, Array]:
        """A plan and its entries, which are checked."""
        key = (
            tuple((np.shape(_value(o)),) for o in self.call.outputs),
            tuple((v.shape, v.dtype.str) for v in self.call.variables),
        )
        plan = self.plans.get(key)
        recorded = any(type(v._value) is Recorded for v in self.call.variables)
        if plan is None and recorded:
            raise PassingError(
                f"capture: {self.options.who} with sparsity= looks for the pattern in its first call; call the "
                "function once with these arguments before it is captured"
            )
        if plan is not None:
            data, wrong = self._evaluated(plan)
            if wrong is None:
                return plan, data
            if recorded:
                raise PassingError(f"capture: {self._complaint(wrong)}")
        plan = self._planned(plan)
        data, wrong = self._evaluated(plan)
        if wrong is not None:
            raise RuntimeError(self._complaint(wrong))
        while len(self.plans) >= _REMEMBERED:
            self.plans.pop(next(iter(self.plans)), None)
        self.plans[key] = plan
        return plan, data

    def _complaint(self, wrong: int) -> str:
        who, given = self.options.who, not _is_detected(self.options)
        kind = "row" if who == "jacobian" else "row or column"
        return (
            f"{who}: a product with the derivatives is not what the sparse ones give in {kind} {wrong}, so "
            + ("sparsity= lacks entries; give a pattern that has all that may be nonzero, or sparsity='detect'" if given
               else "the pattern was not found; give it, sparsity=a sparse array, or leave sparsity= away")
        )  # fmt: skip

    def _planned(self, old: Plan | None) -> Plan:
        """A new plan, of the pattern at these arguments and that of earlier ones."""
        shape = (sum(self.heights), sum(self.widths))
        pattern = self._detected() if _is_detected(self.options) else _given(self.options, shape)
        if old is not None:
            pattern = pattern + old.pattern
        if self.options.who == "hessian":
            pattern = pattern + pattern.T
        pattern = sparse.csr_array(pattern).astype(bool)
        pattern.sum_duplicates()
        if self.options.who == "hessian":
            return Plan(pattern, symmetric(pattern))
        return Plan(pattern, colored(pattern, self.options.mode))

    def _detected(self) -> Any:
        """The pattern of the recorded program."""
        trees = [flatten(self._args[n]) for n in self._positions]
        counts = [len(leaves) for leaves, _ in trees]

        def flat(*leaves: Any) -> Any:
            filled, start = list(self._args), 0
            for n, (_, unflatten), count in zip(self._positions, trees, counts, strict=True):
                filled[n] = unflatten(list(leaves[start : start + count]))
                start += count
            returned = self._function(*filled)
            return flatten(returned[0] if self._has_aux else returned)[0]

        values = [np.asarray(every(v._value)) for v in self.call.variables]
        who = self.options.who
        try:
            return pattern_of(capture(flat, *values), values)
        except CaptureError as error:
            raise CaptureError(
                f"{who}: sparsity='detect' reads the pattern off the recorded function, and it cannot be recorded "
                f"({error}); give the pattern: sparsity=a sparse array, True where a derivative may not be zero"
            ) from None
        except DenseError as error:
            raise ValueError(f"{who}: the derivatives are not sparse: {error}; leave sparsity= away") from None

    def _evaluated(self, plan: Plan) -> tuple[Array, int | None]:
        """The entries, and a row in which a product with a random vector contradicts them, if there is one."""
        if not plan.pattern.shape[0] or not plan.pattern.shape[1] or not any(map(is_active, self.call.outputs)):
            dtype = np.result_type(*[v.dtype for v in self.call.variables]) if self.call.variables else float
            return np.zeros(plan.pattern.nnz, dtype), None
        columns, rows = plan.seeds()
        parts, checks = [], []
        if columns is not None:
            products = self._of_columns(columns)
            parts.append(products[:-1])
            checks.append(products[-1])
        if rows is not None:
            products = self._of_rows(rows)
            if self.options.who == "hessian" and meets_kinks(self.call.walk.order):
                products = nan_with(products, self._of_columns(rows))  # NaN in one order, a number in the other
            parts.append(products if checks else products[:-1])
            checks.append(products[-1])
        check = checks[0]
        flat = [np.reshape(part, (-1,)) for part in parts]
        data = (flat[0] if len(flat) == 1 else np.concatenate(flat))[plan.places]
        wrong = contradiction(plan, _value(data), _value(check))
        return data, int(np.argmax(wrong)) if bool(np.any(wrong)) else None

    def _of_columns(self, seeds: Array) -> Array:
        """J s for each seed s: one row each, of all outputs."""
        call = self.call
        with recording():
            probes, pulled = pullback(call, call.outer)
            moving = [probe for probe in probes if probe is not None]
            active = [n for n, root in enumerate(pulled) if is_active(root)]
            roots = [pulled[n] for n in active]
            tangents = self._split(seeds, [v.shape for v in call.variables], [v.dtype for v in call.variables])

            def product(*parts: Any) -> list[Any]:
                with recording():
                    return pull(roots, list(parts), moving, call.outer)

            with transposing():
                found = iter(self._mapped(product, [tangents[n] for n in active]))
            close(moving)
        outputs = zip(call.outputs, probes, strict=True)
        return _beside([None if probe is None else next(found) for _, probe in outputs], self.heights, len(seeds))

    def _of_rows(self, seeds: Array) -> Array:
        """Jᵀ s for each seed s: one row each, of all variables."""
        call = self.call
        active = [n for n, output in enumerate(call.outputs) if is_active(output)]
        shapes = [np.shape(_value(o)) for o in call.outputs]
        types = [np.result_type(_value(o)) for o in call.outputs]
        cotangents = self._split(seeds, shapes, types)
        roots = [call.outputs[n] for n in active]

        def product(*parts: Any) -> list[Any]:
            with recording():
                return pull(roots, list(parts), call.variables, call.outer)

        return _beside(self._mapped(product, [cotangents[n] for n in active]), self.widths, len(seeds))

    def _split(self, seeds: Array, shapes: Sequence[tuple[int, ...]], types: Sequence[Any]) -> list[Array]:
        """The seeds of each array, in its shape and type."""
        parts, start = [], 0
        for shape, dtype in zip(shapes, types, strict=True):
            size = int(np.prod(shape, dtype=int))
            part = seeds[:, start : start + size].reshape(len(seeds), *shape)
            parts.append(part.astype(dtype if dtype.kind == "f" else float))
            start += size
        return parts

    def _mapped(self, product: Callable[..., list[Any]], seeds: list[Array]) -> list[Any]:
        """The products for all seeds, in one pass, in groups, or one at a time."""
        count, chunk = len(seeds[0]), self.options.chunk_size or len(seeds[0])
        if self.options.vectorize is not False:
            try:
                groups = [vmap(product)(*[s[i : i + chunk] for s in seeds]) for i in range(0, count, chunk)]
                return [part[0] if len(part) == 1 else np.concatenate(part) for part in zip(*groups, strict=True)]
            except BatchingError:
                if self.options.vectorize:
                    raise
        single = [product(*[s[i] for s in seeds]) for i in range(count)]
        return [np.stack(part) for part in zip(*single, strict=True)]


def _value(output: Any) -> Any:
    """The values without their graph; a recorded array stays one, so that its program checks them too."""
    return output._value if isinstance(output, Tensor) else output


def _beside(parts: list[Any], sizes: Sequence[int], count: int) -> Array:
    """The products of all arrays, flat, side by side; zeros for those that nothing depends on."""
    flat = [
        np.zeros((count, size)) if part is None else np.reshape(part, (count, size))
        for part, size in zip(parts, sizes, strict=True)
    ]
    return flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)


def _is_detected(options: Options) -> bool:
    return isinstance(options.sparsity, str) and options.sparsity == "detect"


def _given(options: Options, shape: tuple[int, int]) -> Any:
    """The pattern of the caller, checked."""
    pattern = options.sparsity
    if not sparse.issparse(pattern):
        pattern = np.asarray(pattern)
        if pattern.ndim != 2 or pattern.dtype.kind not in "biuf":
            raise TypeError(
                f"{options.who}: sparsity is 'detect', or a sparse array (or a matrix of booleans) of shape {shape}; "
                f"got {options.sparsity!r:.60}"
            )
    if pattern.shape != shape:
        raise ValueError(
            f"{options.who}: sparsity has shape {pattern.shape}, and there are {shape[0]} numbers in the output and "
            f"{shape[1]} in the arguments"
        )
    pattern = sparse.csr_array(pattern)
    return sparse.csr_array((np.ones(pattern.nnz, bool), pattern.indices, pattern.indptr), shape=shape)
