"""Values, first and second derivatives of every operation beside JAX's, in double precision, on drawn inputs.

``python -m benchmarks.agreement [examples]`` draws that many calls of each entry of the table (5), makes each in both
libraries, and compares the outputs, the gradient of a weighted sum of them, and the gradient of a weighted sum of that.
Complex gradients are compared with PyTorch's too, which are the conjugates.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from autodiff import Tensor, grad
from autodiff.ops import special
from autodiff.primitive import Composite, Primitive, registry
from autodiff.testing.strategies import arguments

from .coverage import outputs
from .coverage_calls import SYMMETRIC
from .measuring import Table, print_tables, version

WEIGHTS = np.arange(1.0, 5.0)
TOLERANCES = {"value": 1e-10, "first": 1e-8, "second": 1e-6}


def counterpart(entry: Primitive | Composite) -> Callable[..., Any] | None:
    """JAX's function of this name, from the module that answers to NumPy's or SciPy's."""
    import jax.nn
    import jax.numpy as jnp
    import jax.scipy.special

    function, name = entry.function, entry.name
    for ours, theirs in ((np, jnp), (np.linalg, jnp.linalg), (np.fft, jnp.fft)):
        for alias in (name, getattr(function, "__name__", name)):
            if getattr(ours, alias, None) is function:
                return getattr(theirs, alias, None)
    if isinstance(function, np.ufunc):
        return getattr(jax.scipy.special, name, None)
    return {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
            "logsumexp": jax.scipy.special.logsumexp}.get(name)  # fmt: skip


