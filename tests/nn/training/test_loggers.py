"""Loggers: the files hold what was measured, at every moment, and of a training that went on."""

import copy
import struct

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from nn import Callback, CSVLogger, History, Learner, Linear, TensorBoardLogger, mse_loss, optim

X = np.linspace(-1, 1, 8)[:, None]


def learner():
    model = Linear(1, 1, rng=0)
    return Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))


class Ends(Callback):
    """Keeps a state, and ends the training, as Ctrl-C does."""

    def __init__(self, step):
        self.step = step

    def on_step(self, run):
        if run.step == self.step:
            self.state = copy.deepcopy(run.state_dict())
            raise KeyboardInterrupt


def interrupted(logger, step):
    it, ends = learner(), Ends(step)
    with pytest.raises(KeyboardInterrupt):
        it.fit(X, X, 4, 4, rng=0, validation=(X, X), callbacks=[logger, ends])
    return it, ends.state


@pytest.mark.parametrize("name", ["log.csv", "log.json"])
def test_a_table_is_there_after_each_epoch(tmp_path, name):
    seen, path = [], tmp_path / name
    history = learner().fit(X, X, 3, 4, callbacks=[CSVLogger(path)], on_epoch=lambda row: seen.append(path.exists()))
    assert seen == [False, True, True]
    kept = tmp_path / f"other{path.suffix}"
    history.save(kept)
    assert path.read_text() == kept.read_text()


def test_a_table_after_an_interrupt_and_of_a_training_that_goes_on(tmp_path):
    path = tmp_path / "log.json"
    it, state = interrupted(CSVLogger(path), 5)
    assert History.load(path)["epoch"] == [1, 2]
    history = it.fit(X, X, 4, 4, rng=0, validation=(X, X), callbacks=[CSVLogger(path)], resume=state)
    assert History.load(path).rows == history.rows
    assert history["epoch"] == [1, 2, 3, 4]


def test_wrong_tables(tmp_path):
    with pytest.raises(ValueError, match=r"'log\.txt' does not end in \.csv or \.json"):
        CSVLogger("log.txt")
    steps = []
    with pytest.raises(FileNotFoundError, match="CSVLogger: there is no folder"):
        learner().fit(X, X, 1, callbacks=[CSVLogger(tmp_path / "no" / "log.csv")], on_step=lambda *a: steps.append(a))
    assert steps == []


def events(folder):
    """What the files of a folder hold: records of a length, a checksum, that many bytes, and a checksum."""
    found = []
    for path in sorted(folder.glob("events.*")):
        contents, at = path.read_bytes(), 0
        while at < len(contents):
            (size,) = struct.unpack_from("<Q", contents, at)
            found.append(Event.FromString(contents[at + 12 : at + 12 + size]))
            at += size + 16
    return found


def scalars(folder, tag):
    return [(e.step, v.simple_value) for e in events(folder) for v in e.summary.value if v.tag.replace("_", " ") == tag]


def test_events_hold_what_was_measured(tmp_path):
    losses = []
    history = learner().fit(
        X, X, 3, 4, validation=(X, X), callbacks=[TensorBoardLogger(tmp_path)],
        on_step=lambda step, loss: losses.append((step, np.float32(loss))),
    )  # fmt: skip
    for column, folder in (
        ("loss", tmp_path),
        ("learning rate", tmp_path),
        ("validation loss", tmp_path / "validation"),
    ):
        expected = [(e, np.float32(v)) for e, v in enumerate(history[column.replace(" ", "_")], 1)]
        assert scalars(folder, column.removeprefix("validation ")) == expected
    assert scalars(tmp_path / "steps", "loss of each step") == losses
    assert len(losses) == 6


def test_events_of_a_training_that_goes_on(tmp_path):
    it, state = interrupted(TensorBoardLogger(tmp_path, every=2), 5)
    assert [step for step, _ in scalars(tmp_path / "steps", "loss of each step")] == [2, 4]
    it.fit(X, X, 4, 4, rng=0, validation=(X, X), callbacks=[TensorBoardLogger(tmp_path, every=2)], resume=state)
    starts = {f: [e.step for e in events(tmp_path / f) if e.HasField("session_log")] for f in ("", "steps")}
    assert starts == {"": [3], "steps": [6]}  # what was behind is void
    assert sorted(step for step, _ in scalars(tmp_path, "loss")) == [1, 2, 3, 4]
    assert sorted(step for step, _ in scalars(tmp_path / "steps", "loss of each step")) == [2, 4, 6, 8]


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'pullback\[tensorboard\]'"):
        TensorBoardLogger("runs")
