import copy

import numpy as np
import pytest

import nn
from autodiff import Tensor
from nn import optim

GRADIENTS = np.random.default_rng(5).normal(size=(6, 3, 2))
START = np.random.default_rng(6).normal(size=(3, 2))


def run(make, dtype=np.float64, gradients=GRADIENTS):
    w = Tensor(START.astype(dtype))
    optimizer = make([w])
    for g in gradients:
        w.grad = g.astype(dtype)
        optimizer.step()
    return w.data


def sgd(p, gradients, lr, momentum=0.0, decay=0.0, nesterov=False):
    velocity = None
    for g in gradients:
        g = g + decay * p
        velocity = g if velocity is None else momentum * velocity + g
        p = p - lr * (g + momentum * velocity if nesterov else velocity)
    return p


def adam(p, gradients, lr, b1=0.9, b2=0.999, eps=1e-8, decay=0.0, decoupled=False):
    m, v = 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        if decoupled:
            p = p - lr * decay * p
        else:
            g = g + decay * p
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        p = p - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return p


def rmsprop(p, gradients, lr, alpha=0.99, eps=1e-8, decay=0.0, momentum=0.0, centered=False):
    v, mean, buffer = 0.0, 0.0, 0.0
    for g in gradients:
        g = g + decay * p
        v, mean = alpha * v + (1 - alpha) * g**2, alpha * mean + (1 - alpha) * g
        change = g / (np.sqrt(v - mean**2 if centered else v) + eps)
        buffer = momentum * buffer + change
        p = p - lr * (buffer if momentum else change)
    return p


CASES = [
    (lambda p: optim.SGD(p, lr=0.1), lambda p, g: sgd(p, g, 0.1)),
    (lambda p: optim.SGD(p, lr=0.1, weight_decay=0.3), lambda p, g: sgd(p, g, 0.1, decay=0.3)),
    (lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p, g: sgd(p, g, 0.1, 0.9)),
    (
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.2),
        lambda p, g: sgd(p, g, 0.1, 0.9, 0.2, nesterov=True),
    ),
    (lambda p: optim.Adam(p, lr=0.1), lambda p, g: adam(p, g, 0.1)),
    (
        lambda p: optim.Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2),
        lambda p, g: adam(p, g, 0.1, 0.8, 0.95, 1e-3, 0.2),
    ),
    (lambda p: optim.AdamW(p, lr=0.1), lambda p, g: adam(p, g, 0.1, decay=0.01, decoupled=True)),
    (lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.5), lambda p, g: adam(p, g, 0.1, decay=0.5, decoupled=True)),
    (lambda p: optim.RMSprop(p, lr=0.1), lambda p, g: rmsprop(p, g, 0.1)),
    (
        lambda p: optim.RMSprop(p, lr=0.1, alpha=0.9, weight_decay=0.2, momentum=0.8, eps=1e-3),
        lambda p, g: rmsprop(p, g, 0.1, 0.9, 1e-3, 0.2, 0.8),
    ),
    (
        lambda p: optim.RMSprop(p, lr=0.1, centered=True, momentum=0.5, eps=1e-2),
        lambda p, g: rmsprop(p, g, 0.1, eps=1e-2, momentum=0.5, centered=True),
    ),
]


