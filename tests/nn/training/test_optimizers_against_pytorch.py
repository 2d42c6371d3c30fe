"""Fifty steps with each option of each optimizer and schedule, beside PyTorch, and recorded beside themselves."""

from pathlib import Path

import numpy as np
import pytest

from autodiff import Tensor, jit
from nn import optim, schedule
from tests.nn.references.optimizers import (
    CASES,
    KEPT,
    RATES,
    SCHEDULES,
    SEARCHES,
    STEPS,
    gradients,
    measure,
    start,
    value,
)

with np.load(Path(__file__).parent.parent / "references" / "optimizers.npz") as file:
    PYTORCH = {name: file[name] for name in file.files}


def made(case, dtype=np.float64):
    """The parameters, and an optimizer over them."""
    tensors = [Tensor(a.astype(dtype)) for a in start() if case.kind != "Muon" or a.ndim == 2]
    given = [{"params": [t], **own} for t, own in zip(tensors, case.groups, strict=True)] if case.groups else tensors
    return tensors, getattr(optim, case.kind)(given, **case.options)


@pytest.mark.parametrize("name", CASES)
def test_fifty_steps_are_those_of_pytorch(name):
    tensors, optimizer = made(CASES[name])
    kept = []
    for step in range(1, STEPS + 1):
        for tensor, gradient in zip(tensors, gradients([t.data for t in tensors], step), strict=True):
            tensor.grad = gradient
        optimizer.step()
        if step in KEPT:
            kept += [t.data.ravel().copy() for t in tensors]
    np.testing.assert_allclose(np.concatenate(kept), PYTORCH[f"step/{name}"], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", [*CASES, "Lion"])
def test_fifty_recorded_steps_have_the_same_bits(name):
    case = CASES[name] if name != "Lion" else CASES["AdamW plain"]._replace(kind="Lion", options={"weight_decay": 0.1})
    (ones, one), (others, other) = made(case, np.float32), made(case, np.float32)

    def step(noise):
        one.zero_grad()
        loss = sum(np.sum(t * t * 0.25 - np.cos(t * 3.0) / 3.0 + t * n) for t, n in zip(ones, noise, strict=True))
        loss.backward()
        one.step()
        return loss

    recorded = jit(step)
    for i in range(STEPS):
        noise = [g.astype(np.float32) for g in gradients(start(), i)]
        noise = [n for n in noise if case.kind != "Muon" or n.ndim == 2]
        for tensor in others:
            tensor.grad = None
        sum(np.sum(t * t * 0.25 - np.cos(t * 3.0) / 3.0 + t * n) for t, n in zip(others, noise, strict=True)).backward()
        other.step()
        recorded(noise)
        if i == 20:
            for optimizer in (one, other):
                optimizer.groups[-1].lr *= 0.5  # the rate of each group is a live number
                optimizer.groups[-1].weight_decay *= 2.0
    for a, b in zip(ones, others, strict=True):
        assert a.data.tobytes() == b.data.tobytes()
    assert repr(one.state_dict()) == repr(other.state_dict())
    assert sum(p.calls for s in recorded._signatures.values() for p in s.paths) >= STEPS - 2, recorded.explain()


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_of_groups_are_those_of_pytorch(name):
    kind, options = SCHEDULES[name]
    groups = [{"params": [Tensor(1.0)], "lr": rate} for rate in RATES]
    optimizer = optim.SGD(groups, momentum=0.8)
    plan = getattr(schedule, kind)(optimizer, **options)
    found = []
    for step in range(STEPS):
        found.append([[group.lr, group.momentum] for group in optimizer.groups])
        if step == 20:  # a schedule goes on from its state
            state, plan = plan.state_dict(), getattr(schedule, kind)(optimizer, **options)
            plan.load_state_dict(state)
        plan.step(*([measure(step)] if kind == "ReduceLROnPlateau" else []))
    np.testing.assert_allclose(found, PYTORCH[f"schedule/{name}"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", SEARCHES)
def test_ten_searches_are_those_of_pytorch(name):
    tensors = [Tensor(a) for a in start()]
    optimizer = optim.LBFGS(tensors, **SEARCHES[name])

    def closure():
        optimizer.zero_grad()
        loss = value(tensors)
        loss.backward()
        return loss

    losses = []
    for i in range(10):
        if i == 5:  # a search goes on from its state, to the last bit
            state, optimizer = optimizer.state_dict(), optim.LBFGS(tensors)
            optimizer.load_state_dict(state)
        losses.append(optimizer.step(closure).item())
    found = np.array([*losses, *np.concatenate([t.data.ravel() for t in tensors])])
    np.testing.assert_allclose(found, PYTORCH[f"search/{name}"], rtol=1e-7, atol=1e-12)
    assert found[9] < 0.1 * found[0] or name == "plain"


def test_fifty_means_are_those_of_pytorch():
    w = Tensor(start()[0])
    ema = optim.EMA([w], decay=0.9)
    found = []
    for step in range(1, STEPS + 1):
        w.data -= 0.1 * gradients([w.data], step)[0]
        ema.update()
        found.append(ema.means[0].ravel().copy())
    np.testing.assert_allclose(found, PYTORCH["average"], rtol=1e-12)
