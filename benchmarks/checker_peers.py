"""The checkers of four libraries on the same cases: each library's own functions, and faults planted by its own means.

A checker is asked about a function of one array ``f(numpy, x)`` and says "correct" or "wrong".  A fault is a factor by
which the right cotangent of the argument is multiplied: a number, or an array with one for each element.
"""

from __future__ import annotations

import importlib
import time
import warnings
from collections.abc import Callable
from typing import Any

import autograd.extend
import autograd.numpy as anp
import autograd.test_util
import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import torch

from autodiff import primitive, vjp
from autodiff.primitive import Primitive, registry
from autodiff.testing import gradcheck
from tests.testing.planted import inside

Array = Any
Function = Callable[[Any, Any], Any]
jax.config.update("jax_enable_x64", True)
warnings.simplefilter("ignore")
TORCH_ERROR = importlib.import_module("torch.autograd.gradcheck").GradcheckError  # a function hides the module
SEEDS = 3


# -- one checker each: the verdict on f at x, its cotangent multiplied by a factor (None: f as it is) ------------------


def ours(f: Function, x: Array, factor: Any) -> str:
    if factor is None:
        return gradcheck(lambda x: f(np, x), x).verdict

    def spoiled(x: Array) -> Array:
        return f(np, x)

    case = primitive(lambda g, x: vjp(lambda x: f(np, x), x)[1](g)[0] * _like(factor, x))(spoiled)
    try:
        return gradcheck(case, x).verdict
    finally:
        del registry[spoiled]


def _like(factor: Any, x: Array) -> Any:
    return factor.astype(x.dtype) if isinstance(factor, np.ndarray) else factor


def autograds(f: Function, x: Array, factor: Any) -> str:
    def own(x: Array) -> Array:
        return f(anp, x)

    case = own
    if factor is not None:
        case = autograd.extend.primitive(lambda x: f(np, x))
        autograd.extend.defvjp(case, lambda y, x: lambda g: autograd.make_vjp(own)(x)[0](g) * _like(factor, x))
    try:
        autograd.test_util.check_grads(case, modes=["rev"], order=1)(x)
    except AssertionError:
        return "wrong"
    return "correct"


def jaxs(f: Function, x: Array, factor: Any) -> str:
    def own(x: Array) -> Array:
        return f(jnp, x)

    case: Any = own
    if factor is not None:
        case = jax.custom_vjp(own)
        case.defvjp(lambda x: (own(x), x), lambda x, g: (jax.vjp(own, x)[1](g)[0] * _like(factor, x),))
    try:
        jax.test_util.check_grads(case, (x,), order=1, modes=["rev"])
    except AssertionError:
        return "wrong"
    return "correct"


