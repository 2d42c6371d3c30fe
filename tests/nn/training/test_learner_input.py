"""Learner: what it takes, and what it says about what it cannot take."""

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn import Learner, Linear, Sequential, metrics, mse_loss, optim


def regression(n=64, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ np.array([[1.0], [-2.0], [0.5]]) + 3.0


def linear_learner(loss=mse_loss, dtype=np.float64, **options):
    model = Linear(3, 1, rng=0, dtype=dtype)
    return Learner(model, loss, optim.SGD(model.parameters(), lr=0.1), **options)


X, Y = regression(8)
WRONG = {
    "unequal lengths": ((X, Y[:5]), {}, ValueError, r"fit: X has 8 examples \(shape \(8, 3\)\) and Y has 5"),
    "empty": ((X[:0], Y[:0]), {}, ValueError, r"fit: X is empty \(shape \(0, 3\)\)"),
    "a number": ((1.0, 2.0), {}, ValueError, "fit: X is a single number"),
    "a Tensor": ((Tensor(X), Y), {}, TypeError, r"fit: X is a Tensor.*X\.data"),
    "masked": ((np.ma.array(X), Y), {}, TypeError, r"fit: X is a MaskedArray.*np\.asarray\(x\)"),
    "text": ((X.astype(str), Y), {}, TypeError, "fit: X holds <U32, not numbers"),
    "labels as text": ((X, Y.astype(str)), {}, TypeError, "fit: Y holds <U32.*np.unique"),
    "an iterator": ((iter(X), Y), {}, TypeError, "fit: X is an array of Python objects"),
    "objects": ((np.array([None] * 8), Y), {}, TypeError, "fit: X is an array of Python objects"),
    "batch size 0": ((X, Y), {"batch_size": 0}, ValueError, "fit: batch_size is 0; it must be at least 1"),
    "batch size 2.5": ((X, Y), {"batch_size": 2.5}, TypeError, "fit: batch_size must be a whole number, got 2.5"),
    "negative epochs": ((X, Y), {"epochs": -1}, ValueError, "fit: epochs is -1; it must be at least 0"),
    "no pair": ((X, Y), {"validation": X}, TypeError, "validation must be a pair"),
    "unequal validation": ((X, Y), {"validation": (X, Y[:2])}, ValueError, "fit, validation: X has 8 examples"),
    "a wrong rng": ((X, Y), {"rng": "seed"}, TypeError, "rng: expected a numpy.random.Generator"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input(case):
    arguments, options, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        linear_learner().fit(*arguments, **{"epochs": 1, **options})


def test_wrong_parts():
    model = Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TypeError, match="Learner: optimizer must be one that holds the parameters"):
        Learner(model, mse_loss, optim.SGD)
    with pytest.raises(TypeError, match="Learner: loss must be a function or a module"):
        Learner(model, nn.MSELoss, optimizer)
    with pytest.raises(TypeError, match="the metric 'acuracy' is neither"):
        Learner(model, mse_loss, optimizer, metrics=("acuracy",))
    with pytest.raises(ValueError, match="two columns would be called 'loss'"):
        Learner(model, mse_loss, optimizer, metrics={"loss": metrics.accuracy})
    with pytest.raises(ValueError, match="schedule is 'batch'"):
        Learner(model, mse_loss, optimizer, schedule="batch")
    with pytest.raises(TypeError, match=r"scheduler must have a step\(\), got a int"):
        Learner(model, mse_loss, optimizer, scheduler=3)
    with pytest.raises(ValueError, match="Learner: clip_norm is -1; it must be a finite number"):
        Learner(model, mse_loss, optimizer, clip_norm=-1)
    with pytest.raises(ValueError, match="Learner: clip_value is nan"):
        Learner(model, mse_loss, optimizer, clip_value=float("nan"))


NO_MODULES = {"a function": lambda x: x, "the class Linear": Linear, "a NoneType": None}


@pytest.mark.parametrize("what", NO_MODULES)
def test_a_model_that_is_no_module(what):
    with pytest.raises(TypeError, match=f"Learner: model must be a Module, got {what}.*Sequential\\(function\\)"):
        Learner(NO_MODULES[what], mse_loss, optim.SGD([Tensor(1.0)]))


LOSSES = {
    "a shape": (lambda z, y: z - y, ValueError, r"the loss has shape \(8, 1\), and only a single number"),
    "nothing": (lambda z, y: None, TypeError, "the loss is a NoneType, and only a single number"),
    "several": (lambda z, y: (np.mean(z), 1.0), TypeError, "the loss is a tuple"),
    "complex": (lambda z, y: np.mean(z) * 1j, TypeError, "the loss is complex128, and only a real number"),
    "cut off": (
        lambda z, y: np.mean((z.data - y) ** 2),
        TypeError,
        "no parameter of the model leads.*a plain number",
    ),
    "another": (lambda z, y: np.sum(Tensor(1.0) * 2), TypeError, "leads to the loss.*depends on other variables alone"),
}


@pytest.mark.parametrize("case", LOSSES)
def test_a_loss_that_cannot_be_made_smaller(case):
    loss, error, message = LOSSES[case]
    with pytest.raises(error, match=message):
        linear_learner(loss).fit(X, Y, 1)


def test_a_frozen_model_is_not_trained_in_silence():
    model = Linear(3, 1, rng=0)
    learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))
    model.freeze()
    with pytest.raises(TypeError, match=r"the model has none: is all of it frozen\? model.unfreeze"):
        learner.fit(X, Y, 1)


