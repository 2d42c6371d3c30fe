"""The price of one operation: forward and backward through a chain of 1,000 operations on an array of one element."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import Tensor

from . import THREADS
from .measuring import NOT_INSTALLED, Table, Timing, against, installed, number, print_tables, take_turns, verdict

LENGTH = 1000
START = 0.5
Chain = Callable[[Any, Any], Any]


def linear_chain(x: Any, module: Any) -> Any:
    """500 times: multiply by a constant, add a constant."""
    for _ in range(LENGTH // 2):
        x = x * 1.0001
        x = x + 0.0001
    return x


def mixed_chain(x: Any, module: Any) -> Any:
    """250 times: tanh, sin, multiply by a constant, multiply by the variable."""
    tanh, sin, first = module.tanh, module.sin, x
    for _ in range(LENGTH // 4):
        x = tanh(x)
        x = sin(x)
        x = x * 1.5
        x = x * first
    return x


def gradients(chain: Chain) -> dict[str, Callable[[], Any]]:
    """For each library that is here, a function that goes forward and backward and returns the gradient."""
    found: dict[str, Callable[[], Any]] = {}

    def pullback() -> Any:
        x = Tensor(np.full(1, START))
        chain(x, np).backward()
        return x.grad

    found["pullback"] = pullback
    if installed("PyTorch"):
        import torch

        torch.set_num_threads(THREADS)

        def pytorch() -> Any:
            x = torch.full((1,), START, dtype=torch.float64, requires_grad=True)
            chain(x, torch).backward()
            return x.grad

        found["PyTorch"] = pytorch
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        gradient = autograd.grad(lambda x: anp.sum(chain(x, anp)))
        found["autograd"] = lambda: gradient(np.full(1, START))
    if installed("MyGrad"):
        import mygrad

        def my() -> Any:
            x = mygrad.tensor(np.full(1, START))
            chain(x, mygrad).backward()
            return x.grad

        found["MyGrad"] = my
    return found


def forward_alone(chain: Chain) -> Callable[[], Any]:
    """The same lines on a plain array."""
    return lambda: chain(np.full(1, START), np)


TARGETS = {"NumPy, forward alone": 4.0, "PyTorch": 0.5, "autograd": 0.2, "MyGrad": 0.2}


def rows(timings: dict[str, Timing]) -> list[list[str]]:
    """One row a library."""
    table = []
    for name in ("NumPy, forward alone", "pullback", "PyTorch", "autograd", "MyGrad"):
        if name not in timings:
            table.append([name, NOT_INSTALLED, "", "", ""])
            continue
        best = number(timings[name].best / LENGTH * 1e6)
        if name == "pullback":
            table.append([name, best, "1", "1", ""])
            continue
        ratio, of_medians = against(timings, "pullback", name)
        target = f"{TARGETS[name]:g}: {verdict(ratio, TARGETS[name])}"
        table.append([name, best, f"{ratio:.3g}", f"{of_medians:.3g}", target])
    return table


def tables() -> list[Table]:
    """Both chains, after a look at whether everybody computes the same."""
    warnings.simplefilter("ignore")
    result = []
    for chain in (linear_chain, mixed_chain):
        contestants = gradients(chain)
        expected = contestants["pullback"]()
        for name, gradient in contestants.items():
            np.testing.assert_allclose(np.asarray(gradient()), expected, rtol=1e-12, err_msg=name)
        timings = take_turns({"NumPy, forward alone": forward_alone(chain), **contestants})
        words = (chain.__doc__ or "").strip().rstrip(".")
        result.append(
            Table(
                f"Per operation, chain of {LENGTH:,}: {words}",
                "Forward and backward, float64, shape (1,); microseconds an operation, the best of the rounds.\n"
                "The garbage collector is on, the libraries' own modules are out of its sight.\n"
                "The ratios are pullback's time over the row's, by best rounds and by medians.",
                ["", "µs per op", "pullback takes", "by medians", "at most"],
                rows(timings),
            )
        )
    return result


if __name__ == "__main__":
    print_tables(tables)
