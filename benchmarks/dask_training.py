"""Training on data four times as large as the memory that a process may have: Dask arrays inside Tensors, with L-BFGS.

Each way has a process of its own, whose memory is limited (RLIMIT_DATA) to what it holds after its imports and a
quarter of the data.  The data is made part by part, as it would be read from files, and each making is counted.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from autodiff import grad
from autodiff.scipy.optimize import minimize

from .measuring import Table, number, print_tables
from .processes import STATUS, _status, ask, forget_peak, peak_resident, resident

FEATURES, HIDDEN = 64, 16
PART = 1 << 14
"""So many rows are made at once: 4 MiB."""
PARTS = 128
"""So many parts are the data: 512 MiB."""
LIMIT = PARTS * PART * FEATURES * 4 // 4
"""So many bytes of memory a process may take beside what it holds after its imports."""
ITERATIONS = 6
TRUE = np.linspace(-2.0, 2.0, FEATURES, dtype=np.float32)
Array = Any
Parameters = dict[str, Array]

made = itertools.count()


def part(i: int) -> Array:
    """Some rows, float32, always the same for one number."""
    next(made)
    random = np.random.Generator(np.random.SFC64(i))
    return random.random((PART, FEATURES), dtype=np.float32) - np.float32(0.5)


def labels(x: Array) -> Array:
    """1 on one side of a curved surface, 0 on the other."""
    return (x @ TRUE + np.square(x[:, 0]) > 0.1).astype(np.float32)


def data(parts: int = PARTS) -> Array:
    """All rows as a Dask array, of which nothing is there yet."""
    import dask.array as da

    def block(block_id: Any) -> Array:
        return part(block_id[0])

    chunks = ((PART,) * parts, (FEATURES,))
    return da.map_blocks(block, chunks=chunks, dtype=np.float32, meta=np.zeros((0, 0), np.float32))


# -- the two models ------------------------------------------------------------------------------------------------


def logistic(p: Parameters, x: Array) -> Array:
    """The logits of a linear model."""
    return x @ p["w"] + p["b"]


def layers(p: Parameters, x: Array) -> Array:
    """The logits of a network of two layers."""
    return np.tanh(x @ p["v"] + p["c"]) @ p["w"] + p["b"]


def start(model: str) -> Parameters:
    """Where the search begins."""
    if model == "logistic":
        return {"w": np.zeros(FEATURES, np.float32), "b": np.float32(0.0)}
    rng = np.random.default_rng(0)
    v, w = rng.normal(size=(FEATURES, HIDDEN)) / 8, rng.normal(size=HIDDEN) / 4
    return {"v": v.astype(np.float32), "c": np.zeros(HIDDEN, np.float32), "w": w.astype(np.float32), "b": np.float32(0)}


MODELS: dict[str, Callable[..., Array]] = {"logistic": logistic, "layers": layers}


def loss(p: Parameters, model: str, x: Array, y: Array) -> Array:
    """The cross-entropy of the labels, with a small weight on large parameters."""
    p = {name: value.astype(np.float32) for name, value in p.items()}
    z = MODELS[model](p, x)
    return np.mean(np.logaddexp(0, z) - y * z) + 1e-4 * sum(np.sum(np.square(value)) for value in p.values())


# -- the ways ------------------------------------------------------------------------------------------------------


def searched(f: Callable[..., Any], model: str, *args: Any) -> tuple[float, int]:
    """The smallest value of a differentiable function, and how often it was called."""
    options = {"maxiter": ITERATIONS}
    found = minimize(f, start(model), args=args, method="L-BFGS-B", options=options)
    return float(found.fun), int(found.nfev)


def of_dask(model: str) -> tuple[float, int]:
    """The loss as it stands, on all rows as a Dask array."""
    x = data()
    return searched(loss, model, model, x, labels(x))


def of_numpy(model: str) -> tuple[float, int]:
    """The same on all rows as an ndarray."""
    x = np.concatenate([part(i) for i in range(PARTS)])
    return searched(loss, model, model, x, labels(x))


def by_hand(model: str) -> tuple[float, int]:
    """A loop over the parts, with derivatives written by hand, and SciPy's own search."""
    import scipy.optimize  # type: ignore[import-untyped,unused-ignore]

    first = start(model)
    names, shapes = list(first), [np.shape(value) for value in first.values()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
    flat = np.concatenate([np.ravel(value) for value in first.values()]).astype(float)
    rows = PART * PARTS

    def value_and_gradient(vector: Array) -> tuple[float, Array]:
        pieces = np.split(vector.astype(np.float32), ends[:-1])
        p = {n: np.reshape(piece, shape) for n, piece, shape in zip(names, pieces, shapes, strict=True)}
        total, sums = 0.0, [np.zeros(shape) for shape in shapes]
        for i in range(PARTS):
            x = part(i)
            y = labels(x)
            hidden = np.tanh(x @ p["v"] + p["c"]) if "v" in p else x
            z = hidden @ p["w"] + p["b"]
            total += float(np.sum(np.logaddexp(0, z) - y * z, dtype=float))
            g = 1 / (1 + np.exp(-z)) - y
            found = {"w": g @ hidden, "b": np.sum(g)}
            if "v" in p:
                inner = g[:, None] * p["w"] * (1 - hidden * hidden)
                found |= {"v": x.T @ inner, "c": np.sum(inner, axis=0)}
            for one, name in zip(sums, names, strict=True):
                one += found[name]
        gradient = np.concatenate([np.ravel(s / rows + 2e-4 * p[n]) for s, n in zip(sums, names, strict=True)])
        return total / rows + 1e-4 * float(np.sum(np.square(vector))), gradient

    options = {"maxiter": ITERATIONS}
    found = scipy.optimize.minimize(value_and_gradient, flat, jac=True, method="L-BFGS-B", options=options)
    return float(found.fun), int(found.nfev)


def of_dask_ml(model: str) -> tuple[float, int]:
    """dask-ml's logistic regression, which has L-BFGS too."""
    from dask_ml.linear_model import LogisticRegression  # type: ignore[import-not-found,unused-ignore]

    x = data()
    rows = PART * PARTS
    settings = {"solver": "lbfgs", "penalty": "l2", "C": 1 / (2e-4 * rows), "max_iter": ITERATIONS}
    found = LogisticRegression(fit_intercept=False, **settings).fit(x, labels(x))
    p = {"w": np.asarray(found.coef_, np.float32).ravel(), "b": np.zeros((), np.float32)}
    return float(loss(p, model, x, labels(x)).compute()), 0


WAYS: dict[str, Callable[[str], tuple[float, int]]] = {
    "pullback, Dask": of_dask,
    "parts by hand, NumPy": by_hand,
    "dask-ml": of_dask_ml,
    "pullback, all rows as an ndarray": of_numpy,
}


def one(way: str, model: str) -> dict[str, Any]:
    """One way under the limit: time, the most memory, how often each part was made."""
    if way == "dask-ml":
        import dask_ml.linear_model  # noqa: F401
    x = part(0) if way == "parts by hand, NumPy" else data(2)
    for g in grad(partial(loss, model=model, x=x, y=labels(x)))(start(model)).values():
        np.asarray(g)  # loads what is loaded at first use
    square = np.ones((700, 700), np.float32)
    with ThreadPoolExecutor(4) as pool:  # what the BLAS library keeps for products at the same time, it takes now
        list(pool.map(square.__matmul__, [square] * 40))
    minimize(lambda w: np.sum(w * w), np.ones(3), method="L-BFGS-B")  # and SciPy's own
    del x, square
    limit = _status("VmData") + LIMIT
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    forget_peak()
    before, counted, began = resident(), next(made), time.perf_counter()
    value, calls = WAYS[way](model)
    seconds = time.perf_counter() - began
    parts = next(made) - counted - 1
    return {"value": value, "calls": calls, "seconds": seconds, "memory": peak_resident() - before, "parts": parts}


# -- the table -----------------------------------------------------------------------------------------------------


def row(way: str, found: dict[str, Any]) -> list[str]:
    """A line of the table."""
    if "failed" in found:
        return [way, "does not fit" if "MemoryError" in found["failed"] else found["failed"], "", "", "", ""]
    passes = f"{found['parts'] / PARTS:g}"
    calls = f"{found['calls'] or ''}"
    seconds, memory = number(found["seconds"]), number(found["memory"] / 2**20)
    return [way, seconds, memory, calls, passes, f"{found['value']:.5f}"]


def tables() -> list[Table]:
    """A table for each model."""
    assert STATUS.exists(), "this benchmark reads what Linux says about a process"
    made = []
    for model, heading in (("logistic", "Logistic regression"), ("layers", f"Two layers, {HIDDEN} hidden units")):
        rows = []
        for way in WAYS:
            if way != "dask-ml" or model == "logistic":
                rows.append(row(way, ask("benchmarks.dask_training", way, model, limit=600.0)))
        about = (
            f"{PARTS * PART:,} rows of {FEATURES} numbers, float32, {PARTS * PART * FEATURES * 4 / 2**20:,.0f} MiB, in "
            f"parts of {PART * FEATURES * 4 / 2**20:g} MiB; a limit of {LIMIT / 2**20:g} MiB beyond the imports. "
            f"{ITERATIONS} iterations of L-BFGS. Seconds; the most memory beyond the imports in MiB; calls of the "
            "loss; how often all parts were made; the loss at the end."
        )
        made.append(Table(heading, about, ("way", "s", "MiB", "calls", "readings", "loss"), rows))
    return made


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(one(*sys.argv[1:])))
    else:
        print_tables(tables)
