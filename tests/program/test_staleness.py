"""Where Python hides what a function depends on: each is right, recorded again, or an error at the next audit.

A case is a function ``make()``: it gives a function of an array, and what somebody else does between two calls.
"""

import argparse
import collections
import contextvars
import dataclasses
import enum
import functools
import itertools
import os
import random
import threading
import types
import typing
import weakref

import numpy as np
import pytest

import nn
from autodiff import StaleError, Tensor, jit
from tests.program.test_replay import same

CALLS = 20
"""Audits are at calls 2, 4, 8 and 16; the change comes after call 5."""
X = np.array([0.25, 0.5, 1.0])

FOUND, AUDITED = [], []


def found(make):
    """A case in which no result is wrong, at any call."""
    FOUND.append(make)
    return make


def audited(make):
    """A case in which results are wrong until the next audit, and no longer."""
    AUDITED.append(make)
    return make


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """What a case changes for all is as it was, afterwards."""
    monkeypatch.setenv("RATE", "0.5")
    monkeypatch.setitem(globals(), "RATE", 0.5)
    monkeypatch.setattr(SETTINGS, "rate", 0.5)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002


# -- what a function names -------------------------------------------------------------------------------------------

RATE = 0.5
SETTINGS = types.ModuleType("settings")
SETTINGS.rate = 0.5
FACTORS = [2.0, 3.0]


@found
def a_closure():
    rate = 0.5

    def change():
        nonlocal rate
        rate = 2.0

    return lambda x: np.sum(x * rate), change


@found
def a_global():
    return lambda x: np.sum(x * RATE), lambda: globals().update(RATE=2.0)


@audited
def a_global_by_its_name():
    return lambda x: np.sum(x * globals()["RATE"]), lambda: globals().update(RATE=2.0)


@found
def an_attribute_of_a_module():
    return lambda x: np.sum(x * SETTINGS.rate), lambda: setattr(SETTINGS, "rate", 2.0)


@found
def a_default():
    def f(x, rates=[0.5]):  # noqa: B006
        return np.sum(x * rates[0])

    return f, lambda: f.__defaults__[0].__setitem__(0, 3.0)


@found
def another_default():
    def inner(x, rate=0.5):
        return x * rate

    return lambda x: np.sum(inner(x)), lambda: setattr(inner, "__defaults__", (3.0,))


@found
def a_keyword_default():
    def inner(x, *, rate=0.5):
        return x * rate

    return lambda x: np.sum(inner(x)), lambda: inner.__kwdefaults__.update(rate=3.0)


@found
def a_default_that_grows():
    def f(x, seen=[]):  # noqa: B006
        seen.append(1)
        return x * len(seen)

    return f, lambda: None


@found
def a_count_of_its_own():
    n = 0

    def f(x):
        nonlocal n
        n += 1
        return x * n

    return f, lambda: None


@found
def a_partial():
    table = {"rate": 0.5}
    return functools.partial(lambda t, x: np.sum(x * t["rate"]), table), lambda: table.update(rate=2.0)


@found
def the_code_of_a_function():
    def inner(x):
        return x * 2.0

    def other(x):
        return x * 3.0

    return lambda x: np.sum(inner(x)), lambda: setattr(inner, "__code__", other.__code__)


@found
def an_attribute_of_a_function():
    def inner(x):
        return x * inner.rate

    inner.rate = 0.5
    return lambda x: np.sum(inner(x)), lambda: setattr(inner, "rate", 3.0)


@found
def another_function_in_a_list():
    functions = [np.sin]
    return lambda x: np.sum(functions[0](x)), lambda: functions.__setitem__(0, np.cos)


@found
def a_function_that_is_called():
    rate = 0.5

    def inner(x):
        return x * rate

    def change():
        nonlocal rate
        rate = 3.0

    return lambda x: np.sum(inner(x)), change


@found
def a_wrapped_function():
    rate = 0.5

    def twice(f):
        @functools.wraps(f)
        def wrapper(x):
            return f(x) * rate

        return wrapper

    def change():
        nonlocal rate
        rate = 3.0

    return twice(lambda x: np.sum(x)), change


# -- what hangs on objects -------------------------------------------------------------------------------------------


class Options:
    rate = 0.5

    def __init__(self):
        self.on = True
        self.list = [0.5, 1.0]
        self.inner = types.SimpleNamespace(rate=0.5)
        self._hidden = 0.5

    @property
    def twice(self):
        return 2.0 * self._hidden

    def scaled(self, x):
        return x * self.rate

    @classmethod
    def of_class(cls, x):
        return x * cls.rate


class Slotted:
    __slots__ = ("rate",)

    def __init__(self):
        self.rate = 0.5


