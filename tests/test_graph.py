"""What the engine promises: order, counts, freeing, accumulation, zeros, mutation, threads."""

from __future__ import annotations

import copy
import operator
import pickle
import sys
import weakref

import numpy as np
import pytest

from autodiff import GraphError, Tensor, elementwise, grad, hessian, jacobian, no_grad, primitive, stop_gradient
from autodiff.graph import topological_order
from autodiff.primitive import Primitive, registry
from autodiff.rule import Rule
from tests.garbage import left_by

# -- order -------------------------------------------------------------------------------------------------------


def test_a_diamond_adds_both_paths_before_it_goes_on():
    x = Tensor(3.0)
    y = x * x
    z = y * y + y
    z.backward()
    assert x.grad == 4 * 3.0**3 + 2 * 3.0


def test_chained_diamonds_visit_each_node_once():
    y = Tensor(1.0)
    for _ in range(60):
        y = y + y
    order = topological_order([y._node])
    assert len(order) == len(set(order)) == 61
    position = {node: i for i, node in enumerate(order)}
    assert all(position[node] < position[parent] for node in order for parent in node.parents)
    y.backward()


def test_two_hundred_thousand_operations_run_backward_and_are_freed_without_recursion():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        x = Tensor(1.0)
        y = x
        for _ in range(200_000):  # a recursion in C would have used up any stack
            y = y + 1.0
        y.backward(retain_graph=True)
        assert x.grad == 1.0
        root = weakref.ref(y._node)
        del y
        assert root() is None
    finally:
        sys.setrecursionlimit(limit)


def test_an_iteration_is_one_operation_with_an_output_for_each_element():
    n = 20_000
    x = Tensor(np.arange(float(n)))
    total = sum(e * e for e in x)
    assert [node.primitive.name for node in topological_order([total._node]) if node.primitive].count("unstack") == 1
    total.backward()  # 20,000 contributions to 20,000 elements: only a linear sum of them ends
    np.testing.assert_array_equal(x.grad, 2 * x.data)
    rows = Tensor(np.ones((3, 2)))
    first, _, last = rows
    np.sum(first * 2 + last).backward()
    assert rows.grad.tolist() == [[2, 2], [0, 0], [1, 1]]
    np.testing.assert_array_equal(
        hessian(lambda x: sum(e * e * e for e in x))(np.arange(3.0)), np.diag([0.0, 6.0, 12.0])
    )


def test_columns_are_added_at_their_places_into_one_array(monkeypatch):
    """Of examples, too: the elements of a stack are not added as arrays that are nearly all zeros."""
    made, zeros_like = [], np.zeros_like
    monkeypatch.setattr(np, "zeros_like", lambda *a, **k: made.append(k) or zeros_like(*a, **k))

    def f(x):
        return np.stack([np.sin(x[i % 3]) * x[1:] for i in range(20)])

    x = np.array([0.5, 1.0, 2.0])
    columns = jacobian(f, mode="forward")(x)
    assert [k.get("shape") for k in made].count((20, 2)) == 1
    np.testing.assert_allclose(columns, jacobian(f, mode="reverse", vectorize=False)(x), rtol=1e-14)


def test_an_iteration_follows_the_mode_in_which_it_goes_on():
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    elements = iter(x)
    first = next(elements)
    with no_grad():
        assert not next(elements)._node.active
    (first * next(elements)).backward()
    assert x.grad.tolist() == [3.0, 0.0, 1.0]


@pytest.mark.parametrize("join", [np.stack, np.concatenate])
def test_a_wide_fan_in_is_one_contribution_each(join):
    x = Tensor(np.ones(1))
    join([x * float(i) for i in range(20_000)]).sum().backward()  # ends soon if it is linear
    assert x.grad.item() == sum(range(20_000))


def test_several_outputs_of_one_graph_share_it():
    x = Tensor([1.0, 2.0])
    shared = np.exp(x)
    np.sum(shared).backward(retain_graph=True)
    np.sum(shared * shared).backward()
    np.testing.assert_allclose(x.grad, np.exp([1.0, 2.0]) + 2 * np.exp([2.0, 4.0]), rtol=1e-15)


# -- what is kept, what is computed ------------------------------------------------------------------------------


def test_an_array_that_no_rule_asked_for_dies_with_the_users_variable():
    x = Tensor(np.ones(1000))
    middle = x + 1.0
    array = weakref.ref(middle.data)
    y = np.sum(middle * 2.0)
    del middle
    assert array() is None
    y.backward()
    assert x.grad.tolist() == [2.0] * 1000


def test_an_array_that_a_rule_asked_for_lives_until_backward():
    x = Tensor(np.ones(1000))
    middle = x + 1.0
    array = weakref.ref(middle.data)
    y = np.sum(np.square(middle))
    del middle
    assert array() is not None
    y.backward()
    assert array() is None


