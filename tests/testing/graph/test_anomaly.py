"""detect_anomaly: what made the first NaN or infinity, and the user's line."""
# ruff: noqa: PT012  what is raised comes out of the block of detect_anomaly, which is what is tested

from __future__ import annotations

import threading

import numpy as np
import pytest

import nn
from autodiff import GraphError, Tensor, grad, logsumexp, no_grad, vmap
from autodiff.testing import AnomalyError, detect_anomaly, record
from autodiff.testing.graph.record import records


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
class TestAnomalies:
    def test_forward(self):
        x = Tensor([0.0, 1.0])
        with pytest.raises(AnomalyError) as caught, detect_anomaly():
            y = np.log(x)  # here
            np.sum(y * 2.0).backward()
        error = caught.value
        assert (error.operation, error.phase) == ("log", "forward")
        assert "# here" in str(error)
        assert "infinite in 1 of 2" in str(error)
        assert error.node.primitive.name == "log"
        assert x.grad is None

    def test_backward(self):
        x = Tensor([0.0, 1.0])
        with pytest.raises(AnomalyError) as caught, detect_anomaly():
            y = np.sqrt(x)  # here
            np.sum(y).backward()
        assert (caught.value.operation, caught.value.phase) == ("sqrt", "backward")
        assert "# here" in str(caught.value)

    def test_a_dead_nan_is_silent(self):
        x = Tensor([0.0, 1.0])
        with detect_anomaly():
            np.sum(np.where(x > 0, np.log(x), 0.0)).backward()
        assert x.grad.tolist() == [0.0, 1.0]

    def test_the_living_one_is_named_beside_a_dead_one(self):
        x = Tensor([0.0, 1.0])
        with pytest.raises(AnomalyError) as caught, detect_anomaly():
            y = np.where(x > 0, np.log(x), 0.0)
            np.sum(y / x).backward()
        assert caught.value.operation == "divide"

    def test_minus_infinity_as_a_mask_is_silent(self):
        scores = Tensor([1.0, 2.0, 3.0])
        with detect_anomaly():
            masked = np.where(np.array([True, True, False]), scores, -np.inf)
            logsumexp(masked).backward()
        assert scores.grad[2] == 0.0

    def test_a_result_that_nothing_was_computed_from(self):
        with pytest.raises(AnomalyError, match="log"), detect_anomaly():
            result = np.log(Tensor([0.0]))
        assert np.isinf(result.item())

    def test_an_input_that_was_bad_already(self):
        with pytest.raises(AnomalyError, match="argument is not finite already"), detect_anomaly():
            np.sum(Tensor([1.0]) * np.array([np.nan])).backward()

    def test_in_transforms(self):
        with pytest.raises(AnomalyError, match="sqrt"), detect_anomaly():
            grad(lambda x: np.sum(np.sqrt(x)))(np.array([0.0]))

    def test_a_mutated_array_is_noticed(self):
        x, w = Tensor([1.0, 2.0]), np.array([3.0, 4.0])
        with pytest.raises(GraphError, match="changed in place"), detect_anomaly():
            loss = np.sum(x * w)
            w[0] = 5.0
            loss.backward()

    def test_another_error_comes_through(self):
        with pytest.raises(KeyError, match="mine"), detect_anomaly():
            np.log(Tensor([0.0]))
            raise KeyError("mine")


def test_a_sound_pass_is_the_same():
    def step():
        x = Tensor([0.5, 1.0])
        y = np.sum(np.sqrt(x) * x)
        y.backward()
        return x.grad.tolist()

    plain = step()
    with detect_anomaly():
        assert step() == plain
    with detect_anomaly():
        x = Tensor(2.0)
        y = x * x * x
        y.backward(create_graph=True)
        x.grad.backward()
    assert x.grad.item() == 12.0 + 12.0


def test_the_graph_is_freed_as_without():
    x = Tensor([0.5])
    with detect_anomaly():
        y = np.sum(np.exp(x))
        y.backward()
        with pytest.raises(GraphError, match="freed"):
            y.backward()


def test_modes_nest_and_stay_in_their_thread():
    seen = []

    def other():
        with np.errstate(all="ignore"):
            seen.append(np.log(Tensor([0.0])).data)

    with detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with no_grad():
            constant = np.exp(Tensor([1.0]))
        assert not constant._node.active
        with record():
            loss = np.sum(np.exp(Tensor([1.0])))
        loss.backward()
    assert np.isinf(seen[0]).all()
    assert np.exp(Tensor([1.0]))._node not in records


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_layer_is_named_beside_the_line_that_called_the_model():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.ReLU())
    model[0].weight.data[:] = np.nan
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        np.sum(model(np.ones((3, 2)))).backward()  # the user's line
    assert "the user's line" in str(caught.value)
    assert "(through nn/layers/linear.py:" in str(caught.value)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_anomaly_in_one_of_many_examples():
    with pytest.raises(AnomalyError, match="sqrt"), detect_anomaly():
        vmap(grad(lambda x: np.sqrt(x)))(np.array([0.0, 1.0]))


def test_a_mutated_array_among_several_that_were_saved_together():
    x, w = Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    with pytest.raises(GraphError, match="changed in place"), detect_anomaly():
        loss = np.einsum("i,i->", x, w)
        w[0] = 5.0
        loss.backward()