def torchs(f: Function, x: Array, factor: Any, fast: bool = True) -> str:
    class Case(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return f(torch, x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            with torch.enable_grad():
                inner = x.detach().requires_grad_()
                (found,) = torch.autograd.grad(f(torch, inner), inner, g)
            return found * (torch.tensor(factor).to(found.dtype) if isinstance(factor, np.ndarray) else factor)

    tensor = torch.tensor(x, requires_grad=True)
    case = (lambda x: f(torch, x)) if factor is None else Case.apply
    try:
        torch.autograd.gradcheck(case, (tensor,), fast_mode=fast)
    except TORCH_ERROR:
        return "wrong"
    return "correct"


CHECKERS: dict[str, Callable[[Function, Array, Any], str]] = {
    "pullback": ours, "autograd": autograds, "JAX": jaxs, "PyTorch (fast)": torchs,
    "PyTorch (slow)": lambda f, x, factor: torchs(f, x, factor, fast=False),
}  # fmt: skip


# -- the operations that all have --------------------------------------------------------------------------------------


def namesakes() -> dict[str, Primitive]:
    """Elementwise functions of one argument that all four libraries have, by name."""
    found = {}
    for entry in registry.values():
        if isinstance(entry, Primitive) and entry.elementwise and len(entry.parameters) == 1 and not entry.flat:
            name = entry.name
            x = inside(entry.domain[0], 5, np.random.default_rng(0))
            if all(hasattr(library, name) for library in (np, anp, jnp, torch)) and _slopes(entry, x).any():
                found[name] = entry
    return found


def _slopes(entry: Primitive, x: Array) -> Array:
    return vjp(entry.call, x)[1](np.ones_like(x))[0]


def named(name: str) -> Function:
    return lambda numpy, x: getattr(numpy, name)(x)


def right_cases() -> list[tuple[Function, Array]]:
    """Right rules: every common operation, in both precisions, at magnitudes from 1e-8 to 1e8, where it is finite."""
    cases = []
    for number, (name, entry) in enumerate(namesakes().items()):
        low, high, _ = entry.domain[0]
        for dtype in (np.float32, np.float64):
            for seed in range(SEEDS):
                rng = np.random.default_rng([number, seed])
                x = rng.uniform(0.1, 1.0, 6) * 10.0 ** rng.uniform(-8.0, 8.0)
                x = (x * rng.choice([-1.0, 1.0], 6) if low == -high else low + x).astype(dtype)
                with np.errstate(all="ignore"):
                    if np.isfinite(entry.function(x)).all() and np.isfinite(entry.function(x.astype(float))).all():
                        cases.append((named(name), x))
    return cases


def faulty_cases() -> dict[str, list[tuple[Function, Array, Any]]]:
    """Planted faults in every common operation, in double precision at moderate numbers; and one element of many."""
    one, many = np.ones(20), np.ones(100_000)
    one[11] = many[70_000] = 1.01
    factors = {"times 1.01": 1.01, "times 1 + 1e-6": 1 + 1e-6, "wrong sign": -1.0, "zero": 0.0, "one element": one}
    made: dict[str, list[tuple[Function, Array, Any]]] = {fault: [] for fault in factors}
    made["one element of 100,000"] = []
    for name, entry in namesakes().items():
        rng = np.random.default_rng(0)
        for fault, factor in factors.items():
            made[fault].append((named(name), inside(entry.domain[0], 20, rng), factor))
        made["one element of 100,000"].append((named(name), inside(entry.domain[0], 100_000, rng), many))
    return made


# -- kinks, where each library has a convention of its own ---------------------------------------------------------

KINKS: list[tuple[str, Function, Any]] = [
    ("abs at 0", lambda n, x: n.abs(x), [0.0, 1.0]),
    ("max(x, 0) at 0", lambda n, x: n.maximum(x, n.zeros_like(x)), [0.0, 1.0]),
    ("max of a tie", lambda n, x: n.amax(x) if n is torch else n.max(x), [1.0, 1.0, 0.0]),
    ("sort of a tie", lambda n, x: (n.sort(x)[0] if n is torch else n.sort(x))[:1], [1.0, 1.0, 2.0]),
    ("clip at a bound", lambda n, x: n.clip(x, -1.0, 1.0), [1.0, 0.0]),
    ("norm at 0", lambda n, x: n.linalg.norm(x), [0.0, 0.0]),
]

# -- the tables ----------------------------------------------------------------------------------------------------


def asked(checker: Callable[..., str], *case: Any) -> tuple[str, float]:
    """The verdict, or the name of the error, and the milliseconds that it took."""
    start = time.perf_counter()
    try:
        verdict = checker(*case)
    except Exception as error:
        verdict = type(error).__name__
    return verdict, (time.perf_counter() - start) * 1e3


def tables(out: Callable[[str], None]) -> None:
    """Print the tables that compare."""
    _compare_right(out)
    _compare_faults(out)
    out("\n## Kinks\n\nEach library's own function and convention; every value between the slopes is a right one.\n")
    out("| case | " + " | ".join(CHECKERS) + " |")
    out("|---|" + "---|" * len(CHECKERS))
    for name, f, x in KINKS:
        cells = [asked(checker, f, np.array(x), None)[0] for checker in CHECKERS.values()]
        out(f"| {name} | " + " | ".join(c if c == "correct" else f"{c} ✗" for c in cells) + " |")


def _compare_right(out: Callable[[str], None]) -> None:
    cases = right_cases()
    out("\n## Right rules, all libraries\n")
    out(f"{len(namesakes())} elementwise operations that all four have, with the rules of each library, float32 and")
    out(f"float64, magnitudes from 1e-8 to 1e8: {len(cases)} checks of 6 numbers.\n")
    out("| checker | correct | **called wrong ✗** | of those float32 | cannot tell, or fails | ms a check |")
    out("|---|---|---|---|---|---|")
    for name, checker in CHECKERS.items():
        seen = [(*asked(checker, f, x, None), x.dtype) for f, x in cases]
        wrong = [dtype for verdict, _, dtype in seen if verdict == "wrong"]
        correct = sum(verdict == "correct" for verdict, _, _ in seen)
        milliseconds = float(np.median([took for _, took, _ in seen]))
        narrow = sum(dtype == np.float32 for dtype in wrong)
        rest = len(seen) - correct - len(wrong)
        out(f"| {name} | {correct} | **{len(wrong)}** | {narrow} | {rest} | {milliseconds:.1f} |")


def _compare_faults(out: Callable[[str], None]) -> None:
    cases = faulty_cases()
    out("\n## Planted faults, all libraries\n")
    out(f"In each of the {len(namesakes())} operations: how many were **missed**, and the median time of a check.")
    out("PyTorch's slow mode makes a matrix of all outputs by all inputs: not of 100,000.\n")
    out("| fault | " + " | ".join(CHECKERS) + " |")
    out("|---|" + "---|" * len(CHECKERS))
    for fault, made in cases.items():
        cells = []
        for name, checker in CHECKERS.items():
            if name == "PyTorch (slow)" and made[0][1].size > 1000:
                cells.append("")
                continue
            seen = [asked(checker, *case) for case in made]
            missed = sum(verdict != "wrong" for verdict, _ in seen)
            cells.append(f"{missed} of {len(made)}{' ✗' if missed else ''}, {np.median([t for _, t in seen]):.0f} ms")
        out(f"| {fault} | " + " | ".join(cells) + " |")
