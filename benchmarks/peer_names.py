"""JAX and PyTorch under NumPy's names, as far as random programs need them: thin, without any derivative.

``jax_numpy()`` and ``torch_numpy()`` are what ``program.run`` takes in the place of NumPy.  What a library does not
have under NumPy's name is mapped to what it has; what it does not have at all raises NotImplementedError.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Array = Any
Function = Callable[..., Any]


class Names:
    """A namespace: its own functions first, those of a library after them; lists of numbers become arrays."""

    def __init__(self, library: Any, own: dict[str, Function], constant: Function, prefix: str = "") -> None:
        self._library, self._own, self._constant, self._prefix = library, own, constant, prefix
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> Any:
        function = self._own.get(self._prefix + name)
        found = getattr(self._library, name, None)
        if function is None and name in ("linalg", "fft") and not self._prefix:
            return Names(found, self._own, self._constant, name + ".")
        if function is None and found is None:
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return (function or found)(*map(self._constant, args), **{k: self._constant(v) for k, v in kwargs.items()})

        return call


# -- JAX ---------------------------------------------------------------------------------------------------------------


@cache
def jax_numpy() -> Any:
    """``jax.numpy``, and functions of this library's own names made of JAX's."""
    import jax
    import jax.numpy as jnp
    import jax.scipy.special

    def cross_entropy(logits: Array, labels: Array, mean: bool = False) -> Array:
        losses = -jax.nn.log_softmax(logits)[np.arange(len(labels)), labels]
        return jnp.mean(losses) if mean else losses

    jax.config.update("jax_enable_x64", True)

    def lower(function: Function) -> Function:
        """A function of a matrix of which NumPy reads one triangle, which JAX averages with the other."""
        return lambda a, UPLO="L", upper=False: function(_one_triangle(jnp, a, UPLO == "U" or upper), upper)

    own: dict[str, Function] = {
        "linalg.eigh": lower(lambda a, upper: jnp.linalg.eigh(a)),
        "linalg.eigvalsh": lower(lambda a, upper: jnp.linalg.eigvalsh(a)),
        "linalg.cholesky": lower(lambda a, upper: jnp.linalg.cholesky(a, upper=upper)),
        "real_if_close": lambda a: a, "tril": lambda m, k=0: jnp.tril(_square(jnp, m), k),
        "triu": lambda m, k=0: jnp.triu(_square(jnp, m), k),
        "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
        "logsumexp": jax.scipy.special.logsumexp, "softmax_cross_entropy": cross_entropy,
        "index_update": lambda x, index, values: x.at[index].set(values),
        "index_add": lambda x, index, values: x.at[index].add(values),
        "scatter_add": lambda values, index, shape: jnp.zeros(shape).at[index].add(values),
        "getitem": lambda a, index: a[index],
        "nan_to_num": lambda x, nan=0.0, posinf=None, neginf=None: jnp.nan_to_num(
            x, nan=nan, posinf=posinf, neginf=neginf
        ),
        "astype": lambda x, dtype: x.astype(dtype),
    }  # fmt: skip
    return Names(jnp, own, _array_if_numbers)


def _one_triangle(space: Any, a: Array, upper: bool) -> Array:
    """The symmetric matrix with this triangle."""
    part = space.triu(a) if upper else space.tril(a)
    rest = space.triu(a, 1) if upper else space.tril(a, -1)
    return part + space.swapaxes(rest, -1, -2)


def _square(space: Any, m: Array) -> Array:
    """A vector as the matrix that has it in every row, which is how NumPy's tril and triu take it."""
    return m if m.ndim > 1 else space.broadcast_to(m, (len(m), len(m)))


def _array_if_numbers(value: Any) -> Any:
    """A list of plain numbers as an array, which is what JAX takes."""
    return np.array(value) if _is_numbers(value) else value


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, int | float) or _is_numbers(v) for v in value)


# -- PyTorch -----------------------------------------------------------------------------------------------------------


@cache
def torch_numpy() -> Any:
    """PyTorch with NumPy's names, arguments and conventions."""
    import torch

    torch.set_default_dtype(torch.float64)
    own = {**_plain_names(torch), **_reductions(torch), **_movements(torch), **_algebra(torch), **_sequences(torch)}
    return Names(torch, own, _torch_constant)


def _torch_constant(value: Any) -> Any:
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())  # no negative strides
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list):
        return [_torch_constant(v) for v in value]
    return value


