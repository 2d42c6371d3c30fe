"""Jacobians and Hessians, computed in rows or in columns."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypedDict, Unpack, overload

import numpy as np

from ..dialects import TRANSFORMS, answering
from ..ops.kinks import transposing
from ..tensor import Tensor
from .batching import BatchingError
from .calling import Call, check_argnums, check_function, close, number, numbers, one_or_all, pull, recording
from .mapping import vmap
from .products import is_active, nan_with, pullback
from .signatures import Called, Several

Array = Any
P = ParamSpec("P")

MODES = ("auto", "forward", "reverse")


class Options(TypedDict, total=False):
    """The keywords of :func:`jacobian` and :func:`hessian`."""

    has_aux: bool
    mode: str
    vectorize: bool | None
    chunk_size: int | None
    sparsity: Any


sparse: dict[str, Callable[..., Any]] = {}
"""What makes sparse derivatives, for the keyword ``sparsity``: set by the package itself, as that needs programs."""


def _check_options(who: str, mode: str, chunk_size: int | None) -> None:
    if mode not in MODES:
        raise ValueError(f"{who}: mode is 'auto', 'forward' or 'reverse'; got {mode!r}")
    if chunk_size is not None and (not isinstance(chunk_size, int) or chunk_size < 1):
        raise ValueError(f"{who}: chunk_size is a number of rows, at least 1, or None for all; got {chunk_size!r}")


@overload
def jacobian(f: Several, argnums: int | Sequence[int] = 0, **options: Unpack[Options]) -> Called[Any]: ...
@overload
def jacobian(f: Callable[P, Any], argnums: int | Sequence[int] = 0, **options: Unpack[Options]) -> Callable[P, Any]: ...
@answering(TRANSFORMS)
def jacobian(
    f: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    mode: str = "auto",
    vectorize: bool | None = None,
    chunk_size: int | None = None,
    sparsity: Any = None,
) -> Callable[P, Any]:
    """A function that returns all first derivatives of ``f``: (jacobian f)(x)[i, j] = df_i / dx_j.

    If argument and output are one array each, the shape is that of the output followed by that of the argument.  If the
    output is a nesting, so is the result, and each of its items is a nesting like the argument (a tuple of those if
    ``argnums`` is a sequence): ``jacobian(f)(x)[output][argument]``.  With ``has_aux`` the function returns ``(output,
    anything)`` and the result is ``(derivatives, anything)``.

    ``mode="reverse"`` computes a row for each number of the output, by pullbacks of cotangents.  ``mode="forward"``
    computes a column for each number of the arguments, by derivatives along tangents (see :func:`jvp`).  The numbers
    are the same, to rounding.  ``mode="auto"`` evaluates ``f`` and takes the one with less work: columns, if there are
    several times as many outputs as arguments.  Columns need rules that can be recorded, as ``grad`` of ``grad`` does.

    All rows, or columns, are computed in one pass if every rule can be mapped by :func:`vmap`, otherwise in one pass
    each.  ``chunk_size`` is the largest number in one pass: less memory, more passes.  ``vectorize=True`` demands
    mapping, and raises :class:`BatchingError` with the name of the function that prevents it.  ``vectorize=False``
    computes one at a time, without mapping.  Raises TypeError for complex arguments, and in reverse for complex
    outputs, which have two derivatives: take np.real and np.imag.

    ``sparsity="detect"`` gives ``scipy.sparse`` arrays, of the sizes of output and argument, and computes columns (or
    rows) that share no row (or column) together.  The pattern is read off the recorded function in the first call, or
    given: ``sparsity=`` a sparse array of all numbers of the output by all of the arguments, nonzero where a derivative
    may be.  Each call checks the result by the product with one more vector, so a pattern that has become another one
    (a branch, an index that depends on values) is found, and read again.  Raises RuntimeError where that does not help,
    and for a given pattern that lacks an entry.

    >>> import numpy as np
    >>> jacobian(lambda x: np.stack([x[0] * x[1], x[0] + x[1]]))(np.array([2.0, 3.0])).tolist()
    [[3.0, 2.0], [1.0, 1.0]]
    """
    check_function(f, "jacobian")
    check_argnums(argnums, "jacobian")
    _check_options("jacobian", mode, chunk_size)
    if sparsity is not None:
        return sparse["derivatives"](f, argnums, has_aux, ("jacobian", mode, vectorize, chunk_size, sparsity))  # type: ignore[no-any-return]
    return _derivatives(f, argnums, has_aux, lambda call: _blocks(call, mode, vectorize, chunk_size))


def _derivatives(
    f: Callable[P, Any], argnums: int | Sequence[int], has_aux: bool, blocks: Callable[[Call], list[list[Any]]]
) -> Callable[P, Any]:
    """The function that returns ``blocks`` of a call of ``f``, in the nestings of its output and its arguments."""

    @functools.wraps(f)
    def derivatives(*args: P.args, **kwargs: P.kwargs) -> Any:
        positions = numbers(argnums, args, "jacobian")
        call = Call(functools.partial(f, **kwargs), args, positions, "jacobian", has_aux)
        if call.returned is None:
            raise TypeError("jacobian: the function returned None; does it lack its 'return'?")
        rows = [one_or_all(call.arguments([number(block) for block in row]), argnums) for row in blocks(call)]
        result = call.result(rows)
        return (result, call.seen_aux()) if has_aux else result

    return derivatives


def _blocks(call: Call, mode: str, vectorize: bool | None, chunk_size: int | None) -> list[list[Any]]:
    """The derivatives of each output with respect to each variable: arrays of the output's shape and the variable's."""
    kinds = [_kind_of(output) for output in call.outputs]
    if any(v.dtype.kind == "c" for v in call.variables) or (mode == "reverse" and "c" in kinds):
        raise TypeError(
            "jacobian: of a complex function there is more than one; take it of np.real and np.imag of the output, "
            "as a function of a real and an imaginary part"
        )
    columns = None
    if mode == "forward" or "c" in kinds:
        columns = _columns(call, vectorize, chunk_size)
    elif mode == "auto" and _is_tall(call, vectorize):
        # a rule that cannot be recorded, say: it is no reason to fail where there is another way
        with contextlib.suppress(Exception):
            columns = _columns(call, vectorize, chunk_size)
    if columns is not None:
        return _in_rows(call, columns)
    return [_rows(call, output, vectorize, chunk_size) for output in call.outputs]


def _kind_of(output: Any) -> str:
    """The kind of an output's numbers; an error if it has no derivative."""
    array = output._value if isinstance(output, Tensor) else output
    if not hasattr(array, "__array_function__") and not isinstance(array, int | float | complex | np.generic):
        raise TypeError(
            f"jacobian: the function returned a {type(array).__name__}; return arrays, or (arrays, anything) "
            "with has_aux=True"
        )
    return str(getattr(array, "dtype", np.dtype(type(array))).kind)


