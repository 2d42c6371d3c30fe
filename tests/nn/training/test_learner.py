"""Learner: it learns, it measures honestly, it repeats itself bit for bit, and it says what went wrong."""

import math

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn import DivergenceError, Dropout, Learner, Linear, ReLU, Sequential, cross_entropy, metrics, mse_loss, optim
from tests.garbage import left_by


def regression(n=64, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ np.array([[1.0], [-2.0], [0.5]]) + 3.0


def linear_learner(seed=0, lr=0.1, **options):
    model = Linear(3, 1, rng=seed, dtype=np.float64)
    return Learner(model, mse_loss, optim.SGD(model.parameters(), lr=lr), **options)


def classes(n=60, seed=0):
    rng = np.random.default_rng(seed)
    Y = rng.integers(0, 3, n)
    return (np.eye(3)[Y] * 3 + rng.normal(size=(n, 3))).astype(np.float32), Y


def classifier(seed=0, dropout=0.0, **options):
    rng = np.random.default_rng(seed)
    model = Sequential(Linear(3, 16, rng=rng), ReLU(), Dropout(dropout, rng=rng), Linear(16, 3, rng=rng))
    return Learner(model, cross_entropy, optim.Adam(model.parameters(), lr=0.02), **options)


# -- training ------------------------------------------------------------------------------------------------------


def test_recovers_the_true_weights():
    learner = linear_learner()
    losses = learner.fit(*regression(), epochs=60, batch_size=8, rng=0)
    assert len(losses) == 60
    assert losses[-1] < 1e-12
    np.testing.assert_allclose(learner.model.weight.data.ravel(), [1.0, -2.0, 0.5], atol=1e-6)
    np.testing.assert_allclose(learner.model.bias.data, 3.0, atol=1e-6)


def test_one_epoch_is_the_loop_one_would_write():
    X, Y = regression(20)
    learner = linear_learner()
    model = Linear(3, 1, rng=0, dtype=np.float64)
    w, b = model.weight.data.copy(), model.bias.data.copy()
    order = np.random.default_rng(5).permutation(20)
    total = 0.0
    for start in (0, 8, 16):
        x, y = X[order[start : start + 8]], Y[order[start : start + 8]]
        error = x @ w + b - y
        total += (error**2).sum()
        gradient = 2 * error / len(x)
        w, b = w - 0.1 * x.T @ gradient, b - 0.1 * gradient.sum(0)
    history = learner.fit(X, Y, epochs=1, batch_size=8, rng=5)
    assert history[0] == pytest.approx(total / 20, rel=1e-12)  # the mean over examples: the last batch is smaller
    np.testing.assert_allclose(learner.model.weight.data, w, rtol=1e-12)
    np.testing.assert_allclose(learner.model.bias.data, b, rtol=1e-12)


def test_the_same_seed_gives_the_same_run_bit_for_bit():
    def run(seed):
        learner = classifier(seed, dropout=0.3, metrics=("accuracy",))
        history = learner.fit(*classes(), epochs=4, batch_size=16, validation=classes(30, 1), rng=seed)
        timeless = [{k: v for k, v in row.items() if k not in ("seconds", "rate")} for row in history.rows]
        return timeless, {name: a.tobytes() for name, a in learner.model.state_dict().items()}

    assert run(0) == run(0)
    assert run(0)[1] != run(1)[1]


def test_a_generator_goes_on_and_a_seed_starts_anew():
    rng = np.random.default_rng(0)
    learner = linear_learner()
    both = [*learner.fit(*regression(), 1, 8, rng=rng), *learner.fit(*regression(), 1, 8, rng=rng)]
    assert both == list(linear_learner().fit(*regression(), 2, 8, rng=0))


def test_without_shuffling_the_order_is_kept():
    seen = []

    class Spy(Linear):
        def forward(self, x):
            seen.extend(x[:, 0].tolist())
            return super().forward(x)

    model = Spy(1, 1, rng=0)
    X = np.arange(5.0).reshape(5, 1)
    Learner(model, mse_loss, optim.SGD(model.parameters(), lr=1e-3)).fit(X, X, 1, 2, shuffle=False)
    assert seen == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_what_a_history_holds():
    learner = classifier(metrics=("accuracy", nn.metrics.confusion_matrix)[:1])
    history = learner.fit(*classes(), epochs=3, batch_size=7, validation=classes(30, 1), rng=0)
    assert history.columns == [
        "epoch", "loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy", "seconds", "rate",
    ]  # fmt: skip
    assert history["epoch"] == [1, 2, 3]
    assert history["learning_rate"] == [0.02] * 3
    assert all(s > 0 for s in history["seconds"] + history["rate"])
    final = learner.evaluate(*classes(30, 1))
    assert (history["validation_loss"][-1], history["validation_accuracy"][-1]) == (final["loss"], final["accuracy"])


def test_metrics_by_name_by_function_and_in_a_dict():
    X, Y = classes()
    learner = classifier(
        metrics={
            "accuracy": "accuracy",
            "recall of 2": lambda outputs, targets: metrics.recall(outputs, targets, average=None)[2],
            "macro": lambda outputs, targets: metrics.precision(outputs, targets, average="macro"),
        }
    )
    learner.fit(X, Y, epochs=2, rng=0)
    measured = learner.evaluate(X, Y)
    said = learner.predict(X).argmax(axis=1)
    assert measured["accuracy"] == np.mean(said == Y)
    assert measured["recall of 2"] == np.mean(said[Y == 2] == 2)
    assert measured["macro"] == pytest.approx(np.mean([np.mean(Y[said == c] == c) for c in range(3)]))


def test_a_decision_threshold():
    X = np.linspace(-2, 2, 9).reshape(-1, 1)
    Y = (X > 0).astype(float)
    model = Linear(1, 1, rng=0, dtype=np.float64)
    learner = Learner(
        model,
        nn.binary_cross_entropy_with_logits,
        optim.SGD(model.parameters(), lr=1.0),
        metrics={"strict": lambda z, y: metrics.recall(z, y, threshold=100.0), "recall": lambda z, y: metrics.recall(
            z, y, threshold=0.0)},
    )  # fmt: skip
    learner.fit(X, Y, epochs=50, rng=0)
    measured = learner.evaluate(X, Y)
    assert measured["recall"] == 1.0
    assert measured["strict"] == 0.0


def test_schedulers_step_by_epoch_or_by_step():
    class Halve:
        def __init__(self, optimizer):
            self.optimizer = optimizer

        def step(self):
            self.optimizer.lr /= 2

    learner = linear_learner(lr=0.25)
    learner.scheduler = Halve(learner.optimizer)
    assert learner.fit(*regression(), 3, 16, rng=0)["learning_rate"] == [0.25, 0.125, 0.0625]
    learner = linear_learner(lr=0.25, schedule="step")
    learner.scheduler = Halve(learner.optimizer)
    assert learner.fit(*regression(), 3, 16, rng=0)["learning_rate"] == [0.25, 0.25 / 16, 0.25 / 256]


@pytest.mark.parametrize("options", [{"clip_norm": 1e-3}, {"clip_value": 1e-3}])
def test_clipping_comes_before_the_update(options):
    learner = linear_learner(lr=1.0, **options)
    before = learner.model.state_dict()
    learner.fit(*regression(), epochs=1, batch_size=64, rng=0)
    moved = np.concatenate([(a - before[name]).ravel() for name, a in learner.model.state_dict().items()])
    size = np.linalg.norm(moved) if "clip_norm" in options else np.abs(moved).max()
    assert size == pytest.approx(1e-3, rel=1e-3)


def test_hooks():
    steps, rows = [], []
    learner = linear_learner()

    def on_step(step, loss):
        assert learner.model.weight.grad is not None
        steps.append((step, loss))

    history = learner.fit(*regression(20), 2, 8, rng=0, on_step=on_step, on_epoch=rows.append)
    assert [step for step, _ in steps] == [1, 2, 3, 4, 5, 6]
    assert rows == history.rows
    assert history[0] == pytest.approx(sum(loss * n for (_, loss), n in zip(steps, (8, 8, 4), strict=False)) / 20)


def test_no_epochs():
    assert len(linear_learner().fit(*regression(), epochs=0)) == 0


def test_a_batch_larger_than_the_data_and_lists():
    history = linear_learner(lr=0.01).fit([[1.0, 2.0, 3.0]], [[1.0]], epochs=2, batch_size=1000)
    assert history[1] < history[0]


def test_steps_leave_nothing_in_cycles():
    learner = classifier(metrics=("accuracy",))

    def train(batch_size):
        learner.fit(*classes(), epochs=1, batch_size=batch_size, validation=classes(), rng=0)

    train(60)
    assert left_by(lambda: train(60)) == left_by(lambda: train(2)) == 0


def test_the_bar_shows_loss_metric_and_rate(capsys):
    classifier(metrics=("accuracy",)).fit(*classes(), epochs=2, batch_size=20, rng=0, progress=True)
    shown = capsys.readouterr().err
    for words in ("epoch 1/2", "loss ", "accuracy 0.", "examples/s", "left"):
        assert words in shown
    assert shown.endswith("\r")


def test_no_bar_where_there_is_no_terminal(capsys):
    classifier(metrics=("accuracy",)).fit(*classes(), epochs=2, batch_size=20, rng=0)
    assert capsys.readouterr() == ("", "")


# -- predicting and evaluating ---------------------------------------------------------------------------------------


def test_predict_is_the_model_in_evaluation_mode():
    X, _ = classes(50)
    learner = classifier(dropout=0.5)
    learner.model.train()
    outputs = learner.predict(X, batch_size=7)
    assert type(outputs) is np.ndarray
    assert outputs.dtype == np.float32
    assert learner.model.training
    np.testing.assert_allclose(outputs, learner.model.eval()(X).data, rtol=1e-5, atol=1e-6)
    learner.predict(X)
    assert not learner.model.training


def test_the_mode_is_restored_after_an_error():
    learner = classifier()
    learner.model.eval()
    with pytest.raises(ValueError, match="Linear: the input has shape"):
        learner.fit(np.zeros((4, 2), np.float32), np.zeros(4, int), 1)
    assert not learner.model.training
    learner.model.train()
    with pytest.raises(ValueError, match="Linear: the input has shape"):
        learner.predict(np.zeros((4, 2), np.float32))
    assert learner.model.training


def test_evaluate_does_not_depend_on_the_batches():
    X, Y = classes(50)
    learner = classifier(metrics=("accuracy",))
    whole, parts = learner.evaluate(X, Y, batch_size=50), learner.evaluate(X, Y, batch_size=7)
    assert whole["loss"] == pytest.approx(parts["loss"], rel=1e-6)
    assert whole["accuracy"] == parts["accuracy"]
    assert whole["loss"] == pytest.approx(cross_entropy(learner.model(X), Y).item(), rel=1e-6)


# -- divergence ----------------------------------------------------------------------------------------------------


class Logarithm(nn.Module):
    def __init__(self):
        self.weight = Tensor(np.ones((3, 1)))

    def forward(self, x):
        return np.log(x @ self.weight) * 2.0


def test_a_nan_loss_stops_and_names_the_step_and_the_operation():
    X = np.ones((8, 3))
    X[5] = -1.0
    model = Logarithm()
    learner = Learner(model, mse_loss, optim.SGD(model.parameters(), lr=1e-9))
    model.eval()
    with pytest.raises(DivergenceError) as caught:
        learner.fit(X, np.ones((8, 1)), epochs=3, batch_size=2, shuffle=False)
    error = caught.value
    assert (error.epoch, error.step) == (1, 3)
    assert str(error).startswith("fit: the loss became nan at step 3 (epoch 1); the first operation that made it: log:")
    assert "np.log(x @ self.weight)" in error.cause  # the line that asked for it
    assert np.isfinite(model.weight.data).all()
    assert model.weight.grad is None
    assert not model.training


def test_an_infinite_gradient_stops_before_it_does_harm():
    class Root(nn.Module):
        def __init__(self):
            self.weight = Tensor(np.zeros(3))

        def forward(self, x):
            return np.sqrt(self.weight * x)

    model = Root()
    with pytest.raises(DivergenceError, match="the gradient of weight is not finite at step 1.*sqrt: its derivative"):
        Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1)).fit(np.ones((4, 3)), np.ones((4, 3)), 1)
    assert model.weight.data.tolist() == [0.0, 0.0, 0.0]


