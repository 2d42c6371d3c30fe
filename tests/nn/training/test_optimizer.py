"""A step is made whole or not at all, whatever interrupts it, and its cost is linear in the number of parameters."""

import copy
import itertools
import signal
import sys
import warnings

import numpy as np
import pytest

from autodiff import Tensor, jit, writes
from nn import optim
from nn.training.together import MANY, sets_of
from tests.interruption import interrupted_at
from tests.testing.seeds import is_deep

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD with all": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    "Adam": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.1),
    "RMSprop with all": lambda p: optim.RMSprop(p, lr=0.1, weight_decay=0.1, momentum=0.9, centered=True),
    "SGD upwards": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1, maximize=True),
    "Adam with all": lambda p: optim.Adam(p, lr=0.1, weight_decay=0.1, amsgrad=True, maximize=True),
    "NAdam": lambda p: optim.NAdam(p, lr=0.1, weight_decay=0.1),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.1),
    "Adadelta": lambda p: optim.Adadelta(p, weight_decay=0.1, maximize=True),
    "Lion": lambda p: optim.Lion(p, lr=0.1, weight_decay=0.1),
    "groups": lambda p: optim.AdamW([{"params": p[:2]}, {"params": p[2:], "lr": 0.3, "weight_decay": 0.2}], lr=0.1),
    "one that computes at once": lambda p: Simple(p, 0.1),
}


class Simple(optim.Optimizer):
    """The shortest optimizer that one can write, with a state."""

    def update(self, parameter, gradient, state, group, calls):
        state["steps"] = state.get("steps", 0) + 1
        return parameter - group.lr / state["steps"] * gradient


INTERRUPTED = ["SGD with all", "Adam with all", "RMSprop with all", "groups", "one that computes at once"]
"""Those for which each line of a step is tried: how it is made whole is common to all."""


def test_every_optimizer_is_here():
    classes = {
        thing for thing in vars(optim).values() if isinstance(thing, type) and issubclass(thing, optim.Optimizer)
    }
    made = {type(make([Tensor(1.0)])) for make in OPTIMIZERS.values()}
    apart = {optim.Optimizer, optim.Muon, optim.LBFGS, optim.Joint}  # not for parameters of every shape, or not alone
    assert classes - apart <= made


def parameters():
    """Of all kinds: matrices, a number, read-only, strided, of another type, and one that has no gradient."""
    rng = np.random.default_rng(3)
    locked = rng.normal(size=3)
    locked.flags.writeable = False
    arrays = [rng.normal(size=(2, 3)), np.array(0.5), locked, rng.normal(size=(4, 2))[:, 0]]
    return [*map(Tensor, arrays), Tensor(np.ones(2, np.float32)), Tensor(np.ones(2))]


def set_gradients(tensors, step):
    for i, t in enumerate(tensors[:-1]):
        t.grad = np.full(t.shape, 0.1 * (i + 1) + step, t.dtype)


def snapshot(optimizer):
    return [p.data.copy() for p in optimizer.parameters], copy.deepcopy(optimizer.state)


def same(a, b):
    def equal(x, y):
        return x.keys() == y.keys() and all(np.array_equal(x[k], y[k], equal_nan=True) for k in x)

    values = zip(a[0], b[0], strict=True)
    return all(np.array_equal(*pair, equal_nan=True) for pair in values) and all(map(equal, a[1], b[1]))


def prepared(make, steps):
    optimizer = make(parameters())
    for step in range(steps):
        set_gradients(optimizer.parameters, step)
        optimizer.step()
    set_gradients(optimizer.parameters, steps)
    return optimizer


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("name", INTERRUPTED)
def test_a_step_that_is_interrupted_at_any_line_was_made_or_not(name, steps):
    old = snapshot(prepared(OPTIMIZERS[name], steps))
    whole = prepared(OPTIMIZERS[name], steps)
    whole.step()
    new = snapshot(whole)
    assert not same(old, new)
    outcomes = set()
    # the optimizers have most lines in common, so each takes every third in turn
    for line in itertools.count() if is_deep() else itertools.count(INTERRUPTED.index(name) % 3, 3):
        optimizer = prepared(OPTIMIZERS[name], steps)
        if not interrupted_at(line, optimizer.step):
            outcomes.add(same(snapshot(optimizer), new))
            break
        found = snapshot(optimizer)
        assert same(found, old) or same(found, new), line
        outcomes.add(same(found, new))
        if same(found, old):  # it can be made now
            optimizer.step()
            assert same(snapshot(optimizer), new)
    assert line > 50
    assert outcomes == {True, False}