class Descriptor:
    def __init__(self):
        self.value = 0.5

    def __get__(self, owner, kind):
        return self.value


@dataclasses.dataclass
class Nested:
    options: object
    rate: float = 0.5


@dataclasses.dataclass(frozen=True)
class Frozen:
    rate: float


class Pair(typing.NamedTuple):
    rate: float
    name: str


class Kind(enum.Enum):
    LOW = 0.5
    HIGH = 2.0


def held(start, use, change):
    """A case of an object that is held, a use of it, and a change."""
    thing = start()
    return lambda x: np.sum(use(thing, x)), lambda: change(thing)


@found
def an_attribute():
    return held(Options, lambda o, x: x * o.rate, lambda o: setattr(o, "rate", 2.0))


@found
def a_switch():
    return held(Options, lambda o, x: x if o.on else x * x, lambda o: setattr(o, "on", False))


@found
def a_list_in_an_attribute():
    return held(Options, lambda o, x: x * o.list[1], lambda o: o.list.__setitem__(1, 7.0))


@found
def an_attribute_of_an_object_in_a_list():
    return held(lambda: [Options()], lambda o, x: x * o[0].rate, lambda o: setattr(o[0], "rate", 3.0))


@found
def another_object_in_a_list():
    return held(lambda: [Frozen(0.5)], lambda o, x: x * o[0].rate, lambda o: o.__setitem__(0, Frozen(3.0)))


@found
def the_length_of_a_list():
    return held(lambda: [0.5], lambda o, x: x * len(o), lambda o: o.append(3.0))


@audited
def a_list_of_many_numbers():
    return held(lambda: [0.5] * 1001, lambda o, x: x * o[3], lambda o: o.__setitem__(3, 2.0))


@audited
def the_order_of_a_dictionary():
    def change(o):
        o["a"] = o.pop("a")

    return held(
        lambda: {"a": 1.0, "b": 1e16, "c": -1e16}, lambda o, x: x * functools.reduce(float.__add__, o.values()), change
    )


@found
def a_set():
    return held(lambda: {0.5}, lambda o, x: x * sum(o), lambda o: o.add(3.0))


@found
def a_queue():
    return held(lambda: collections.deque([0.5]), lambda o, x: x * o[0], lambda o: o.appendleft(3.0))


@found
def a_dictionary_in_a_tuple():
    return held(lambda: ({"rate": 0.5}, 1), lambda o, x: x * o[0]["rate"], lambda o: o[0].update(rate=3.0))


@found
def a_dictionary_with_a_default():
    start = functools.partial(collections.defaultdict, lambda: 0.5)
    return held(start, lambda o, x: x * o.get("rate", 0.5), lambda o: o.update(rate=3.0))


@found
def a_namespace():
    return held(Options, lambda o, x: x * o.inner.rate, lambda o: setattr(o.inner, "rate", 3.0))


@found
def options_of_a_command_line():
    return held(lambda: argparse.Namespace(rate=0.5), lambda o, x: x * o.rate, lambda o: setattr(o, "rate", 3.0))


@found
def a_nested_dataclass():
    return held(
        lambda: Nested(Nested(None)), lambda o, x: x * o.options.rate, lambda o: setattr(o.options, "rate", 3.0)
    )


@found
def another_frozen_dataclass():
    return held(
        lambda: Nested(Frozen(0.5)), lambda o, x: x * o.options.rate, lambda o: setattr(o, "options", Frozen(3.0))
    )


@found
def another_named_tuple():
    return held(
        lambda: Nested(Pair(0.5, "a")), lambda o, x: x * o.options.rate, lambda o: setattr(o, "options", Pair(3.0, "a"))
    )


@found
def a_member_of_an_enumeration():
    return held(lambda: Nested(Kind.LOW), lambda o, x: x * o.options.value, lambda o: setattr(o, "options", Kind.HIGH))


@found
def a_slot():
    return held(Slotted, lambda o, x: x * o.rate, lambda o: setattr(o, "rate", 3.0))


@found
def a_property():
    return held(Options, lambda o, x: x * o.twice, lambda o: setattr(o, "_hidden", 3.0))


@found
def a_descriptor():
    class Owner:
        rate = Descriptor()

    return held(Owner, lambda o, x: x * o.rate, lambda o: setattr(vars(Owner)["rate"], "value", 3.0))


@found
def an_attribute_of_a_class():
    class Owner(Options):
        rate = 0.5

    return held(Owner, lambda o, x: x * o.rate, lambda o: setattr(Owner, "rate", 3.0))


@found
def an_attribute_of_a_base_class():
    class Base:
        rate = 0.5

    class Owner(Base):
        pass

    return held(Owner, lambda o, x: x * o.rate, lambda o: setattr(Base, "rate", 3.0))


