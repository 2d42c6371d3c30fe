"""Which callables of NumPy differentiate, in pullback and beside it, tried one by one and written to docs/coverage.md.

``python -m benchmarks.coverage`` calls each function of ``numpy``, ``numpy.linalg`` and ``numpy.fft`` with real arrays,
in each library, and compares the gradient of a weighted sum of its outputs with central differences of NumPy itself.
What a library says of itself does not count.
"""

from __future__ import annotations

import datetime
import inspect
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .coverage_calls import CALLS, NOT_OF_ARRAYS, PATTERNS, REASONS, SYMMETRIC
from .measuring import PEERS, version

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"
NAMESPACES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}
YES, CONSTANT, REFUSES, ABSENT, WRONG = "differentiates", "constant", "refuses", "absent", "**wrong**"


def arrays_of(args: Any) -> list[Any]:
    """The floating-point arrays among the arguments, from left to right."""
    found = []
    for a in args:
        if isinstance(a, np.ndarray) and a.dtype.kind in "fc":
            found.append(a)
        elif isinstance(a, list):
            found.extend(arrays_of(a))
    return found


def filled(args: Any, arrays: Iterator[Any]) -> list[Any]:
    """The arguments with other arrays in the place of the floating-point ones."""
    new: list[Any] = []
    for a in args:
        if isinstance(a, np.ndarray) and a.dtype.kind in "fc":
            new.append(next(arrays))
        else:
            new.append(filled(a, arrays) if isinstance(a, list) else a)
    return new


def outputs(result: Any) -> list[Any]:
    """The results of a call as a flat list."""
    if isinstance(result, list | tuple):
        return [o for r in result for o in outputs(r)]
    return [result]


def weighted(result: Any, namespace: Any) -> Any:
    """One number that depends on every element of every floating-point output; None if there is none."""
    total = None
    for k, output in enumerate(outputs(result)):
        kind = (
            np.result_type(getattr(output, "dtype", output)).kind if not isinstance(output, str | type(None)) else "O"
        )
        if kind not in "fc":
            continue
        size = int(np.prod(np.shape(output)))
        weights = np.reshape(np.cos(1.0 + k + 1.7 * np.arange(size)), np.shape(output))
        parts = [output] if kind == "f" else [namespace.real(output), namespace.imag(output)]
        for i, part in enumerate(parts):
            term = namespace.sum(part * (weights + 0.3 * i))
            total = term if total is None else total + term
    return total


def numerical(call: Callable[..., Any], arrays: list[Any]) -> Any:
    """Central differences of the weighted sum, by each element of each array, as one vector; None without an output."""
    if weighted(call(*arrays), np) is None:
        return None
    slopes, wider = [], []
    for i, array in enumerate(arrays):
        for index in np.ndindex(array.shape):
            values = []
            for step in (1e-6, -1e-6, 3e-6, -3e-6):
                moved = array.copy()
                moved[index] += step
                values.append(float(weighted(call(*arrays[:i], moved, *arrays[i + 1 :]), np)))
            slopes.append((values[0] - values[1]) / 2e-6)
            wider.append((values[2] - values[3]) / 6e-6)
    if not np.allclose(slopes, wider, rtol=1e-3, atol=1e-4):
        raise ValueError("a jump or a kink is near: these arguments tell nothing")
    return np.array(slopes)


# -- how each library takes a gradient ---------------------------------------------------------------------------


def by_pullback(function: Callable[..., Any], arrays: list[Any]) -> Any:
    """Gradients through ``np.`` calls on Tensors."""
    from autodiff import Tensor

    variables = [Tensor(a) for a in arrays]
    total = weighted(function(*variables), np)
    if total is None or not isinstance(total, Tensor) or not total._node.active:
        return None
    total.backward()
    return [np.zeros(v.shape) if v.grad is None else v.grad for v in variables]


def by_autograd(function: Callable[..., Any], arrays: list[Any]) -> Any:
    """Gradients through ``autograd.numpy``."""
    import autograd.numpy as anp
    from autograd import make_vjp

    gradients = []
    for i, array in enumerate(arrays):

        def loss(x: Any, i: int = i) -> Any:
            total = weighted(function(*arrays[:i], x, *arrays[i + 1 :]), anp)
            return 0.0 * anp.sum(x) if total is None else total

        pull, value = make_vjp(loss)(array)
        gradients.append(pull(np.ones_like(value)))
    return gradients


