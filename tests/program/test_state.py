"""What a function keeps between calls: a program reads it where it is, and leaves there what the function would."""

import contextlib
import dataclasses
import functools
import types
import typing
from collections import deque

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import CaptureError, PathError, Tensor, capture
from autodiff.program.recorded import Recorded
from nn.optim import SGD, Adam, AdamW, RMSprop
from tests.program.agreement import agree, assert_same, normal


class Holder:
    def __init__(self, **attributes):
        vars(self).update(attributes)


def calls(n=4, size=3):
    return [(normal(size, seed=seed),) for seed in range(n)]


def held(held, step):
    """A function of what is held and an argument, and the state: both made again for each."""

    def make():
        state = held()
        return (lambda x: step(state, x)), lambda: state

    return make


def set_items(o, *pairs):
    """Assign to items, one after another, in a function of one expression."""
    for key, value in pairs:
        o[key] = value(o)
    return o


class Moments(typing.NamedTuple):
    mean: object
    square: object


def dict_step(change, result=lambda o, x: o["a"] * x):
    def step(o, x):
        change(o, x)
        return result(o, x)

    return step


def swap(o, x):
    o["a"], o["b"] = o["b"], o["a"]


def swap_and_add(o, x):
    o["a"], o["b"] = o["b"], o["a"] + x


def keep_old(o, x):
    o["b"] = o["a"]
    o["a"] = o["a"] + x


def keep_argument(o, x):
    o["b"] = x


def reset(o, x):
    o["a"] = o["a"] + x
    o["b"] = np.zeros(3)


def alias(o, x):
    o["b"] = o["a"]
    o["a"] += x


def share(o, x):
    o["a"] = o["b"] = x * 2


def share_constant(o, x):
    o["a"] = o["b"] = np.zeros(3)


def view(o, x):
    o["b"] = o["a"][:2]
    o["a"] += x


def write(o, x):
    o["a"] += x
    o["b"][0] = x[1]
    np.multiply(o["a"], 0.5, out=o["a"])


@pytest.mark.parametrize(
    "change",
    [swap, swap_and_add, keep_old, keep_argument, reset, alias, share, share_constant, view, write],
    ids=lambda f: f.__name__,
)
def test_arrays_in_a_dictionary(change):
    make = held(lambda: {"a": np.ones(3), "b": np.zeros(3)}, dict_step(change))
    agree(make, calls())


@pytest.mark.parametrize("change", [alias, share, share_constant])
def test_one_array_in_two_places_stays_one(change):
    make = held(lambda: {"a": np.ones(3), "b": np.zeros(3)}, dict_step(change))
    f, state = make()
    capture(f, normal(3))
    assert state()["a"] is state()["b"]


def rotate(d, x):
    d.insert(0, d.pop())
    d[0] = d[0] + x
    return d[1] * x


def push(d, x):
    d.append(x * 2)
    return sum(d)


def tuple_of(o, x):
    o["t"] = (o["t"][0] * 0.9 + x, o["t"][0])
    return o["t"][1] * x


def moments(o, x):
    mean, square = o["m"]
    o["m"] = Moments(mean * 0.9 + x, square + mean)
    return o["m"].mean


@pytest.mark.parametrize(
    ("start", "step"),
    [
        (lambda: [np.full(3, float(i)) for i in range(3)], rotate),
        (lambda: deque([np.full(3, float(i)) for i in range(3)], maxlen=3), push),
        (lambda: {"t": (np.ones(3), np.zeros(3))}, tuple_of),
        (lambda: {"m": Moments(np.ones(3), np.zeros(3))}, moments),
        (lambda: [np.float64(0.5)], lambda o, x: set_items(o, (0, lambda o: o[0] + np.sum(x)))[0] * 2),
    ],
    ids=["list", "deque", "tuple", "named tuple", "number of NumPy's"],
)
def test_containers(start, step):
    def make():
        state = start()
        return (lambda x: step(state, x)), lambda: list(state.items() if isinstance(state, dict) else state)

    agree(make, calls(5))


def test_an_object_with_slots_that_is_frozen():
    @dataclasses.dataclass(frozen=True, slots=True)
    class State:
        a: object

    def make():
        state = State(np.zeros(3))

        def f(x):
            state.a[...] += x
            return state.a * 2

        return f, lambda: [state.a]

    agree(make, calls())


def test_a_base_and_a_view_of_it():
    def make():
        a = np.ones(4)
        v = a[:2]

        def f(x):
            before = np.sum(v)
            a[...] += x
            v[...] *= 2
            return before, np.sum(v), a[1:] * 2

        return f, lambda: [a, v]

    agree(make, calls(size=4))