def test_no_cycles_are_left_behind():
    w = Tensor(np.ones((3, 2)))

    def use():
        np.mean(np.tanh(np.ones((4, 3)) @ w) ** 2).backward()
        grad(lambda v: np.sum(grad(lambda u: np.sum(u**3))(v)))(np.ones(2))

    assert left_by(use) == 0


def test_only_gradients_that_somebody_needs_are_computed():
    asked = []

    def product(a, b):
        return a * b

    product = elementwise(product, lambda g, b: asked.append("a") or g * b, lambda g, a: asked.append("b") or g * a)
    w = Tensor([2.0])
    np.sum(product(np.array([3.0]), w)).backward()
    assert asked == ["b"]
    asked.clear()
    grad(lambda v: np.sum(product(v, w)))(np.array([1.0]))
    assert asked == ["a"]


# -- freeing and accumulating ------------------------------------------------------------------------------------


def test_a_second_backward_is_an_error_that_loses_nothing():
    x = Tensor(2.0)
    y = np.exp(x) * x
    y.backward()
    kept = x.grad
    with pytest.raises(GraphError, match="retain_graph=True"):
        y.backward()
    assert x.grad == kept


def test_retain_graph_keeps_it_and_accumulates():
    x = Tensor(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 8.0


def test_gradients_of_two_variables_never_share_an_array():
    a, b = Tensor(np.ones(3)), Tensor(np.ones(3))
    seed = np.ones(3)
    (a + b).backward(seed)
    a.grad *= 5.0
    assert b.grad.tolist() == [1.0] * 3
    assert seed.tolist() == [1.0] * 3


def test_create_graph_gives_gradients_that_differentiate():
    x = Tensor(3.0)
    (x**3).backward(create_graph=True)
    first = x.grad
    assert first.item() == 27.0
    x.grad = None
    first.backward()
    assert x.grad == 18.0


def test_a_wrong_shape_from_a_rule_names_the_op_and_both_shapes():
    @primitive(lambda g, x: g)
    def total_of(x):
        return np.sum(x)

    with pytest.raises(GraphError, match=r"total_of.*'x'.*\(\).*\(3,\)"):
        total_of(Tensor(np.ones(3))).backward()


def test_a_rule_that_returns_a_number_is_an_error_not_a_gradient():
    @primitive(lambda g: 1.0)
    def same(x):
        return x * 1.0

    with pytest.raises(GraphError, match=r"same.*returned a float"):
        same(Tensor(2.0)).backward()


def test_an_elementwise_rule_with_a_wrong_shape_is_never_summed_away():
    def thing(x):
        return x * 1.0

    call = elementwise(thing, lambda g: np.stack([g, g]))
    for shape in ((3,), ()):
        with pytest.raises(GraphError, match="thing.*returned shape"):
            np.sum(call(Tensor(np.ones(shape)))).backward()

    def other(x):
        return x * 1.0

    with pytest.raises(GraphError, match="other.*returned a float"):
        elementwise(other, lambda g: 1.0)(Tensor(1.0)).backward()


def test_an_error_inside_a_rule_names_the_rule():
    def fails(g):
        raise ZeroDivisionError("no")

    def thing(x):
        return x * 1.0

    call = elementwise(thing, fails)
    with pytest.raises(ZeroDivisionError) as caught:
        call(Tensor(1.0)).backward()
    assert "thing" in caught.value.__notes__[0]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError, ZeroDivisionError])
def test_an_interrupted_backward_changes_nothing_and_can_be_made_again(interruption):
    fails = [True]

    def rule(g):
        if fails:
            raise interruption
        return g

    def thing(x):
        return x * 1.0

    a, b = Tensor(np.ones(2)), Tensor(np.ones(2))
    a.grad = np.full(2, 5.0)
    loss = np.sum(elementwise(thing, rule)(a) * b + b)
    errors = np.geterr()
    with pytest.raises(interruption):
        loss.backward()
    assert a.grad.tolist() == [5.0, 5.0]
    assert b.grad is None
    assert np.geterr() == errors
    assert (a * a)._node.active
    fails.clear()
    loss.backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([6.0, 6.0], [2.0, 2.0])


def test_a_rule_that_asks_for_an_unknown_name_is_refused_when_registered():
    def thing(x):
        return x

    with pytest.raises(TypeError, match=r"asks for 'z'.*can ask for x, y"):
        elementwise(thing, lambda g, z: g * z)
    with pytest.raises(TypeError, match="'g' first"):
        elementwise(thing, lambda x: x)
    with pytest.raises(TypeError, match="rules"):
        elementwise(np.add, lambda g: g, lambda g: g, lambda g: g)


# -- constants -------------------------------------------------------------------------------------------------


