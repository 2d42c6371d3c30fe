"""The estimators in scikit-learn's own checks, and in its tools."""

import pickle
import subprocess
import sys

import numpy as np
import pandas
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from nn.sklearn import NNClassifier, NNRegressor

QUICK = {"hidden_layers": (16,), "epochs": 60, "lr": 0.02}
IRIS, SPECIES = load_iris(return_X_y=True)
X, Y = make_regression(60, 4, n_targets=2, noise=1.0, random_state=0)


CHECKS = [pair for kind in (NNClassifier, NNRegressor) for pair in estimator_checks_generator(kind(**QUICK))]


@pytest.mark.parametrize(
    ("estimator", "check"), CHECKS, ids=[f"{type(e).__name__}-{c.func.__name__}" for e, c in CHECKS]
)
def test_every_check_of_scikit_learn(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # what a check asks for
    assert check(estimator) is None


def test_in_scikit_learns_tools():
    names = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
    pipeline = make_pipeline(StandardScaler(), NNClassifier(**QUICK, random_state=0))
    assert cross_val_score(pipeline, IRIS, names, cv=3).mean() > 0.9
    grid = {"nnclassifier__hidden_layers": [(), (8, 8)], "nnclassifier__activation": ["tanh"]}
    search = GridSearchCV(pipeline, grid, n_jobs=2, cv=2).fit(IRIS, names)
    assert search.best_score_ > 0.9
    restored = pickle.loads(pickle.dumps(search.best_estimator_))
    assert np.array_equal(restored.predict_proba(IRIS), search.predict_proba(IRIS))
    assert set(restored.predict(IRIS)) == set(names)
    np.testing.assert_allclose(restored.predict_log_proba(IRIS), np.log(restored.predict_proba(IRIS)), atol=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "lbfgs"])
def test_regression_of_several_outputs(optimizer):
    epochs = 10 if optimizer == "lbfgs" else 150
    model = NNRegressor((20,), "tanh", optimizer=optimizer, lr=0.02, epochs=epochs, random_state=0)
    both, one = clone(model).fit(X, Y), clone(model).fit(X, Y[:, 0])
    assert both.predict(X).shape == (60, 2)
    assert one.predict(X).shape == (60,)
    assert both.score(X, Y) > 0.99
    assert len(both.loss_curve_) == both.n_iter_ == epochs
    assert model.fit(X.astype(np.float32), Y).predict(X.astype(np.float32)).dtype == np.float32


def test_a_weight_is_a_number_of_examples_in_the_units_of_y():
    weights = np.arange(60) % 3
    model = NNRegressor(**QUICK, random_state=0)
    weighted = clone(model).fit(X, Y, sample_weight=weights).predict(X)
    repeated = clone(model).fit(np.repeat(X, weights, axis=0), np.repeat(Y, weights, axis=0)).predict(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6)
    assert not np.allclose(weighted, clone(model).fit(X, Y).predict(X), rtol=1e-3)
    for wrong, match in [
        (-weights, "sample_weight has negative numbers"), (weights * 0, "must contain at least one non-zero"),
        (weights[1:], r"sample_weight has shape \(59,\); it must be \(60,\)"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=match):
            model.fit(X, Y, sample_weight=wrong)


def test_early_stopping_keeps_the_best_and_going_on_goes_on():
    stopping = NNClassifier(early_stopping=True, patience=3, lr=0.1, tol=0.0, random_state=0).fit(IRIS, SPECIES)
    assert stopping.n_iter_ < 200
    assert stopping.score(IRIS, SPECIES) > 0.9
    warm = NNClassifier(**QUICK | {"epochs": 5}, warm_start=True, random_state=0)
    assert warm.fit(IRIS, SPECIES).loss_curve_[-1] > warm.fit(IRIS, SPECIES).loss_curve_[-1]
    assert warm.n_iter_ == 10
    parts = NNClassifier(hidden_layers=16, lr=0.05, dropout=0.1, batch_size=32, random_state=0)
    for _ in range(30):
        parts.partial_fit(IRIS[:80], SPECIES[:80], classes=[0, 1, 2])
        parts.partial_fit(IRIS[80:], SPECIES[80:])
    assert parts.score(IRIS, SPECIES) > 0.9
    assert parts.n_iter_ == 60
    with pytest.raises(ValueError, match=r"y has the classes \[7\], which are none of \[0 1 2\]"):
        parts.partial_fit(IRIS[:2], [0, 7])
    with pytest.raises(ValueError, match=r"classes are \[0 1\], and were \[0 1 2\]"):
        parts.partial_fit(IRIS[:2], [0, 1], classes=[0, 1])
    regression = NNRegressor(**QUICK).partial_fit(X, Y)
    with pytest.raises(ValueError, match="y has 1 columns, and had 2"):
        regression.partial_fit(X, Y[:, 0])


@pytest.mark.parametrize(("options", "error", "match"), [
    ({"activation": "step"}, ValueError, "NNClassifier: activation is 'step'; it must be one of relu"),
    ({"optimizer": "muon"}, ValueError, "NNClassifier: optimizer is 'muon'; it must be one of adadelta"),
    ({"optimizer": "lbfgs", "weight_decay": 0.1}, ValueError, "NNClassifier: lbfgs has no weight_decay"),
    ({"hidden_layers": (4, 0)}, ValueError, "NNClassifier: hidden_layers is 0"),
    ({"batch_size": "all"}, ValueError, "NNClassifier: batch_size is 'all'"),
    ({"epochs": 0}, ValueError, "epochs is 0"),
    ({"lr": -1.0}, ValueError, "lr is -1.0"),
    ({"early_stopping": True, "validation_fraction": 1.0}, ValueError, "validation_fraction is 1.0; it must lie"),
])  # fmt: skip
def test_parameters_that_are_none(options, error, match):
    with pytest.raises(error, match=match):
        NNClassifier(**QUICK | options).fit(IRIS, SPECIES)


def test_columns_of_a_table_have_names():
    table = pandas.DataFrame(X, columns=["a", "b", "c", "d"])
    fitted = NNRegressor(**QUICK, random_state=0).fit(table, Y)
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert np.array_equal(fitted.predict(table), NNRegressor(**QUICK, random_state=0).fit(X, Y).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(table[["b", "a", "c", "d"]])


def test_before_it_is_fitted():
    with pytest.raises(ValueError, match="NNRegressor: y holds <U1, not numbers; NNClassifier is for labels"):
        NNRegressor().fit(X[:2], ["a", "b"])
    with pytest.raises(NotFittedError):
        NNRegressor().predict(X)


def test_nn_needs_no_scikit_learn():
    code = "import sys, nn; sys.exit(any(name.partition('.')[0] == 'sklearn' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