@pytest.mark.parametrize(("make", "formula"), CASES)
def test_updates_are_those_of_the_formula(make, formula):
    np.testing.assert_allclose(run(make), formula(START, GRADIENTS), rtol=1e-12)
    single = run(make, np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, formula(START, GRADIENTS), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize(("make", "formula"), CASES)
def test_writing_in_place_and_not_are_the_same_to_the_bit(make, formula):
    w, locked = Tensor(START.copy()), Tensor(START.copy())
    optimizer = make([w, locked])
    for g in GRADIENTS:
        kept = [locked.data, g, *[v for v in optimizer.state[1].values() if isinstance(v, np.ndarray)]]
        for array in kept:
            array.flags.writeable = False  # read-only arrays will do
        before = [array.copy() for array in kept]
        w.grad = locked.grad = g
        optimizer.step()
        assert np.array_equal(w.data, locked.data)
        for name, value in optimizer.state[0].items():
            assert np.array_equal(optimizer.state[1][name], value)
        for array, copied in zip(kept, before, strict=True):
            assert np.array_equal(array, copied)


@pytest.mark.parametrize(("make", "formula"), CASES)
def test_a_step_writes_into_the_parameter_and_allocates_no_array(make, formula):
    w = Tensor(START.copy())
    array = w.data
    optimizer = make([w])
    gradient = GRADIENTS[0].copy()
    w.grad = gradient
    optimizer.step()
    states = {k: v for k, v in optimizer.state[0].items() if isinstance(v, np.ndarray)}
    optimizer.step()
    assert w.data is array
    assert np.array_equal(gradient, GRADIENTS[0])  # the gradient is left as it was
    assert all(optimizer.state[0][k] is v for k, v in states.items())


def test_scratch_is_shared_by_parameters_of_one_dtype():
    parameters = [Tensor(np.ones(4)), Tensor(np.ones((2, 5))), Tensor(np.ones(3, dtype=np.float32)), Tensor(1.0)]
    optimizer = optim.Adam(parameters, lr=0.1)
    for p in parameters:
        p.grad = np.ones(p.shape, p.dtype)
    optimizer.step()
    rooms = [pair[0].base for pair in optimizer._scratch]
    assert rooms[0] is rooms[1] is rooms[3]
    assert rooms[0].shape == (2, 10)
    assert rooms[2].shape == (2, 3)
    for p in parameters:
        np.testing.assert_allclose(p.data, 0.9, rtol=1e-6)


@pytest.mark.parametrize(("make", "formula"), CASES)
def test_zero_dimensional_empty_read_only_and_strided_parameters(make, formula):
    scalar, empty = Tensor(2.0), Tensor(np.zeros((0, 3)))
    read_only = START.copy()
    read_only.flags.writeable = False
    locked, strided = Tensor(read_only), Tensor(np.repeat(START, 2, axis=1)[:, ::2])
    optimizer = make([scalar, empty, locked, strided])
    for g in GRADIENTS:
        scalar.grad, empty.grad, locked.grad, strided.grad = np.float64(g[0, 0]), np.zeros((0, 3)), g, g
        optimizer.step()
    expected = formula(START, GRADIENTS)
    np.testing.assert_allclose(scalar.item(), formula(2.0, GRADIENTS[:, 0, 0]), rtol=1e-12)
    np.testing.assert_allclose(locked.data, expected, rtol=1e-12)
    np.testing.assert_allclose(strided.data, expected, rtol=1e-12)
    assert np.array_equal(read_only, START)


def test_a_parameter_without_gradient_is_left_alone():
    a, b = Tensor(np.ones(2)), Tensor(np.ones(2))
    optimizer = optim.Adam([a, b], lr=0.1, weight_decay=0.5)
    a.grad = np.ones(2)
    optimizer.step()
    assert b.data.tolist() == [1.0, 1.0]
    assert optimizer.state[1] == {}
    optimizer.zero_grad()
    assert a.grad is None


def test_gradients_that_are_tensors():
    w = Tensor(np.array([3.0]))
    optimizer = optim.SGD([w], lr=0.5)
    np.sum(w * w).backward(create_graph=True)
    optimizer.step()
    assert w.data.tolist() == [0.0]


def test_the_engine_notices_that_a_step_changed_what_a_graph_saved():
    w = Tensor(np.ones(2))
    optimizer = optim.SGD([w], lr=0.5)
    loss = np.sum(w * w)
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize(("make", "formula"), CASES)
def test_going_on_from_a_state_is_the_same_to_the_bit(make, formula):
    w = Tensor(START.copy())
    optimizer = make([w])
    for g in GRADIENTS[:3]:
        w.grad = g
        optimizer.step()
    other = Tensor(w.data.copy())
    resumed = make([other])
    state = optimizer.state_dict()
    resumed.load_state_dict(copy.deepcopy(state))
    for g in GRADIENTS[3:]:
        w.grad = other.grad = g
        optimizer.step()
        resumed.step()
    assert np.array_equal(w.data, other.data)
    again = make([Tensor(START.copy())])
    again.load_state_dict(state)  # a state is a copy: the steps since have not changed it
    for k, v in state["state"][0].items():
        assert np.array_equal(again.state[0][k], v)


def test_a_state_that_does_not_fit_is_refused():
    optimizer = optim.SGD([Tensor(np.ones(2))], lr=0.5, momentum=0.9)
    optimizer.parameters[0].grad = np.ones(2)
    optimizer.step()
    state = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"Adam.load_state_dict: the state is of SGD"):
        optim.Adam([Tensor(np.ones(2))]).load_state_dict(state)
    with pytest.raises(ValueError, match="state of 1 parameters, this has 2"):
        optim.SGD([Tensor(np.ones(2)), Tensor(np.ones(2))]).load_state_dict(state)
    other = optim.SGD([Tensor(np.ones(3))], lr=0.125)
    with pytest.raises(ValueError, match=r"parameter 0: 'momentum_buffer' has shape \(2,\), the parameter \(3,\)"):
        other.load_state_dict(state)
    assert other.lr == 0.125
    with pytest.raises(ValueError, match="expected the three entries"):
        other.load_state_dict({})
    with pytest.raises(ValueError, match="options"):
        other.load_state_dict({**{k: v for k, v in state.items() if k != "groups"}, "options": {}})