def test_bad_data_is_named_as_such():
    X, Y = regression()
    X[7, 1] = np.nan
    with pytest.raises(DivergenceError, match="the inputs of this batch hold 1 of 192 numbers that are not finite"):
        linear_learner().fit(X, Y, 1, 64)
    Y[3] = np.inf
    with pytest.raises(DivergenceError, match="the targets of this batch hold 1 of 64"):
        linear_learner().fit(np.nan_to_num(X), Y, 1, 64)


def test_a_learning_rate_that_is_too_large():
    with pytest.raises(DivergenceError, match="Try a smaller learning rate \\(now 1e\\+200\\)"):
        linear_learner(lr=1e200).fit(*regression(), epochs=10)


def test_large_finite_gradients_are_no_divergence():
    model = Linear(1, 1, rng=0)  # float32: the squares of these gradients overflow, the gradients do not
    learner = Learner(model, lambda z, y: np.mean(z * np.float32(1e25)), optim.SGD(model.parameters(), lr=1e-30))
    learner.fit(np.ones((2, 1), np.float32), np.ones((2, 1), np.float32), 1)
    assert math.isfinite(model.weight.data.item())


def test_watch_writes_a_page_and_changes_nothing(tmp_path):
    def run(**options):
        model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
        steps = []
        learner = nn.Learner(model, nn.mse_loss, nn.optim.SGD(model.parameters(), lr=0.01))
        x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
        losses = learner.fit(x, x[:, :1], 2, 8, rng=0, on_step=lambda step, loss: steps.append(step), **options)
        return list(losses), steps

    page = tmp_path / "run.html"
    assert run(watch=page) == run()
    assert "<svg" in page.read_text(encoding="utf-8")