@pytest.mark.parametrize("name", [name for name in INTERRUPTED if name != "one that computes at once"])
def test_a_state_that_is_interrupted_at_any_line_was_loaded_or_not(name):
    optimizer, other = prepared(OPTIMIZERS[name], 1), prepared(OPTIMIZERS[name], 2)
    for group in other.groups:
        group.lr = 0.7
    old, new = optimizer.state_dict(), other.state_dict()
    for line in itertools.count():
        optimizer.load_state_dict(old)
        if not interrupted_at(line, lambda: optimizer.load_state_dict(new)):
            break
        now = optimizer.state_dict()
        state = old if now["groups"] == old["groups"] else new
        assert now["groups"] == state["groups"]
        assert same(([], now["state"]), ([], state["state"])), line
    assert optimizer.lr == 0.7


@pytest.mark.parametrize("name", INTERRUPTED)
def test_a_signal_at_any_time_finds_the_step_made_or_not(name):
    """The same with a signal, which comes between lines too."""
    optimizer = OPTIMIZERS[name]([Tensor(np.ones(20_000)) for _ in range(4)])
    twin = OPTIMIZERS[name]([Tensor(np.ones(20_000)) for _ in range(4)])
    for p in (*optimizer.parameters, *twin.parameters):
        p.grad = np.ones(20_000)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    rng = np.random.default_rng()
    try:
        for _ in range(150):
            old = snapshot(optimizer)
            twin.step()
            new = snapshot(twin)
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 1e-3))
                optimizer.step()
            except KeyboardInterrupt:
                pass
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            found = snapshot(optimizer)
            assert same(found, old) or same(found, new)
            if same(found, old):
                optimizer.step()
    except KeyboardInterrupt:  # the last signal came when its step was over
        pass
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("how", ["raise", "warn"])
@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in ("Lion", "groups")])  # no number is large
def test_errors_of_floating_point_end_no_step_half_way(name, how):
    def make():
        optimizer = OPTIMIZERS[name]([Tensor(np.ones(2, np.float32)), Tensor(np.ones(2)), Tensor(np.ones(2))])
        for p in optimizer.parameters:
            p.grad = np.ones(2, p.dtype)
        optimizer.parameters[1].grad = np.full(2, 1e308)
        optimizer.lr = 100.0
        return optimizer

    optimizer, calm = make(), make()
    old = snapshot(optimizer)
    with np.errstate(all="ignore"):
        calm.step()
    with np.errstate(all=how), warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FloatingPointError if how == "raise" else RuntimeWarning, match="overflow|invalid"):
            optimizer.step()
    assert same(snapshot(optimizer), snapshot(calm)) or same(snapshot(optimizer), old)


