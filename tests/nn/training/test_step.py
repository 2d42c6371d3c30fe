"""The training step by itself: it is the Learner's, it checks as much, and it changes all or nothing."""

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn import DivergenceError, Learner, Linear, TrainingStep, batches, mse_loss, optim

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 1))


def made(of, loss=mse_loss, lr=0.1, **options):
    model = Linear(3, 1, rng=0)
    return of(model, loss, optim.SGD(model.parameters(), lr=lr), **options)


@pytest.mark.parametrize("options", [{}, {"clip_norm": 0.01}, {"clip_value": 0.01}])
def test_a_loop_of_steps_is_what_a_learner_does(options):
    learner, step = made(Learner, **options), made(TrainingStep, **options)
    history = learner.fit(X, Y, 3, 8, rng=0)
    pairs = batches(X, Y, 8, rng=0)
    for expected in history:
        losses = [(step.update(x, y)[0], len(x)) for x, y in pairs]
        assert sum(loss * count for loss, count in losses) / 20 == expected
    assert np.array_equal(step.model.weight.data, learner.model.weight.data)


def test_it_says_the_loss_and_the_outputs_before_the_change():
    step = made(TrainingStep)
    before = step.model(X.astype(np.float32)).data.copy()
    loss, outputs = step.update(X, Y)
    assert type(loss) is float
    assert np.array_equal(outputs, before)  # float64 inputs are taken in float32
    assert loss == mse_loss(before, Y).item()
    assert not np.array_equal(step.model(X.astype(np.float32)).data, before)


def test_a_learner_makes_single_steps_too():
    learner, step = made(Learner), made(TrainingStep)
    assert learner.update(X, Y)[0] == step.update(X, Y)[0]


def test_what_is_changed_between_two_steps_counts():
    step = made(TrainingStep)
    step.update(X, Y)
    step.clip_value = 0.0
    before = step.model.weight.data.copy()
    step.update(X, Y)
    assert np.array_equal(step.model.weight.data, before)
    once, _ = step.update(X, Y)
    step.loss = lambda z, y: mse_loss(z, y) * 2.0
    assert step.update(X, Y)[0] == pytest.approx(2 * once)


def test_a_step_that_diverges_is_numbered_and_changes_nothing():
    step = made(TrainingStep)
    step.update(X, Y)
    before = step.model.weight.data.copy()
    with pytest.raises(
        DivergenceError, match=r"^update: the loss became inf at step 2; the targets of this batch"
    ) as e:
        step.update(X, np.full((20, 1), np.inf))
    assert (e.value.step, e.value.epoch) == (2, 0)
    assert np.array_equal(step.model.weight.data, before)
    step.update(X, Y)  # and one may go on
    with pytest.raises(DivergenceError, match="at step 3"):
        step.update(np.full((20, 3), np.nan), Y)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda z, y: np.mean(z.data), "update: no parameter of the model leads to the loss .it is a plain number"),
        (lambda z, y: np.sum(Tensor(1.0) * 2), "update: no parameter of the model leads to the loss"),
        (lambda z, y: z - y, r"TrainingStep: the loss has shape \(20, 1\)"),
    ],
)
def test_a_loss_that_trains_nothing_is_refused(loss, message):
    with pytest.raises((TypeError, ValueError), match=message):
        made(TrainingStep, loss).update(X, Y)


def test_wrong_use():
    with pytest.raises(TypeError, match=r"TrainingStep: model must be a Module, got a function.*Sequential"):
        TrainingStep(made, mse_loss, None)
    with pytest.raises(TypeError, match="TrainingStep: loss must be a function or a module"):
        made(TrainingStep, nn.MSELoss)
    with pytest.raises(ValueError, match="TrainingStep: clip_norm is -1"):
        made(TrainingStep, clip_norm=-1)
    with pytest.raises(ValueError, match=r"update: X has 20 examples .* and Y has 5"):
        made(TrainingStep).update(X, Y[:5])
    with pytest.raises(TypeError, match="update: X is a Tensor"):
        made(TrainingStep).update(Tensor(X), Y)