@found
def a_class_method():
    class Owner(Options):
        rate = 0.5

    return held(Owner, lambda o, x: o.of_class(x), lambda o: setattr(Owner, "rate", 3.0))


@found
def another_method():
    class Owner(Options):
        def f(self, x):
            return x * 2.0

    return held(Owner, lambda o, x: o.f(x), lambda o: setattr(Owner, "f", lambda self, x: x * 3.0))


@found
def another_method_of_one_object():
    return held(Options, lambda o, x: o.scaled(x), lambda o: setattr(o, "scaled", lambda x: x * 3.0))


@audited
def another_class():
    class Other(Options):
        rate = 3.0

    return held(Options, lambda o, x: o.scaled(x), lambda o: setattr(o, "__class__", Other))


@found
def a_weak_reference():
    options = Options()
    return held(
        lambda: weakref.ref(options), lambda o, x: x * o().rate + 0 * options.rate, lambda o: setattr(o(), "rate", 3.0)
    )


@found
def a_bound_method():
    owner = Options()
    return owner.scaled, lambda: setattr(owner, "rate", 3.0)


@found
def an_object_that_is_called():
    class Owner(Options):
        def __call__(self, x):
            return x * self.list[0]

    owner = Owner()
    return owner, lambda: owner.list.__setitem__(0, 3.0)


# -- what changes by itself ------------------------------------------------------------------------------------------


@found
def an_iterator():
    numbers = iter(range(1000))
    return lambda x: np.sum(x * (1.0 + next(numbers))), lambda: None


@found
def a_counter():
    numbers = itertools.count(1)
    return lambda x: x * next(numbers), lambda: None


@found
def a_generator():
    numbers = (n * 0.5 for n in range(1000))
    return lambda x: x * next(numbers), lambda: None


@found
def an_iterator_that_goes_round():
    numbers = itertools.cycle([1.0, 2.0])
    return lambda x: x * next(numbers), lambda: None


@found
def the_module_random():
    rng = random.Random(0)
    return lambda x: x * rng.random(), lambda: None


@found
def a_generator_of_the_old_kind():
    rng = np.random.RandomState(0)
    return lambda x: x * rng.random_sample(), lambda: None


@found
def the_state_of_a_generator():
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    return lambda x: x * rng.random(3), lambda: setattr(rng.bit_generator, "state", state)


@found
def another_generator():
    return held(
        lambda: Nested(np.random.default_rng(0)), lambda o, x: x * o.options.random(3),
        lambda o: setattr(o, "options", np.random.default_rng(1)),
    )  # fmt: skip


@audited
def the_environment():
    return lambda x: np.sum(x * float(os.environ["RATE"])), lambda: os.environ.update(RATE="2.0")


@audited
def a_value_of_a_thread():
    local = threading.local()
    local.rate = 0.5
    return lambda x: np.sum(x * local.rate), lambda: setattr(local, "rate", 2.0)


@audited
def a_value_of_a_context():
    rate = contextvars.ContextVar("rate", default=0.5)
    return lambda x: np.sum(x * rate.get()), lambda: rate.set(2.0)


@audited
def bytes_that_change():
    data = bytearray(b"12")
    return lambda x: np.sum(x * data[0]), lambda: data.__setitem__(0, 9)


@found
def a_result_that_was_kept():
    rate = 0.5

    @functools.lru_cache
    def kept():
        return np.array([1.0, 2.0, 3.0]) * rate

    def change():
        nonlocal rate
        rate = 2.0
        kept.cache_clear()

    return lambda x: np.sum(x * kept()), change


# -- arrays ----------------------------------------------------------------------------------------------------------


@found
def the_elements_of_an_array():
    return held(lambda: np.array([0.5, 1.0, 1.5]), lambda o, x: x * o, lambda o: o.__imul__(2.0))


@found
def another_array():
    return held(lambda: [np.ones(3)], lambda o, x: x * o[0], lambda o: o.__setitem__(0, np.arange(3.0)))


@found
def an_array_of_another_dtype():
    return held(lambda: [np.ones(3)], lambda o, x: x * o[0], lambda o: o.__setitem__(0, np.full(3, 2.0, np.float32)))


@found
def an_array_of_another_shape():
    return held(lambda: [np.ones(3)], lambda o, x: x * o[0], lambda o: o.__setitem__(0, np.full((2, 3), 2.0)))


@found
def an_array_that_lies_otherwise():
    start = np.arange(9.0).reshape(3, 3)
    return held(lambda: [start], lambda o, x: o[0] @ x, lambda o: o.__setitem__(0, np.asfortranarray(start * 2)))


@found
def an_array_of_another_length():
    return held(lambda: np.ones(3), lambda o, x: np.sum(x) * np.sum(o), lambda o: o.resize(5, refcheck=False))


