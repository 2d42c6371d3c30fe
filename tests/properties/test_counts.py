"""What the engine promises about cost, counted: nodes, NumPy calls, arrays kept alive, garbage.  Nothing is timed."""

from __future__ import annotations

import inspect
import itertools
import sys
import weakref
from collections import Counter
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
import pytest

import nn
from autodiff import Tensor, elementwise, grad, value_and_grad, vjp
from autodiff.graph import is_variable, topological_order
from autodiff.primitive import Primitive, Sample, registry
from tests.blocks import of_each
from tests.differences import calls, outputs
from tests.garbage import left_by

RULES = [entry for entry in registry.values() if isinstance(entry, Primitive) and not entry.flat]


def recorded(output):
    """The operations of a graph; its variables are not among them."""
    return [node for node in topological_order([output._node]) if node.parents]


def kept(output):
    """Every array that the graph of ``output`` keeps alive, each once."""

    def arrays(value):
        if isinstance(value, np.ndarray):
            yield value
        elif isinstance(value, list | tuple):
            for item in value:
                yield from arrays(item)

    saved = [edge.saved for node in recorded(output) for edge in node.edges]
    return list({id(array): array for array in arrays(saved)}.values())


@pytest.fixture
def counted():
    """An elementwise function that counts how often its rule is called."""
    pulls = Counter()

    def passed_on(x):
        return x * 1.0

    def rule(g):
        pulls["passed_on"] += 1
        return g

    return elementwise(passed_on, rule), pulls


# -- nodes and rules: each once ------------------------------------------------------------------------------------


def test_one_operation_makes_one_node():
    x = Tensor(np.ones((2, 3)))
    y = np.sum(np.tanh(x * 2.0 + 1.0) @ np.ones((3, 4)), axis=0)
    assert [node.primitive.name for node in recorded(y)] == ["sum", "matmul", "tanh", "add", "multiply"]


def test_a_rule_is_called_once_however_many_paths_there_are(counted):
    passed_on, pulls = counted
    y = x = Tensor(np.ones(3))
    for _ in range(64):  # 2 ** 64 paths
        y = passed_on(y)
        y = y + y
    order = topological_order([y._node])
    assert len(order) == len(set(order)) == 129
    np.sum(y).backward()
    assert pulls["passed_on"] == 64
    np.testing.assert_array_equal(x.grad, np.full(3, 2.0**64))


def test_a_wide_sum_visits_each_term_once(counted):
    passed_on, pulls = counted
    x = Tensor(1.0)
    sum(passed_on(x) for _ in range(1000)).backward()
    assert pulls["passed_on"] == x.grad == 1000


def test_what_leads_to_no_wanted_gradient_is_not_walked(counted):
    passed_on, pulls = counted
    grad(lambda a, b: np.sum(passed_on(passed_on(b)) * a))(np.ones(3), Tensor(np.ones(3)))
    assert pulls["passed_on"] == 0


def test_constants_and_the_unused_make_no_edge():
    x, w = np.ones((5, 3)), Tensor(np.ones((3, 2)))
    [product] = [node for node in recorded(x @ w) if node.primitive.name == "matmul"]
    assert product.parents == (w._node,)


# -- arrays kept alive: exactly those that the rules asked for -------------------------------------------------------


def placed(args, values):
    """The arguments of an example with values in the place of its samples, and which argument each value went to."""
    rest, places, filled = iter(values), [], []
    for i, argument in enumerate(args):
        items = argument if isinstance(argument, list) else [argument]
        places += [i for item in items if isinstance(item, Sample)]
        items = [next(rest) if isinstance(item, Sample) else item for item in items]
        filled.append(items if isinstance(argument, list) else items[0])
    return filled, places


