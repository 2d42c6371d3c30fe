"""What a walk through a model finds, to any depth and in any container, and what it leaves behind: nothing."""

import collections
import copy
import typing

import numpy as np
import pytest

from autodiff import Tensor, grad
from nn import Linear, Module, Sequential, optim
from tests.garbage import left_by


class Nested(Module):
    def __init__(self, inner):
        self.inner = inner
        self.scale = Tensor(np.ones(1))

    def forward(self, x):
        return x * self.scale


def nested(depth):
    model = Linear(1, 1, rng=0)
    for _ in range(depth):
        model = Nested(model)
    return model


def test_a_model_may_be_deeper_than_the_stack():
    model = nested(3000)
    assert len(list(model.parameters())) == 3002
    state = model.state_dict()
    model.load_state_dict({name: value + 1 for name, value in state.items()})
    assert model.scale.item() == 2.0
    assert not model.eval().inner.inner.training
    assert len(list(model.freeze().parameters())) == 0
    assert len(list(model.unfreeze().parameters())) == 3002
    assert len(list(grad(lambda model: np.sum(model(np.ones(1))))(model.arrays()).state_dict())) == 3002
    assert repr(nested(1200)).splitlines()[-1].startswith(")  1,202 parameters")


class Pair(typing.NamedTuple):
    left: object
    right: object


class Boxes(Module):
    """Parameters in containers of kinds of their own."""

    def __init__(self):
        self.ordered = collections.OrderedDict(a=Tensor(np.ones(1)), b=Linear(1, 1, rng=0))
        self.default = collections.defaultdict(list, c=[Tensor(np.ones(2))])
        self.pair = Pair(Tensor(np.ones(3)), (Tensor(np.ones(4)), "text"))


def test_containers_of_their_own_kind_are_looked_into():
    model = Boxes()
    names = ["ordered.a", "ordered.b.weight", "ordered.b.bias", "default.c.0", "pair.0", "pair.1.0"]
    assert [name for name, _ in model.named_parameters()] == names
    frozen = copy.deepcopy(model).freeze()
    assert not list(frozen.parameters())
    assert sorted(frozen.state_dict()) == sorted(names)
    assert isinstance(frozen.pair, Pair)
    assert [name for name, _ in frozen.unfreeze().named_parameters()] == names
    other = model.arrays()
    assert isinstance(other.pair, Pair)
    assert type(other.ordered) is collections.OrderedDict
    assert other.default["new"] == []
    assert "new" not in model.default
    assert other.pair.right[1] == "text"


def test_a_set_of_parameters_is_refused_and_any_other_set_is_not():
    model = Sequential(Linear(1, 1))
    model.tags = {"a", "b"}
    assert len(list(model.parameters())) == 2
    model.heads = {Tensor(np.ones(1))}
    with pytest.raises(TypeError, match="Sequential: 'heads' is a set of parameters or modules, which has no order"):
        list(model.parameters())


def test_a_parameter_of_the_class_is_refused():
    with pytest.raises(TypeError, match=r"Shared: the class attribute 'weight' is a Tensor.*assign it in __init__"):

        class Shared(Module):
            weight = Tensor(np.ones(1))

    with pytest.raises(TypeError, match="the class attribute 'layer' is a Linear"):

        class SharedLayer(Module):
            layer = Linear(1, 1)


def test_two_places_with_one_name_are_refused():
    model = Module()
    model.heads = {1: Tensor(np.ones(1)), "1": Tensor(np.zeros(1))}
    with pytest.raises(ValueError, match=r"state_dict: two places in the model have the name 'heads\.1'"):
        model.state_dict()
    model.heads = {"a.b": Tensor(np.ones(1))}
    assert list(model.freeze().state_dict()) == ["heads.a.b"]
    assert isinstance(model.unfreeze().heads["a.b"], Tensor)


def test_containers_that_hold_themselves_end():
    model = Module()
    model.items = [Tensor(np.ones(1))]
    model.items.append(model.items)
    model.itself = model
    assert [name for name, _ in model.named_parameters()] == ["items.0"]
    other = model.arrays()
    assert other.items[1] is other.items
    assert other.itself is other


def test_tied_parameters_that_differ_in_a_state_are_refused():
    model = Sequential(Linear(2, 2, rng=0), Linear(2, 2, rng=1))
    model[1].weight = model[0].weight
    state = model.state_dict()
    model.load_state_dict(state)
    state["1.weight"] += 1
    with pytest.raises(ValueError, match=r"0\.weight and 1\.weight are one array in the model and differ in the state"):
        model.load_state_dict(state)


def test_numbers_that_do_not_fit_the_dtype_are_refused():
    model = Linear(1, 1, rng=0)
    before = model.state_dict()
    with pytest.raises(ValueError, match="weight holds numbers too large for the model's float32"):
        model.load_state_dict({"weight": np.full((1, 1), 1e300), "bias": np.zeros(1)})
    assert all(np.array_equal(value, before[name]) for name, value in model.state_dict().items())
    model.load_state_dict({"weight": np.full((1, 1), np.inf), "bias": np.full(1, np.nan)})
    assert np.isposinf(model.weight.data).all()


USES = {
    "parameters": lambda model: list(model.parameters()),
    "a parameter": lambda model: next(model.parameters()),
    "modules": lambda model: list(model.named_modules()),
    "state": lambda model: model.load_state_dict(model.state_dict()),
    "train": lambda model: model.train(),
    "zero_grad": lambda model: model.zero_grad(),
    "repr": repr,
    "freeze": lambda model: model.freeze().unfreeze(),
    "arrays": lambda model: model.arrays(),
    "grad": lambda model: grad(lambda m: np.sum(m(np.ones((2, 3)))))(model.arrays()),
    "optimizer": lambda model: optim.SGD(model.parameters()).zero_grad(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_nothing_is_left_to_the_garbage_collector(use):
    model = Sequential(Linear(3, 2, rng=0), Linear(2, 1, rng=1))
    model.extra = [(Tensor(np.ones(1)),), {"a": Linear(1, 1)}]
    use(model)
    assert left_by(lambda: use(model)) == 0