def test_parameters_of_the_loss_alone_may_be_trained():
    scale = Tensor(1.0)
    model = Linear(3, 1, rng=0).freeze()
    learner = Learner(model, lambda z, y: np.mean((z * scale - y) ** 2), optim.SGD([scale], lr=0.1))
    losses = learner.fit(X, Y, 3)
    assert losses[-1] < losses[0]


def test_a_metric_that_is_no_number():
    with pytest.raises(ValueError, match=r"the metric 'each' has shape \(8,\), and only a single number is a metric"):
        linear_learner(metrics={"each": lambda z, y: y[:, 0]}).fit(X, Y, 1)
    with pytest.raises(TypeError, match="the metric 'none' is a NoneType"):
        linear_learner(metrics={"none": lambda z, y: None}).evaluate(X, Y)


def test_floating_point_inputs_are_taken_in_the_dtype_of_the_parameters():
    seen = []

    class Watched(Linear):
        def forward(self, x):
            seen.append(x.dtype)
            return super().forward(x)

    model = Watched(3, 1, rng=0)
    learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))
    losses = learner.fit(X, Y, 2, shuffle=False)
    assert learner.predict(X).dtype == np.float32
    learner.evaluate(X, Y)
    assert set(seen) == {np.dtype(np.float32)}
    model = Watched(3, 1, rng=0)
    same = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1)).fit(X.astype("f4"), Y, 2, shuffle=False)
    assert list(losses) == list(same)
    seen.clear()
    learner.predict(np.ones((2, 3), np.uint8))  # what indexes or counts is the model's affair
    assert seen == [np.uint8]


def test_inputs_too_large_for_the_parameters_are_no_infinity():
    with pytest.raises(ValueError, match="X is float64 and has numbers too large for float32"):
        linear_learner(dtype=np.float32).fit(X * 1e300, Y, 1)


def test_a_model_of_two_dtypes_takes_inputs_as_they_are():
    model = Sequential(Linear(3, 3, rng=0), Linear(3, 1, rng=1, dtype=np.float64))
    assert Learner(model, mse_loss, optim.SGD(model.parameters())).predict(X.astype("f4")).dtype == np.float64


def test_an_optimizer_or_scheduler_of_something_else_is_refused():
    model, other = nn.Linear(1, 1, rng=0), nn.Linear(1, 1, rng=0)
    with pytest.raises(ValueError, match=r"model\.parameters\(\)"):
        nn.Learner(model, nn.mse_loss, nn.optim.SGD(other.parameters(), lr=0.1))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    scheduler = nn.schedule.StepLR(nn.optim.SGD(model.parameters(), lr=0.1), 1)
    with pytest.raises(ValueError, match="another optimizer"):
        nn.Learner(model, nn.mse_loss, optimizer, scheduler=scheduler)