def test_one_array_as_argument_and_in_a_closure():
    a = np.ones(3)

    def f(x, y):
        a[0] += 1
        x *= 2
        return x * a + y

    program = capture(f, a, a)
    a[...] = 1.0
    expected, left = f(a, a), a.copy()
    a[...] = 1.0
    assert_same(program(a, a), expected)
    assert_same(a, left)


# -- what is reached ---------------------------------------------------------------------------------------------------

TABLE = np.ones(3)


def doubled(state, call):
    state[0][...] *= 2 + call


def scaled(x):
    return x * TABLE


def in_a_tuple():
    t = (np.ones(3), [np.ones(3)])
    return (lambda x: x * t[0] + t[1][0]), lambda: [t[0]]


def as_a_default():
    w = np.ones(3)
    return (lambda x, w=w: x * w), lambda: [w]


def as_a_keyword():
    w = np.ones(3)

    def f(x, *, w=w):
        return x * w

    return f, lambda: [w]


def of_a_class():
    class Model:
        w = np.ones(3)

        def __call__(self, x):
            return x * self.w

    return Model(), lambda: [Model.w]


def in_a_method():
    w = np.ones(3)

    class Model:
        def scaled(self, x):
            return x * w

        @property
        def table(self):
            return w + 1

        def __call__(self, x):
            return self.scaled(x) + self.table

    return Model(), lambda: [w]


def in_two_functions():
    w = np.ones(3)

    def g():
        return w * 2

    def f(x):
        return x * w + scaled(g()) * TABLE

    return f, lambda: [w]


def of_a_module():
    module = types.ModuleType("settings")
    module.w = np.ones(3)
    return (lambda x: x * module.w), lambda: [module.w]


def in_a_partial():
    w = np.ones(3)
    return functools.partial(lambda w, x: x * w, w), lambda: [w]


@pytest.mark.parametrize(
    "make",
    [in_a_tuple, as_a_default, as_a_keyword, of_a_class, in_a_method, in_two_functions, of_a_module, in_a_partial],
)
def test_an_array_is_read_where_it_is(make):
    agree(make, calls(), doubled)


@pytest.mark.parametrize("nest", [lambda g: (g,), lambda g: [g], lambda g: {"g": (1, g)}, lambda g: Holder(g=g)])
def test_a_generator_is_found(nest):
    def make():
        rng = np.random.default_rng(0)
        nested = nest(rng)

        def f(x):
            assert nested is not None
            return x * rng.random(3)

        return f, lambda: [rng]

    agree(make, calls())


def test_a_generator_among_the_arguments():
    def f(x, rng):
        return x * rng.random(3)

    rng, other = np.random.default_rng(0), np.random.default_rng(0)
    program = capture(f, np.ones(3), rng)
    f(np.ones(3), other)
    for _ in range(3):
        assert_same(program(np.ones(3), rng), f(np.ones(3), other))


# -- gradients, optimizers ---------------------------------------------------------------------------------------------


def training(grad_first, none_last=False):
    def make():
        w = Tensor(np.ones(3))

        def f(x):
            if grad_first:
                w.grad = None
            loss = np.sum(w * x)
            loss.backward()
            w.data -= 0.1 * w.grad
            if none_last:
                w.grad = None
            return loss.data, loss.item()

        return f, lambda: [w.data, w.grad]

    return make


@pytest.mark.parametrize("none_last", [False, True])
def test_a_gradient_that_is_forgotten_first(none_last):
    agree(training(True, none_last), calls())


def test_a_gradient_that_is_forgotten_last():
    agree(training(False, none_last=True), calls())


def test_a_gradient_is_not_overwritten_where_it_would_be_added_to():
    w = Tensor(np.ones(3))

    def f(x):
        np.sum(w * x).backward()

    program = capture(f, np.ones(3))
    with pytest.raises(PathError, match=r"w\.grad was not there"):
        program(np.ones(3))
    w.grad = None
    program(np.full(3, 2.0))
    assert w.grad.tolist() == [2.0] * 3
    program = capture(f, np.ones(3))  # with a gradient, it is added to
    program(np.ones(3))
    assert w.grad.tolist() == [4.0] * 3


def test_two_variables_of_one_array():
    def make():
        a = np.ones(3)
        u, w = Tensor(a), Tensor(a)

        def f(x):
            u.grad = w.grad = None
            (np.sum(u * x) + np.sum(w * w)).backward()
            u.data -= 0.1 * u.grad
            w.data -= 0.1 * w.grad

        return f, lambda: [a, u.data, w.data, u.grad, w.grad]

    agree(make, calls())


