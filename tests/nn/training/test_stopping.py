"""EarlyStopping: when it ends a training, what it gives back, and a training that goes on with it."""

import copy

import numpy as np
import pytest

import nn
from nn import Callback, EarlyStopping, Learner, Linear, mse_loss, optim


class Column(Callback):
    """Puts given values into the rows, and notes a weight."""

    def __init__(self, values):
        self.values, self.weights, self.states = values, [], []

    def on_epoch(self, run):
        run.row["score"] = self.values[run.epoch - 1]
        self.weights.append(run.learner.model.weight.data.copy())


class Keeps(Callback):
    saves = True

    def __init__(self):
        self.states = []

    def on_epoch(self, run):
        it = run.learner
        self.states.append(copy.deepcopy((run.state_dict(), it.model.state_dict(), it.optimizer.state_dict())))


X = np.linspace(-1, 1, 8)[:, None]


def learner():
    model = Linear(1, 1, rng=0)
    return Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1, momentum=0.5))


def trained(values, *, epochs=None, more=(), it=None, resume=None, **options):
    it, column = it or learner(), Column(values)
    stopping = EarlyStopping("score", **options)
    history = it.fit(X, X, epochs or len(values), callbacks=[column, stopping, *more], rng=0, resume=resume)
    return len(history), stopping, it, column


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best"),
    [
        ([3, 2, 2, 2, 1], {"patience": 2}, 4, 2),  # equal is no better
        ([3, 2, 2.5, 1, 1, 1, 1], {"patience": 2}, 6, 4),
        ([3, 2.9, 2.8, 2.7, 1], {"patience": 3, "min_delta": 0.35}, 4, 1),
        ([3, 2.9, 2.8, 2.6, 1], {"patience": 3, "min_delta": 0.35}, 5, 5),
        ([1, 2, 3, 2, 2, 2], {"patience": 2, "mode": "max"}, 5, 3),
        ([NAN, NAN, NAN], {"patience": 2}, 2, 0),
        ([NAN, 2, NAN, NAN, 1], {"patience": 2}, 4, 2),
        ([3, 2, 1], {"patience": 1}, 3, 3),
    ],
)
def test_when_it_ends(values, options, epochs, best):
    count, stopping, _, _ = trained(values, **options)
    assert (count, stopping.epoch) == (epochs, best)


def test_the_best_state_comes_back():
    _, _, it, column = trained([3, 1, 2, 2, 0], patience=2, restore_best=True)
    assert it.model.weight.data.tolist() == column.weights[1].tolist() != column.weights[3].tolist()
    _, _, it, column = trained([3, 1, 2], patience=5, restore_best=True)  # at the end of the epochs, too
    assert it.model.weight.data.tolist() == column.weights[1].tolist()
    _, _, it, column = trained([3, 1, 2, 2], patience=2)
    assert it.model.weight.data.tolist() == column.weights[3].tolist()


def test_a_second_fit_begins_anew():
    it, stopping = learner(), EarlyStopping("loss", patience=1, min_delta=1e9)
    assert len(it.fit(X, X, 9, callbacks=[stopping])) == 2
    assert len(it.fit(X, X, 9, callbacks=[stopping])) == 2


def test_it_goes_on_where_it_was():
    values = [5, 3, 4, 4, 4, 1]
    keeps = Keeps()
    _, _, whole, _ = trained(values, patience=3, restore_best=True, more=[keeps])
    assert len(keeps.states) == 5
    for epoch, (state, model, optimizer) in enumerate(keeps.states, 1):
        it = learner()
        it.model.load_state_dict(model)
        it.optimizer.load_state_dict(optimizer)
        count, stopping, it, column = trained(values, patience=3, restore_best=True, it=it, resume=state)
        assert (count, stopping.epoch, len(column.weights)) == (5, 2, 5 - epoch)  # that which it had ended has ended
        assert it.model.weight.data.tobytes() == whole.model.weight.data.tobytes()


def test_wrong_options():
    with pytest.raises(KeyError, match="EarlyStopping: no column 'validation_loss'.*give fit validation data"):
        learner().fit(X, X, 1, callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match="mode is 'least'"):
        EarlyStopping(mode="least")
    with pytest.raises(ValueError, match="patience is 0; it must be at least 1"):
        EarlyStopping(patience=0)
    with pytest.raises(ValueError, match="min_delta is -1"):
        EarlyStopping(min_delta=-1)
    with pytest.raises(ValueError, match="EarlyStopping: expected the entries"):
        EarlyStopping().load_state_dict({"best": 1.0})
    assert nn.callbacks.EarlyStopping is EarlyStopping