def _numpy_constant(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else value


def _plain_names(torch: Any) -> dict[str, Function]:
    """Elementwise functions under another name."""

    def clip(a: Array, a_min: Any = None, a_max: Any = None) -> Array:
        return torch.clamp(a, a_min, a_max)

    def select(conditions: Any, choices: Any, default: float = 0.0) -> Array:
        result = torch.as_tensor(default, dtype=torch.float64)
        for condition, choice in zip(conditions[::-1], choices[::-1], strict=True):
            result = torch.where(torch.as_tensor(condition), choice, result)
        return result

    return {
        "power": torch.pow, "radians": torch.deg2rad, "degrees": torch.rad2deg, "fabs": torch.abs,
        "cbrt": lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3), "softplus": torch.nn.functional.softplus,
        "remainder": torch.remainder, "conjugate": torch.conj, "copy": torch.clone,
        "imag": lambda x: torch.imag(x) if x.is_complex() else torch.zeros_like(x),
        "where": lambda condition, a, b: torch.where(torch.as_tensor(condition) != 0, a, b), "clip": clip,
        "nan_to_num": lambda x, nan=0.0, posinf=None, neginf=None: torch.nan_to_num(x, nan, posinf, neginf),
        "astype": lambda x, dtype: x.double(), "real_if_close": lambda a, tol=100: a, "angle": torch.angle,
        "ldexp": lambda x, n: torch.ldexp(x, torch.as_tensor(n, dtype=torch.float64)), "select": select,
    }  # fmt: skip


def _reduced(torch: Any, function: Function) -> Function:
    """A function of the last axis as one of any axes, with NumPy's ``axis`` and ``keepdims``."""

    def reduction(a: Array, axis: Any = None, keepdims: bool = False, **options: Any) -> Array:
        axes = range(a.ndim) if axis is None else [i % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,))]
        rest = [i for i in range(a.ndim) if i not in axes]

        def flattened(x: Array) -> Array:
            return x.permute([*rest, *axes]).reshape([*(a.shape[i] for i in rest), -1])

        if "where" in options:
            options["where"] = flattened(torch.as_tensor(options["where"]).expand(a.shape))
        result = function(flattened(a), **options)
        return result.reshape([1 if i in axes else n for i, n in enumerate(a.shape)]) if keepdims else result

    return reduction


def _reductions(torch: Any) -> dict[str, Function]:
    """Sums, extremes, moments, quantiles and running sums."""

    def quantile(a: Array, q: Any, method: str = "linear", weights: Any = None) -> Array:
        if isinstance(q, torch.Tensor) or weights is not None or method not in (
            "linear", "lower", "higher", "midpoint", "nearest",
        ):  # fmt: skip
            raise NotImplementedError("quantile")
        return torch.quantile(a, q, dim=-1, interpolation=method)

    def average(a: Array, weights: Any = None) -> Array:
        if weights is not None:
            raise NotImplementedError("average")
        return torch.mean(a, -1)

    def along(function: Function) -> Function:
        return lambda a, axis=None, **options: function(a.reshape(-1), 0) if axis is None else function(a, axis)

    def moments(name: str) -> Function:
        """mean, var or std of the elements that ``where`` names."""

        def moment(a: Array, where: Any = None, ddof: int = 0, correction: int = 0, dtype: Any = None) -> Array:
            keep = torch.ones_like(a) if where is None else torch.as_tensor(where).expand(a.shape).to(a.dtype)
            count = keep.sum(-1)
            mean = (a * keep).sum(-1) / count
            if name == "mean":
                return mean
            variance = (((a - mean[..., None]) * keep) ** 2).sum(-1) / (count - ddof - correction)
            return variance if name == "var" else torch.sqrt(variance)

        return moment

    def extreme(name: str) -> Function:
        def found(a: Array, where: Any = None, initial: Any = None) -> Array:
            if where is not None:
                a = torch.where(torch.as_tensor(where), a, -torch.inf if name == "amax" else torch.inf)
            result = getattr(torch, name)(a, -1)
            if initial is None:
                return result
            return torch.clamp(result, min=initial) if name == "amax" else torch.clamp(result, max=initial)

        return found

    def total(a: Array, where: Any = True, initial: float = 0.0) -> Array:
        return torch.sum(torch.where(torch.as_tensor(where), a, 0.0), -1) + initial

    def product(a: Array, where: Any = True, initial: float = 1.0) -> Array:
        return torch.prod(torch.where(torch.as_tensor(where), a, 1.0), -1) * initial

    last = {
        "sum": total, "prod": product, "max": extreme("amax"), "min": extreme("amin"),
        **{name: moments(name) for name in ("mean", "var", "std")},
        "logsumexp": lambda a: torch.logsumexp(a, -1), "average": average,
        "ptp": lambda a: torch.amax(a, -1) - torch.amin(a, -1), "median": lambda a: torch.quantile(a, 0.5, dim=-1),
        "quantile": quantile, "percentile": lambda a, q, **o: quantile(a, q / 100, **o),
        "linalg.vector_norm": lambda a, **order: torch.linalg.vector_norm(a, order.get("ord", 2), dim=-1),
    }  # fmt: skip
    names = {"amax": "max", "amin": "min", "nansum": "sum", "nanmean": "mean", "nanmax": "max", "nanmin": "min",
             "nanprod": "prod", "nanvar": "var", "nanstd": "std", "nanmedian": "median", "nanquantile": "quantile",
             "nanpercentile": "percentile"}  # fmt: skip

    def with_q(name: str) -> Function:
        return lambda a, q, axis=None, **options: _reduced(torch, lambda flat, **o: last[name](flat, q, **o))(
            a, axis, **options
        )

    found = {k: with_q(k) if k in ("quantile", "percentile") else _reduced(torch, f) for k, f in last.items()}
    found |= {ours: found[theirs] for ours, theirs in names.items()}
    cumulative = {name: along(getattr(torch, name)) for name in ("cumsum", "cumprod")}
    return found | cumulative | {"nancumsum": cumulative["cumsum"], "nancumprod": cumulative["cumprod"]}