def chained(call: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """The call with another function in the place of the entry's, of arrays alone."""

    def of_arrays(*arrays: Any) -> Any:
        if call.entry.name in SYMMETRIC:
            arrays = tuple((a + a.swapaxes(-1, -2)) / 2 for a in arrays)
        actual, call.entry = call.entry, type("Other", (), {"call": staticmethod(function), "name": call.entry.name})
        try:
            return call(*arrays)
        finally:
            call.entry = actual

    return of_arrays


def weighted(values: list[Any], space: Any) -> Any:
    """A weighted sum of the real and imaginary parts of every floating-point array."""
    total: Any = 0.0
    for k, value in enumerate(values):
        kind = np.dtype(getattr(value, "dtype", float)).kind
        if kind in "fc":
            size = int(np.prod(np.shape(value)))
            w = np.reshape(np.cos(1.0 + k + 1.7 * np.arange(size)), np.shape(value))
            parts = [value] if kind == "f" else [space.real(value), space.imag(value)]
            total = total + sum(space.sum(part * (w + 0.3 * i)) for i, part in enumerate(parts))
    return total


def derivatives(function: Callable[..., Any], arrays: list[Any], space: Any, gradient: Any) -> tuple[Any, Any, Any]:
    """Outputs, gradient, and gradient of the weighted gradient."""
    numbers = list(range(len(arrays)))

    def loss(*variables: Any) -> Any:
        return weighted(outputs(function(*variables)), space) + 0.0 * sum(space.sum(space.abs(v)) for v in variables)

    def slope(*variables: Any) -> Any:
        return weighted(list(gradient(loss, numbers)(*variables)), space) + 0.0 * sum(
            space.sum(space.abs(v)) for v in variables
        )

    value = [np.asarray(o.data if isinstance(o, Tensor) else o) for o in outputs(function(*arrays))]
    return value, gradient(loss, numbers)(*arrays), gradient(slope, numbers)(*arrays)


def distance(ours: Any, theirs: Any) -> float:
    """The largest difference, relative to the largest number."""
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        if a.dtype.kind in "fc" and a.size:
            worst = max(worst, float(np.max(np.abs(a - b)) / max(1.0, float(np.max(np.abs(b))))))
            worst = np.inf if not np.isfinite(worst) else worst
    return worst


def compared(entry: Primitive | Composite, theirs: Callable[..., Any], examples: int) -> dict[str, Any]:
    """The worst distances over the drawn calls, and how many calls JAX took."""
    import jax
    import jax.numpy as jnp

    worst = dict.fromkeys(TOLERANCES, 0.0) | {"calls": 0, "refused": 0, "call": ""}

    def jax_gradient(f: Any, numbers: Any) -> Any:
        return jax.grad(f, argnums=tuple(numbers))

    @seed(20240717)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(arguments(entry))
    def run(call: Any) -> None:
        arrays = call.arrays
        ours = derivatives(chained(call, entry.call), arrays, np, grad)
        try:
            other = derivatives(chained(call, theirs), [jnp.asarray(a) for a in arrays], jnp, jax_gradient)
        except Exception:
            worst["refused"] += 1
            return
        worst["calls"] += 1
        for what, a, b in zip(TOLERANCES, ours, other, strict=True):
            found = distance(a, b)
            if found > worst[what]:
                worst[what] = found
                if found > TOLERANCES[what]:
                    worst["call"] = repr(call)[:200]

    run()
    return worst


def complex_rows() -> list[list[str]]:
    """Gradients of |f(z)|² by a complex z: equal to JAX's, the conjugate of PyTorch's."""
    import jax
    import jax.numpy as jnp
    import torch

    z = np.array([0.3 + 0.4j, -0.6 + 0.25j, 0.7 - 0.35j, -0.45 - 0.8j])
    rows = []
    for name in (
        "exp",
        "sin",
        "tanh",
        "sqrt",
        "log",
        "abs",
        "real",
        "imag",
        "angle",
        "conj",
        "reciprocal",
        "fft",
        "ifft",
    ):
        space, jspace, tspace = (np.fft, jnp.fft, torch.fft) if "fft" in name else (np, jnp, torch)
        here, there = getattr(space, name), getattr(jspace, name)
        ours = grad(lambda v, f=here: np.sum(np.abs(f(v)) ** 2 * WEIGHTS))(z)
        theirs = jax.grad(lambda v, f=there: jnp.sum(jnp.abs(f(v)) ** 2 * WEIGHTS))(jnp.asarray(z))
        t = torch.tensor(z, requires_grad=True)
        (torch.abs(getattr(tspace, name)(t)) ** 2 * torch.arange(1.0, 5.0, dtype=torch.float64)).sum().backward()
        torchs = t.grad.resolve_conj().numpy().conj()
        rows.append([f"`{name}`", f"{distance([ours], [theirs]):.0e}", f"{distance([ours], [torchs]):.0e}"])
    return rows


def tables(examples: int = 5) -> list[Table]:
    """Run, and show the worst distances and everything beyond tolerance."""
    import jax

    jax.config.update("jax_enable_x64", True)
    special.load()
    rows, beyond, calls, refused, without = [], [], 0, [], []
    worst = dict.fromkeys(TOLERANCES, 0.0)
    count = 0
    for entry in list(registry.values()):
        if isinstance(entry, Primitive) and entry.flat:
            continue
        theirs = counterpart(entry)
        if theirs is None:
            without.append(entry.name)
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = compared(entry, theirs, examples)
        calls += found["calls"]
        if not found["calls"]:
            refused.append(entry.name)
            continue
        count += 1
        if any(found[w] > TOLERANCES[w] for w in TOLERANCES):
            beyond.append([f"`{entry.name}`", *[f"{found[w]:.0e}" for w in TOLERANCES], f"`{found['call']}`"])
        else:
            worst = {w: max(worst[w], found[w]) for w in TOLERANCES}
    rows = [[what, f"{TOLERANCES[what]:.0e}", f"{worst[what]:.1e}"] for what in TOLERANCES]
    about = (
        f"{count} operations, {calls} calls drawn by Hypothesis, JAX {version('jax')} in double precision; the "
        f"largest difference relative to the largest number of a result. {count - len(beyond)} agree in value, first "
        f"and second derivative; {len(beyond)} do not, in the second table. JAX has no counterpart of "
        f"{', '.join(sorted(set(without)))}; it refused {', '.join(refused) or 'none'} in some order of derivative."
    )
    return [
        Table("Agreement with JAX", about, ["", "tolerance", "largest difference"], rows),
        Table("Beyond tolerance", "Each with a call that shows it.", ["operation", *TOLERANCES, "call"], beyond),
        Table(
            "Complex gradients",
            f"Differences from JAX's gradient, and the conjugate of PyTorch's {version('torch')}.",
            ["", "JAX", "PyTorch"],
            complex_rows(),
        ),
    ]


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print_tables(lambda: tables(n))