def _is_tall(call: Call, vectorize: bool | None) -> bool:
    """Whether columns are less work than rows, by their number; columns need one pass more.

    A pass takes some time for each operation, and some for each element of each row or column.  One element takes about
    a 10,000th of one operation.
    """
    outputs = [output for output in call.outputs if is_active(output)]
    fewer: float = sum(output.size for output in outputs) - 1.1 * sum(v.size for v in call.variables)
    if fewer <= 2 or vectorize is False:
        return fewer > 2
    nodes = call.walk.order
    elements = sum(_size_of(node.shape) for node in nodes)
    return fewer * elements > 10_000 * len(nodes)


def _size_of(shape: Any) -> int:
    """The number of elements of a node, of one output or of several."""
    if shape and isinstance(shape[0], tuple):
        return sum(map(math.prod, shape))
    return math.prod(shape)


def _rows(call: Call, output: Any, vectorize: bool | None, chunk_size: int | None) -> list[Any]:
    """The derivatives of one output with respect to every variable."""
    if not is_active(output) or not output.size:
        return [np.zeros_like(v._value, shape=(*np.shape(output), *v.shape)) for v in call.variables]
    return basis_pulled(output, call.variables, call.outer, vectorize, chunk_size)


Columns = dict[tuple[int, int], Any]


def _columns(call: Call, vectorize: bool | None, chunk_size: int | None) -> Columns:
    """The derivatives of output i with respect to variable j, where there are any: the variable's axes come first.

    They are the pullback of the pullback, which is linear, for a basis of the variables.
    """
    columns: Columns = {}
    with recording():
        seeds, pulled = pullback(call, call.outer)
        moving = {i: seed for i, seed in enumerate(seeds) if seed is not None}
        for j, root in enumerate(pulled):
            if is_active(root) and root.size:
                with transposing():
                    found = basis_pulled(root, list(moving.values()), call.outer, vectorize, chunk_size)
                columns.update({(i, j): block for i, block in zip(moving, found, strict=True)})
        close(list(moving.values()))
    return columns


def _in_rows(call: Call, columns: Columns) -> list[list[Any]]:
    """The derivatives in the form of rows: the output's axes first, the variable's dtype."""
    blocks = []
    for i, output in enumerate(call.outputs):
        kind = _kind_of(output)
        blocks.append([_turned(columns.get((i, j)), output, kind, v) for j, v in enumerate(call.variables)])
    return blocks


