"""Steps that are replayed train as those that are calculated anew: the same bits, errors, and checks."""

import copy
import pickle

import numpy as np
import pytest

import nn
from autodiff import StaleError, Tensor
from autodiff.testing import detect_anomaly
from nn import DivergenceError, Learner, TrainingStep

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 4))
LABELS, REAL, BITS = RNG.integers(0, 3, 22), RNG.normal(size=(22, 3)), RNG.integers(0, 2, (22, 3)).astype(np.float32)

TARGETS = {
    "CrossEntropyLoss": LABELS, "NLLLoss": LABELS, "MSELoss": REAL, "L1Loss": REAL, "HuberLoss": REAL,
    "SmoothL1Loss": REAL, "BCEWithLogitsLoss": BITS,
}  # fmt: skip
LOSSES = [name for name in TARGETS if hasattr(nn, name)]
OPTIMIZERS = [("SGD", {}), ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}), ("Adam", {}),
              ("AdamW", {}), ("RMSprop", {"momentum": 0.5, "centered": True})]  # fmt: skip


def learner(jit, *, loss="CrossEntropyLoss", optimizer="Adam", options=None, model=None, warm=False, **others):
    model = model or nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Dropout(0.3, rng=1), nn.Linear(8, 3, rng=2))
    chosen = getattr(nn.optim, optimizer)(model.parameters(), lr=0.05, **(options or {}))
    scheduler = nn.schedule.CosineAnnealingLR(chosen, 20) if warm else None
    loss = getattr(nn, loss)() if isinstance(loss, str) else loss
    return Learner(model, loss, chosen, scheduler=scheduler, jit=jit, **others)


def agree(epochs=3, targets=LABELS, make=learner, **options):
    """Train twice, and compare all that is left; the learner that recorded."""
    recorded, eager = make(True, **options), make(False, **options)
    one, two = (which.fit(X, targets, epochs, 8, rng=3) for which in (recorded, eager))
    assert list(one) == list(two)
    for a, b in zip(recorded.model.parameters(), eager.model.parameters(), strict=True):
        assert a.data.tobytes() == b.data.tobytes()
        assert a.grad.tobytes() == b.grad.tobytes()
    assert repr(recorded.optimizer.state_dict()) == repr(eager.optimizer.state_dict())
    return recorded


def runs(learner):
    """How many calls were made of programs, and of the functions while recording."""
    return sum(path.calls for s in learner._recorded._signatures.values() for path in s.paths)


@pytest.mark.parametrize("make", [
    lambda: nn.CrossEntropyLoss(label_smoothing=0.1),
    lambda: nn.NLLLoss(axis=-1), lambda: nn.CrossEntropyLoss(axis=1, label_smoothing=0.2, reduction="mean"),
])  # fmt: skip
def test_options_of_losses(make):
    assert runs(agree(loss=make())) == 9


def test_weights_of_classes():
    assert "signature" in agree(loss=nn.CrossEntropyLoss(weight=[1.0, 2.0, 0.5])).explain()


def test_an_error_of_the_recording_alone_is_no_error():
    def loss(outputs, y):
        return np.sum(outputs * outputs) / {1.0: 2.0}.get(it.model.layers[2].p * 2.0, 3.0)

    it = learner(True, loss=loss)
    other = learner(False, loss=loss)
    for _ in range(3):
        assert it.update(X, LABELS)[0] == other.update(X, LABELS)[0]
    assert "unhashable type" in it.explain()


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss):
    assert runs(agree(loss=loss, targets=TARGETS[loss])) == 9


@pytest.mark.parametrize(("optimizer", "options"), OPTIMIZERS)
def test_optimizers_with_a_schedule_and_limits(optimizer, options):
    limits = {"clip_norm": 0.5, "warm": True, "schedule": "step"}
    recorded = agree(5, optimizer=optimizer, options=options, **limits)
    assert runs(recorded) >= 15  # an audit that takes another way counts for both
    assert len(recorded._recorded._signatures) == 2  # the last batch has six examples


def test_both_limits_and_another_rate_each_epoch():
    assert runs(agree(optimizer="SGD", clip_norm=0.3, clip_value=0.05, warm=True)) == 9


def test_callbacks_see_gradients_and_may_change_things():
    seen = {True: [], False: []}

    def run(jit):
        it = learner(jit, optimizer="SGD")

        def on_step(step, loss):
            seen[jit].append((step, loss, it.model.layers[0].weight.grad.tobytes()))
            if step == 4:
                it.optimizer.lr = 0.01
                it.clip_value = 0.01

        def on_epoch(row):
            if row["epoch"] == 2:
                it.model.layers[2].p = 0.6

        it.fit(X, LABELS, 3, 8, rng=3, on_step=on_step, on_epoch=on_epoch)

    run(True)
    run(False)
    assert seen[True] == seen[False]


