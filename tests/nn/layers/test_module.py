import copy
import pickle
import threading

import numpy as np
import pytest

import nn
from autodiff import Tensor, grad, value_and_grad, vjp
from nn import Dropout, Linear, Module, ReLU, Sequential
from tests.garbage import left_by


class Two(Module):
    """Parameters in every kind of place."""

    def __init__(self):
        self.scale = Tensor(np.array(2.0))
        self.first = Linear(3, 2, rng=0, dtype=np.float64)
        self.rest = [Linear(2, 2, rng=1, dtype=np.float64), (Linear(2, 1, rng=2, dtype=np.float64),)]
        self.named = {"a": Tensor(np.ones(1)), "b": ReLU(), 3: [Tensor(np.zeros(1))]}
        self.centre = np.array([0.5])
        self.text = "nothing"

    def forward(self, x):
        hidden = self.named["b"](self.first(x)) * self.scale
        return self.rest[1][0](self.rest[0](hidden)) * self.named["a"] + self.named[3][0] - self.centre


NAMES = [
    "scale", "first.weight", "first.bias", "rest.0.weight", "rest.0.bias", "rest.1.0.weight", "rest.1.0.bias",
    "named.a", "named.3.0",
]  # fmt: skip


def test_parameters_are_found_in_attributes_and_containers():
    model = Two()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert [id(p) for p in model.parameters()] == [id(p) for _, p in model.named_parameters()]
    assert [name for name, _ in model.named_modules()] == ["", "first", "rest.0", "rest.1.0", "named.b"]
    assert sorted(model.state_dict()) == sorted([*NAMES, "centre"])


def test_a_shared_parameter_counts_once_and_is_saved_under_both_names():
    model = Sequential(Linear(2, 2, rng=0), Linear(2, 2, rng=1))
    model[1].weight = model[0].weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert set(model.state_dict()) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    layer = Linear(2, 2)
    twice = Sequential(layer, layer)
    assert len(list(twice.parameters())) == 2
    assert len(list(twice.modules())) == 2
    assert "shown above" in repr(twice)


def test_a_module_that_refers_to_itself_is_walked_once():
    model = Sequential(Linear(2, 2))
    model.parent = model
    loop = [Linear(2, 2)]
    loop.append(loop)
    model.loop = loop
    assert len(list(model.parameters())) == 4
    assert "12 parameters" in repr(model)
    same = model.arrays()
    assert same.parent is same
    assert same.loop[1] is same.loop


def test_a_result_is_no_parameter():
    model = Linear(2, 2)
    model.weight = Tensor(np.ones((2, 2))) * 0.5
    with pytest.raises(TypeError, match=r"Linear: the attribute 'weight' is a result.*Tensor\(values \* scale\)"):
        list(model.parameters())
    kept = Linear(2, 2)
    kept._last = Tensor(np.ones(2)) * 2.0
    kept._own = Tensor(np.ones(2))
    kept._cache = np.ones(3)
    assert [name for name, _ in kept.named_parameters()] == ["weight", "bias", "_own"]
    assert sorted(kept.state_dict()) == ["_own", "bias", "weight"]


def test_state_is_a_copy_and_comes_back():
    model, other = Two(), Two()
    state = model.state_dict()
    state["scale"][...] = 5.0
    assert model.scale.item() == 2.0
    other.load_state_dict(state)
    assert other.scale.item() == 5.0
    state["centre"][...] = 9.0
    assert other.centre.tolist() == [0.5]
    other.load_state_dict(state)
    assert other.centre.tolist() == [9.0]
    state["first.weight"][...] = 0.0
    assert other.first.weight.data.any()


def test_loading_names_everything_that_is_wrong_and_loads_nothing():
    model = Two()
    before = model.state_dict()
    state = model.state_dict()
    state = {k: v + 1 for k, v in state.items()}
    del state["scale"]
    state["extra"] = np.ones(1)
    state["first.bias"] = np.ones(3)
    state["named.a"] = np.ones(1, dtype=complex)
    with pytest.raises(ValueError, match="nothing was loaded") as error:
        model.load_state_dict(state)
    expected = "missing: scale", "unexpected: extra", "first.bias has shape (3,), the model (2,)", "named.a is complex"
    for part in expected:
        assert part in str(error.value)
    after = model.state_dict()
    assert all(np.array_equal(before[k], after[k]) for k in before)
    with pytest.raises(TypeError, match="expected names and arrays, got list"):
        model.load_state_dict([])


