"""A small GPT in which every number is a node: some steps of training, recorded, to the last bit."""

import pytest

from autodiff import Tensor, capture, jit
from autodiff.program.scalars import levelled
from benchmarks import scalar_gpt
from benchmarks.scalar_gpt import Model, in_numpy

STEPS, RATE = 3, 0.05


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for name, value in {"WIDTH": 4, "HEADS": 2, "VOCABULARY": 5, "END": 4, "WORD": "ab"}.items():
        monkeypatch.setattr(scalar_gpt, name, value)


def weights(model):
    return [float(number.data) for number in model.flat]


def test_steps_of_a_program():
    model, beside = Model(Tensor, None, in_numpy), Model(Tensor, None, in_numpy)
    assert model.learn(RATE) == beside.learn(RATE)
    program = capture(lambda: model.learn(RATE))
    beside.learn(RATE)
    (region,) = levelled(program, 0).regions
    assert region.groups * 20 < len(program.instructions)
    for _ in range(STEPS):
        assert program() == beside.learn(RATE)
        assert weights(model) == weights(beside)
    assert model.gradients() == beside.gradients()


def test_steps_by_jit():
    model, beside = Model(Tensor, None, in_numpy), Model(Tensor, None, in_numpy)
    step = jit(lambda: model.learn(RATE))
    for _ in range(STEPS):
        assert step() == beside.learn(RATE)
        assert weights(model) == weights(beside)
    assert 0 < len(step.programs) <= 2


def test_steps_in_c():
    model, beside = Model(Tensor, None, in_numpy), Model(Tensor, None, in_numpy)
    program = capture(lambda: model.learn(RATE)).compiled("c")
    beside.learn(RATE)
    for _ in range(STEPS):
        assert program() == pytest.approx(beside.learn(RATE), rel=1e-13)
    assert weights(model) == pytest.approx(weights(beside), rel=1e-11)