def test_metrics_by_name_decide_as_the_loss_does():
    model = nn.Linear(1, 1, rng=0)
    model.weight.data, model.bias.data = np.ones((1, 1)), np.zeros(1)
    x = np.array([[0.2], [-0.2], [0.4], [-3.0]], np.float32)
    y = (x > 0).astype(np.float32)
    for loss in (nn.binary_cross_entropy_with_logits, nn.BCEWithLogitsLoss()):
        learner = nn.Learner(model, loss, nn.optim.SGD(model.parameters(), lr=0.1), metrics=["accuracy"])
        assert learner.evaluate(x, y)["accuracy"] == 1.0


@pytest.mark.parametrize("validated", [True, False])
def test_a_plateau_is_told_what_an_epoch_measured(validated):
    model = nn.Linear(2, 1, rng=0)
    groups = [{"params": [model.weight]}, {"params": [model.bias], "lr": 0.0}]
    optimizer = nn.optim.SGD(groups, lr=0.01)
    rows = iter([3.0, 2.0, 2.0, 2.0, 2.0])
    metrics = {"fixed": lambda outputs, targets: next(rows)}
    plan = nn.schedule.ReduceLROnPlateau(optimizer, patience=1, monitor=None if validated else "fixed")
    if validated:
        plan.after = lambda row, after=plan.after: after({**row, "validation_loss": next(rows)})
        metrics = {}
    x, y = np.ones((4, 2)), np.ones((4, 1))
    learner = Learner(model, nn.mse_loss, optimizer, metrics=metrics, scheduler=plan)
    history = learner.fit(x, y, 5, validation=(x, y) if validated else None, progress=False)
    assert [row["learning_rate"] for row in history.rows] == pytest.approx([0.01, 0.01, 0.01, 0.01, 0.001])
    with pytest.raises(KeyError, match="ReduceLROnPlateau: no column 'auc'; there are loss"):
        Learner(model, nn.mse_loss, optimizer, scheduler=nn.schedule.ReduceLROnPlateau(optimizer, monitor="auc")).fit(
            x, y, 1, progress=False
        )
    with pytest.raises(ValueError, match="Learner: ReduceLROnPlateau follows a measure of each epoch"):
        Learner(model, nn.mse_loss, optimizer, scheduler=plan, schedule="step")
