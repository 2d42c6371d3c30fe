"""Registering, and registering anew: each way to call an operation means the line that the table has now."""

from __future__ import annotations

import copy
import functools

import numpy as np
import pytest

import autodiff
from autodiff import BatchingError, Tensor, composite, elementwise, grad, gufunc, no_grad, primitive, vmap
from autodiff.convention import Signature, spellings
from autodiff.dispatch import enter, methods, restored
from autodiff.primitive import Composite, Primitive, registry
from autodiff.scipy import load
from autodiff.scipy.compiled import ndarrays_only
from autodiff.testing import detect_anomaly
from autodiff.ufuncs import accumulations, reductions
from docs.__main__ import spelled
from tests.blocks import of_each
from tests.differences import calls, outputs

load()  # all that can be in the table
ENTRIES = list(registry.values())
ELEMENTWISE = [e for e in ENTRIES if isinstance(e, Primitive) and e.elementwise and not e.flat]
OWN = sorted(name for name in dir(Tensor) if name not in methods and hasattr(Tensor, name))
"""What a Tensor has and the table did not give it."""


def put_back(test):
    """Each member of a block leaves the table as it was, as each test does."""

    @functools.wraps(test)
    def run(**given):
        with restored():
            test(**given)

    return run


def counting(function, seen):
    """The same function, that notes each call."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        seen.append(args)
        return function(*args, **kwargs)

    return call


def again(entry, seen):
    """The line once more, in the place of the old one; it notes each computation in ``seen``."""
    if isinstance(entry, Primitive) and entry.elementwise:
        elementwise(
            entry.function, *entry.formulas.values(), parameters=entry.parameters, name=entry.name,
            domain=entry.domain, examples=entry.examples, forward=counting(entry.forward, seen), replace=True,
        )  # fmt: skip
        return registry[entry.function]
    new = copy.copy(entry)
    new.method = None
    if isinstance(new, Primitive):
        new.forward = counting(entry.forward, seen)
    else:
        new.definition = counting(entry.definition, seen)
    enter(new, replace=True)
    return new


def tensors(arrays):
    """Tensors of the arrays; booleans where an operation knows nothing else."""
    return [Tensor(a) for a in arrays], [Tensor(a) > 0 for a in arrays]


def doors(entry):
    """The names on Tensor that mean an entry."""
    signed = {name: getattr(value, "__signature__", None) for name, value in vars(Tensor).items()}
    return {n for n, signature in signed.items() if type(signature) is Signature and signature.entry is entry}


def ways(entry, call):
    """All ways to make a call: the function, and the methods and operators of the first argument."""
    yield call.with_call(entry.function if isinstance(entry.function, np.ufunc) else entry.call)
    if not isinstance(entry.function, np.ufunc) and entry.function.__module__.startswith("numpy"):
        yield call.with_call(entry.function)
    if call.positions and call.positions[0] == 0:
        for name in doors(entry):
            yield call.with_call(lambda a, *rest, name=name, **kw: getattr(a, name)(*rest, **kw))
            if f"__r{name[2:]}" in vars(Tensor):
                yield call.with_call(lambda a, b, name=name: getattr(b, f"__r{name[2:]}")(a))


@of_each("entry", ENTRIES)
def test_every_way_to_call_an_operation_means_the_line_that_replaced_another(entry, rng):
    before, names = dict(vars(Tensor)), doors(entry)
    with restored():
        seen = []
        new = again(entry, seen)
        assert registry[entry.function] is new
        assert new.method == entry.method
        assert doors(new) == names
        assert not doors(entry)
        for call in calls(entry):
            for way in ways(new, call):
                for given in tensors(call.arrays(rng)):
                    seen.clear()
                    try:
                        way(*given)
                    except TypeError:
                        continue
                    assert seen
                    break
                else:
                    pytest.fail("neither numbers nor booleans are taken")
    assert registry[entry.function] is entry
    assert doors(entry) == names
    after = vars(Tensor)
    assert after.keys() == before.keys()
    assert [n for n in before if after[n] is not before[n] and not n.startswith("__r")] == []


@of_each("entry", ENTRIES)
@put_back
def test_a_mapping_computes_the_line_that_replaced_another(entry, rng):
    seen = []
    new = again(entry, seen)
    # SciPy's functions know nothing of the table, though some of them run on any array
    theirs = isinstance(entry.function, np.ufunc) or entry.function.__module__.startswith("numpy")
    function = new.function if theirs and entry.function not in ndarrays_only else new.call
    for call in calls(entry):
        arrays = call.arrays(rng)
        if not arrays:
            continue
        seen.clear()
        try:
            vmap(call.with_call(function))(*[np.stack([a, a]) for a in arrays])
        except (BatchingError, TypeError):
            continue
        if all(a.dtype.kind in "fc" for a in arrays):
            assert seen


def test_a_ufuncs_other_methods_mean_the_line_that_replaced_another():
    x = Tensor([1.0, 2.0])
    folding = {"reduce": reductions, "accumulate": accumulations}
    made = [(getattr(u, kind), getattr(u, kind)(x)._node.primitive) for kind, known in folding.items() for u in known]
    assert len(made) > 6
    for fold, used in made:
        line = registry.get(used.function)
        if line is used:
            seen = []
            new = again(line, seen)
            assert fold(x)._node.primitive is new
            assert seen


@of_each("entry", ELEMENTWISE)
@put_back
def test_what_was_recorded_keeps_the_rules_that_it_was_recorded_with(entry, rng):
    call = next(iter(calls(entry)))
    arrays = call.arrays(rng)

    def made():
        given = [Tensor(a) for a in arrays]
        return given, np.sum(call.with_call(entry.call)(*given))

    (first, early), (second, late) = made(), made()
    early.backward()
    rules = [rule and (lambda g: 0.0 * g) for rule in entry.formulas.values()]
    elementwise(entry.function, *rules, parameters=entry.parameters, forward=entry.forward, replace=True)
    late.backward()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.grad, other.grad)
    fresh = [Tensor(a) for a in arrays]
    np.sum(call.with_call(registry[entry.function].call)(*fresh)).backward()
    assert all(t.grad is None or not np.any(t.grad) for t in fresh)


@of_each("entry", ENTRIES)
def test_a_second_registration_is_refused_and_changes_nothing(entry):
    before, given = dict(registry), dict(vars(Tensor))
    for function in {entry.function, entry.call}:
        if isinstance(entry, Composite) and function is entry.call:
            continue
        with pytest.raises(ValueError, match=f"^{entry.name}: is registered already; write replace=True"):
            primitive(lambda g: g, implements=function)(lambda x: x)
    assert (dict(registry), dict(vars(Tensor))) == (before, given)


def test_every_verb_refuses_and_replaces():
    def own(a, b):
        return a * b

    one = [example_of_two()]
    verbs = [
        lambda **kw: elementwise(own, lambda g, b: g * b, lambda g, a: g * a, **kw),
        lambda **kw: gufunc(own, lambda g, b: g * b, lambda g, a: g * a, signature="(),()->()", examples=one, **kw),
        lambda **kw: primitive(lambda g, b: g * b, implements=own, **kw)(lambda a, b: a * b),
        lambda **kw: composite(own, **kw)(lambda a, b: a * b),
    ]
    verbs[0]()
    for verb in verbs:
        old = registry[own]
        with pytest.raises(ValueError, match="replace=True"):
            verb()
        assert registry[own] is old
        verb(replace=True)
        assert registry[own] is not old
        assert Tensor.own is registry[own].call
        assert (Tensor(2.0).own(3.0)).item() == 6.0


def example_of_two():
    return autodiff.example(autodiff.sample(), autodiff.sample())


def test_the_callable_of_a_registration_stands_for_its_function():
    doubled = elementwise(autodiff.relu, lambda g, y: 2.0 * g * (y > 0), replace=True)
    assert grad(doubled)(3.0) == grad(lambda x: x.relu())(3.0) == 2.0
    assert grad(autodiff.relu)(3.0) == 1.0  # it was made before
    assert len([e for e in registry.values() if e.name == "relu"]) == 1


@pytest.mark.parametrize("rule", [lambda g, y: g * y, lambda g, y_shape: g])
def test_a_rule_that_asks_for_y_of_a_function_of_y_is_refused(rule):
    with pytest.raises(TypeError, match=r"product: the rule for 'x' asks for 'y.*of the output, or of the parameter"):

        @primitive(rule, None)
        def product(x, y):
            return x * y


def test_a_registration_that_fails_changes_nothing():
    before, given = dict(registry), dict(vars(Tensor))
    with pytest.raises(TypeError, match="asks for"):
        elementwise(np.tanh, lambda g, nothing: g, replace=True)
    with pytest.raises(ValueError, match="method 'data'"):
        elementwise(np.tanh, lambda g: g, method="data", replace=True)
    assert (dict(registry), dict(vars(Tensor))) == (before, given)


# -- names -------------------------------------------------------------------------------------------------------


def function_called(name):
    namespace = {"__name__": __name__}
    exec(f"def {name}(x):\n    return x * 1.0", namespace)
    return namespace[name]


@of_each("name", [n for n in [*OWN, *methods] if n.isidentifier()])
@put_back
def test_an_operation_takes_no_name_that_means_something_else(name):
    before = dict(vars(Tensor))
    called = elementwise(function_called(name), lambda g: 3.0 * g)
    assert grad(called)(1.0) == 3.0
    assert dict(vars(Tensor)) == before
    with pytest.raises(ValueError, match=f"method '{name}'"):
        elementwise(function_called("something"), lambda g: g, method=name)
    assert dict(vars(Tensor)) == before


def test_tensors_own_attributes_are_among_these():
    assert {"item", "data", "grad", "shape", "backward", "at", "T", "reshape", "tolist", "numpy"} & set(OWN) >= {
        "item", "data", "grad", "shape", "backward", "at", "T", "reshape", "tolist",
    }  # fmt: skip


def test_a_function_that_is_defined_again_takes_its_method_over():
    elementwise(function_called("twice"), lambda g: g)
    elementwise(function_called("twice"), lambda g: 2.0 * g)
    assert grad(lambda x: x.twice())(1.0) == 2.0
    assert [e.method for e in registry.values() if e.name == "twice"] == [None, "twice"]


def test_a_name_that_a_tensor_is_told_to_lack_is_free_and_comes_back():
    own = function_called("unsqueeze")
    with restored():
        elementwise(own, lambda g: 5.0 * g)
        assert grad(lambda x: x.unsqueeze())(1.0) == 5.0
    with pytest.raises(AttributeError, match=r"expand_dims|None"):
        Tensor(1.0).unsqueeze()


def test_an_operation_without_a_method_leaves_none_behind():
    own = function_called("own")
    elementwise(own, lambda g: g)
    elementwise(own, lambda g: g, method="", replace=True)
    assert not hasattr(Tensor, "own")
    assert "own" not in methods


def test_what_is_internal_is_no_method():
    shown = {name: spelled(entry) for name, entry in methods.items() if not name.startswith("__")}
    assert [name for name, function in shown.items() if function.endswith("internal")] == []


# -- the ways in which NumPy lets us call a function, whatever its line is ----------------------------------------


def test_functions_are_called_in_all_of_numpys_ways_after_a_replacement():
    a, b = Tensor(np.ones((2, 3))), Tensor(np.arange(3.0))
    for function in spellings:
        again(registry[function], [])
    np.testing.assert_array_equal(np.where(a > 0)[1], np.nonzero(np.ones((2, 3)))[1])
    np.testing.assert_array_equal(np.einsum(a, [0, 1], b, [1]).data, np.einsum("ij,j", a, b).data)
    with pytest.raises(TypeError, match="where: takes no keyword"):
        registry[np.where].call(a > 0, a, b, out=None)


# -- composites that look at values -------------------------------------------------------------------------------


def positive_part():
    """A composite that decides by the value, as no array of many examples can."""

    def part(x):
        raise NotImplementedError

    @composite(part)
    def decided(x):
        return x * x if x > 0 else 0.0 * x

    return registry[part].call


@pytest.mark.parametrize("inside", [None, no_grad, detect_anomaly])
@pytest.mark.parametrize("around", [None, no_grad, detect_anomaly])
def test_a_composite_that_decides_by_values_is_mapped_example_by_example(inside, around):
    part, xs = positive_part(), np.array([-1.0, 2.0, 3.0])

    def f(x):
        if inside is None:
            return part(x)
        with inside():
            return part(x)

    def mapped():
        return outputs(vmap(f)(xs))[0], vmap(grad(f))(xs) if inside is not no_grad else None

    if around is None:
        values, slopes = mapped()
    else:
        with around():
            values, slopes = mapped()
    np.testing.assert_array_equal(values, [0.0, 4.0, 9.0])
    if slopes is not None:
        np.testing.assert_array_equal(slopes, [0.0, 4.0, 6.0])


def test_an_outer_variable_of_such_a_composite_is_counted_once_an_example():
    part = positive_part()
    xs = np.array([-1.0, 2.0, 3.0])
    found = grad(lambda w: np.sum(vmap(lambda x: part(w * x))(xs)))(2.0)
    np.testing.assert_allclose(found, sum(2 * 2.0 * x * x for x in xs if x > 0))