@found
def an_array_in_a_class():
    class Owner:
        table = np.ones(3)

    return held(Owner, lambda o, x: x * o.table, lambda o: setattr(Owner, "table", np.arange(3.0)))


@found
def a_number_of_numpys():
    return held(lambda: [np.float64(0.5)], lambda o, x: x * o[0], lambda o: o.__setitem__(0, np.float64(3.0)))


# -- models, optimizers ----------------------------------------------------------------------------------------------


class Scale(nn.Module):
    def __init__(self):
        self.factor = 0.5
        self.kind = "once"
        self.hooks = []
        self.calls = 0
        self.weight = Tensor(np.ones(3))

    def forward(self, x):
        self.calls += 1
        for hook in self.hooks:
            x = hook(x)
        return x * self.weight * self.factor * (2.0 if self.kind == "twice" else 1.0) * self.calls


def layer(change, start=Scale):
    """A case of a module."""
    model = start()
    return lambda x: np.sum(model(x)).item(), lambda: change(model)


@found
def a_variable():
    w = Tensor(np.ones(3))
    return lambda x: np.sum(x * w).item(), lambda: w.data.__imul__(3.0)


@found
def another_value_of_a_variable():
    w = Tensor(np.ones(3))
    return lambda x: np.sum(x * w).item(), lambda: setattr(w, "data", np.arange(3.0))


@found
def a_number_of_a_module():
    return layer(lambda m: setattr(m, "factor", 3.0))


@found
def a_text_of_a_module():
    return layer(lambda m: setattr(m, "kind", "twice"))


@found
def a_hook_of_a_module():
    return layer(lambda m: m.hooks.append(lambda x: x * 3.0))


@found
def another_variable_of_a_module():
    return layer(lambda m: setattr(m, "weight", Tensor(np.arange(3.0))))


@found
def training_and_evaluation():
    return layer(
        lambda m: m.eval(), lambda: nn.Sequential(nn.Linear(3, 3, rng=0, dtype=float), nn.Dropout(0.5, rng=0)).train()
    )


@found
def another_layer():
    return layer(
        lambda m: m.layers.append(nn.ReLU()), lambda: nn.Sequential(nn.Linear(3, 3, rng=0, dtype=float), nn.Tanh())
    )


def stepped(change, optimizer=nn.optim.Adam, **options):
    """A case of a training step."""
    w = Tensor(np.ones(3))
    chosen = optimizer([w], lr=0.1, **options)

    def f(x):
        chosen.zero_grad()
        np.sum(w * w * x).backward()
        chosen.step()
        return w.data.copy()

    return f, lambda: change(chosen)


@found
def a_learning_rate():
    return stepped(lambda o: setattr(o, "lr", 0.01))


@found
def options_of_an_optimizer():
    return stepped(lambda o: setattr(o, "betas", (0.5, 0.6)))


@found
def weight_decay_that_is_switched_on():
    return stepped(lambda o: setattr(o, "weight_decay", 0.1), nn.optim.SGD)


@found
def the_state_of_an_optimizer():
    return stepped(lambda o: o.groups[0].state.__setitem__(0, {}))


@found
def a_loaded_state_of_an_optimizer():
    return stepped(lambda o: o.load_state_dict(o.state_dict()))


@found
def other_parameters_of_an_optimizer():
    return stepped(lambda o: (o.parameters.append(Tensor(np.ones(2))), o.state.append({})), nn.optim.SGD)


@found
def a_schedule():
    w = Tensor(np.ones(3))
    chosen = nn.optim.SGD([w], lr=0.1)
    schedule = nn.schedule.CosineAnnealingLR(chosen, 10)

    def f(x):
        chosen.zero_grad()
        np.sum(w * w * x).backward()
        chosen.step()
        return w.data.copy()

    return f, schedule.step


# -- the tests -------------------------------------------------------------------------------------------------------


def test_there_are_enough():
    assert len(FOUND) + len(AUDITED) >= 40


@pytest.mark.parametrize("make", FOUND, ids=lambda make: make.__name__)
def test_no_result_is_wrong(make):
    (f, change), (twin, beside) = make(), make()
    function = jit(f)
    for call in range(CALLS):
        if call == 5:
            change()
            beside()
        same(function(X), twin(X))


@pytest.mark.parametrize("make", AUDITED, ids=lambda make: make.__name__)
def test_the_next_audit_finds_it(make):
    f, change = make()
    function = jit(f)
    for _ in range(5):
        same(function(X), f(X))
    change()
    for _ in range(2):  # calls 6 and 7
        function(X)
    with pytest.raises(StaleError, match="jit: .*results since the last audit may be wrong"):
        function(X)
    for _ in range(3):  # it has forgotten the program
        same(function(X), f(X))