def test_stop_gradient_and_detach_let_nothing_through():
    x = Tensor(3.0)
    (x * stop_gradient(x)).backward()
    assert x.grad == 3.0
    x.grad = None
    (x * x.detach()).backward()
    assert x.grad == 3.0


# -- copies ------------------------------------------------------------------------------------------------------


def test_variables_copy_and_pickle_and_results_say_why_not():
    x = Tensor(np.arange(3.0, dtype=np.float32))
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        np.testing.assert_array_equal(twin.data, x.data)
        assert twin.dtype == np.float32
        assert twin.data is not x.data
    with pytest.raises(TypeError, match=r"t\.data"):
        copy.deepcopy(x * 2.0)


def test_a_sum_of_many_contributions_is_one_array_and_nobody_elses():
    a, b = Tensor(np.ones(4)), Tensor(np.ones(4))
    seed = np.ones(4)
    (a + b + a + a + b).backward(seed)
    assert a.grad.tolist() == [3.0] * 4
    assert b.grad.tolist() == [2.0] * 4
    assert seed.tolist() == [1.0] * 4
    x = Tensor(np.ones(2))
    total = x
    for _ in range(5):
        total = total + x
    total.backward(np.array([1.0, 2.0]), create_graph=True)
    assert x.grad.tolist() == [6.0, 12.0]


@pytest.mark.parametrize(
    ("function", "wants", "form"),
    [
        (lambda g: g, (), "same"),
        (lambda g, y: g, (1,), "same"),
        (lambda g, b: g * b, (1,), "slope"),
        (lambda g, b: b * g, (1,), None),
        (lambda g, a, b: g * a, (0, 1), None),
        (lambda *g: g, (), None),
        (lambda g: -g, (), None),
        (lambda g, b: g / b, (1,), None),
        (lambda g, b, c=2: g * b, (1,), "slope"),
        (np.multiply, (1,), None),
    ],
)
def test_rules_that_need_not_be_called(function, wants, form):
    rule = Rule("f", function, 0, wants)
    assert _form(rule) is form


def _form(rule):
    """What is computed in place of a rule: ``g``, or ``g * saved`` by a function of C; None if the rule is called."""
    return "same" if rule.same else "slope" if rule.apply is operator.mul else None


def test_rules_that_are_not_called_say_what_is_computed_for_them():
    forms = {"same": lambda g, slope: g, "slope": lambda g, slope: g * slope}
    rules = [rule for entry in registry.values() if isinstance(entry, Primitive) for rule in entry.rules.values()]
    found = [rule for rule in rules if rule is not None and _form(rule) is not None]
    assert {_form(rule) for rule in found} == set(forms)
    for rule in found:
        values = tuple(3.0 for _ in rule.wants)
        assert rule.function(2.0, *values) == rule.apply(2.0, rule.packed(values)) == forms[_form(rule)](2.0, 3.0)


def test_a_gradient_is_told_when_it_is_whole_and_the_pass_goes_on():
    """The order is that of the last uses, from the end; a shared variable waits for its first use."""
    a, b, c = Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), Tensor(5.0)
    told = []

    def telling(name):
        return lambda g: told.append((name, np.array(g).tolist()))

    loss = np.sum(np.tanh(np.exp(b) * a) * c + b)
    loss.backward(retain_graph=True, ready={v: telling(name) for name, v in zip("abc", (a, b, c), strict=True)})
    assert [name for name, _ in told] == ["c", "a", "b"]
    assert [value for _, value in told] == [c.grad.tolist(), a.grad.tolist(), b.grad.tolist()]
    loss.backward(ready={a: telling("a")})
    assert told[-1] == told[1]  # without what .grad held before
    c.backward(ready={c: telling("alone"), a: telling("never")})
    assert told[-1] == ("alone", 1.0)


def test_a_gradient_of_a_repeated_pass_is_told_again():
    x, told = Tensor([0.0, 4.0]), []
    np.sum(np.where(x.data > 0, np.sqrt(x), 0.0)).backward(ready={x: lambda g: told.append((type(g), g.tolist()))})
    assert np.isnan(told[0][1][0])
    assert told[1:] == [(np.ndarray, [0.0, 0.25])]


def test_what_is_told_of_gradients_is_checked_and_may_fail():
    x, y = Tensor(2.0), Tensor(3.0)
    with pytest.raises(TypeError, match="ready has a function for each"):
        (x * y).backward(ready={x * 1.0: print})
    with pytest.raises(TypeError, match="ready has a function for each"):
        (x * y).backward(ready={x: 3})
    with pytest.raises(ValueError, match="leave out create_graph"):
        (x * y).backward(ready={x: print}, create_graph=True)

    def fail(gradient):
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room") as caught:
        (x * y).backward(ready={x: fail})
    assert not getattr(caught.value, "__notes__", [])
    assert x.grad is None
    assert y.grad is None
