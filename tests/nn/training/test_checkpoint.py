"""A training that is stopped, killed or interrupted goes on as if nothing had been."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import nn
from nn.io.safetensors import load_file, load_metadata, save_file
from tests.nn.training.trainings import STEPS, TIMES, data, fit, learner
from tests.testing.seeds import is_deep

KILLS = 40 if is_deep() else 16


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "last.safetensors")


class Stop(nn.Callback):
    def __init__(self, step):
        self.step = step

    def on_step(self, run):
        run.stop = run.step == self.step


def test_a_training_that_is_killed_at_any_instant_goes_on_bit_for_bit():
    command = [sys.executable, "-m", "tests.nn.training.trainings", str(KILLS)]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["in the middle"] > KILLS // 2  # of the others no step was written
    assert found == {**found, "killed": KILLS, "equal": KILLS, "recorded equals eager": True}


def test_a_training_that_stops_at_any_step_goes_on_bit_for_bit(path):
    whole = fit(None)
    for step in range(1, STEPS + 1):
        if os.path.exists(path):
            os.unlink(path)
        stopped = fit(path, callbacks=[Stop(step)], every=None)
        assert stopped != whole
        assert fit(path, jit=step == 7, every=None) == whole, step


def variant(kind, path=None, step=0):
    """A training of one kind, which may be stopped after a step; what came out."""
    rng = np.random.default_rng(3)
    model = nn.Sequential(nn.Linear(4, 3, rng=rng), nn.Dropout(0.2, rng=rng), nn.Linear(3, 2, rng=rng))
    optimizer = (nn.optim.LBFGS if kind == "search" else nn.optim.SGD)(model.parameters(), lr=0.1)
    schedule = nn.schedule.ReduceLROnPlateau(optimizer, patience=0, threshold=1.0) if kind == "plateau" else None
    accumulate = 2 if kind == "accumulate" else 1
    made = nn.Learner(model, nn.cross_entropy, optimizer, scheduler=schedule, accumulate=accumulate, jit=False)
    callbacks = [Stop(step), nn.Checkpoint(path, every=1)] if path else []
    resume = path if path and os.path.exists(path) else None
    given = {"epochs": 3, "callbacks": callbacks, "resume": resume, "progress": False}
    X, Y = data()
    if kind == "loader":
        history = made.fit(nn.DataLoader((X, Y), batch_size=5, shuffle=True, rng=rng), **given)
    else:
        split = 0.3 if kind in ("split", "plateau") else None
        history = made.fit(X, Y, batch_size=5, rng=rng, validation_split=split, **given)
    rows = [{name: value for name, value in row.items() if name not in TIMES} for row in history.rows]
    return repr(rows), [a.tobytes() for a in model.state_dict().values()]


@pytest.mark.parametrize("kind", ["accumulate", "split", "plateau", "search", "loader"])
def test_trainings_of_every_kind_go_on(kind, path):
    whole = variant(kind)
    for step in (1, 4, 5, 8):
        if os.path.exists(path):
            os.unlink(path)
        variant(kind, path, step)
        assert variant(kind, path) == whole, step


def test_a_training_that_is_over_stays_as_it_is(path):
    whole = fit(path)
    assert fit(path) == whole


def test_the_model_is_read_from_a_checkpoint(path):
    made, rng = learner()
    X, Y = data()
    made.fit(X, Y, 1, rng=rng, callbacks=[nn.Checkpoint(path)])
    assert np.array_equal(nn.load(path).eval()(X).data, made.model.eval()(X).data)


def test_the_best_epoch_is_kept(path, tmp_path):
    best = tmp_path / "best.safetensors"
    made, rng = learner()
    X, Y = data()
    states = []
    history = made.fit(
        X, Y, 6, rng=rng, callbacks=[nn.Checkpoint(path, best=best, monitor="accuracy", mode="max")],
        on_epoch=lambda row: states.append(made.model.state_dict()),
    )  # fmt: skip
    wanted = states[int(np.argmax(history["accuracy"]))]
    found = nn.load(best).state_dict()
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
    kept = nn.Checkpoint(path, best=best, monitor="accuracy", mode="max")
    learner()[0].fit(X, Y, 6, rng=0, callbacks=[kept], resume=path)
    assert kept.value == max(history["accuracy"])


@dataclasses.dataclass(slots=True)
class Tally:
    """Its attributes are in slots, so its state is no mapping."""

    rows: int = 0


class Counting(nn.Module):
    """Counts its calls, holds a function that is no data, and draws from a generator of its own."""

    def __init__(self):
        self.layer = nn.Linear(4, 2, rng=0)
        self.calls, self.seen, self.rng = 0, [], np.random.default_rng(7)
        self.tally = Tally()
        self._last = np.zeros(2)
        self.function = lambda x: x * 2.0

    def forward(self, x):
        self.calls += 1
        self.seen.append(len(x))
        self.tally.rows += len(x)
        self._last[:] = self.rng.random(2)
        return self.function(self.layer(x)) + self._last.astype(np.float32)


def test_a_module_of_ones_own_goes_on_with_all_that_it_remembers(path):
    def trained(epochs, **options):
        model = Counting()
        made = nn.Learner(model, nn.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1), jit=False)
        X, Y = data()
        made.fit(X, Y, epochs, 5, rng=0, **options)
        state = {k: v.tobytes() for k, v in model.state_dict().items()}
        return state, model.calls, model.seen, model.tally, model._last.tolist(), model.rng.random()

    trained(2, callbacks=[nn.Checkpoint(path)])
    assert trained(4, resume=path) == trained(4)
    with pytest.raises(ValueError, match=r"Counting.function is the function .*lambda.* no data"):
        nn.load(path, [Counting, Tally])


def other(change):
    """A learner like that of the file, but for one thing."""
    model = nn.Sequential(
        nn.Linear(4, 8, rng=0), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3, rng=1), nn.Linear(8, 2, rng=2)
    )
    if change == "layer":
        model.layers[2] = nn.Tanh()
    elif change == "size":
        model = nn.Sequential(nn.Linear(4, 9, rng=0), *model.layers[1:])
    elif change == "argument":
        model[3].p = 0.5
    elif change == "more":
        model.layers.append(nn.ReLU())
    elif change == "generator":
        model[3].rng = np.random.Generator(np.random.SFC64(0))
    elif change == "frozen":
        model[0].freeze()
    kind = nn.optim.SGD if change == "optimizer" else nn.optim.Adam
    groups = [{"params": list(model[0].parameters())}, {"params": list(model[1:].parameters())}]
    optimizer = kind(list(model.parameters()) if change == "groups" else groups, lr=0.1)
    schedule = None if change == "schedule" else nn.schedule.OneCycleLR(optimizer, 0.1, total_steps=STEPS)
    return nn.Learner(model, nn.CrossEntropyLoss(label_smoothing=0.0 if change == "loss" else 0.1), optimizer,
                      metrics=["accuracy"], scheduler=schedule, schedule="step")  # fmt: skip


@pytest.mark.parametrize(
    "change",
    ["layer", "size", "argument", "more", "generator", "frozen", "optimizer", "groups", "schedule", "loss", "data",
     "callbacks"],
)  # fmt: skip
def test_another_training_is_refused_and_stays_as_it_was(change, path):
    fit(path, callbacks=[Stop(7)])
    made = other(change)
    X, Y = data()
    X, Y = (X[:8], Y[:8]) if change == "data" else (X, Y)
    given = [] if change == "callbacks" else [nn.EarlyStopping(patience=3)]
    before = {name: a.tobytes() for name, a in made.model.state_dict().items()}, repr(made.optimizer.state_dict())
    with pytest.raises(ValueError, match=r"resume: .*last\.safetensors: is not"):
        made.fit(X, Y, 4, 5, validation=(X, Y), rng=0, callbacks=given, resume=path)
    after = {name: a.tobytes() for name, a in made.model.state_dict().items()}, repr(made.optimizer.state_dict())
    assert after == before


def test_what_is_no_checkpoint(path, tmp_path):
    made, _ = learner()
    X, Y = data()
    with pytest.raises(FileNotFoundError):
        made.fit(X, Y, 1, resume=path)
    nn.save(path, made.model)
    with pytest.raises(ValueError, match="last.safetensors"):
        made.fit(X, Y, 1, resume=path)
    os.unlink(path)
    fit(path, callbacks=[Stop(3)])
    table, arrays = json.loads(load_metadata(path)["pullback"]), load_file(path)
    for change in (
        lambda t: t["parts"].pop("extra"), lambda t: t["parts"].update(extra=3),
        lambda t: t["parts"]["extra"]["dict"][0].pop(), lambda t: t["objects"].pop(), lambda t: t.update(objects=3),
        lambda t: t["objects"][0].pop("class"), lambda t: t["generators"].clear(), lambda t: t["generators"][0].clear(),
    ):  # fmt: skip
        edited = json.loads(json.dumps(table))
        change(edited)
        save_file(arrays, path, {"pullback": json.dumps(edited)})
        with pytest.raises(ValueError, match="last.safetensors"):
            learner()[0].fit(X, Y, 4, 5, validation=(X, Y), callbacks=[nn.EarlyStopping()], resume=path)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"every": 0}, "every"), ({"mode": "least"}, "mode"), ({"monitor": "loss"}, "best=path"),
        ({"best": "x/../a"}, "same file"),
    ],
)  # fmt: skip
def test_wrong_arguments(options, error):
    with pytest.raises((ValueError, FileNotFoundError), match=error):
        nn.Checkpoint("a", **options)


def test_a_folder_that_is_not_there_and_a_column_that_is_not_measured(path, tmp_path):
    with pytest.raises(FileNotFoundError, match="make it first"):
        nn.Checkpoint(tmp_path / "no" / "a")
    made, rng = learner()
    with pytest.raises(KeyError, match="no column 'validation_loss'.*give fit validation data"):
        made.fit(*data(), 1, rng=rng, callbacks=[nn.Checkpoint(path, best=path + "b", monitor="validation_loss")])
