"""Random programs: they run anywhere, print as Python, have right gradients, and shrink to what is wrong in them."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import autodiff
from autodiff import Tensor, elementwise, vjp
from autodiff.primitive import Primitive, registry
from autodiff.testing import check_graph, gradcheck
from autodiff.testing.literals import written
from autodiff.testing.random.outline import composable
from autodiff.testing.strategies import programs
from autodiff.testing.table.samples import entry_of
from autodiff.tree import flatten
from tests.testing.planted import planted, result
from tests.testing.seeds import in_turn

# as many examples as the profile says; the verdict on a random program must not change from run to run
quick = settings(
    deadline=None, derandomize=True, database=None, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
)
few = settings(quick, max_examples=settings.default.max_examples * 2 // 5)
thorough = settings(max_examples=300, derandomize=True, deadline=None, database=None)


def together(result):
    return result if isinstance(result, tuple) else (result,)


@quick
@given(programs(max_depth=12))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_programs_have_right_gradients(program):
    report = gradcheck(program, *program.arrays)
    assert report.verdict != "wrong", f"{program!r}\n{report}"


@quick
@given(programs(max_depth=20))
def test_a_program_prints_as_python_that_makes_it_again(program):
    namespace = {"np": np, "autodiff": autodiff}
    code, call = repr(program).rsplit("\n\n", 1)
    exec(code, namespace)
    for ours, pasted in zip(together(program(*program.arrays)), together(eval(call, namespace)), strict=True):
        np.testing.assert_allclose(np.asarray(pasted), np.asarray(ours), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "value",
    [
        -np.inf, np.float32(np.nan), 0.1, complex(1, np.inf), (np.inf, [-np.nan]), np.dtype("float32"), np.float32,
        np.array([[np.nan, -np.inf, 0.1]], np.float32), np.array(np.inf), np.array([1 + 2j, complex(0, -np.inf)]),
        np.array([1e-30, 1e20, -0.0], np.float32), np.array([True]), np.zeros((0, 2), np.int32), np.array(3),
    ],
    ids=str,
)  # fmt: skip
def test_every_number_is_written_as_python(value):
    again = eval(written(value), {"np": np})
    np.testing.assert_equal(again, value)
    assert not isinstance(value, np.ndarray) or again.dtype == value.dtype


def test_a_planted_copy_is_called_as_the_function_is():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2)), rng.normal(size=(2, 2))
    for function, arguments in [
        (np.linalg.solve, (a, b)),
        (np.add, (a, b)),
        (np.sum, (a, 0)),
        (np.swapaxes, (a, 0, 1)),
    ]:
        bad = planted(registry[function], 0, result(lambda c: c * 1.01))
        here = [Tensor(arguments[0]), *arguments[1:]]
        np.testing.assert_allclose(bad.call(*here).data, function(*arguments))
        assert bad.agreed == registry[function].agreed
    assert gradcheck(np.add, a, b).verdict == "correct"  # and the operator of Tensor is still that of the table
    assert gradcheck(lambda a: a + b, a).verdict == "correct"


@quick
@given(programs(max_depth=20))
def test_a_program_is_the_same_on_tensors_and_on_any_numpy(program):
    class Other:  # what is not NumPy itself is asked for its functions by name
        def __getattr__(self, name):
            found = getattr(autodiff, name, None)
            return getattr(np, name) if found is None else found

    plain = together(program(*program.arrays))
    tensors = together(program(*map(Tensor, program.arrays)))
    for a, b, c in zip(plain, tensors, together(program.run(Other(), *program.arrays)), strict=True):
        np.testing.assert_allclose(b.data, a, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(c, a)


def test_a_library_without_a_function_is_an_error():
    program = find(programs(max_depth=1, entries=[np.tanh]), lambda p: True)
    with pytest.raises(NotImplementedError, match="has no function 'tanh'"):
        program.run(type("Nothing", (), {}), *program.arrays)


def test_programs_reach_depth_shapes_and_diamonds():
    def has(condition):
        return find(programs(max_depth=20), condition, settings=settings(thorough, phases=[Phase.generate]))

    assert has(lambda p: p.depth > 10).depth > 10
    assert len(has(lambda p: len(p.arrays) >= 3).arrays) >= 3
    has(lambda p: any(len({o.value for o in s.operands}) < len(s.operands) for s in p.steps))  # a diamond
    families = {"sum", "matmul", "getitem", "reshape", "concatenate", "where", "sort", "cumsum", "solve", "transpose"}
    assert families <= {entry.name for entry in composable()}


def gradients(program):
    """Of a weighted sum of everything that a program returns."""
    results, pull = vjp(lambda arrays: program(*arrays), list(program.arrays))
    leaves, unflatten = flatten(results)
    rng = np.random.default_rng(5)
    (found,) = pull(unflatten([rng.uniform(0.5, 1.0, np.shape(v)).astype(np.result_type(v)) for v in leaves]))
    return np.concatenate([np.ravel(part) for part in found])


@few
@given(programs(max_depth=12), st.randoms(use_true_random=False))
def test_a_wrong_rule_somewhere_in_a_program_is_never_correct(program, random):
    rules = [
        (i, position)
        for i, step in enumerate(program.steps)
        if isinstance(step.entry, Primitive)
        for position, rule in step.entry.rules.items()
        if rule is not None
    ]
    if not rules:
        return
    i, position = random.choice(rules)
    factor = random.choice([1.02, 1.5, -1.0])
    step = program.steps[i]
    bad = replace(step, entry=planted(step.entry, position, result(lambda c: c * factor)))
    spoiled = replace(program, steps=(*program.steps[:i], bad, *program.steps[i + 1 :]))
    right, wrong = gradients(program), gradients(spoiled)
    matters = np.abs(right) > 1e-6 * max(1.0, np.max(np.abs(right), initial=0.0))
    if np.any(np.abs(wrong - right)[matters] > 0.015 * np.abs(right[matters])):
        report = gradcheck(spoiled, *spoiled.arrays)
        # a value between the slopes of a kink is right
        assert report.verdict != "correct" or report.kinks, (
            f"{step.entry.name}, argument {position}, times {factor}\n{report}"
        )


def by_the_verdict(program, bad, right):
    return gradcheck(program, *program.arrays).verdict == "wrong"


def by_the_gradient(program, bad, right):
    """The same at a hundredth of the cost: the gradient is not that of the right rule."""
    steps = [replace(step, entry=right) if step.entry is bad else step for step in program.steps]
    return not np.allclose(gradients(program), gradients(replace(program, steps=tuple(steps))), rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("function", in_turn([np.sin, np.sum, np.linalg.inv, np.cumsum, np.sort, np.transpose], 0, 2))
def test_a_wrong_rule_shrinks_to_a_program_of_one_step(function):
    right = registry[function]
    bad = planted(right, 0, result(lambda c: c * 1.01))
    is_wrong = by_the_verdict if function is np.sin else by_the_gradient
    program = find(
        programs(max_depth=4, entries=[np.add, np.exp, np.mean, np.reshape, np.concatenate, np.matmul, bad]),
        lambda p: any(step.entry is bad for step in p.steps) and is_wrong(p, bad, right),
        settings=thorough,
        random=random.Random(1),
    )
    assert [step.entry for step in program.steps] == [bad]
    assert max(a.size for a in program.arrays) == 1
    assert gradcheck(program, *program.arrays).verdict == "wrong"
    assert check_graph(program, *program.arrays).function.startswith(bad.name)


def test_a_sign_error_in_broadcasting_shrinks_to_the_smallest_shapes():
    """The classical one: right as long as nothing is broadcast."""
    product = elementwise(
        lambda a, b: a * b,
        lambda g, b, a_shape, y_shape: g * b if a_shape == y_shape else -g * b,
        lambda g, a, b_shape, y_shape: g * a if b_shape == y_shape else -g * a,
        parameters=("a", "b"), name="product",
    )  # fmt: skip
    bad, right = entry_of(product), registry[np.multiply]
    program = find(
        programs(max_depth=3, entries=[np.add, np.exp, product]),
        lambda p: any(step.entry is bad for step in p.steps) and by_the_gradient(p, bad, right),
        settings=thorough,
    )
    assert program.names == ["product"]
    assert gradcheck(program, *program.arrays).verdict == "wrong"
    assert sorted(a.shape for a in program.arrays) in ([(), (1,)], [(), (2,)], [(1,), (2,)])
    assert len(repr(program)) < 120


def test_programs_at_kinks_are_drawn_when_asked_for():
    program = find(programs(entries=[np.absolute], at_kinks=True), lambda p: 0.0 in p.arrays[0], settings=thorough)
    assert gradcheck(program, *program.arrays).kinks


@pytest.mark.parametrize(
    ("options", "says"),
    [({"max_depth": 0}, "at least 1"), ({"entries": []}, "is empty"), ({"entries": [len]}, "is not registered")],
)
def test_wrong_options_are_refused(options, says):
    with pytest.raises((ValueError, KeyError), match=says):
        find(programs(**options), lambda p: True)
