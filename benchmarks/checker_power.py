"""How good are gradient checkers: false alarms, missed faults, cost; ours beside autograd's, JAX's and PyTorch's.

Each library checks the same functions, made of its own operations, and a fault is planted in each by its own means of
giving a function a derivative.  ``python benchmarks/checker_power.py [seeds] [programs]`` prints two tables.
"""

from __future__ import annotations

import importlib
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import autograd.extend
import autograd.numpy as anp
import autograd.test_util
import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings

from autodiff import elementwise, grad
from autodiff.primitive import Composite, registry
from autodiff.testing import gradcheck
from autodiff.testing.programs import programs, smooth_entries
from tests.differences import calls
from tests.testing.planted import FAULTS, places, planted

jax.config.update("jax_enable_x64", True)
warnings.simplefilter("ignore")
TORCH_ERROR = importlib.import_module("torch.autograd.gradcheck").GradcheckError  # a function hides the module
MAGNITUDES = (1e-8, 1e-4, 1.0, 1e4, 1e8)


# -- the table of our own operations -------------------------------------------------------------------------------


def scaled(sample, rng, magnitude, dtype):
    """Numbers of this magnitude on the side of zero that the domain allows."""
    low = sample.domain.low
    x = rng.uniform(0.1, 1.0, sample.shape) * magnitude
    x = low + x if low >= 0 else x * rng.choice([-1.0, 1.0], sample.shape)
    make = getattr(sample, "make", None)
    return np.asarray(x if make is None else make(x)).astype(dtype)


def false_alarms(seeds):
    """Verdicts over every entry, dtype, magnitude and seed, and the names of those called wrong."""
    verdicts, named = Counter(), Counter()
    for entry in list(registry.values()):
        if not isinstance(entry, Composite) and entry.flat:
            continue
        for call in calls(entry)[:3]:
            for magnitude in MAGNITUDES:
                for dtype in (np.float32, np.float64):
                    for seed in range(seeds):
                        rng = np.random.default_rng(seed)
                        arrays = [scaled(s, rng, magnitude, dtype) for s in call.samples]
                        try:
                            verdict = gradcheck(lambda *a, call=call: call(*a), *arrays, rng=seed).verdict
                        except (np.linalg.LinAlgError, ValueError):
                            verdict = "refused by the function"
                        verdicts[verdict] += 1
                        if verdict == "wrong":
                            named[f"{entry.name} {np.dtype(dtype).name} {magnitude:g}"] += 1
    return verdicts, named


def missed_faults():
    """Planted faults that changed a gradient, and those of them that were not found."""
    found, missed = 0, []
    for entry, position in places():
        for fault, spoil in FAULTS.items():
            bad = planted(entry, position, spoil)
            for n, call in enumerate(calls(entry)):
                arrays = call.arrays(np.random.default_rng(n))
                wrong = call.with_call(bad.call)
                if any(np.iscomplexobj(a) for a in arrays) or not changes(call, wrong, arrays):
                    continue
                if gradcheck(lambda *a, wrong=wrong: wrong(*a), *arrays).verdict == "wrong":
                    found += 1
                else:
                    missed.append(f"{entry.name} {position} {fault}")
                break
    return found, missed


def changes(call, wrong, arrays):
    from tests.testing.test_gradcheck import gradients_differ

    return gradients_differ(call, wrong, arrays)


# -- the same cases for every checker ------------------------------------------------------------------------------


def ours(forward, derivative, x):
    f = elementwise(lambda x: forward(np, x), lambda g, x: g * derivative(np, x), parameters=("x",), name="case")
    try:
        verdict = gradcheck(lambda x: f(x), x).verdict
    finally:
        registry.popitem()
    return verdict


def autograds(forward, derivative, x):
    f = autograd.extend.primitive(lambda x: forward(np, x))
    autograd.extend.defvjp(f, lambda y, x: lambda g: g * derivative(anp, x))
    try:
        autograd.test_util.check_grads(f, modes=["rev"], order=1)(x)
    except AssertionError:
        return "wrong"
    return "correct"


def jaxs(forward, derivative, x):
    f = jax.custom_vjp(lambda x: forward(jnp, x))
    f.defvjp(lambda x: (forward(jnp, x), x), lambda x, g: (g * derivative(jnp, x),))
    try:
        jax.test_util.check_grads(f, (x,), order=1, modes=["rev"])
    except AssertionError:
        return "wrong"
    return "correct"


