"""Models in files: what comes back is what was saved, and nothing in a file is trusted."""

import dataclasses
import inspect
import json
import os
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
import safetensors
import safetensors.numpy as reference

import nn
from autodiff import Tensor, relu
from nn.io.safetensors import load_file, load_metadata, save_file
from tests.nn.references.cases import CASES, inputs
from tests.nn.references.compare import made, outputs


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def again(model, path, classes=()):
    nn.save(path, model)
    return nn.load(path, classes)


def computed(model, case):
    return [np.asarray(o.data if isinstance(o, Tensor) else o) for o in outputs(model(*inputs(case), **case.call))]


def same_state(a, b):
    a, b = a.state_dict(), b.state_dict()
    assert list(a) == list(b)
    for name in a:
        assert (a[name].dtype, a[name].shape, a[name].tobytes()) == (b[name].dtype, b[name].shape, b[name].tobytes())


def test_every_layer_and_loss_comes_back(path):
    for name, case in CASES.items():
        model = made(case)
        loaded = again(model, path)
        assert repr(loaded) == repr(model), name
        same_state(loaded, model)
        for a, b in zip(computed(loaded, case), computed(model, case), strict=True):
            assert a.tobytes() == b.tobytes(), name


MODULES = {v for n, v in vars(nn).items() if isinstance(v, type) and issubclass(v, nn.Module)}


