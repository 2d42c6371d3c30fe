"""Programs with many small operations: a recurrent network, a loop over elements, a solver, a long chain.

Each is written once, for any module that looks like NumPy, as somebody would who has never heard of this library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
Function = Any

STEPS, BATCH, INPUTS, HIDDEN = 1_000, 8, 20, 30
"""Of the recurrent network: how long its sequences are, how many at once, and its widths."""

ELEMENTS, SCALAR_STEPS, ODE_STEPS, ODE_WIDTH, CHAIN = 11_260, 3_437, 400, 10, 1_000


def lstm_arguments() -> tuple[Any, ...]:
    """Weights of inputs, of the state and of the outputs, the biases, and sequences to predict from themselves."""
    rng = np.random.default_rng(0)
    weights = [
        rng.normal(size=(INPUTS, 4 * HIDDEN)) * 0.2,
        rng.normal(size=(HIDDEN, 4 * HIDDEN)) * 0.2,
        rng.normal(size=(4 * HIDDEN,)) * 0.1,
        rng.normal(size=(HIDDEN, INPUTS)) * 0.2,
        rng.normal(size=(INPUTS,)) * 0.1,
    ]
    tokens = rng.integers(0, INPUTS, (STEPS + 1, BATCH))
    return weights, np.eye(INPUTS)[tokens]


def in_python(first: int, last: int, body: Function, state: Any) -> Any:
    """What jax.lax.fori_loop does, for everybody else: a loop."""
    for i in range(first, last):
        state = body(i, state)
    return state


def lstm(module: Any, loop: Function = in_python) -> Function:
    """The mean cross-entropy of the next symbol, one step of time after the other."""

    def sigmoid(x: Array) -> Array:
        return 0.5 * (module.tanh(0.5 * x) + 1.0)

    def loss(weights: list[Array], sequence: Array) -> Array:
        of_input, of_state, bias, of_output, output_bias = weights

        def step(t: int, carried: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            state, memory, total = carried
            gates = module.matmul(sequence[t], of_input) + module.matmul(state, of_state) + bias
            forget, write = sigmoid(gates[:, :HIDDEN]), sigmoid(gates[:, HIDDEN : 2 * HIDDEN])
            show, fresh = sigmoid(gates[:, 2 * HIDDEN : 3 * HIDDEN]), module.tanh(gates[:, 3 * HIDDEN :])
            memory = forget * memory + write * fresh
            state = show * module.tanh(memory)
            scores = module.matmul(state, of_output) + output_bias
            log_total = module.log(module.sum(module.exp(scores), axis=1))
            total = total + module.sum(log_total - module.sum(scores * sequence[t + 1], axis=1))
            return state, memory, total

        start = module.zeros((BATCH, HIDDEN))
        return loop(0, STEPS, step, (start, start, 0.0))[2] / (STEPS * BATCH)

    return loss


def lstm_by_hand(weights: list[Array], sequence: Array) -> list[Array]:
    """The gradient of the recurrent network's loss as one writes it in NumPy."""
    of_input, of_state, bias, of_output, output_bias = weights
    h, steps = HIDDEN, len(sequence) - 1
    state = memory = np.zeros((BATCH, h))
    kept = []
    for t in range(steps):
        gates = sequence[t] @ of_input + state @ of_state + bias
        gates[:, : 3 * h] = 0.5 * (np.tanh(0.5 * gates[:, : 3 * h]) + 1.0)
        gates[:, 3 * h :] = np.tanh(gates[:, 3 * h :])
        before, memory = memory, gates[:, :h] * memory + gates[:, h : 2 * h] * gates[:, 3 * h :]
        bent = np.tanh(memory)
        old, state = state, gates[:, 2 * h : 3 * h] * bent
        shares = np.exp(state @ of_output + output_bias)
        shares /= np.sum(shares, axis=1, keepdims=True)
        kept.append((gates, before, bent, old, state, shares))
    gradients = [np.zeros_like(w) for w in weights]
    g_state = g_memory = np.zeros((BATCH, h))
    for t in reversed(range(steps)):
        gates, before, bent, old, state, shares = kept[t]
        g_scores = (shares - sequence[t + 1]) / (steps * BATCH)
        g_state = g_state + g_scores @ of_output.T
        g_memory = g_memory + g_state * gates[:, 2 * h : 3 * h] * (1.0 - bent * bent)
        g_gates = np.concatenate(
            [g_memory * before, g_memory * gates[:, 3 * h :], g_state * bent, g_memory * gates[:, h : 2 * h]], axis=1
        )
        g_gates[:, : 3 * h] *= gates[:, : 3 * h] * (1.0 - gates[:, : 3 * h])
        g_gates[:, 3 * h :] *= 1.0 - gates[:, 3 * h :] ** 2
        for total, part in zip(
            gradients,
            (sequence[t].T @ g_gates, old.T @ g_gates, g_gates.sum(0), state.T @ g_scores, g_scores.sum(0)),
            strict=True,
        ):
            total += part
        g_state, g_memory = g_gates @ of_state.T, g_memory * gates[:, :h]
    return gradients


def element_loop(module: Any, loop: Function = in_python) -> Function:
    """The square of a weighted sum of the elements of a vector, fetched one after the other."""

    def f(x: Array) -> Array:
        total = loop(0, ELEMENTS, lambda i, total: total + x[i] * (1.0 / (i + 1)), 0.0)
        return total * total

    return f


def element_arguments() -> tuple[Array]:
    """The vector."""
    return (np.random.default_rng(0).normal(size=ELEMENTS),)


def scalar_loop(module: Any, loop: Function = in_python) -> Function:
    """A recurrence of one number, four operations a step."""

    def f(x: Array) -> Array:
        return loop(0, SCALAR_STEPS, lambda i, y: (y * 0.9 + x * y) * 0.5, x)

    return f


def ode(module: Any, loop: Function = in_python) -> Function:
    """Where a system of differential equations gets to: the classical Runge-Kutta method, a fixed step."""

    def f(arguments: list[Array]) -> Array:
        start, a, b = arguments
        h = 1.0 / ODE_STEPS

        def slope(y: Array) -> Array:
            return module.tanh(module.matmul(a, y)) - b * y

        def step(i: int, y: Array) -> Array:
            k1 = slope(y)
            k2 = slope(y + 0.5 * h * k1)
            k3 = slope(y + 0.5 * h * k2)
            k4 = slope(y + h * k3)
            return y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

        y = loop(0, ODE_STEPS, step, start)
        return module.sum(y * y)

    return f


def ode_arguments() -> tuple[Any]:
    """Where it starts, the couplings and the decays."""
    rng = np.random.default_rng(0)
    n = ODE_WIDTH
    return ([rng.normal(size=n), rng.normal(size=(n, n)) / n**0.5, rng.uniform(0.5, 1.0, n)],)


def chain(module: Any, loop: Function = in_python) -> Function:
    """1,000 operations one after the other on a short vector: tanh, multiply, add, sin."""

    def f(x: Array) -> Array:
        return module.sum(loop(0, CHAIN // 4, lambda i, x: module.sin(module.tanh(x) * 1.5 + 0.1), x))

    return f


def chain_arguments() -> tuple[Array]:
    """The short vector."""
    return (np.linspace(-1.0, 1.0, 10),)
