"""Random programs: they run anywhere, print as Python, have right gradients, and shrink to what is wrong in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

import autodiff
from autodiff import Tensor, elementwise
from autodiff.primitive import registry
from autodiff.testing import check_graph, gradcheck
from autodiff.testing.composing import composable
from autodiff.testing.strategies import programs
from tests.testing.planted import planted, result

quick = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
thorough = settings(max_examples=300, derandomize=True, deadline=None, database=None)


@pytest.fixture(autouse=True)
def leave_the_table_as_it_was():
    before = dict(registry)
    yield
    for function in set(registry) - set(before):
        del registry[function]


def together(result):
    return result if isinstance(result, tuple) else (result,)


@settings(quick, max_examples=60)
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

    assert has(lambda p: p.depth > 12).depth > 12
    assert len(has(lambda p: len(p.arrays) >= 3).arrays) >= 3
    has(lambda p: any(len({o.value for o in s.operands}) < len(s.operands) for s in p.steps))  # a diamond
    families = {"sum", "matmul", "getitem", "reshape", "concatenate", "where", "sort", "cumsum", "solve", "transpose"}
    assert families <= {entry.name for entry in composable()}


@pytest.mark.parametrize(
    ("function", "size"),
    [(np.sin, 1), (np.sum, 1), (np.cumsum, 1), (np.sort, 1), (np.transpose, 1), (np.linalg.inv, 1)],
)
def test_a_wrong_rule_shrinks_to_a_program_of_one_step(function, size):
    bad = planted(registry[function], 0, result(lambda c: c * 1.01))
    table = [np.add, np.exp, np.mean, np.reshape, np.concatenate, np.matmul, bad]
    program = find(
        programs(max_depth=6, entries=table),
        lambda p: any(s.entry is bad for s in p.steps) and gradcheck(p, *p.arrays).verdict == "wrong",
        settings=thorough,
    )
    assert [step.entry for step in program.steps] == [bad]
    assert max(a.size for a in program.arrays) <= size
    assert check_graph(program, *program.arrays).function.startswith(bad.name)


def test_a_sign_error_in_broadcasting_shrinks_to_the_smallest_shapes():
    """The classical one: right as long as nothing is broadcast."""
    product = elementwise(
        lambda a, b: a * b,
        lambda g, b, a_shape, y_shape: g * b if a_shape == y_shape else -g * b,
        lambda g, a, b_shape, y_shape: g * a if b_shape == y_shape else -g * a,
        parameters=("a", "b"), name="product",
    )  # fmt: skip
    program = find(
        programs(max_depth=3, entries=[np.add, np.exp, product]),
        lambda p: gradcheck(p, *p.arrays).verdict == "wrong",
        settings=thorough,
    )
    assert program.names in (["product"], ["add", "product"])  # the other operand may stay a sum
    assert max(a.size for a in program.arrays) <= 2
    assert len(repr(program)) < 160


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