def test_wrong_arguments():
    w = Tensor(np.ones(2))
    with pytest.raises(ValueError, match="SGD: there are no parameters; a frozen model has none"):
        optim.SGD([], lr=0.1)
    with pytest.raises(ValueError, match=r"SGD: lr is -0.1; it must be a finite number of at least 0"):
        optim.SGD([w], lr=-0.1)
    with pytest.raises(ValueError, match="Adam: lr is nan"):
        optim.Adam([w], lr=float("nan"))
    with pytest.raises(ValueError, match="lr is 'fast'"):
        optim.SGD([w], lr="fast")
    with pytest.raises(ValueError, match="SGD: parameters 0 and 1 are the same Tensor"):
        optim.SGD([w, w], lr=0.1)
    with pytest.raises(TypeError, match=r"SGD: got a module; pass its parameters: model.parameters\(\)"):
        optim.SGD(nn.Linear(2, 2), lr=0.1)
    with pytest.raises(TypeError, match="SGD: got one Tensor; pass a list"):
        optim.SGD(w, lr=0.1)
    with pytest.raises(TypeError, match="SGD: parameter 0 is a ndarray; only Tensors can be trained"):
        optim.SGD([np.ones(2)], lr=0.1)
    with pytest.raises(TypeError, match=r"SGD: parameter 0 \(shape \(2,\)\) is a result of an operation"):
        optim.SGD([w * 2.0], lr=0.1)
    with pytest.raises(ValueError, match="SGD: nesterov needs a momentum above 0"):
        optim.SGD([w], lr=0.1, nesterov=True)
    with pytest.raises(ValueError, match="SGD: momentum is -1"):
        optim.SGD([w], lr=0.1, momentum=-1)
    with pytest.raises(ValueError, match=r"AdamW: betas are \(0.9, 1.0\); they must be two numbers in \[0, 1\)"):
        optim.AdamW([w], betas=(0.9, 1.0))
    with pytest.raises(ValueError, match="Adam: eps is -1"):
        optim.Adam([w], eps=-1)
    with pytest.raises(ValueError, match="RMSprop: alpha is 2"):
        optim.RMSprop([w], alpha=2)
    optimizer = optim.SGD([w], lr=0.1)
    with pytest.raises(ValueError, match="SGD: lr is -1"):
        optimizer.lr = -1
    assert repr(optimizer) == "SGD(1 parameters, lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0)"