def by_mygrad(function: Callable[..., Any], arrays: list[Any]) -> Any:
    """Gradients through ``np.`` calls on MyGrad's tensors, or MyGrad's own function where it has one of this name."""
    import mygrad

    variables = [mygrad.tensor(a) for a in arrays]
    total = None
    for k, output in enumerate(outputs(function(*variables))):
        if not isinstance(output, mygrad.Tensor):
            if np.asarray(output).dtype.kind in "fc":
                return None  # the result has left the graph without a word
            continue
        weights = np.reshape(np.cos(1.0 + k + 1.7 * np.arange(output.size)), output.shape)
        total = (output * weights).sum() + (0.0 if total is None else total)
    if total is None:
        return None
    total.backward()
    return [np.zeros(v.shape) if v.grad is None else v.grad for v in variables]


def by_jax(function: Callable[..., Any], arrays: list[Any]) -> Any:
    """Gradients through ``jax.numpy``, in double precision."""
    import jax
    import jax.numpy as jnp

    def loss(variables: Any) -> Any:
        total = weighted(function(*variables), jnp)
        return jnp.zeros(()) if total is None else total

    return list(jax.grad(loss)([jnp.asarray(a) for a in arrays]))


def namespaces_of(library: str) -> dict[str, Any]:
    """Where a library keeps its functions."""
    if library == "pullback":
        return NAMESPACES
    if library == "autograd":
        import autograd.numpy as anp

        return {"numpy": anp, "numpy.linalg": anp.linalg, "numpy.fft": anp.fft}
    if library == "JAX":
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        return {"numpy": jnp, "numpy.linalg": jnp.linalg, "numpy.fft": jnp.fft}
    import mygrad

    return {"numpy": mygrad, "numpy.linalg": getattr(mygrad, "linalg", mygrad), "numpy.fft": None}


GRADIENTS = {"pullback": by_pullback, "autograd": by_autograd, "MyGrad": by_mygrad, "JAX": by_jax}


def verdict(library: str, module: str, name: str, args: Any, arrays: list[Any], expected: Any) -> str:
    """What a library makes of a function."""
    space = namespaces_of(library)[module]
    function = getattr(space, name, None) if space is not None else None
    if library == "MyGrad" and function is None:
        function = getattr(NAMESPACES[module], name)
    if function is None:
        return ABSENT

    def call(*variables: Any) -> Any:
        if name in SYMMETRIC:
            variables = tuple((v + v.T) / 2 for v in variables)
        return function(*filled(args, iter(variables)))

    try:
        found = GRADIENTS[library](call, arrays)
    except Exception:
        return REFUSES
    zero = expected is None or not np.any(np.abs(expected) > 1e-7)
    if found is None:
        return CONSTANT if zero else WRONG
    found = np.concatenate([np.ravel(np.asarray(g)) for g in found])
    if not np.all(np.isfinite(found)) or found.size != sum(a.size for a in arrays):
        return WRONG
    if zero:
        return CONSTANT if np.max(np.abs(found), initial=0.0) < 1e-9 else WRONG
    close = np.allclose(found, expected, rtol=1e-4, atol=1e-5 * (1.0 + np.max(np.abs(expected))))
    return YES if close else WRONG


def chosen_call(module: str, name: str) -> tuple[Any, list[Any], Any] | None:
    """Arguments that NumPy accepts, those with a derivative if there are any, and the derivative."""
    function = getattr(NAMESPACES[module], name)
    fallback = None
    key = name if module == "numpy" else f"{module.removeprefix('numpy.')}.{name}"
    for args in [CALLS[key]] if key in CALLS else PATTERNS:
        arrays = [a.copy() for a in arrays_of(args)]

        def call(*variables: Any, args: Any = args) -> Any:
            if name in SYMMETRIC:
                variables = tuple((v + v.T) / 2 for v in variables)
            return function(*filled(args, iter(variables)))

        try:
            expected = numerical(call, arrays)
        except Exception:
            continue
        if expected is not None and np.any(np.abs(expected) > 1e-7):
            return args, arrays, expected
        fallback = fallback or (args, arrays, expected)
    return fallback