def test_loading_keeps_the_dtype():
    model = Linear(2, 2)
    model.load_state_dict({"weight": np.ones((2, 2)), "bias": np.zeros(2)})
    assert model.weight.dtype == np.float32
    assert {v.dtype for v in model.state_dict().values()} == {np.dtype(np.float32)}


def test_train_and_eval_reach_every_module():
    model = Sequential(Linear(2, 2), Sequential(Dropout(0.5)))
    assert all(m.training for m in model.modules())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())
    assert "training" not in model.state_dict()


def test_zero_grad_forgets():
    model = Linear(2, 1, rng=0)
    np.sum(model(np.ones((1, 2), dtype=np.float32))).backward()
    assert model.weight.grad is not None
    model.zero_grad()
    assert model.weight.grad is None
    assert model.bias.grad is None


def test_a_frozen_parameter_is_its_array():
    model = Sequential(Linear(2, 3, rng=0), ReLU(), Linear(3, 1, rng=1))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    x = np.ones((4, 2), dtype=np.float32)
    expected = model(x).data
    np.sum(model(x)).backward()
    weight, array = model[0].weight, model[0].weight.data
    assert model[0].freeze() is model[0]
    assert type(model[0].weight) is np.ndarray
    assert model[0].weight is array
    assert [name for name, _ in model.named_parameters()] == ["2.weight", "2.bias"]
    assert set(model.state_dict()) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert np.array_equal(model(x).data, expected)
    before = array.copy()
    np.sum(model(x)).backward()
    optimizer.step()  # has the frozen parameter too, and must leave it alone
    assert np.array_equal(model[0].weight, before)
    assert "constant" in repr(model)
    model.unfreeze()
    assert model[0].weight is weight
    assert len(list(model.parameters())) == 4


def test_freezing_reaches_tuples_and_shared_parameters():
    model = Two()
    model.again = model.scale
    model.freeze()
    assert list(model.parameters()) == []
    assert isinstance(model.rest[1][0].weight, np.ndarray)
    assert model.again is model.scale
    model.pair = (model.named["a"],)
    model.unfreeze()
    assert model.again is model.scale
    assert [name for name, _ in model.named_parameters()] == NAMES


def test_unfreezing_takes_the_values_that_were_loaded_meanwhile():
    model = Linear(2, 1, rng=0).freeze()
    model.load_state_dict({"weight": np.full((2, 1), 7.0), "bias": np.zeros(1)})
    model.unfreeze()
    assert model.weight.data.ravel().tolist() == [7.0, 7.0]


# -- as an argument of the transforms ----------------------------------------------------------------------------


def loss_of(model):
    return np.sum(model(np.arange(6.0).reshape(2, 3)) ** 2)


def test_the_gradient_of_a_function_of_a_model_is_shaped_like_the_model():
    model = Two()
    loss_of(model).backward()
    expected = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad()
    value, g = value_and_grad(loss_of)(model.arrays())
    assert isinstance(g, Two)
    assert type(g.first.weight) is np.ndarray
    assert np.isclose(value, loss_of(model).item())
    state = g.state_dict()
    for name in NAMES:
        assert np.array_equal(state[name], expected[name]), name
    assert g.rest[1][0].in_features == 2
    assert all(p.grad is None for p in model.parameters())


def test_with_a_model_of_variables_the_gradient_stays_differentiable():
    model = Two()
    g = grad(loss_of)(model)
    names = [name for name, _ in g.named_parameters()]
    assert names == NAMES
    np.sum(g.first.weight**2).backward()  # a gradient penalty reaches the model's own variables
    penalty = {name: p.grad for name, p in model.named_parameters()}

    direct = model.first.weight.data.copy()
    numeric = np.zeros_like(direct)
    for i in np.ndindex(direct.shape):
        step = np.zeros_like(direct)
        step[i] = 1e-5
        numeric[i] = (penalty_at(model, direct + step) - penalty_at(model, direct - step)) / 2e-5
    np.testing.assert_allclose(penalty["first.weight"], numeric, rtol=1e-6, atol=1e-6)


def penalty_at(model, weights):
    changed = copy.deepcopy(model)
    changed.first.weight = Tensor(weights)
    return float(np.sum(grad(loss_of)(changed.arrays()).first.weight ** 2))