def test_every_class_of_modules_comes_back(path):
    """Of those that are not compared with PyTorch: made with 4 for each argument that must be given."""
    rest = MODULES - {getattr(nn, case.kind) for case in CASES.values()} - {nn.Module}
    assert nn.LearnedPositions in rest
    for kind in rest:
        arguments = inspect.signature(kind).parameters.values()
        needed = [
            p for p in arguments if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        model = kind(*[4 for _ in needed])
        loaded = again(model, path)
        assert repr(loaded) == repr(model)
        assert list(vars(loaded)) == list(vars(model))


@dataclasses.dataclass
class Options:
    width: int
    activation: object = relu


class Pair(NamedTuple):
    first: object
    second: object


class Net(nn.Module):
    """A user's own module, with whatever an attribute may hold."""

    def __init__(self, options, rng):
        self.options = options
        self.blocks = [nn.Linear(2, options.width, rng=rng), nn.ModuleDict({"a": nn.Dropout(0.5, rng=rng)})]
        self.pair = Pair(nn.GELU("tanh"), (nn.Softplus(2.0), nn.LeakyReLU(0.1), nn.SiLU(), nn.Sigmoid(), nn.Tanh()))
        self.rest = nn.ModuleList([nn.Identity(), nn.Flatten(), nn.CrossEntropyLoss(label_smoothing=0.1)])
        self.positions = nn.LearnedPositions(3, 2, rng=rng), nn.RotaryPositions(2), nn.SinusoidalPositions(4)
        self.tied = self.blocks[0].weight
        self.table = np.arange(6.0).reshape(2, 3).T
        self._cache = np.array([1 + 2j])
        self.rng = rng
        self.plain = {
            "none": None, 1: True, "nan": float("nan"), "inf": [-float("inf"), 0.1, -0.0], (2, "x"): {1, 2},
            "number": np.float32(0.1), "dtype": np.dtype("f4"), "type": (np.float64, int), "slice": slice(0, None, 2),
            "complex": 1 + 2j, "ordered": OrderedDict(b=1, a=2), "big": 2**200, "text": "é\ud800", "s": frozenset("a"),
        }  # fmt: skip

    def forward(self, x):
        return self.options.activation(x @ self.tied)


def test_a_class_of_ones_own_comes_back_whole(path):
    rng = np.random.default_rng(3)
    model = Net(Options(2, np.tanh), rng)
    rng.random(7)
    model.blocks[0].freeze()
    model.blocks[1].eval()
    loaded = again(model, path, [Net, Options, Pair])
    same_state(loaded, model)
    assert repr(loaded) == repr(model)
    assert loaded.options == model.options
    assert loaded.tied is loaded.blocks[0].__dict__["_frozen"][("weight",)]
    assert loaded.blocks[1]["a"].rng is loaded.rng is loaded.blocks[1].layers["a"].rng
    assert loaded.rng.random(3).tolist() == model.rng.random(3).tolist()
    assert loaded.rng.spawn(1)[0].random() == model.rng.spawn(1)[0].random()
    assert type(loaded.pair) is Pair
    assert [m.training for m in loaded.modules()] == [m.training for m in model.modules()]
    assert repr(loaded.plain) == repr(model.plain)
    assert loaded.table.flags.f_contiguous
    assert (loaded._cache.dtype, loaded._cache.tolist()) == (np.complex128, [1 + 2j])
    loaded.blocks[0].unfreeze()
    assert loaded.blocks[0].weight is loaded.tied


@pytest.mark.parametrize("kind", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_generators_continue(kind, path):
    rng = np.random.Generator(getattr(np.random, kind)(5))
    rng.random(13, dtype=np.float32)
    nn.save(path, nn.Dropout(rng=rng))
    found = nn.load(path).rng
    assert found.integers(0, 1000, 700).tolist() == rng.integers(0, 1000, 700).tolist()


def test_an_optimizer_and_a_schedule_continue(path):
    def step(model, optimizer, schedule):
        np.sum(model(np.ones((2, 3), np.float32)) ** 2).backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()

    model = nn.Linear(3, 2, rng=0)
    groups = [{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias], "lr": 0.5}]
    optimizer = nn.optim.Adam(groups, lr=0.1)
    schedule = nn.schedule.StepLR(optimizer, 2)
    step(model, optimizer, schedule)
    history = nn.History([{"epoch": 1, "loss": 0.5}])
    nn.save(path, model, optimizer, schedule, epoch=1, history=history, mean=np.ones(3), best=np.float32(0.1))
    found = nn.load_training(path)
    assert found.scheduler.optimizer is found.optimizer
    assert found.extra["history"].rows == history.rows
    assert (found.extra["epoch"], found.extra["mean"].tolist(), found.extra["best"]) == (1, [1.0] * 3, np.float32(0.1))
    for _ in range(3):
        step(model, optimizer, schedule)
        step(*found[:3])
    same_state(found.model, model)
    assert repr(found.optimizer) == repr(optimizer)


OPTIMIZERS = {
    name: kind
    for name, kind in vars(nn.optim).items()
    if isinstance(kind, type) and issubclass(kind, nn.optim.Optimizer) and kind is not nn.optim.Optimizer
}


def steps(model, optimizer):
    """Two steps with an optimizer."""

    def closure():
        optimizer.zero_grad()
        loss = np.sum(model(np.ones((2, 3), np.float32)) ** 2)
        loss.backward()
        return loss

    for _ in range(2):
        loss = optimizer.step(closure) if optimizer.needs_closure else (closure(), optimizer.step())
    return loss


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_continues(name, path):
    model = nn.Linear(3, 2, rng=0)
    of_matrices = OPTIMIZERS[name] is nn.optim.Muon
    if OPTIMIZERS[name] is nn.optim.Joint:
        optimizer = nn.optim.Joint([nn.optim.Muon([model.weight]), nn.optim.AdamW([model.bias])])
    else:
        optimizer = OPTIMIZERS[name]([model.weight] if of_matrices else model.parameters(), lr=0.01)
    steps(model, optimizer)
    nn.save(path, model, optimizer)
    found = nn.load_training(path)
    before = model.weight.data.copy()
    steps(model, optimizer)
    steps(*found[:2])
    assert not np.array_equal(model.weight.data, before)
    same_state(found.model, model)


def test_the_reference_reads_the_parameters(path):
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3))
    nn.save(path, model)
    found = reference.load_file(path)
    state = model.state_dict()
    assert sorted(found) == sorted(state)
    assert all(np.array_equal(found[name], state[name]) for name in state)
    with safetensors.safe_open(path, "np") as file:
        assert json.loads(file.metadata()["pullback"])["objects"][1]["state"]["in_features"] == 2