def rows() -> Iterator[tuple[str, str, list[str], dict[str, str]]]:
    """Module, name, other names and verdicts of every callable that takes a real array."""
    for module, space in NAMESPACES.items():
        seen: dict[int, str] = {}
        names: dict[str, list[str]] = {}
        for name in sorted(dir(space), key=lambda n: (n not in ("abs", "acos"), n)):
            function = getattr(space, name)
            if name.startswith("_") or not callable(function) or inspect.isclass(function) or name in NOT_OF_ARRAYS:
                continue
            if id(function) in seen:
                names[seen[id(function)]].append(name)
            else:
                seen[id(function)] = name
                names[name] = []
        for name in sorted(names):
            found = chosen_call(module, name)
            if found is None:
                print(f"no arguments found for {module}.{name}", file=sys.stderr)
                continue
            yield module, name, names[name], {lib: verdict(lib, module, name, *found) for lib in GRADIENTS}


ABOUT = """\
# What differentiates

Each callable of `numpy`, `numpy.linalg` and `numpy.fft` was called with real arrays. The gradient of a weighted sum of
its outputs was compared with central differences of NumPy's own function. *Differentiates*: the gradients agree.
*Constant*: the derivative is zero, and the library returns zero or offers no gradient. *Refuses*: it raises an
exception. *Absent*: the library has no function of this name. **Wrong**: the gradient is another number or NaN, or the
result was silently detached from the graph.
The argument of `eigh`, `eigvalsh` and `cholesky` was (a + a.T) / 2, because libraries read their argument in different
ways.

Methods of ufuncs (`np.add.reduce`, `accumulate`, `reduceat`, `outer`), `np.emath` and
`numpy.lib.stride_tricks.sliding_window_view` differentiate too. They are not in the table.

NumPy does not dispatch some calls. No library can differentiate them without a module of its own instead of NumPy:
`np.array`, `np.asarray` and `np.full` of Tensors, `np.r_` and `np.c_`, a list of Tensors as an array (`np.mean([t,
u])`), and `np.int64(t)`. Each raises an error that says what to write: `np.stack([t, u])`, `np.concatenate`,
`np.broadcast_to(t, shape)`, `t.astype(int)`. The same holds for functions of SciPy that are written in Python, such as
those of `scipy.stats` and `scipy.signal`.

This page is written by `python -m benchmarks.coverage`; do not edit it.
"""


def page(table: list[tuple[str, str, list[str], dict[str, str]]]) -> str:
    """The table as Markdown, totals first."""
    libraries = list(GRADIENTS)
    versions = ", ".join(f"{lib} {version(PEERS[lib])}" for lib in libraries[1:])
    lines = [
        ABOUT,
        f"NumPy {np.__version__}, {versions}; Python {platform.python_version()}, {datetime.date.today():%Y-%m-%d}.",
        "",
    ]
    lines += ["| | " + " | ".join(libraries) + " |", "|---" * (len(libraries) + 1) + "|"]
    for state in (YES, CONSTANT, REFUSES, ABSENT, WRONG):
        lines.append(
            f"| {state} | " + " | ".join(str(sum(r[3][lib] == state for r in table)) for lib in libraries) + " |"
        )
    for module in NAMESPACES:
        lines += [
            "",
            f"## {module}",
            "",
            "| function | " + " | ".join(libraries) + " | |",
            "|---" * (len(libraries) + 2) + "|",
        ]
        for where, name, others, verdicts in table:
            if where == module:
                label = ", ".join(f"`{n}`" for n in [name, *others])
                reason = REASONS.get(name, "")
                lines.append(f"| {label} | " + " | ".join(verdicts[lib] for lib in libraries) + f" | {reason} |")
    lines += [
        "",
        "## Not tried",
        "",
        "Callables that take no real array (input and output, settings, integers, dates, constants):",
        "",
    ]
    lines.append(", ".join(f"`{n}`" for n in sorted(NOT_OF_ARRAYS)) + ".")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Try everything, write the page, and fail if a peer differentiates what pullback does not without a reason."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        table = list(rows())
    PAGE.write_text(page(table))
    behind = [
        r for r in table if r[3]["pullback"] not in (YES, CONSTANT) and YES in r[3].values() and r[1] not in REASONS
    ]
    wrong = [r for r in table if r[3]["pullback"] == WRONG]
    for module, name, _, verdicts in behind + wrong:
        print(f"{module}.{name}: {verdicts}", file=sys.stderr)
    for library in GRADIENTS:
        states = [r[3][library] for r in table]
        print(library, {s: states.count(s) for s in (YES, CONSTANT, REFUSES, ABSENT, WRONG)})
    return 1 if behind or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
