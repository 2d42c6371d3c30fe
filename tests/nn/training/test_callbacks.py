"""Callbacks: when they are called, what they see, and a training that goes on from any of its states."""

import copy

import numpy as np
import pytest

import nn
from nn import Callback, Learner, Linear, mse_loss, optim

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X @ np.array([[1.0], [-2.0], [0.5]]) + 3.0


class Notes(Callback):
    """Notes each call, and how far the training is."""

    def __init__(self, into, name=""):
        self.into, self.name = into, name

    def note(self, what, run):
        self.into.append((self.name + what, run.epoch, run.step, run.batch, len(run.history)))

    def on_fit_begin(self, run):
        self.note("begin", run)

    def on_step(self, run):
        self.note("step", run)

    def on_epoch(self, run):
        self.note("epoch", run)

    def on_fit_end(self, run):
        self.note(f"end {type(run.error).__name__}", run)


class Saver(Notes):
    saves = True


class Counter(Callback):
    """Has a state."""

    def __init__(self):
        self.steps = 0

    def on_step(self, run):
        self.steps += 1

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def learner(rng=0, **options):
    rng = np.random.default_rng(rng) if isinstance(rng, int) else rng
    model = nn.Sequential(Linear(3, 4, rng=rng), nn.Dropout(0.5, rng=rng), Linear(4, 1, rng=rng))
    return Learner(model, mse_loss, optim.Adam(model.parameters(), lr=0.01), **options)


def test_when_hooks_are_called():
    calls = []
    learner().fit(X, Y, 2, 8, rng=0, callbacks=[Notes(calls)])
    assert calls == [
        ("begin", 0, 0, 0, 0),
        ("step", 1, 1, 1, 0), ("step", 1, 2, 2, 0), ("step", 1, 3, 3, 0), ("epoch", 1, 3, 3, 1),
        ("step", 2, 4, 1, 1), ("step", 2, 5, 2, 1), ("step", 2, 6, 3, 1), ("epoch", 2, 6, 3, 2),
        ("end NoneType", 2, 6, 3, 2),
    ]  # fmt: skip


def test_those_that_save_come_last_and_are_ended_first():
    calls = []
    learner().fit(X, Y, 1, 20, callbacks=[Saver(calls, "saver "), Notes(calls)])
    assert [name for name, *_ in calls] == [
        "begin", "saver begin", "step", "saver step", "epoch", "saver epoch", "saver end NoneType", "end NoneType",
    ]  # fmt: skip


@pytest.mark.parametrize("hook", ["on_fit_begin", "on_step", "on_epoch"])
def test_who_has_begun_is_ended_whatever_happens(hook):
    calls = []

    class Breaks(Callback):
        pass

    def broken(self, run):
        raise KeyboardInterrupt

    setattr(Breaks, hook, broken)
    with pytest.raises(KeyboardInterrupt):
        learner().fit(X, Y, 1, 20, callbacks=[Notes(calls), Breaks(), Notes(calls, "later ")])
    names = [name for name, *_ in calls]
    assert names.count("end KeyboardInterrupt") == 1
    assert ("later begin" in names) == ("later end KeyboardInterrupt" in names) == (hook != "on_fit_begin")


def test_a_stop_in_an_epoch_leaves_it_unfinished_and_one_after_it_ends():
    class Stop(Callback):
        def on_step(self, run):
            run.stop = run.step == 5

    class StopAfter(Callback):
        def on_epoch(self, run):
            run.stop = run.epoch == 2

    calls = []
    assert len(learner().fit(X, Y, 9, 8, callbacks=[Stop(), Notes(calls)])) == 1
    assert calls[-1] == ("end NoneType", 2, 5, 2, 1)
    assert len(learner().fit(X, Y, 9, 8, callbacks=[StopAfter()])) == 2


def test_what_a_row_gets_is_in_the_history():
    class Adds(Callback):
        def on_epoch(self, run):
            run.row["norm"] = float(run.epoch)

    rows = []
    history = learner().fit(X, Y, 2, callbacks=[Adds()], on_epoch=rows.append, validation=(X, Y))
    assert history["norm"] == [1.0, 2.0]
    assert rows == history.rows


def test_a_hook_may_be_of_the_object_alone():
    steps, one = [], Callback()
    one.on_step = lambda run: steps.append(run.step)
    learner().fit(X, Y, 1, 8, callbacks=[one])
    assert steps == [1, 2, 3]


def test_the_best_row():
    seen = []

    class Looks(Callback):
        def on_fit_begin(self, run):
            seen.append((run.best, run.row))

        def on_epoch(self, run):
            seen.append(run.best is min(run.history.rows, key=lambda row: row["validation_loss"]))

    learner().fit(X, Y, 3, 8, validation=(X, -Y), callbacks=[Looks()])
    assert seen == [({}, {}), True, True, True]


# -- going on ------------------------------------------------------------------------------------------------------


def everything(it):
    """The states outside of the loop: arrays, numbers and generators."""
    parts = it.model, it.optimizer, it.scheduler
    return copy.deepcopy([None if part is None else part.state_dict() for part in parts])


class Kept(Callback):
    """Keeps every state of a training, and those of its model, optimizer, scheduler and dropout."""

    saves = True

    def __init__(self):
        self.states = []

    def keep(self, run):
        it = run.learner
        self.states.append((copy.deepcopy(run.state_dict()), everything(it)))

    on_step = on_epoch = keep


def timeless(rows):
    return [{k: v for k, v in row.items() if k not in ("seconds", "rate")} for row in rows]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("schedule", ["epoch", "step"])