def test_a_state_that_does_not_fit_changes_nothing():
    optimizer = optim.Adam([Tensor(np.ones(2))], lr=0.5)
    state = optimizer.state_dict()
    options = state["groups"][0]
    wrong = [
        ({**options, "lr": -1}, state["state"], "Adam: lr is -1"),
        ({**options, "betas": 5}, state["state"], "Adam: betas are 5; they must be two numbers"),
        (options, None, "state of 0 parameters, this has 1"),
        (options, [{"momentum": 1.0}], r"parameter 0 has the entries \['momentum'\]; of this optimizer are"),
        (options, [{"step": 1, "exp_avg": 0.0}], r"'exp_avg' has shape \(\), the parameter \(2,\)"),
    ]
    for group, entries, message in wrong:
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict({**state, "groups": [group], "state": entries})
        assert optimizer.state_dict() == state


@pytest.mark.parametrize("lr", [True, None, "0.1", float("inf"), Tensor(0.1)])
def test_a_learning_rate_is_a_number(lr):
    with pytest.raises(ValueError, match="SGD: lr is"):
        optim.SGD([Tensor(1.0)], lr=lr)


def test_numbers_may_be_of_numpy():
    assert optim.SGD([Tensor(1.0)], lr=np.int64(1), momentum=np.float32(0.5)).lr == 1.0
    with pytest.raises(ValueError, match="clip_grad_norm_: norm_type is 'fro'"):
        optim.clip_grad_norm_([Tensor(1.0)], 1.0, norm_type="fro")


def two_groups(kind=optim.SGD, **options):
    weight, bias = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
    return weight, bias, kind([{"params": weight, "lr": 0.5}, {"params": [bias]}], lr=0.25, **options)


def test_groups_have_options_of_their_own():
    weight, bias, optimizer = two_groups(momentum=0.5)
    assert optimizer.param_groups is optimizer.groups
    assert optimizer.parameters == [weight, bias]
    assert [group["lr"] for group in optimizer.groups] == [0.5, 0.25]
    assert optimizer.momentum == 0.5  # equal in both
    with pytest.raises(AttributeError, match=r"SGD: lr differs between the groups; ask for optimizer.groups\[0\].lr"):
        optimizer.lr  # noqa: B018
    with pytest.raises(ValueError, match="SGD: lr differs between the groups"):
        optimizer.lr = 1.0
    optimizer.groups[0]["lr"] = optimizer.groups[1].lr
    optimizer.lr = 1.0
    assert [dict(group)["lr"] for group in optimizer.groups] == [1.0, 1.0]
    weight.grad, bias.grad = np.ones((2, 3)), np.ones(3)
    assert optimizer.step(lambda: "loss") == "loss"
    assert bias.data.tolist() == [0.0] * 3
    assert repr(optimizer).startswith("SGD(Group(1 parameters, lr=1.0, momentum=0.5")
    copied = copy.deepcopy(optimizer)
    assert copied.groups[0].params[0] is not weight
    assert copied.groups[0].state[0].keys() == {"momentum_buffer"}


def test_a_group_is_added_with_its_state_to_come():
    weight, _, optimizer = two_groups(optim.Adam)
    late = Tensor(np.ones(2))
    weight.grad = np.ones((2, 3))
    optimizer.step()
    optimizer.add_param_group({"params": [late], "lr": 1.0})
    late.grad = np.ones(2)
    optimizer.step()
    np.testing.assert_allclose(late.data, 0.0, atol=1e-7)
    assert [state.get("step") for state in optimizer.state] == [2, None, 1]
    assert optimizer.parameters[2] is late