def network(optimizer, before, **options):
    def make():
        rng = np.random.default_rng(0)
        model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.Tanh(), nn.Dropout(0.3, rng=rng), nn.Linear(4, 1, rng=rng))
        opt = optimizer(model.parameters(), **options)

        def f(x, y):
            opt.zero_grad()
            loss = np.mean((model(x) - y) ** 2)
            loss.backward()
            opt.step()
            return loss.item()

        for seed in range(before):
            f(normal(5, 3, seed=seed), normal(5, 1))
        return f, lambda: [[p.data for p in model.parameters()], opt.state, opt.lr, rng]

    return make


BATCHES = [(normal(5, 3, seed=seed), normal(5, 1, seed=seed + 9)) for seed in range(6)]
OPTIMIZERS = [
    (SGD, {"lr": 0.1}),
    (SGD, {"lr": 0.1, "momentum": 0.9}),
    (Adam, {"lr": 0.1}),
    (AdamW, {"lr": 0.1}),
    (RMSprop, {"lr": 0.1}),
]


@pytest.mark.parametrize(("optimizer", "options"), OPTIMIZERS)
def test_steps_with_dropout(optimizer, options):
    agree(network(optimizer, 1, **options), BATCHES)


@pytest.mark.parametrize(("optimizer", "options"), OPTIMIZERS[1:])
def test_after_a_first_step_comes_the_second(optimizer, options):
    f, state = network(optimizer, 0, **options)()
    twin, beside = network(optimizer, 0, **options)()
    program = capture(f, *BATCHES[0])
    twin(*BATCHES[0])
    assert_same(state(), beside())
    for batch in BATCHES[1:]:
        assert_same(program(*batch), twin(*batch))
        assert_same(state(), beside())


def test_a_learning_rate_is_live():
    def make():
        w = Tensor(np.ones(3))
        opt = Adam([w], lr=0.1)

        def f(x):
            opt.zero_grad()
            np.sum(w * x).backward()
            opt.step()

        f(np.ones(3))
        return f, lambda: [opt, w]

    def slower(state, call):
        state[0].lr *= 0.5
        state[0].betas = (0.8 + call / 100, 0.9)

    def states():
        f, state = make()
        return f, lambda: state()

    function, state = states()
    twin, beside = states()
    function(np.ones(3))
    program = capture(twin, np.ones(3))
    for call in range(4):
        slower(state(), call)
        slower(beside(), call)
        function(normal(3, seed=call))
        program(normal(3, seed=call))
        assert_same(state()[1], beside()[1])


def test_training_is_not_evaluation():
    layer = nn.Dropout(0.5, rng=np.random.default_rng(0))
    attributes = set(vars(layer))
    program = capture(lambda x: layer(x), np.ones(4))
    assert set(vars(layer)) == attributes
    layer.eval()
    with pytest.raises(PathError, match="training"):
        program(np.ones(4))
    program = capture(lambda x: layer(x), np.ones(4))
    assert program(np.full(4, 3.0)).tolist() == [3.0] * 4


# -- when it goes wrong ------------------------------------------------------------------------------------------------


def test_a_failed_guard_puts_the_state_back():
    a, rng, w = np.ones(3), np.random.default_rng(0), Tensor(np.ones(3))

    def f(x):
        a[1:] += x[1:]
        x[0] += 1
        w.data += rng.random(3)
        return a * 2 if np.sum(x) > 0 else a * 3

    program = capture(f, np.ones(3))
    x = np.full(3, -9.0)
    before = a.copy(), rng.bit_generator.state, w.data.copy(), x.copy()
    with pytest.raises(PathError):
        program(x)
    assert_same((a, rng.bit_generator.state, w.data, x), before)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_function_leaves_no_recorded_array(error):
    def make():
        w, kept = Tensor(np.ones(3)), {"a": np.ones(3), "t": (np.zeros(3), 1)}
        rng = np.random.default_rng(0)

        def f(x):
            np.sum(w * x * rng.random(3)).backward()
            w.data -= w.grad
            kept["a"] = kept["a"] + x
            kept["t"] = (x, 2.0 * x)
            kept["new"] = [x * 2]
            raise error

        return f, lambda: [w.data, w.grad, kept, rng]

    (f, state), (g, beside) = make(), make()
    if error is not KeyboardInterrupt:  # after which all is as before
        with contextlib.suppress(error):
            f(np.ones(3))
    with pytest.raises(error):
        capture(g, np.ones(3))
    assert_same(state(), beside())