def _movements(torch: Any) -> dict[str, Function]:
    """Functions that move elements."""

    def transpose(a: Array, axes: Any = None) -> Array:
        return a.permute(tuple(range(a.ndim))[::-1] if axes is None else axes)

    def flip(m: Array, axis: Any = None) -> Array:
        return torch.flip(m, tuple(range(m.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,))

    def repeat(a: Array, repeats: Any, axis: Any = None) -> Array:
        return torch.repeat_interleave(a, torch.as_tensor(repeats), dim=axis)

    def concatenate(arrays: Any, axis: Any = 0) -> Array:
        arrays = [a.reshape(-1) for a in arrays] if axis is None else arrays
        return torch.cat(tuple(arrays), dim=axis or 0)

    def pad(array: Array, pad_width: Any, mode: str = "constant", constant_values: float = 0.0) -> Array:
        pairs = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))
        return torch.nn.functional.pad(array, [int(n) for n in pairs[::-1].ravel()], value=constant_values)

    def squeeze(a: Array, axis: Any = None) -> Array:
        return torch.squeeze(a) if axis is None else torch.squeeze(a, dim=axis)

    def expand_dims(a: Array, axis: Any) -> Array:
        axes = axis if isinstance(axis, tuple) else (axis,)
        places = sorted(i % (a.ndim + len(axes)) for i in axes)
        for place in places:
            a = torch.unsqueeze(a, place)
        return a

    def take(a: Array, indices: Any, axis: Any = None, mode: str = "raise") -> Array:
        a = a.reshape(-1) if axis is None else a
        axis = 0 if axis is None else axis % a.ndim
        places = np.asarray(indices)
        places = np.clip(places, 0, a.shape[axis] - 1) if mode == "clip" else places % a.shape[axis]
        return a[(slice(None),) * axis + (torch.as_tensor(places),)]

    def getitem(a: Array, index: Any) -> Array:
        """By the positions of the elements that NumPy's index names."""
        index = tuple(map(_numpy_constant, index)) if isinstance(index, tuple) else _numpy_constant(index)
        return a.reshape(-1)[torch.as_tensor(np.arange(a.numel()).reshape(tuple(a.shape))[index])]

    def reshape(a: Array, shape: Any = -1, order: str = "C") -> Array:
        shape = shape if isinstance(shape, tuple) else (shape,)
        if order == "C":
            return torch.reshape(a, shape)
        turned = a.permute(tuple(range(a.ndim))[::-1]).reshape(shape[::-1])
        return turned.permute(tuple(range(len(shape)))[::-1])

    def changed(add: bool) -> Function:
        def index_put(x: Array, index: Any, values: Array) -> Array:
            """By the positions of the elements that the index names."""
            index = tuple(map(_numpy_constant, index)) if isinstance(index, tuple) else _numpy_constant(index)
            places = torch.as_tensor(np.arange(x.numel()).reshape(tuple(x.shape))[index])
            flat, values = x.reshape(-1), torch.broadcast_to(values, places.shape)
            if not add:  # of a place that is named twice, NumPy keeps the last value
                last = {int(place): n for n, place in enumerate(places.reshape(-1))}
                chosen = torch.tensor(sorted(last.values()), dtype=torch.int64)
                places, values = places.reshape(-1)[chosen], values.reshape(-1)[chosen]
            return flat.index_put((places,), values, accumulate=add).reshape(x.shape)

        return index_put

    def scatter_add(values: Array, index: Any, shape: Any) -> Array:
        return changed(True)(torch.zeros(shape, dtype=values.dtype), index, values)

    def delete(arr: Array, obj: Any, axis: Any = None) -> Array:
        arr = arr.reshape(-1) if axis is None else arr
        kept = np.delete(np.arange(arr.shape[axis or 0]), np.asarray(obj) if isinstance(obj, list) else obj)
        return torch.index_select(arr, axis or 0, torch.as_tensor(kept))

    def resize(a: Array, new_shape: Any) -> Array:
        size = int(np.prod(new_shape))
        return a.reshape(-1)[torch.arange(size) % a.numel()].reshape(new_shape)

    def block(arrays: Any) -> Array:
        depth = 2 if isinstance(arrays[0], list) else 1
        rows = [torch.cat([torch.atleast_1d(a) for a in row], -1) for row in (arrays if depth == 2 else [arrays])]
        return torch.cat([torch.atleast_2d(row) for row in rows], 0) if depth == 2 else rows[0]

    def rot90(m: Array, k: int = 1, axes: Any = (0, 1)) -> Array:
        return torch.rot90(m, k, tuple(axes))

    return {
        "transpose": transpose, "flip": flip, "repeat": repeat, "concatenate": concatenate, "pad": pad,
        "squeeze": squeeze, "expand_dims": expand_dims, "take": take, "getitem": getitem, "rot90": rot90,
        "reshape": reshape, "ravel": lambda a, order="C": reshape(a, -1, order),
        "roll": lambda a, shift, axis=None: torch.roll(a, shift, axis),
        "rollaxis": lambda a, axis, start=0: torch.movedim(
            a, axis % a.ndim, start % (a.ndim + 1) - (start % (a.ndim + 1) > axis % a.ndim)
        ),
        "scatter_add": scatter_add, "delete": delete, "resize": resize, "block": block,
        "take_along_axis": lambda arr, indices, axis=-1: torch.take_along_dim(
            arr, torch.as_tensor(indices), None if axis is None else axis
        ),
        "linalg.matrix_transpose": lambda x: x.mT, "matrix_transpose": lambda x: x.mT,
        "stack": lambda arrays, axis=0: torch.stack(tuple(arrays), axis),
        "tile": lambda a, reps: torch.tile(a, reps if isinstance(reps, tuple) else (reps,)),
        "append": lambda arr, values, axis=None: concatenate([arr, values], axis),
        "hstack": lambda tup: torch.hstack(tuple(tup)), "vstack": lambda tup: torch.vstack(tuple(tup)),
        "dstack": lambda tup: torch.dstack(tuple(tup)), "column_stack": lambda tup: torch.column_stack(tuple(tup)),
        "unstack": lambda x, axis=0: torch.unbind(x, axis), "index_update": changed(False),
        "index_add": changed(True), "broadcast_arrays": lambda *a: torch.broadcast_tensors(*a),
        "split": lambda ary, n, axis=0: torch.tensor_split(ary, n, dim=axis),
        "array_split": lambda ary, n, axis=0: torch.tensor_split(ary, n, dim=axis),
        "hsplit": lambda ary, n: torch.hsplit(ary, n), "vsplit": lambda ary, n: torch.vsplit(ary, n),
        "dsplit": lambda ary, n: torch.dsplit(ary, n),
        "diagonal": lambda a, offset=0, axis1=0, axis2=1: torch.diagonal(a, offset, axis1, axis2),
        "linalg.diagonal": lambda x, offset=0: torch.diagonal(x, offset, -2, -1),
        "trace": lambda a, offset=0, axis1=0, axis2=1: torch.diagonal(a, offset, axis1, axis2).sum(-1),
        "linalg.trace": lambda x, offset=0: torch.diagonal(x, offset, -2, -1).sum(-1),
        "diag": lambda v, k=0: torch.diag(v, k), "diagflat": lambda v, k=0: torch.diagflat(v, k),
        "tril": lambda m, k=0: torch.tril(_square(torch, m), k),
        "triu": lambda m, k=0: torch.triu(_square(torch, m), k),
        "compress": lambda condition, a, axis=None: (a.reshape(-1) if axis is None else a.movedim(axis, 0))[
            torch.as_tensor(np.flatnonzero(np.asarray(condition)))
        ].movedim(0, axis or 0),
        "extract": lambda condition, arr: arr.reshape(-1)[torch.as_tensor(np.flatnonzero(np.asarray(condition)))],
        "meshgrid": lambda *xi, indexing="xy", sparse=False: _refuse("sparse") if sparse else torch.meshgrid(
            *xi, indexing=indexing
        ),
    }  # fmt: skip