@of_each("entry", RULES)
def test_a_node_keeps_what_its_rules_ask_for_and_nothing_else(entry, rng):
    """Each argument and the output, seen through weak references once the user's variables are gone."""
    for call in calls(entry):
        tensors = [Tensor(np.array(array)) for array in call.arrays(rng)]
        arguments, places = placed(call.args, tensors)
        results = outputs(entry.call(*arguments, **call.kwargs))
        nodes = [n for n in topological_order([result._node for result in results]) if n.primitive is entry]
        if not nodes:
            continue  # its derivative is zero here: nothing is asked for
        asked = {want for rule in nodes[0].rules for want in rule.wants}
        if entry.sequence is not None:
            places = [entry.sequence] * len(places)
        bases = {id(result._value.base) for result in results} if entry.output in asked else set()
        arrays = [
            (weakref.ref(tensor._value), place in asked or id(tensor._value) in bases)  # a view keeps its base
            for place, tensor in zip(places, tensors, strict=True)
            if isinstance(tensor._value, np.ndarray)  # a 0-d value is a number, which nothing can observe
        ]
        arrays += [
            (weakref.ref(result._value), entry.output in asked)
            for result in results
            if isinstance(result._value, np.ndarray)
        ]
        del tensors, arguments, results
        assert [reference() is not None for reference, _ in arrays] == [wanted for _, wanted in arrays], call.args


def test_an_intermediate_that_nobody_asked_for_dies_and_the_others_live_until_backward():
    x = Tensor(np.full((4, 5), 0.5))
    shifted = x + 1.0  # exp asks for its output alone, and so does tanh
    risen = np.exp(shifted)
    halved = risen * 0.5  # a product with a constant asks for the constant
    curved = np.tanh(halved)
    loss = np.sum(curved)
    arrays = [weakref.ref(t._value) for t in (shifted, risen, halved, curved)]
    del shifted, risen, halved, curved
    assert [array() is not None for array in arrays] == [False, True, False, True]
    loss.backward()
    assert [array() is not None for array in arrays] == [False] * 4


def test_a_value_that_two_rules_ask_for_is_kept_once():
    x = Tensor(np.ones(1000))
    y = np.exp(x)
    total = np.sum(y * y)
    assert sum(array.nbytes for array in kept(total)) == 8000


def test_after_backward_the_graph_keeps_no_array():
    x = Tensor(np.ones((3, 4)))
    y = np.sum(np.exp(x) * np.sin(x) @ np.ones((4, 2)))
    assert kept(y)
    y.backward()
    assert not kept(y)


def test_without_recording_nothing_is_kept():
    w = Tensor(np.ones(3))
    constant = np.exp(w.detach()) * 2.0
    assert not recorded(constant)


# -- garbage: none, and no recursion -----------------------------------------------------------------------------------


def of_a_refused_operation(x):
    try:
        Tensor(x) @ Tensor(np.ones((x.size + 1, 2)))
    except ValueError:
        return
    raise AssertionError("shapes that do not fit were multiplied")


def of_kept_graphs(x):
    t = Tensor(x)
    y = np.sum(t * t * t)
    y.backward(create_graph=True)
    gradient, t.grad = t.grad, None
    np.sum(gradient).backward()