def test_a_gradient_of_another_kind_of_array_is_computed_with_on_the_side():
    class Foreign(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            raise ConnectionError("the cluster has gone")

    w, v = Tensor(np.ones(2)), Tensor(np.ones(2))
    optimizer = optim.SGD([w, v], lr=0.1, momentum=0.9)
    w.grad, v._node.grad = np.ones(2), np.ones(2).view(Foreign)
    with pytest.raises(ConnectionError):
        optimizer.step()
    assert w.data.tolist() == v.data.tolist() == [1.0, 1.0]
    assert optimizer.state == [{}, {}]


def calls_of_the_first_step(count):
    """How many functions are called."""
    optimizer = optim.Adam([Tensor(np.ones(1)) for _ in range(count)])
    for p in optimizer.parameters:
        p.grad = np.ones(1)
    writes._places.clear()  # of arrays of other tests: how many there are would count as well
    called = 0

    def profile(frame, event, argument):
        nonlocal called
        called += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        optimizer.step()
    finally:
        sys.setprofile(before)
    return called


def test_the_first_step_is_linear_in_the_number_of_parameters():
    once, twice = calls_of_the_first_step(300), calls_of_the_first_step(600)
    assert once > 300
    assert twice < 2.01 * once


ELEMENTWISE = [name for name in OPTIMIZERS if OPTIMIZERS[name]([Tensor(1.0)]).elementwise and name != "groups"]


def many(shape, dtype, count=2 * MANY):
    rng = np.random.default_rng(5)
    tensors = [Tensor(rng.normal(size=shape).astype(dtype)) for _ in range(count)]
    for t in tensors:
        t.grad = rng.normal(size=shape).astype(dtype)
    return tensors


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_many_small_parameters_change_by_the_same_bits_as_one_by_one(name, shape):
    for dtype in (np.float32, np.float64):
        together = OPTIMIZERS[name](many(shape, dtype))
        alone = [OPTIMIZERS[name]([t]) for t in many(shape, dtype)]
        together.parameters[3].grad = alone[3].parameters[0].grad = None  # which is then one step behind
        arrays = [t.data for t in together.parameters]
        for step in range(3):
            if step:
                set_gradients([*together.parameters, None], step)
                set_gradients([*[o.parameters[0] for o in alone], None], step)
            assert len(sets_of(together.groups[0], together.parameters)) == 1
            together.step()
            for optimizer in alone:
                optimizer.step()
        assert all(t.data is a for t, a in zip(together.parameters, arrays, strict=True))
        assert not same(([], together.state), ([], [{}] * len(arrays)))
        pairs = zip(*snapshot(together), alone, strict=True)
        assert all(same(([a], [s]), snapshot(o)) for a, s, o in pairs)


def test_a_subclass_with_a_formula_of_its_own_is_given_one_parameter_at_a_time():
    class Normed(optim.Adam):
        def change(self, parameter, gradient, state, group, calls):
            super().change(parameter, gradient / np.linalg.norm(gradient), state, group, calls)

    together = Normed(many((3,), float))
    alone = [Normed([t]) for t in many((3,), float)]
    for optimizer in (together, *alone):
        optimizer.step()
    assert all(np.array_equal(t.data, o.parameters[0].data) for t, o in zip(together.parameters, alone, strict=True))


def refuse_groups(tensors):
    return sets_of(optim.SGD(tensors).groups[0], tensors) == []


def test_parameters_that_share_memory_are_not_updated_together():
    assert not refuse_groups(many((3,), float))
    assert refuse_groups(many((3,), float, MANY - 1))
    assert refuse_groups(many((300,), float))
    shared, views = many((3,), float), many((3,), float)
    shared[1].data = shared[0].data
    assert refuse_groups(shared)
    views[1].data = views[0].data[::-1]
    assert refuse_groups(views)
    for gradient in (lambda a: a, lambda a: a[:]):
        tensors = many((3,), float, MANY)
        tensors[1].grad = gradient(tensors[0].data)
        assert refuse_groups(tensors)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_step_of_many_that_is_interrupted_at_any_line_was_made_or_not(name):
    old = snapshot(OPTIMIZERS[name](many((), float, MANY)))
    whole = OPTIMIZERS[name](many((), float, MANY))
    whole.step()
    outcomes = []
    for line in range(0, 1000, 7):
        optimizer = OPTIMIZERS[name](many((), float, MANY))
        if not interrupted_at(line, optimizer.step):
            break
        outcomes.append((same(snapshot(optimizer), old), same(snapshot(optimizer), snapshot(whole))))
    assert set(outcomes) <= {(True, False), (False, True)}
    assert line > 50


def test_a_number_is_written_in_place_too():
    w = Tensor(1.0)
    array = w.data
    optimizer = optim.SGD([w], lr=0.5)
    for gradient in (np.float64(1.0), np.array(1.0)):
        w.grad = gradient
        optimizer.step()
    assert w.data is array
    assert array == 0.0


def test_state_is_taken_in_the_type_of_the_parameter():
    w = Tensor(np.ones(2, np.float32))
    optimizer = optim.Adam([w])
    state = {"step": 3, "exp_avg": [0.5, 0.5], "exp_avg_sq": np.full(2, 0.25)}
    optimizer.load_state_dict({**optimizer.state_dict(), "state": [state]})
    assert optimizer.state[0]["exp_avg"].dtype == optimizer.state[0]["exp_avg_sq"].dtype == np.float32
    w.grad = np.ones(2, np.float32)
    optimizer.step()
    state["exp_avg"] = np.ones(2, complex)
    with pytest.raises(ValueError, match="parameter 0: 'exp_avg' is complex128, the parameter float32"):
        optimizer.load_state_dict({**optimizer.state_dict(), "state": [state]})


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_parameters_updated_together_keep_their_state_where_programs_hold_it(name):
    """A recorded step writes into the arrays of the state, so a step of the function itself may not replace them."""
    recorded, plain = (OPTIMIZERS[name](many((3,), float, MANY)) for _ in range(2))

    def stepping(optimizer):
        def step(x):
            optimizer.zero_grad()
            loss = sum(np.sum(p * p * x) for p in optimizer.parameters)
            loss.backward()
            optimizer.step()
            return loss.data

        return step

    one, two = jit(stepping(recorded)), stepping(plain)
    for call in range(1, 10):  # of which some are audited: then the function itself runs
        assert one(1.0 / call) == two(1.0 / call)
    assert same(snapshot(recorded), snapshot(plain))
