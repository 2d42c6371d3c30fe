"""The examples whose subjects are those of HIPS autograd's: the same functions, differentiated by both.

An example's functions are plain NumPy.  With ``autograd.numpy`` in the place of ``numpy`` they are those of autograd,
so that both compute the same numbers, which is checked, at the sizes of autograd's own scripts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autodiff import hvp, jit, value_and_grad
from autodiff.tree import flatten

from .measuring import Table, installed, number, print_tables, take_turns

Function = Callable[..., Any]
EXAMPLES = Path(__file__).parent.parent / "examples"
RNG = np.random.default_rng(0)


def module(name: str, of_autograd: bool) -> ModuleType:
    """An example, as it stands or with autograd's NumPy."""
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    if of_autograd:
        text = text.replace("import numpy as np", "import autograd.numpy as np")
        text = text.replace("from autodiff import logsumexp", "from autograd.scipy.special import logsumexp")
    made = ModuleType(f"{name}_of_autograd")
    exec(compile(text, f"{name}.py", "exec"), made.__dict__)
    return made


def gaussian_process(m: ModuleType) -> tuple[Function, Any]:
    x = np.linspace(-2, 2, 20)
    y = np.cos(2 * x + 4) / 2 + 0.05 * np.random.default_rng(1).normal(size=20)
    p = {"mean": 0.1, "log noise": -1.0, "log scale": 0.2, "log length": 0.1}
    return lambda p: m.surprise(p, x, y), p


def mixture(m: ModuleType) -> tuple[Function, Any]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 2))
    start = {"logits": rng.normal(size=10), "means": rng.normal(size=(10, 2))}
    start |= {"log scales": rng.normal(size=(10, 2)) / 9, "roots": rng.normal(size=(10, 2, 2))}
    return lambda p: m.loss(p, x), start


def black_box_vi(m: ModuleType) -> tuple[Function, Any]:
    noise = np.random.default_rng(1).normal(size=(2000, 2))
    return lambda p: -m.bound(p[0], p[1], noise), (-np.ones(2), np.full(2, -1.0))


def fluid(m: ModuleType) -> tuple[Function, Any]:
    smoke, target = m.pictures(40)
    v = np.random.default_rng(1).normal(size=(2, 40, 40))
    return lambda v: m.np.mean((m.simulate(v[0], v[1], smoke, 100) - target) ** 2), v


def wing(m: ModuleType) -> tuple[Function, Any]:
    wind = np.ones((40, 60))

    def loss(shape: Any) -> Any:
        solid = 0.5 * (m.np.tanh(shape) + 1.0)
        vx, vy = m.project(wind, 0 * wind, solid, 50)
        for _ in range(20):
            vx, vy = m.project(m.advect(vx, vx, vy), m.advect(vy, vx, vy), solid, 50)
        return -m.np.mean(vy) / m.np.mean(wind - vx)

    return loss, np.random.default_rng(1).normal(size=(40, 60)) - 1.0


def neural_ode(m: ModuleType) -> tuple[Function, Any]:
    rng, t = np.random.default_rng(1), np.linspace(0.0, 1.5, 30)
    p = (rng.normal(size=(2, 150)) / 9, rng.normal(size=150) / 9, rng.normal(size=(150, 2)) / 9, rng.normal(size=2) / 9)

    def loss(p: Any) -> Any:
        path = m.solved(lambda y: m.np.tanh(y @ p[0] + p[1]) @ p[2] + p[3], np.array([2.0, 0.0]), t)
        return m.np.mean(m.np.abs(path - t[:, None]))

    return loss, p


SUBJECTS: dict[str, tuple[Function, int]] = {
    "Gaussian process, 20 points": (gaussian_process, 40),
    "mixture of 10 Gaussians, 300 points": (mixture, 40),
    "black-box inference, 2,000 draws": (black_box_vi, 40),
    "fluid, 40 x 40, 100 steps": (fluid, 4),
    "wing, 40 x 60, 20 steps of 50 sweeps": (wing, 3),
    "neural ODE, 150 hidden, 29 steps of four": (neural_ode, 10),
}


def agree(a: Any, b: Any) -> None:
    """Raise unless both are the same value and gradient."""
    for one, other in zip(flatten(a)[0], flatten(b)[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-10)


def row(title: str) -> list[str]:
    """Milliseconds of a value and its gradient."""
    make, rounds = SUBJECTS[title]
    name = make.__name__
    f, x = make(module(name, of_autograd=False))
    contestants = {"pullback": lambda: value_and_grad(f)(x)}
    recorded = jit(value_and_grad(f))
    contestants["jit"] = lambda: recorded(x)
    if installed("autograd"):
        import autograd

        g, _ = make(module(name, of_autograd=True))
        contestants["autograd"] = lambda: autograd.value_and_grad(g)(x)
        agree(contestants["autograd"](), contestants["pullback"]())
    agree(contestants["jit"](), contestants["pullback"]())
    timings = take_turns(contestants, rounds=rounds, seconds=0.02)
    cells = [number(timings[c].best * 1e3) if c in timings else "-" for c in ("pullback", "jit", "autograd")]
    if "autograd" in timings:
        cells += [f"{timings[c].best / timings['autograd'].best:.2f}" for c in ("pullback", "jit")]
    return [title, *cells]


def hessian_row() -> list[str]:
    """The same of a product with the Hessian, which Newton's method takes."""
    import autograd

    f, x = mixture(module("mixture", of_autograd=False))
    g, _ = mixture(module("mixture", of_autograd=True))
    leaves, unflatten = flatten(x)
    v = unflatten([RNG.normal(size=leaf.shape) for leaf in leaves])
    recorded = jit(lambda x, v: hvp(f, (x,), (v,))[0])
    contestants = {
        "pullback": lambda: hvp(f, (x,), (v,))[0],
        "jit": lambda: recorded(x, v),
        "autograd": lambda: autograd.make_hvp(g)(x)[0](v),
    }
    for name in ("jit", "autograd"):
        agree(contestants[name](), contestants["pullback"]())
    timings = take_turns(contestants, rounds=20, seconds=0.02)
    cells = [number(timings[c].best * 1e3) for c in contestants]
    cells += [f"{timings[c].best / timings['autograd'].best:.2f}" for c in ("pullback", "jit")]
    return ["the mixture's Hessian times a vector", *cells]


def tables() -> list[Table]:
    """One row for each example."""
    rows = [row(title) for title in SUBJECTS]
    if installed("autograd"):
        rows.append(hessian_row())
    return [
        Table(
            "A value and its gradient",
            "Milliseconds, the best round, at the sizes of autograd's own scripts; the same NumPy code for all three.\n"
            "The last two columns: pullback's time over autograd's.",
            ["", "pullback", "pullback, jit", "autograd", "pullback / autograd", "jit / autograd"],
            rows,
        )
    ]


if __name__ == "__main__":
    print_tables(tables)