GARBAGE = {
    "backward": lambda x: np.sum(np.tanh(Tensor(x)) @ x).backward(),
    "a graph that is never used": lambda x: np.sum(np.exp(Tensor(x))),
    "retain_graph": lambda x: np.sum(np.exp(Tensor(x))).backward(retain_graph=True),
    "create_graph": of_kept_graphs,
    "grad": lambda x: grad(lambda a: np.sum(a * a))(x),
    "grad of grad": lambda x: grad(lambda a: np.sum(grad(lambda b: np.sum(b * b * b))(a)))(x),
    "value_and_grad": lambda x: value_and_grad(lambda p: np.sum(p["w"] * p["w"]))({"w": x}),
    "vjp": lambda x: vjp(np.exp, x)[1](x),
    "several outputs": lambda x: sum(np.sum(part) for part in np.split(Tensor(x), [1])).backward(),
    "a second look after a NaN": lambda x: np.sum(np.where(x > 9, np.log(Tensor(x * 0.0)), 0.0)).backward(),
    "a refused operation": of_a_refused_operation,
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_reference_counting_frees_everything(name):
    use = GARBAGE[name]
    use(np.ones(3))  # what is cached at the first use is no garbage
    assert left_by(lambda: use(np.ones(3))) == 0


@contextmanager
def shallow(levels):
    """Inside, Python's stack can grow by this many levels only."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + levels)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def test_depth_costs_no_recursion():
    with shallow(60):
        x = Tensor(np.ones(1))
        y = x
        for _ in range(20_000):
            y = np.sin(y * 1.01)
        y.backward(create_graph=True)  # the graph of the gradient is deeper still
        gradient, x.grad = x.grad, None
        assert len(topological_order([gradient._node])) > 60_000
        gradient.backward()
        del y, gradient
    assert np.isfinite(x.grad).all()


# -- a training step ---------------------------------------------------------------------------------------------------

SIZES, BATCH = (64, 32, 16, 10), 20


class Counted(np.ndarray):
    """An array that counts the ufuncs it takes part in; so does everything that is computed from it."""

    calls: ClassVar[Counter[str]] = Counter()

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if any(isinstance(x, Tensor) for x in inputs):
            return NotImplemented
        Counted.calls[ufunc.__name__] += 1
        if "out" in kwargs:
            kwargs["out"] = tuple(o.view(np.ndarray) for o in kwargs["out"])
        plain = [x.view(np.ndarray) if isinstance(x, Counted) else x for x in inputs]
        result = getattr(ufunc, method)(*plain, **kwargs)
        return result.view(Counted) if isinstance(result, np.ndarray) else result


@pytest.fixture
def training(rng):
    """A multilayer perceptron as in the digits example, its loss, its optimizer and a batch."""
    layers = []
    for sizes in itertools.pairwise(SIZES):
        layers += [nn.Linear(*sizes, rng=rng), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    x = rng.standard_normal((BATCH, SIZES[0]), dtype=np.float32)
    labels = rng.integers(0, SIZES[-1], BATCH)
    return model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.1), x, labels


def step(model, criterion, optimizer, x, labels):
    loss = criterion(model(x), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def test_a_training_step_leaves_no_garbage(training):
    step(*training)
    assert left_by(lambda: step(*training)) == 0


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_nor_does_one_with_another_optimizer(name, training):
    model, criterion, _, x, labels = training
    optimizer = getattr(nn.optim, name)(model.parameters(), lr=0.01)
    step(model, criterion, optimizer, x, labels)
    assert left_by(lambda: step(model, criterion, optimizer, x, labels)) == 0


def test_a_training_step_records_one_node_an_operation(training):
    model, criterion, _, x, labels = training
    outputs = model(x)
    assert Counter(node.primitive.name for node in recorded(outputs)) == {"matmul": 3, "add": 3, "relu": 2}
    loss = criterion(outputs, labels)
    assert len(recorded(loss)) - len(recorded(outputs)) <= 3  # the loss of each row, and their mean
    leaves = [node for node in topological_order([loss._node]) if is_variable(node)]
    assert {id(leaf) for leaf in leaves} == {id(p._node) for p in model.parameters()}


def test_the_network_keeps_its_inputs_its_activations_and_the_weights_behind_the_first(training):
    model, _, _, x, _ = training
    outputs = model(x)
    first, second = (BATCH * size * 4 for size in SIZES[1:3])
    weights = [p._value for p in model.parameters() if p.ndim == 2]
    arrays = kept(outputs)
    assert sorted(a.nbytes for a in arrays) == sorted([x.nbytes, first, second, *(w.nbytes for w in weights[1:])])
    assert any(a is x for a in arrays)  # and not a copy
    assert not any(a is weights[0] for a in arrays)  # it is needed for the gradient of the data alone


def test_the_loss_keeps_a_few_numbers_an_output(training):
    model, criterion, _, x, labels = training
    outputs = model(x)
    before = {id(a) for a in kept(outputs)}
    loss = criterion(outputs, labels)
    added = sum(a.nbytes for a in kept(loss) if id(a) not in before)
    assert added <= 4 * outputs._value.nbytes


def test_a_training_step_multiplies_no_matrices_in_vain(training, monkeypatch):
    model, criterion, optimizer, x, labels = training
    monkeypatch.setattr(Counted, "calls", Counter())
    for p in model.parameters():
        p.data = p.data.view(Counted)
    step(model, criterion, optimizer, x.view(Counted), labels)
    layers = len(SIZES) - 1
    assert Counted.calls["matmul"] == 3 * layers - 1  # forward, for the weights, for all inputs but the data
    # by hand: 3 biases, 2 activations, 7 for the loss, 3 for its derivative, 3 + 2 * 2 backward, 6 * 2 for the update
    by_hand = 34
    assert Counted.calls.total() - Counted.calls["matmul"] <= 1.25 * by_hand, Counted.calls