class Uncapturable(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(4, 3, rng=0)

    def forward(self, x):
        return self.linear(x) * float(len(np.asarray(x).tolist()))


class Hidden(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(4, 3, rng=0)

    def forward(self, x):
        return self.linear(x) * float(DATA[0])


DATA = bytearray(b"1")
"""Into which nobody looks."""


def test_what_cannot_be_recorded_is_calculated():
    recorded = agree(model=None, make=lambda jit, **_: learner(jit, model=Uncapturable()))
    assert "not recorded: capture: a plain array was asked for" in recorded.explain()


def test_a_loss_that_is_nan_at_one_step():
    def loss(outputs, y):
        return nn.cross_entropy(outputs, y) * (np.nan if np.all(y == 0) else 1.0)

    found = {}
    for jit in (True, False):
        it = learner(jit, loss=loss)
        for _ in range(3):
            it.update(X, LABELS)
        before = [p.data.copy() for p in it.model.parameters()]
        with pytest.raises(DivergenceError, match="the loss became nan at step 4"):
            it.update(X, np.zeros(22, int))
        assert all(np.array_equal(p.data, b) for p, b in zip(it.model.parameters(), before, strict=True))
        it.update(X, LABELS)
        found[jit] = [p.data.tobytes() for p in it.model.parameters()]
    assert found[True] == found[False]


def test_a_gradient_that_is_nan_at_one_step():
    said = {}
    for jit in (True, False):
        model = nn.Sequential(nn.Linear(4, 1, rng=0), lambda t: np.sqrt(t * t))
        it = TrainingStep(model, nn.mse_loss, nn.optim.SGD(model.parameters(), lr=0.1), jit=jit)
        losses = [it.update(X[:, :4], REAL[:, :1])[0] for _ in range(3)]
        model.layers[0].bias.data[...] = 0.0
        with pytest.raises(DivergenceError, match="gradient of") as error:
            it.update(np.zeros((22, 4)), REAL[:, :1])
        said[jit] = losses, f"{error.value}", [it.update(X, REAL[:, :1])[0] for _ in range(3)]
    assert said[True] == said[False]


def test_a_loss_that_depends_on_nothing():
    for jit in (True, False):
        for loss, match in ((lambda o, y: np.mean(o.data), "plain number"), (lambda o, y: OTHER * OTHER, "other var")):
            with pytest.raises(TypeError, match=match):
                learner(jit, loss=loss).fit(X, LABELS, 1)


OTHER = Tensor(2.0)


def test_under_other_modes_nothing_is_replayed():
    it = learner(True)
    with detect_anomaly():
        it.fit(X, LABELS, 2, 8, rng=0)
    assert "6 calls of the function itself: another mode" in it.explain()


def test_auto_records_where_it_pays(monkeypatch):
    monkeypatch.setattr(nn.training.step, "PAYS", 20)
    few, many = learner("auto"), learner("auto")
    few.fit(X, LABELS, 2, 8, rng=0)
    assert few.explain() == "step: not recorded: a recording pays for 20 steps or more"
    many.fit(X, LABELS, 20, 22, rng=0)
    assert many.explain().startswith("step: 1 signature\n")
    assert "jit=False" in learner(False).explain()


def test_auto_records_after_as_many_steps(monkeypatch):
    monkeypatch.setattr(nn.training.step, "PAYS", 20)
    step = learner("auto")
    for _ in range(20):
        step.update(X, LABELS)
    assert "signature" in step.explain()


def test_no_memory_is_held_after_training():
    it = learner(True)
    it.fit(X, LABELS, 2, 8, rng=0)
    assert not any("replay" in vars(path) for s in it._recorded._signatures.values() for path in s.paths)
    it.fit(X, LABELS, 1, 8, rng=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_records_for_itself(copied):
    it = learner(True)
    it.fit(X, LABELS, 2, 8, rng=0)
    twin = copied(it)
    assert it.update(X, LABELS)[0] == twin.update(X, LABELS)[0]
    assert it.update(X, LABELS)[0] == twin.update(X, LABELS)[0]


@pytest.mark.parametrize("jit", [None, "yes", 1])
def test_what_is_no_choice(jit):
    with pytest.raises(ValueError, match="must be True, False or 'auto'"):
        learner(jit)


def test_a_state_that_nobody_sees_is_an_error_and_no_other_curve():
    model = Hidden()
    it = learner(True, model=model)

    def go_on():
        for _ in range(20):
            it.update(X, LABELS)

    go_on()
    DATA[0] += 1
    with pytest.raises(StaleError, match=r"is a constant of the program.*Learner\(\.\.\., jit=False\)"):
        go_on()
