"""Chains of elementwise operations in float32: NumPy, programs in NumPy and in C, numexpr, JAX.

Each chain is written once for any module that looks like NumPy; numexpr gets it as a text.  One thread for all.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .measuring import NOT_INSTALLED, Table, Timing, number, print_tables, take_turns, verdict

Array = Any
LENGTHS = (500, 10_000, 1_000_000)
NUMPY, IN_C = "NumPy", "pullback, C"
OURS = (NUMPY, "pullback, NumPy", IN_C)
LIMIT = 1.3
"""How many times as long as the best of all C may take."""
GAINS = {"sigmoid": 3.0, "tanh": 3.0}
"""How many times as fast as NumPy C is to be, for 10,000 elements."""


class Chain(NamedTuple):
    """A function of two arrays, and what numexpr is told."""

    function: Callable[[Any, Array, Array], Array]
    text: str


CHAINS = {
    "sigmoid": Chain(lambda np, x, y: 1 / (1 + np.exp(-x)), "1 / (1 + exp(-x))"),
    "tanh": Chain(lambda np, x, y: np.tanh(x), "tanh(x)"),
    "tanh(x y + x) y": Chain(lambda np, x, y: np.tanh(x * y + x) * y, "tanh(x * y + x) * y"),
    "gelu, by tanh": Chain(
        lambda np, x, y: 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x))),
        "0.5 * x * (1 + tanh(0.7978845608 * (x + 0.044715 * x * x * x)))",
    ),
    "eight sums and products": Chain(
        lambda np, x, y: ((x * y + x) * (y - x) + 2.0 * x) * (x + y) - y * y,
        "((x * y + x) * (y - x) + 2.0 * x) * (x + y) - y * y",
    ),
    "log(1 + exp(x)) y": Chain(lambda np, x, y: np.log(1 + np.exp(x)) * y, "log(1 + exp(x)) * y"),
}


def contestants(chain: Chain, x: Array, y: Array) -> dict[str, Callable[[], Any]]:
    """The chain with each library that is here, on the same arrays."""
    from autodiff import capture

    def function(x: Array, y: Array) -> Array:
        return chain.function(np, x, y)

    program = capture(function, x, y)
    in_c = program.compiled("c")
    found = {NUMPY: lambda: function(x, y), OURS[1]: lambda: program(x, y), IN_C: lambda: in_c(x, y)}
    try:
        ne = importlib.import_module("numexpr")
        ne.set_num_threads(1)
        numbers = {name: value for name, value in (("x", x), ("y", y)) if name in chain.text.replace("exp", "")}
        text = chain.text
        ne.evaluate(text, numbers, truediv=True)
        found["numexpr"] = lambda: ne.evaluate(text, numbers, truediv=True)
    except ImportError:
        pass
    try:
        jax = importlib.import_module("jax")
        a, b = jax.numpy.asarray(x), jax.numpy.asarray(y)
        compiled = jax.jit(lambda x, y: chain.function(jax.numpy, x, y)).lower(a, b).compile()
        found["JAX"] = lambda: jax.block_until_ready(compiled(a, b))
    except ImportError:
        pass
    return found


def measured(chain: Chain, length: int) -> dict[str, Timing]:
    """The rounds of each, after a look whether they compute the same."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(length, dtype=np.float32) for _ in range(2))
    calls = contestants(chain, x, y)
    expected = calls[NUMPY]()
    for name, call in calls.items():
        np.testing.assert_allclose(np.asarray(call()), expected, rtol=1e-5, atol=1e-5, err_msg=name)
    return take_turns(calls, rounds=60 if length > 100_000 else 200, seconds=0.004)


def judged(name: str, length: int, timings: dict[str, Timing]) -> str:
    """Which targets were met."""
    mine, best = timings[IN_C].best, min(t.best for t in timings.values())
    words = [f"{mine / best:.2f}x the best: {verdict(mine / best, LIMIT)}"]
    gain = timings[NUMPY].best / mine
    if name in GAINS and length == LENGTHS[1]:
        words.append(f"{gain:.1f} times as fast as NumPy, {GAINS[name]:g} wanted: {verdict(GAINS[name] / gain, 1.0)}")
    return "; ".join(words)


def tables() -> list[Table]:
    """The times, and the targets."""
    warnings.simplefilter("ignore")
    names = [*OURS, "numexpr", "JAX"]
    rows = []
    for name, chain in CHAINS.items():
        for length in LENGTHS:
            timings = measured(chain, length)
            cells = [number(timings[n].best * 1e6) if n in timings else NOT_INSTALLED for n in names]
            rows.append([name, f"{length:,}", *cells, judged(name, length, timings)])
    return [
        Table(
            "Elementwise chains",
            "float32, one thread; microseconds, the best of the rounds. All are called from Python.",
            ["chain", "elements", *names, "C"],
            rows,
        )
    ]


if __name__ == "__main__":
    print_tables(tables)