def test_what_cannot_be_recorded_leaves_no_recorded_array():
    a = np.ones(3)
    refused = []

    def outer(row):
        kept = [a, row]
        with pytest.raises(CaptureError, match=r"kept\[1\] is a Tensor that was computed outside"):
            capture(lambda x: kept[0] * kept[1] * x, np.ones(3))
        refused.append(kept[0] is a)
        return row

    ad.vmap(outer)(np.ones((2, 3)))
    ad.grad(lambda x: np.sum(outer(x * 2)))(np.ones(3))
    assert refused == [True, True]


def leave_list(o, x):
    o["l"].append(float(x[0] * 0))


def leave_counter(o, x):
    o["n"] += 1


def leave_sign(o, x):
    o["zero"] = -0.0


def leave_pop(o, x):
    o["l"].pop()


def leave_deleted(o, x):
    del o["a"]


def leave_object(o, x):
    o["object"] = Holder(a=x * 2)


def leave_tensor(o, x):
    o["loss"] = np.sum(Tensor(np.ones(3)) * x)


def leave_none(o, x):
    o["a"] = [x]


@pytest.mark.parametrize(
    "leave", [leave_list, leave_counter, leave_sign, leave_pop, leave_deleted, leave_object, leave_tensor, leave_none]
)
def test_what_a_program_would_not_leave_is_refused(leave):
    def start():
        return {"a": np.ones(3), "l": [np.ones(3)], "n": 0, "zero": 0.0, "object": Holder(a=np.ones(3)), "loss": None}

    state, beside = start(), start()
    with pytest.raises(CaptureError, match="before the function ran"):
        capture(lambda x: leave(state, x), np.ones(3))
    leave(beside, np.ones(3))
    assert state.keys() == beside.keys()
    if leave is not leave_object:
        assert_same({**state, "object": 0}, {**beside, "object": 0})
    assert type(state["object"].a) is not Recorded


def test_a_place_that_was_empty_must_be_empty_again():
    kept = []
    program = capture(lambda x: kept.append(x * 2), np.ones(3))
    with pytest.raises(PathError, match="was not there"):
        program(np.ones(3))


def test_a_place_that_is_filled_once_is_written_again():
    kept = [None]
    program = capture(lambda x: kept.__setitem__(0, x * 2), np.ones(3))
    program(np.full(3, 2.0))
    assert kept[0].tolist() == [4.0] * 3


@pytest.mark.parametrize("schedule", [
    lambda o: nn.schedule.StepLR(o, 3), lambda o: nn.schedule.CosineAnnealingLR(o, 9),
    lambda o: nn.schedule.LinearWarmup(o, 4),
])  # fmt: skip
def test_a_schedule_that_steps_inside(schedule):
    def make():
        w = Tensor(np.ones(3))
        optimizer = SGD([w], lr=0.5)
        rates = schedule(optimizer)

        def f(x):
            optimizer.zero_grad()
            np.sum(w * w * x).backward()
            optimizer.step()
            rates.step()
            return w.data.copy()

        return f, lambda: [optimizer.lr, rates.steps]

    (f, state), (twin, beside) = make(), make()
    function = ad.jit(f)
    for call in range(12):
        assert_same(function(normal(3, seed=call)), twin(normal(3, seed=call)))
        assert_same(state(), beside())
    assert len(function.programs) <= 6


def test_a_cache_is_not_filled_with_recorded_arrays():
    w = np.ones(3)

    @functools.lru_cache
    def table(n):
        return w * n

    def f(x):
        return x * table(2)

    with pytest.raises(CaptureError, match="table keeps results"):
        capture(f, np.ones(3))
    function = ad.jit(f)
    for _ in range(5):
        assert_same(function(np.ones(3)), np.full(3, 2.0))
        assert type(table(2)) is np.ndarray
    assert len(function.programs) == 1


@pytest.mark.parametrize("draw", [
    lambda: np.random.normal(size=3),  # noqa: NPY002
    lambda: __import__("random").random(),
])  # fmt: skip
def test_hidden_generators_are_refused(draw):
    with pytest.raises(CaptureError, match="generator of the old kind"):
        capture(lambda x: x * draw(), np.ones(3))


def test_generators_of_the_old_kind_are_refused():
    rng = np.random.RandomState(0)
    with pytest.raises(CaptureError, match="generator of the old kind in rng"):
        capture(lambda x: x * rng.rand(3), np.ones(3))
