"""What several tests of programs need: arrays, a training step, and the text of a program as a function."""

import threading

import numpy as np

import autodiff as ad
import nn


def normal(*shape, dtype=float):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


def step_of(model, optimizer, loss=nn.mse_loss):
    """A training step, which returns the loss."""

    def step(x, y):
        error = loss(model(x), y)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        return error.data

    return step


def small_step(between):
    """A training step of two layers and one between them, and its arguments."""
    model = nn.Sequential(nn.Linear(3, 4, rng=0), between, nn.Linear(4, 1, rng=1))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    return step_of(model, optimizer), (normal(5, 3, dtype=np.float32), normal(5, 1, dtype=np.float32))


gradient = ad.grad(lambda x: np.sum(np.exp(np.sin(x)) * np.cos(x)))


def failures_in_threads(program, expected_of):
    """Eight threads call a program of ``gradient``, each with its own input, fifty times: those with other results."""
    inputs = [np.random.default_rng(seed).normal(size=3000) for seed in range(8)]
    expected, failed = [expected_of(x).tobytes() for x in inputs], []

    def work(i):
        for _ in range(50):
            if program(inputs[i]).tobytes() != expected[i]:
                failed.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def run(program, *args, **state):
    """What the text of a program gives."""
    space = {}
    exec(program.source(), space)
    return space[program.name](*args, **state)
