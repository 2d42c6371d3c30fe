"""Losses as modules: the options of their functions, in types and at run time."""

import inspect
import pickle

import numpy as np
import pytest

import nn
from nn import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
)
from nn.losses.loss import Loss

P, T = np.array([[0.2, 0.5], [0.7, 0.9]]), np.array([[0.0, 1.0], [1.0, 0.0]])
MODULES = [
    (nn.MSELoss, mse_loss, T, {}),
    (nn.L1Loss, l1_loss, T, {}),
    (nn.HuberLoss, huber_loss, T, {"delta": 0.3}),
    (nn.CrossEntropyLoss, cross_entropy, np.array([0, 1]), {"weight": np.array([1.0, 3.0]), "label_smoothing": 0.1}),
    (nn.CrossEntropyLoss, cross_entropy, np.array([0, 1]), {"axis": 0}),
    (nn.NLLLoss, nll_loss, np.array([0, 1]), {"weight": np.array([1.0, 3.0])}),
    (nn.BCELoss, binary_cross_entropy, T, {}),
    (nn.BCEWithLogitsLoss, binary_cross_entropy_with_logits, T, {"pos_weight": np.array([2.0, 1.0])}),
]


@pytest.mark.parametrize(("module", "function", "target", "options"), MODULES)
def test_a_module_is_its_function_with_options(module, function, target, options):
    for reduction in ("mean", "sum", "none"):
        loss = module(reduction=reduction, **options)
        assert np.array_equal(loss(P, target), function(P, target, reduction=reduction, **options))
    assert list(loss.parameters()) == []
    assert "reduction='none'" in repr(loss)
    with pytest.raises(ValueError, match=f"{module.__name__}: reduction is 'average'"):
        module(reduction="average")


@pytest.mark.parametrize(("module", "function"), {module: function for module, function, *_ in MODULES}.items())
def test_a_module_takes_the_options_of_its_function(module, function):
    options = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert list(inspect.signature(module).parameters.values()) == options
    assert list(inspect.signature(module()).parameters) == list(inspect.signature(nn.Module()).parameters)
    made = module()
    assert {name: getattr(made, name) for name in vars(made)} == {p.name: p.default for p in options}
    with pytest.raises(TypeError, match=f"{module.__name__}: there is no option dleta; there are .*reduction"):
        module(dleta=1.0)


def test_a_field_that_is_changed_counts_at_the_next_call():
    loss = nn.HuberLoss(delta=0.3)
    loss.delta = 0.1
    assert np.array_equal(loss(P, T), huber_loss(P, T, delta=0.1))


def test_an_array_is_a_constant_of_the_module():
    loss = nn.CrossEntropyLoss(weight=[1.0, 3.0], label_smoothing=0.5)
    assert {name: value.tolist() for name, value in loss.state_dict().items()} == {"weight": [1.0, 3.0]}
    assert nn.CrossEntropyLoss().state_dict() == {}
    other = pickle.loads(pickle.dumps(loss))
    assert np.array_equal(other(P, np.array([0, 1])), loss(P, np.array([0, 1])))


def with_power(prediction, target, *, power=2.0, reduction="mean"):
    return np.mean(abs(prediction - target) ** power)


def test_fields_that_are_not_the_options_are_refused_where_the_class_is_made():
    class Right(Loss, function=with_power):
        power: float = 2.0

    assert Right(power=3.0)(P, T) == with_power(P, T, power=3.0)
    with pytest.raises(TypeError, match="Forgotten: the fields are .*, the options of with_power {'power': 2.0"):

        class Forgotten(Loss, function=with_power):
            pass

    with pytest.raises(TypeError, match="OfAnotherDefault: the fields are {'power': 3.0"):

        class OfAnotherDefault(Loss, function=with_power):
            power: float = 3.0

    with pytest.raises(TypeError, match="OneTooMany: the fields are"):

        class OneTooMany(Right, function=with_power):
            power: float = 2.0
            delta: float = 1.0
