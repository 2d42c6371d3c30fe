"""Metrics of numbers; the values of several outputs, ties and constants are those of scikit-learn 1.9."""

import numpy as np
import pytest

from autodiff import Tensor
from nn import Learner, Linear, binary_cross_entropy_with_logits, mse_loss, optim
from nn.metrics import mae, r2, rmse

TRUE = np.array([[0.5, 1.0], [-1.0, 1.0], [7.0, -6.0]])
PREDICTED = np.array([[0.0, 2.0], [-1.0, 2.0], [8.0, -5.0]])


def test_known_values():
    assert mae(PREDICTED, TRUE) == 0.75
    assert rmse(PREDICTED, TRUE) == pytest.approx(0.8227486121839513, rel=1e-14)
    assert r2(PREDICTED, TRUE) == pytest.approx(0.9368005266622779, rel=1e-14)
    weights = np.array([1.0, 2.0, 0.0])
    assert mae(PREDICTED[:, 0], TRUE[:, 0], weights=weights) == pytest.approx(1 / 6)
    assert rmse(PREDICTED[:, 0], TRUE[:, 0], weights=weights) == pytest.approx((1 / 12) ** 0.5)
    assert r2(PREDICTED[:, 0], TRUE[:, 0], weights=weights) == pytest.approx(1 - 0.25 / 1.5)


def test_a_column_is_a_vector_and_nothing_is_broadcast():
    for metric in (mae, rmse, r2):
        assert metric(PREDICTED[:, :1], TRUE[:, 0]) == metric(Tensor(PREDICTED[:, 0]), TRUE[:, :1])
        with pytest.raises(ValueError, match=r"predictions have shape \(3, 2\) and the target \(3, 1\)"):
            metric(PREDICTED, TRUE[:, :1])
        with pytest.raises(ValueError, match=r"have shape \(\)"):
            metric(1.0, 1.0)
        with pytest.raises(ValueError, match="there are no examples"):
            metric(TRUE[:0], TRUE[:0])
        with pytest.raises(TypeError, match="the target is complex128"):
            metric(TRUE, TRUE * 1j)
        with pytest.raises(ValueError, match=r"weights have shape \(2,\); one for each example is \(3,\)"):
            metric(TRUE, TRUE, weights=[1, 1])
        with pytest.raises(ValueError, match="weights must be finite, at least 0, and not all 0"):
            metric(TRUE, TRUE, weights=[0, 0, 0])


def test_single_precision_is_not_summed_in_it():
    true = np.full(100_000, 1000.0, np.float32)
    assert mae(true + np.float32(0.25), true) == 0.25
    assert mae(np.array([60000.0], np.float16), np.array([-60000.0], np.float16)) > 1e5


def test_the_variance_that_is_explained_at_its_edges():
    assert r2(np.ones(3), np.ones(3)) == 1.0
    assert r2(np.arange(3.0), np.ones(3)) == 0.0
    assert np.isnan(r2(np.ones(1), np.ones(1)))
    assert r2(np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0])) == -3.0


def test_a_learner_knows_them_by_name_over_whole_epochs():
    x = np.linspace(-1, 1, 30)[:, None]
    model = Linear(1, 1, rng=0, dtype=np.float64)
    learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.0), metrics=("rmse", "r2", "mae"))
    row = learner.fit(x, x**3, 1, 7, rng=0).rows[0]
    predicted = learner.predict(x)
    assert row["rmse"] == pytest.approx(rmse(predicted, x**3), rel=1e-12)  # no mean of the batches'
    assert row["r2"] == pytest.approx(r2(predicted, x**3), rel=1e-12)
    learner = Learner(model, binary_cross_entropy_with_logits, optim.SGD(model.parameters()), metrics=["auc", "f1"])
    row = learner.evaluate(x, (x > 0).astype(float))
    assert set(row) == {"loss", "auc", "f1"}
    with pytest.raises(TypeError, match="the metric 'np' is neither"):
        Learner(model, mse_loss, optim.SGD(model.parameters()), metrics=["np"])