def test_a_training_goes_on_from_each_of_its_states_bit_for_bit(shuffle, schedule):
    def made():
        rng = np.random.default_rng(3)  # one generator for the initial values, the order and the dropout
        it = learner(rng, metrics={"error": lambda z, y: np.mean(np.abs(z - y))}, schedule=schedule)
        it.scheduler = nn.schedule.StepLR(it.optimizer, 2)
        options = {"rng": rng, "shuffle": shuffle, "validation": (X[:5], Y[:5])}
        return it, options

    whole, options = made()
    kept, counter = Kept(), Counter()
    history = whole.fit(X, Y, 3, 8, callbacks=[kept, counter], **options)
    assert len(kept.states) == 12
    for state, (model, optimizer, scheduler) in kept.states:
        other, options = made()
        options["rng"].random(7)  # it is somewhere else
        other.model.load_state_dict(model)
        other.optimizer.load_state_dict(optimizer)
        other.scheduler.load_state_dict(scheduler)
        if not shuffle:  # the generator of the dropout is no affair of the loop, then
            options["rng"].bit_generator.state = state_of_dropout(history, state)
        again, calls = Counter(), []
        found = other.fit(X, Y, 3, 8, callbacks=[again, Notes(calls)], resume=state, **options)
        assert timeless(found.rows) == timeless(history.rows)
        assert again.steps == counter.steps == 9
        assert len([name for name, *_ in calls if name == "step"]) == 9 - state["step"]
        for name, array in whole.model.state_dict().items():
            assert other.model.state_dict()[name].tobytes() == array.tobytes()


def state_of_dropout(history, state):
    """The state of the generator after the initial values and so many steps of dropout."""
    rng = np.random.default_rng(3)
    it = learner(rng)
    for step in range(state["step"]):
        it.model.layers[1](np.ones((8 if step % 3 < 2 else 4, 4), np.float32))
    return rng.bit_generator.state


def test_more_epochs_after_the_end():
    kept = Kept()
    rng = np.random.default_rng(0)
    it = linear()
    it.fit(X, Y, 2, 8, rng=rng, callbacks=[kept])
    longer = it.fit(X, Y, 4, 8, rng=rng, resume=kept.states[-1][0])
    assert timeless(longer.rows) == timeless(linear().fit(X, Y, 4, 8, rng=0).rows)
    assert it.fit(X, Y, 2, 8, resume=kept.states[-1][0]).rows == longer.rows[:2]  # there is nothing left to do


def linear():
    model = Linear(3, 1, rng=0)
    return Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1))


def test_a_page_to_watch_goes_on(tmp_path):
    kept, page = Kept(), nn.callbacks.WatchPage(tmp_path / "run.html")
    it = linear()
    it.fit(X, Y, 2, 8, rng=0, callbacks=[page, kept])
    state = kept.states[4][0]
    assert state["callbacks"]["WatchPage"]["steps"] == [1, 2, 3, 4]
    more = Kept()
    it.fit(X, Y, 2, 8, rng=0, callbacks=[nn.callbacks.WatchPage(tmp_path / "run.html"), more], resume=state)
    assert more.states[-1][0]["callbacks"]["WatchPage"]["steps"] == [1, 2, 3, 4, 5, 6]


# -- wrong input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Callback], "a callback is the class Callback.*make an object of it"),
        ([print], r"a callback is a builtin_function_or_method.*on_step="),
        (Callback(), "callbacks is a Callback; it is a list"),
        (3, "callbacks is a int"),
    ],
)
def test_what_is_no_callback(given, message):
    with pytest.raises(TypeError, match=message):
        learner().fit(X, Y, 1, callbacks=given)


def test_wrong_states():
    one = Counter()
    with pytest.raises(ValueError, match="the same callback is given twice"):
        learner().fit(X, Y, 1, callbacks=[one, one])
    kept = Kept()
    linear().fit(X, Y, 1, 8, rng=0, callbacks=[Counter(), Counter(), kept])
    state = kept.states[2][0]
    assert state["callbacks"] == {"Counter": {"steps": 3}, "Counter 2": {"steps": 3}, "Kept": {}}
    with pytest.raises(ValueError, match="holds that of Counter 2, which is not among the callbacks"):
        linear().fit(X, Y, 1, 8, rng=0, callbacks=[Counter()], resume=state)
    state["callbacks"] = {}
    with pytest.raises(ValueError, match="the state is at batch 3, and this data has 2"):
        linear().fit(X[:9], Y[:9], 1, 8, rng=0, resume=state)
    with pytest.raises(ValueError, match="one is shuffled and the other is not"):
        linear().fit(X, Y, 1, 8, shuffle=False, resume=state)
    with pytest.raises(ValueError, match=r"resume is no state_dict\(\) of an nn.Run.*got \['model'\]"):
        linear().fit(X, Y, 1, 8, resume={"model": 1})
    with pytest.raises(ValueError, match="Callback: it has no state, and got one with steps"):
        Callback().load_state_dict({"steps": 1})


def test_the_best_of_a_history():
    history = nn.History([{"loss": 2.0, "a": 1.0}, {"loss": float("nan"), "a": 3.0}, {"loss": 2.0, "a": 3.0}])
    assert history.best() is history.rows[0]
    assert history.best("a", mode="max") is history.rows[1]
    with pytest.raises(ValueError, match="mode is 'most'"):
        history.best(mode="most")
    with pytest.raises(KeyError, match="no column 'b'"):
        history.best("b")
    with pytest.raises(ValueError, match="every value of 'loss' is NaN"):
        nn.History([{"loss": float("nan")}]).best()