def _turned(block: Any, output: Any, kind: str, v: Tensor) -> Any:
    dtype = np.result_type(v.dtype, np.complex64) if kind == "c" else v.dtype
    if block is None:
        return np.zeros_like(v._value, dtype=dtype, shape=(*np.shape(output), *v.shape))
    if v.ndim:
        block = np.moveaxis(block, tuple(range(v.ndim)), tuple(range(-v.ndim, 0)))
    return block if block.dtype == dtype else block.astype(dtype)


def basis_pulled(
    root: Tensor, leaves: Sequence[Tensor], create: bool, vectorize: bool | None, chunk_size: int | None
) -> list[Any]:
    """The derivatives of ``root`` with respect to each of the ``leaves``: arrays of its shape and theirs."""
    shape = root.shape

    def row(cotangent: Any) -> list[Any]:
        with recording():
            return pull([root], [cotangent], leaves, create)

    if not shape:
        return row(None)
    # what is the same for every row belongs to an enclosing mapping, if there is one
    basis = np.reshape(np.eye(root.size, dtype=root.dtype), (root.size, *shape))
    if vectorize is not False:
        try:
            groups = [vmap(row)(part) for part in _chunks(basis, chunk_size)]
            parts = zip(*groups, strict=True)
            return [_joined(group, np.concatenate, shape, leaf) for group, leaf in zip(parts, leaves, strict=True)]
        except BatchingError:
            if vectorize:
                raise
    rows = zip(*[row(e) for e in basis], strict=True)
    return [_joined(group, np.stack, shape, leaf) for group, leaf in zip(rows, leaves, strict=True)]


def _chunks(basis: Array, chunk_size: int | None) -> list[Array]:
    step = len(basis) if chunk_size is None else chunk_size
    return [basis[start : start + step] for start in range(0, len(basis), step)]


def _joined(parts: Sequence[Any], join: Callable[..., Any], shape: tuple[int, ...], leaf: Tensor) -> Any:
    """Rows or groups of rows as one array."""
    whole = parts[0] if len(parts) == 1 and join is np.concatenate else join(list(parts))
    return np.reshape(whole, (*shape, *leaf.shape))


@overload
def hessian(f: Several, argnums: int | Sequence[int] = 0, **options: Unpack[Options]) -> Called[Any]: ...
@overload
def hessian(f: Callable[P, Any], argnums: int | Sequence[int] = 0, **options: Unpack[Options]) -> Callable[P, Any]: ...
@answering(TRANSFORMS)
def hessian(
    f: Callable[P, Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    mode: str = "auto",
    vectorize: bool | None = None,
    chunk_size: int | None = None,
    sparsity: Any = None,
) -> Callable[P, Any]:
    """A function that returns all second derivatives of ``f``: (hessian f)(x)[i, j] = d²f / dx_i dx_j.

    The shape is that of the output, () for a single number, followed by that of the argument twice.  For nestings and
    several arguments it is a nesting of nestings, ``hessian(f)(x)[output][argument][argument]``.  The options are those
    of :func:`jacobian`.  ``mode="forward"`` is the Jacobian in columns of the first derivatives (forward over reverse),
    ``mode="reverse"`` the Jacobian in rows of the Jacobian in rows, ``mode="auto"`` the one with less work.  With
    ``sparsity``, ``f`` returns one number, and the mode is chosen.

    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0])).tolist()
    [[6.0, 4.0], [4.0, 0.0]]
    """
    check_function(f, "hessian")
    check_argnums(argnums, "hessian")
    _check_options("hessian", mode, chunk_size)
    if sparsity is not None:
        return sparse["derivatives"](f, argnums, has_aux, ("hessian", mode, vectorize, chunk_size, sparsity))  # type: ignore[no-any-return]
    inner = "auto" if mode == "forward" else mode
    first = jacobian(f, argnums, has_aux=has_aux, mode=inner, vectorize=vectorize, chunk_size=chunk_size)

    def second(call: Call) -> list[list[Any]]:
        return _symmetric(_blocks(call, mode, vectorize, chunk_size), call.variables)

    return _derivatives(first, argnums, has_aux, second)


def _symmetric(rows: list[list[Any]], variables: Sequence[Tensor]) -> list[list[Any]]:
    """Second derivatives, rows by the first variable and columns by the second; NaN where the other order is NaN.

    At a slope by convention, the derivative of its factor is NaN, and its own derivative is a number.
    """
    count = len(variables)
    found = []
    for k, row in enumerate(rows):
        i, start = k % count, k - k % count
        swapped = [_swapped(rows[start + j][i], variables[i].ndim, v.ndim) for j, v in enumerate(variables)]
        found.append([nan_with(block, other) for block, other in zip(row, swapped, strict=True)])
    return found


def _swapped(block: Any, last: int, before: int) -> Any:
    """An array whose ``last`` last axes change places with the ``before`` axes before them."""
    axes = tuple(range(-last - before, -last))
    return np.moveaxis(block, axes, tuple(range(-before, 0))) if last and before else block