def test_arrays_are_copies_and_a_gradient_is_an_argument_again():
    model = Two()
    arrays = model.arrays()
    arrays.first.weight += 1.0
    assert not np.array_equal(arrays.first.weight, model.first.weight.data)
    g = grad(loss_of)(arrays)
    pulled = vjp(lambda m: np.sum(m.first.weight * 2.0), g)[1](1.0)[0]
    assert np.array_equal(pulled.first.weight, np.full((3, 2), 2.0))
    assert float(np.abs(pulled.first.bias).max()) == 0.0


def test_a_shared_parameter_gets_the_sum_and_stays_shared():
    layer = Linear(2, 2, rng=0, dtype=np.float64)
    g = grad(lambda m: np.sum(m(np.ones((1, 2)))))(Sequential(layer, layer).arrays())
    assert g[0] is g[1]
    tied = Sequential(layer, Linear(2, 2, rng=1, dtype=np.float64))
    tied[1].weight = layer.weight
    g = grad(lambda m: np.sum(m(np.ones((1, 2)))))(tied.arrays())
    assert g[0].weight is g[1].weight


def test_a_frozen_part_gets_no_gradient():
    model = Sequential(Linear(2, 2, rng=0, dtype=np.float64), Linear(2, 1, rng=1, dtype=np.float64))
    model[0].freeze()
    frozen = model[0].weight.copy()
    g = grad(lambda m: np.sum(m(np.ones((1, 2)))))(model.arrays())
    assert np.array_equal(g[0].weight, frozen)  # a constant is carried along as it is
    assert not np.array_equal(g[1].weight, model[1].weight.data)


def test_models_nest_in_other_containers():
    model = Linear(2, 1, rng=0, dtype=np.float64)
    g = grad(lambda p: np.sum(p["net"](np.ones((3, 2))) * p["scale"]))({"net": model.arrays(), "scale": 2.0})
    assert g["net"].bias.tolist() == [6.0]


# -- manners -----------------------------------------------------------------------------------------------------


def test_repr_shows_shapes_counts_and_the_total():
    model = Sequential(Linear(784, 128), ReLU(), Sequential(Dropout(0.25), Linear(128, 10, bias=False)))
    assert repr(model) == (
        "Sequential(\n"
        "  0: Linear(784, 128)  weight (784, 128), bias (128,)  100,480\n"
        "  1: ReLU()\n"
        "  2: Sequential(\n"
        "    0: Dropout(0.25)\n"
        "    1: Linear(128, 10, bias=False)  weight (128, 10)  1,280\n"
        "  )\n"
        ")  101,760 parameters, float32, 397.5 KiB"
    )
    assert repr(ReLU()) == "ReLU()"
    assert repr(Linear(2, 3)) == "Linear(2, 3)  weight (2, 3), bias (3,)  9 parameters, float32, 36 B"
    assert repr(grad(loss_of)(Two().arrays())).startswith("Two(")


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module: has no forward"):
        Module()(1.0)


def test_models_are_copied_and_pickled():
    model = Two()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        state = other.state_dict()
        assert all(np.array_equal(value, state[name]) for name, value in model.state_dict().items())
        other.scale.data = np.array(9.0)
        assert model.scale.item() == 2.0


def test_a_step_leaves_nothing_to_collect():
    model = Sequential(Linear(2, 3, rng=0), ReLU(), Linear(3, 2, rng=1))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)

    def step():
        optimizer.zero_grad()
        nn.cross_entropy(model(np.ones((4, 2), dtype=np.float32)), np.array([0, 1, 1, 0])).backward()
        optimizer.step()

    step()
    assert left_by(step) == 0


def test_two_threads_train_two_models_alike():
    results = {}

    def train(name):
        rng = np.random.default_rng(3)
        model = Sequential(Linear(4, 8, rng=rng), ReLU(), Dropout(0.5, rng=rng), Linear(8, 3, rng=rng))
        optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(30):
            optimizer.zero_grad()
            x = rng.normal(size=(16, 4)).astype(np.float32)
            nn.cross_entropy(model(x), rng.integers(0, 3, 16)).backward()
            optimizer.step()
        results[name] = model.state_dict()

    threads = [threading.Thread(target=train, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[0][k], results[1][k]) for k in results[0])