def torchs(forward, derivative, x, fast=True):
    class Case(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(torch, x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * derivative(torch, x).to(g.dtype)

    tensor = torch.tensor(x, requires_grad=True)
    try:
        torch.autograd.gradcheck(Case.apply, (tensor,), fast_mode=fast)
    except TORCH_ERROR:
        return "wrong"
    return "correct"


CHECKERS = {"pullback": ours, "autograd": autograds, "JAX": jaxs, "PyTorch (fast)": torchs}


def bumped(n, place, factor):
    """cos x, with one element of n too large by a factor."""
    factors = np.ones(n)
    factors[place] = factor

    def derivative(numpy, x):
        own = torch.tensor(factors) if numpy is torch else factors
        return numpy.cos(x) * own

    return derivative


def sin(numpy, x):
    return numpy.sin(x)


def cases(rng):
    """(name, forward, derivative, x, what is true)."""
    x = rng.uniform(0.2, 1.2, 20)
    many = rng.uniform(0.2, 1.2, 100_000)
    cos, tanh, square = lambda n, x: n.cos(x), lambda n, x: n.tanh(x), lambda n, x: 1 - n.tanh(x) ** 2
    return [
        ("sin, float64", sin, cos, x, "correct"),
        ("sin, float32", sin, cos, x.astype(np.float32), "correct"),
        ("sin, float16", sin, cos, x.astype(np.float16), "correct"),
        ("tanh, float32", tanh, square, x.astype(np.float32), "correct"),
        ("tanh, 1e-8", tanh, square, x * 1e-8, "correct"),
        ("sin, 1e8", sin, cos, x * 1e8, "correct"),
        ("1e6 + sin", lambda n, x: 1e6 + n.sin(x), cos, x, "correct"),
        ("sin, times 1.01", sin, lambda n, x: 1.01 * n.cos(x), x, "wrong"),
        ("sin, times 1 + 1e-6", sin, lambda n, x: (1 + 1e-6) * n.cos(x), x, "wrong"),
        ("sin, times 1.01, float32", sin, lambda n, x: 1.01 * n.cos(x), x.astype(np.float32), "wrong"),
        ("sin, times 1.01, 1e-8", sin, lambda n, x: 1.01 * n.cos(x), x * 1e-8, "wrong"),
        ("sin, wrong sign", sin, lambda n, x: -n.cos(x), x, "wrong"),
        ("tanh, a dropped square", tanh, lambda n, x: 1 - n.tanh(x), x, "wrong"),
        ("one element of 1e5, 1 %", sin, bumped(100_000, 70_000, 1.01), many, "wrong"),
        ("one element of 1e5, 50 %", sin, bumped(100_000, 70_000, 1.5), many, "wrong"),
        ("abs at 0, derivative 0", lambda n, x: n.abs(x), lambda n, x: n.sign(x), np.array([0.0, 1.0]), "correct"),
        (
            "abs at 0, derivative 3",
            lambda n, x: n.abs(x),
            lambda n, x: n.sign(x) + 3.0 * (x == 0),
            np.array([0.0, 1.0]),
            "wrong",
        ),
    ]


def compare(out):
    out("| case | truth | " + " | ".join(CHECKERS) + " |")
    out("|---|---|" + "---|" * len(CHECKERS))
    for name, forward, derivative, x, truth in cases(np.random.default_rng(0)):
        cells = []
        for checker in CHECKERS.values():
            start = time.perf_counter()
            try:
                verdict = checker(forward, derivative, x)
            except Exception as error:
                verdict = type(error).__name__
            took = (time.perf_counter() - start) * 1e3
            mark = "" if verdict == truth else " **✗**"
            cells.append(f"{verdict}{mark}, {took:.0f} ms")
        out(f"| {name} | {truth} | " + " | ".join(cells) + " |")


# -- random programs -----------------------------------------------------------------------------------------------


def program_mismatches(count):
    """How many random programs were run, and how many gradients differ from JAX's in float64."""
    table = [e for e in smooth_entries() if hasattr(jnp, e.name)]
    seen = Counter()

    @settings(max_examples=count, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(programs(max_depth=20, entries=table))
    def run(program):
        mine = grad(program, argnums=(0, 1))(*program.arrays)
        theirs = jax.grad(lambda *a: program.run(jnp, *a), argnums=(0, 1))(*program.arrays)
        scale = max(float(np.max(np.abs(t), initial=1.0)) for t in theirs)
        seen["run"] += 1
        seen["differ"] += any(
            not np.allclose(a, b, rtol=1e-8, atol=1e-9 * scale) for a, b in zip(mine, theirs, strict=True)
        )

    run()
    return seen, len(table)


def main(seeds=1, count=200):
    lines = []

    def out(line):
        print(line, flush=True)
        lines.append(line)

    out("# The power of gradient checkers\n")
    out("Made by `python benchmarks/checker_power.py`; one thread. ✗ marks a verdict that is not the truth.\n")
    compare(out)
    start = time.perf_counter()
    verdicts, named = false_alarms(seeds)
    total = sum(verdicts.values())
    out(f"\nFalse alarms over the whole table, float32 and float64, magnitudes 1e-8 to 1e8, {seeds} seeds: "
        f"{verdicts['wrong']} of {total} checks ({(time.perf_counter() - start) / total * 1e3:.1f} ms a check); "
        f"{verdicts['inconclusive']} inconclusive (overflow, outside of the domain, noise floor), "
        f"{verdicts['refused by the function']} refused by the function.")  # fmt: skip
    if named:
        out("Called wrong: " + "; ".join(f"{name} ({n})" for name, n in named.items()) + ".")
    found, missed = missed_faults()
    out(f"\nPlanted faults ({', '.join(FAULTS)}) in every rule: {found} found, {len(missed)} missed.")
    if missed:
        out("Missed: " + "; ".join(missed) + ".")
    seen, operations = program_mismatches(count)
    out(f"\nRandom programs of depth up to 20 from {operations} operations, against JAX in float64: "
        f"{seen['differ']} of {seen['run']} differ.")  # fmt: skip
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