def _refuse(what: str) -> Any:
    raise NotImplementedError(what)


def _algebra(torch: Any) -> dict[str, Function]:
    """Products and linear algebra."""

    def dot(a: Array, b: Array) -> Array:
        if a.ndim == 0 or b.ndim == 0:
            return a * b
        return torch.matmul(a, b) if b.ndim <= 2 else torch.tensordot(a, b, dims=([a.ndim - 1], [b.ndim - 2]))

    def inner(a: Array, b: Array) -> Array:
        return a * b if a.ndim == 0 or b.ndim == 0 else torch.inner(a, b)

    def tensordot(a: Array, b: Array, axes: Any = 2) -> Array:
        if not isinstance(axes, int):
            axes = [[i] if isinstance(i, int) else list(i) for i in axes]
        return torch.tensordot(a, b, dims=axes)

    def solve(a: Array, b: Array) -> Array:
        if b.ndim == 1:
            return torch.linalg.solve(a, b.expand(*a.shape[:-2], -1)[..., None])[..., 0]
        return torch.linalg.solve(a, b.expand(*a.shape[:-2], *b.shape[-2:]) if b.ndim < a.ndim else b)

    def lower(function: Function) -> Function:
        return lambda a, UPLO="L", upper=False: function(_one_triangle(torch, a, UPLO == "U" or upper), upper)

    def qr(a: Array, mode: str = "reduced") -> Any:
        return torch.linalg.qr(a)[1] if mode == "r" else torch.linalg.qr(a, mode)

    def convolve(a: Array, v: Array, mode: str = "full") -> Array:
        a, v = (a, v) if len(a) >= len(v) else (v, a)
        full = torch.nn.functional.conv1d(a[None, None], v.flip(0)[None, None], padding=len(v) - 1)[0, 0]
        cut = {"full": 0, "same": (len(v) - 1) // 2, "valid": len(v) - 1}[mode]
        length = {"full": len(full), "same": len(a), "valid": len(a) - len(v) + 1}[mode]
        return full[cut : cut + length]

    def svd(a: Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
        return torch.linalg.svd(a, full_matrices=full_matrices) if compute_uv else torch.linalg.svdvals(a)

    def real_if_real(values: Array) -> Array:
        """Eigenvalues as NumPy gives them: real numbers, if all of them are."""
        return values if values.imag.any() else values.real

    def cond(x: Array, p: Any = None) -> Array:
        if p in (None, 2, -2):
            s = torch.linalg.svdvals(x)
            return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        return torch.linalg.matrix_norm(x, p) * torch.linalg.matrix_norm(torch.linalg.inv(x), p)

    return {
        "linalg.eigvals": lambda a: real_if_real(torch.linalg.eigvals(a)), "linalg.cond": cond,
        "linalg.eig": lambda a: tuple(map(real_if_real, torch.linalg.eig(a))),
        "dot": dot, "inner": inner, "tensordot": tensordot, "linalg.tensordot": tensordot,
        "linalg.matmul": torch.matmul, "linalg.outer": torch.outer, "vecdot": torch.linalg.vecdot,
        "outer": lambda a, b: torch.outer(a.reshape(-1), b.reshape(-1)), "vdot": lambda a, b: torch.sum(
            a.reshape(-1) * b.reshape(-1)
        ),
        "matvec": lambda a, b: torch.matmul(a, b[..., None])[..., 0],
        "vecmat": lambda a, b: torch.matmul(a[..., None, :], b)[..., 0, :], "linalg.solve": solve,
        "linalg.svd": svd, "einsum": lambda subscripts, *operands: torch.einsum(subscripts, *operands),
        "linalg.eigvalsh": lower(lambda a, upper: torch.linalg.eigvalsh(a)),
        "linalg.eigh": lower(lambda a, upper: torch.linalg.eigh(a)), "linalg.qr": qr, "convolve": convolve,
        "linalg.cholesky": lower(lambda a, upper: torch.linalg.cholesky(a, upper=upper)),
        "linalg.cross": lambda a, b, axis=-1: torch.linalg.cross(a, b, dim=axis),
        "cov": lambda m, ddof=1, **o: _refuse("options") if o else torch.cov(m, correction=1 if ddof is None else ddof),
        "vander": lambda x, N=None, increasing=False: torch.vander(x, N, increasing),
    }  # fmt: skip


def _end(torch: Any, a: Array, value: Any, axis: int) -> Array:
    """What is put before or after an array: a number fills a row."""
    value = torch.as_tensor(value, dtype=a.dtype)
    return torch.full_like(a.narrow(axis, 0, 1), float(value)) if value.ndim == 0 and not value.requires_grad else value


def _sequences(torch: Any) -> dict[str, Function]:
    """Sorting, differences, quadrature, and this library's own names."""

    def sort(a: Array, axis: Any = -1, **options: Any) -> Array:
        return torch.sort(a.reshape(-1) if axis is None else a, dim=-1 if axis is None else axis)[0]

    def cross_entropy(logits: Array, labels: Array, mean: bool = False) -> Array:
        return torch.nn.functional.cross_entropy(logits, torch.as_tensor(labels), reduction="mean" if mean else "none")

    def diff(a: Array, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
        ends = [None if e is None else _end(torch, a, e, axis) for e in (prepend, append)]
        return torch.diff(a, n, dim=axis, prepend=ends[0], append=ends[1])

    def ediff1d(ary: Array, to_end: Any = None, to_begin: Any = None) -> Array:
        parts = [to_begin, torch.diff(ary.reshape(-1)), to_end]
        return torch.cat([torch.atleast_1d(torch.as_tensor(p, dtype=ary.dtype)) for p in parts if p is not None])

    def trapezoid(y: Array, x: Any = None, dx: float = 1.0, axis: int = -1) -> Array:
        return torch.trapezoid(y, dx=dx, dim=axis) if x is None else torch.trapezoid(y, torch.as_tensor(x), dim=axis)

    def cumulative(name: str, start: float) -> Function:
        def running(x: Array, axis: Any = None, include_initial: bool = False) -> Array:
            axis = 0 if axis is None else axis
            result = getattr(torch, name)(x, axis)
            first = torch.full_like(x.narrow(axis, 0, 1), start)
            return torch.cat([first, result], axis) if include_initial else result

        return running

    def polyval(p: Array, x: Array) -> Array:
        total = torch.zeros_like(x)
        for i in range(len(p)):
            total = total * x + p[i]
        return total

    def transform(name: str) -> Function:
        def call(a: Array, n: Any = None, axis: Any = -1, norm: Any = None) -> Array:
            return getattr(torch.fft, name)(a, n, axis, norm)

        return call

    def transforms(name: str) -> Function:
        def call(a: Array, s: Any = None, axes: Any = None, norm: Any = None) -> Array:
            return getattr(torch.fft, name)(a, s, (-2, -1) if axes is None and name.endswith("2") else axes, norm)

        return call

    return {
        "sort": sort, "ediff1d": ediff1d, "softmax_cross_entropy": cross_entropy,
        "diff": diff, "trapezoid": trapezoid, "polyval": polyval,
        "i0": torch.special.i0, "cumulative_sum": cumulative("cumsum", 0.0),
        "cumulative_prod": cumulative("cumprod", 1.0),
        "fft.fftshift": lambda x, axes=None: torch.fft.fftshift(x, axes),
        "fft.ifftshift": lambda x, axes=None: torch.fft.ifftshift(x, axes),
        **{f"fft.{name}": transform(name) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
        **{f"fft.{name}": transforms(name) for name in ("fftn", "ifftn", "rfftn", "fft2", "ifft2", "rfft2")},
    }  # fmt: skip