def test_a_deep_model_comes_back(path):
    model = nn.Linear(1, 1)
    for _ in range(1500):
        model = nn.Sequential(model)
    assert len(list(again(model, path).modules())) == 1501


# -- what cannot be saved, and what is no model --------------------------------------------------------------------


class Odd(nn.Module):
    def __init__(self, thing):
        self.thing = thing


def itself():
    values = []
    values.append([values])
    return values


@pytest.mark.parametrize(
    ("thing", "what"),
    [
        (lambda x: x, "<lambda>"), (np.save, "the function save"), (os.system, "system"), (object(), "a object"),
        (Odd, "the class Odd"), (itself(), "holds itself"), (np.array(["a"], object), "object"),
        (np.float64(1).item, "item"), (nn.load, "the function load"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_named(thing, what, path):
    with pytest.raises((TypeError, ValueError)) as caught:
        nn.save(path, Odd({"key": thing}))
    assert what in str(caught.value)
    assert "thing" in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((nn.ReLU(), "path"), "it comes first"),
        (("path", {"a": 1}), "give the model itself"),
        (("path", nn.ReLU(), 3), "optimizer is a int"),
        (("path", nn.Linear(1, 1), nn.optim.SGD(nn.Linear(1, 1).parameters())), "none of the model's parameters"),
    ],
)
def test_wrong_arguments_of_save(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        nn.save(*arguments)


@dataclasses.dataclass
class Left:
    """Something that leaves out what is no data, and makes it again."""

    size: int

    def __post_init__(self):
        self.function = lambda x: x * self.size

    def __getstate__(self):
        return {"size": self.size}

    def __setstate__(self, state):
        self.__init__(**state)


def test_a_class_may_leave_out_what_is_no_data(path):
    assert again(Odd(Left(3)), path, (Odd, Left)).thing.function(2) == 6


def test_views_of_one_memory_are_refused(path):
    table = np.arange(12.0)
    again(Odd([table[:6], table[6:], table[:0]]), path, Odd)
    with pytest.raises(ValueError, match=r"thing\.\d and thing\.\d are views of one memory"):
        nn.save(path, Odd([Tensor(table), table[:6].reshape(2, 3)]))


def test_a_missing_class_is_named(path):
    nn.save(path, Odd(1))
    with pytest.raises(ValueError, match=r"class Odd \(of the module .*\), which is not given; .*classes=\[Odd\]"):
        nn.load(path)
    assert nn.load(path, Odd).thing == 1
    for wrong, error in (
        (Odd(1), "classes is a Odd"),
        ([3], "has a int"),
        ([dict], "neither a Module"),
        ("Odd", "str"),
    ):
        with pytest.raises(TypeError, match=error):
            nn.load(path, wrong)


def edited(path, change):
    """The file with another description."""
    table, arrays = json.loads(load_metadata(path)["pullback"]), load_file(path)
    table = change(table, arrays) or table
    save_file(arrays, path, {"pullback": table if isinstance(table, str) else json.dumps(table)})


def put(*keys):
    """A change of one entry: the path to it, and its value."""
    *keys, last, value = keys

    def change(table, arrays):
        for key in keys:
            table = table[key]
        table[last] = value

    return change


def whole_state(described, name):
    """The state in one piece, as of a class with slots, with one attribute more."""
    pairs = [*described["state"].items(), (name, {"function": "autodiff.relu"})]
    described["state"] = {"": {"dict": pairs}}


HOSTILE = {
    "no JSON": lambda table, arrays: "{",
    "deep": lambda table, arrays: "[" * 100_000,
    "a list": lambda table, arrays: "[]",
    "newer": put("format", 2),
    "no objects": lambda table, arrays: table.pop("objects") and None,
    "objects": put("objects", 3),
    "no model": put("parts", "model", 5),
    "a model far away": put("parts", "model", {"object": 10**30}),
    "a negative place": put("parts", "model", {"object": -1}),
    "unknown class": put("objects", 1, "class", "os.system"),
    "unknown class of nn": put("objects", 1, "class", "nn.Lstm"),
    "no class": put("objects", 1, "class", ["nn.Linear"]),
    "a class that reads": put("objects", 1, "class", "nn.DataLoader"),
    "a class that writes": put("objects", 1, "class", "nn.Checkpoint"),
    "a class that cannot be": put("objects", 1, "class", "nn.DivergenceError"),
    "no state": put("objects", 1, {"class": "nn.Linear"}),
    "a method": put("objects", 1, "state", "forward", {"function": "autodiff.relu"}),
    "a special name": put("objects", 1, "state", "__class__", 1),
    "a method in a whole state": lambda table, arrays: whole_state(table["objects"][1], "forward"),
    "a special name in a whole state": lambda table, arrays: whole_state(table["objects"][1], "__dict__"),
    "no attributes": put("objects", 1, "state", {}),
    "function": put("objects", 0, "state", "layers", [{"function": "numpy.save"}]),
    "function of autodiff": put("objects", 0, "state", "layers", [{"function": "autodiff.jit"}]),
    "function of a module": put("objects", 0, "state", "layers", [{"function": "nn.safetensors.save_file"}]),
    "an unknown kind": put("objects", 0, "state", "layers", [{"eval": "1"}]),
    "a list as a key": put("objects", 1, "state", "x", {"dict": [[[1], 2]]}),
    "half a pair": put("objects", 1, "state", "x", {"dict": [[1]]}),
    "a number too large": put("objects", 1, "state", "x", {"number": 10**400, "dtype": "float32"}),
    "a dtype": put("objects", 1, "state", "x", {"dtype": "O"}),
    "a type": put("objects", 1, "state", "x", {"type": "numpy.memmap"}),
    "missing array": put("objects", 1, "state", "weight", {"variable": "nothing"}),
    "an array that no part has": lambda table, arrays: (
        table["arrays"].update(more={"shape": [2], "dtype": "float64"}) or arrays.update(more=np.ones(2))
    ),
    "arrays": put("arrays", []),
    "another shape": put("arrays", "0.weight", "shape", [3, 2]),
    "a huge shape": put("arrays", "0.weight", "shape", [10**12, 10**12]),
    "another dtype": put("arrays", "0.weight", "dtype", "float64"),
    "less": lambda table, arrays: arrays.pop("0.weight") is None or None,
    "more": lambda table, arrays: arrays.update(more=np.ones(2)),
    "a place in a generator": put("generators", 0, "state", "state", "pos", 10**6),
    "a generator that stands still": put("generators", 0, "state", "state", "key", [1] + [0] * 623),
    "half a generator": put("generators", 0, "state", "state", "key", [1]),
    "a pool of seeds": put("generators", 0, "seed", "pool_size", 10**9),
    "another generator": put("generators", 0, "state", "bit_generator", "Generator"),
    "a text in a generator": put("generators", 0, "state", "state", "pos", "1"),
    "an option": put("objects", 4, "state", "betas", {"tuple": [2.0, 0.9]}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_edited_file_is_refused(name, path):
    generator = np.random.Generator(np.random.MT19937(0))
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Dropout(0.1, rng=generator))
    nn.save(path, model, nn.optim.Adam(model.parameters()))
    edited(path, HOSTILE[name])
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        nn.load_training(path)


def test_what_is_no_file_of_a_model(path):
    with pytest.raises(FileNotFoundError):
        nn.load(path)
    save_file({"weight": np.ones(2)}, path)
    with pytest.raises(ValueError, match="holds arrays and no model"):
        nn.load(path)
    nn.save(path, nn.Linear(2, 2))
    whole = path.read_bytes()
    for length in (0, 7, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="not a valid safetensors file"):
            nn.load(path)
