"""Complex gradients beside JAX's and PyTorch's: the convention, function by function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import grad
from autodiff.primitive import Primitive, registry

from .measuring import Table, version

Function = Callable[..., Any]
Z = np.array([0.3 + 0.4j, -0.6 + 0.25j, 0.7 - 0.35j, -0.45 - 0.8j])
U = np.array([0.5 - 0.2j, 0.8 + 0.3j, -0.4 + 0.6j, 0.9 + 0.1j])
PARTS = ["absolute", "real", "imag", "conjugate", "angle"]
PRODUCTS = ["matmul", "dot", "vdot", "inner", "outer", "einsum", "tensordot"]
FOURIER = ["fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "fftn", "ifftn", "hfft", "ihfft", "fftshift", "ifftshift"]


def holomorphic() -> list[str]:
    """The ufuncs of the table that compute with complex numbers and have a derivative there."""
    names = []
    for entry in registry.values():
        if (
            isinstance(entry, Primitive)
            and entry.elementwise
            and not entry.flat
            and isinstance(entry.function, np.ufunc)
        ):
            if getattr(np, entry.name, None) is not entry.function or entry.name in PARTS:
                continue
            try:
                result = entry.function(*[Z, U][: len(entry.parameters)])
            except TypeError:
                continue
            if result.dtype.kind == "c":
                names.append(entry.name)
    return names


def _loss(function: Function, space: Any, arguments: int) -> Function:
    """A weighted sum of the real and imaginary parts, which tells every error from a conjugate."""

    def loss(*z: Any) -> Any:
        value = function(*z[:arguments])
        weights = np.reshape(np.cos(1.0 + 1.7 * np.arange(int(np.prod(value.shape)))), tuple(value.shape))
        w, v = (weights, weights + 0.3) if space.__name__ != "torch" else map(space.tensor, (weights, weights + 0.3))
        parts = [space.real(value) * w]
        if np.dtype(str(value.dtype).removeprefix("torch.")).kind == "c":
            parts.append(space.imag(value) * v)
        return sum(space.sum(p) for p in parts)

    return loss


def _call(name: str, space: Any) -> tuple[Function | None, int]:
    """The function of this name as a function of complex vectors, and of how many."""
    home = space.fft if name in FOURIER else space
    aliases = {"conjugate": "conj", "absolute": "abs", "matmul": "matmul"}
    function = getattr(home, name, None) or getattr(home, aliases.get(name, name), None)
    if function is None:
        return None, 1
    shaped = lambda z: space.reshape(z, (2, 2))  # noqa: E731
    if name == "einsum":
        return lambda a, b: function("ij,jk->ki", shaped(a), shaped(b)), 2
    if name == "tensordot":
        return lambda a, b: function(shaped(a), shaped(b), 1), 2
    if name == "matmul":
        return lambda a, b: function(shaped(a), shaped(b)), 2
    if name in PRODUCTS:
        return function, 2
    if name in ("rfft", "ihfft"):  # of real numbers
        return lambda z: function(space.real(z)), 1
    if name in ("fft2", "ifft2", "fftn", "ifftn"):
        return lambda z: function(shaped(z)), 1
    entry = registry.get(getattr(np, name, None))  # type: ignore[arg-type]
    return function, len(entry.parameters) if isinstance(entry, Primitive) and entry.elementwise else 1


def _gradients(name: str) -> tuple[Any, Any, Any]:
    """Ours, JAX's, and the conjugate of PyTorch's; None where a library has no such function."""
    import jax
    import jax.numpy as jnp
    import torch

    function, count = _call(name, np)
    assert function is not None
    numbers = tuple(range(count))
    ours = grad(_loss(function, np, count), numbers)(*[Z, U][:count])
    theirs = torchs = None
    function, _ = _call(name, jnp)
    if function is not None:
        theirs = jax.grad(_loss(function, jnp, count), numbers)(*[jnp.asarray(a) for a in (Z, U)[:count]])
    function, _ = _call(name, torch)
    if function is not None:
        variables = [torch.tensor(a, requires_grad=True) for a in (Z, U)[:count]]
        try:
            _loss(function, torch, count)(*variables).backward()
            torchs = [v.grad.resolve_conj().numpy().conj() for v in variables]
        except (RuntimeError, TypeError, NotImplementedError, AttributeError):  # not for complex numbers
            torchs = None
    return ours, theirs, torchs


def _distance(ours: Any, theirs: Any) -> float | None:
    if theirs is None:
        return None
    return max(
        float(np.max(np.abs(np.asarray(a) - np.asarray(b))) / max(1.0, float(np.max(np.abs(np.asarray(b))))))
        for a, b in zip(ours, theirs, strict=True)
    )


def complex_tables() -> list[Table]:
    """A row for each holomorphic ufunc, product and Fourier transform, and for the parts of a complex number."""
    rows = []
    compared = agreeing = 0
    for name in (*PARTS, *holomorphic(), *PRODUCTS, *FOURIER):
        ours, theirs, torchs = _gradients(name)
        found = [_distance(ours, theirs), _distance(ours, torchs)]
        compared += sum(d is not None for d in found)
        agreeing += sum(d is not None and d < 1e-12 for d in found)
        rows.append([f"`{name}`", *["not there" if d is None else f"{d:.0e}" for d in found]])
    about = (
        "The gradient of a weighted sum of real and imaginary parts by complex arguments: differences from JAX's "
        f"{version('jax')}, and from the conjugate of PyTorch's {version('torch')}. {agreeing} of {compared} "
        "comparisons agree to 1e-12. (`arccosh`: JAX computes sqrt(z² - 1), which is on another branch than "
        "sqrt(z - 1) sqrt(z + 1) where the real part is negative.)"
    )
    return [Table("Complex numbers", about, ["", "JAX", "PyTorch, conjugated"], rows)]
