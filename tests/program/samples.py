"""What several tests of programs need: arrays, a training step, and the text of a program as a function."""

import numpy as np

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


def run(program, *args, **state):
    """What the text of a program gives."""
    space = {}
    exec(program.source(), space)
    return space[program.name](*args, **state)