def test_states_of_groups_and_states_from_before_there_were_groups():
    weight, bias, optimizer = two_groups(optim.Adam, weight_decay=0.1)
    weight.grad, bias.grad = np.ones((2, 3)), np.ones(3)
    optimizer.step()
    state = optimizer.state_dict()
    assert [group["params"] for group in state["groups"]] == [[0], [1]]
    other = optim.Adam([{"params": [Tensor(np.ones((2, 3)))]}, {"params": [Tensor(np.ones(3))]}])
    other.load_state_dict(state)
    assert [group.lr for group in other.groups] == [0.5, 0.25]
    assert repr(other.state_dict()) == repr(state)
    with pytest.raises(ValueError, match=r"the state has 2 groups, of other sizes than those here: \[2\]"):
        optim.Adam([Tensor(np.ones((2, 3))), Tensor(np.ones(3))]).load_state_dict(state)
    one = optim.Adam([Tensor(np.ones((2, 3)))])
    options = {"lr": 0.5, "betas": (0.5, 0.9), "eps": 1e-6, "weight_decay": 0.0}
    one.load_state_dict({"optimizer": "Adam", "options": options, "state": state["state"][:1]})
    assert (one.lr, one.betas, one.amsgrad) == (0.5, (0.5, 0.9), False)
    with pytest.raises(ValueError, match="the state has the options of one group, this has 2 groups"):
        other.load_state_dict({"optimizer": "Adam", "options": options, "state": state["state"]})


def test_groups_that_are_none():
    w = Tensor(np.ones(2))
    for groups, error, match in [
        ([{"lr": 1.0}], TypeError, "SGD: a group of parameters is a dict"),
        ([{"params": [w]}, w], TypeError, "SGD: a group of parameters is a dict"),
        ([{"params": [w], "rate": 1.0}], ValueError, "SGD: a group has the option 'rate'; this optimizer has lr, mom"),
        ([{"params": [w], "lr": -1.0}], ValueError, "SGD: lr is -1.0"),
        ([{"params": [w]}, {"params": [w]}], ValueError, "parameters 0 and 1 are the same Tensor"),
        ([{"params": []}], ValueError, "SGD: there are no parameters"),
        ([{"params": [w], "nesterov": True}], ValueError, "SGD: nesterov needs a momentum above 0"),
        ([{"params": [w], "maximize": "no"}], TypeError, "SGD: maximize is 'no'; it must be True or False"),
    ]:
        with pytest.raises(error, match=match):
            optim.SGD(groups)
    optimizer = optim.SGD([w])
    with pytest.raises(ValueError, match="are the same Tensor"):
        optimizer.add_param_group({"params": [w]})
    group = optimizer.groups[0]
    for act, error in [
        (lambda: group.update(rate=1.0), ValueError), (lambda: setattr(group, "lr", "fast"), ValueError),
        (lambda: group.update(params=[]), ValueError), (lambda: group.pop("lr"), TypeError),
        (lambda: group["state"], KeyError),
    ]:  # fmt: skip
        with pytest.raises(error):
            act()
    assert len(optimizer.groups) == 1
    assert optimizer.parameters == [w]
    assert len(group) == len(list(group)) == 7


def test_muon_is_for_matrices():
    with pytest.raises(ValueError, match=r"Muon: parameter 1 has shape \(2,\) and dtype float64; Muon is for real mat"):
        optim.Muon([Tensor(np.ones((2, 2))), Tensor(np.ones(2))])
    for shape in ((0, 3), (1, 1), (4, 2)):
        w = Tensor(np.zeros(shape, np.float32))
        w.grad = np.zeros(shape, np.float32)
        optim.Muon([w]).step()
        assert np.all(w.data == 0)


def test_lion_steps_are_signs():
    w = Tensor(START.copy())
    optimizer = optim.Lion([w], lr=0.1, betas=(0.8, 0.9), weight_decay=0.3)
    p, m = START, np.zeros_like(START)
    for g in GRADIENTS:
        w.grad = g
        optimizer.step()
        p, m = p * (1 - 0.1 * 0.3) - 0.1 * np.sign(0.8 * m + 0.2 * g), 0.9 * m + 0.1 * g
    np.testing.assert_allclose(w.data, p, rtol=1e-12)
