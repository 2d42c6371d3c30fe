"""The strategies: what they draw is legal, and failures shrink to something one can read."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, reject, settings
from hypothesis import strategies as st

from autodiff import Tensor, elementwise
from autodiff.primitive import Domain, Primitive, registry
from autodiff.testing import GradientError, gradcheck
from autodiff.testing.property import check_entry, gradient_property
from autodiff.testing.strategies import LAYOUTS, arguments, axes, decimals, dtypes, entries, indices, shapes, tensors
from tests.testing.planted import planted, result

# as many examples as the profile says; the verdict on a random call must not change from run to run
quick = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@quick
@given(tensors(dtype=dtypes(), domain=Domain(0.0, 2.0, (1.0,)), layouts=LAYOUTS))
def test_values_are_short_decimals_inside_of_the_domain(x):
    assert x.dtype in (np.float32, np.float64)
    assert np.all((x > 0) & (x < 2) & (x != 1))
    assert np.array_equal(np.round(x.astype(float), 2).astype(x.dtype), x)


def test_kinks_are_drawn_when_asked_for():
    assert find(decimals(Domain(-1.0, 1.0, (0.0,)), at_kinks=True), lambda v: v == 0.0) == 0.0


@quick
@given(st.data())
def test_indices_and_axes_are_legal(data):
    x = data.draw(tensors(shapes(min_dims=1, min_side=1)))
    index = data.draw(indices(x.shape))
    assert np.array_equal(Tensor(x)[index].data, x[index])
    axis = data.draw(axes(x.ndim))
    assert np.array_equal(np.sum(Tensor(x), axis=axis).data, np.sum(x, axis=axis))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(quick, phases=[Phase.generate])
@given(entries().flatmap(arguments))
def test_every_entry_is_right_at_drawn_arguments(call):
    try:
        report = gradcheck(call, *call.arrays)
    except np.linalg.LinAlgError:
        reject()
    assert report.verdict != "wrong", f"{call!r}\n{report}"


@quick
@given(entries().flatmap(lambda e: arguments(e, at_kinks=True)))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_elementwise_entries_at_their_kinks(call):
    if isinstance(call.entry, Primitive) and call.entry.elementwise and len(call.entry.parameters) == 1:
        assert gradcheck(call, *call.arrays).verdict != "wrong", repr(call)


def forgets_to_unbroadcast(contribution):
    """Wrong where an argument was repeated: as if the engine took the first row alone."""
    return -contribution if contribution.ndim and contribution.shape[-1] > 1 else contribution


def test_a_fault_in_broadcasting_shrinks_to_the_smallest_shapes():
    entry = planted(registry[np.multiply], 0, result(forgets_to_unbroadcast))
    call = find(
        arguments(entry),
        lambda c: c.arrays[0].shape != c.arrays[1].shape and gradcheck(c, *c.arrays).verdict == "wrong",
        settings=settings(max_examples=500, derandomize=True, deadline=None, database=None),
    )
    assert sorted(a.shape for a in call.arrays) in ([(), (2,)], [(1,), (2,)])
    assert len(repr(call)) < 80


def test_gradient_property():
    @gradient_property((2, 3), x=(3,), max_examples=5)
    def right(w, x):
        return np.tanh(w @ x)

    right()
    bad = elementwise(lambda x: x * x, lambda g, x: g * x, parameters=("x",), name="square_without_two")

    @gradient_property((2,), max_examples=30)
    def wrong(x):
        return bad(x)

    with pytest.raises(GradientError, match="analytic"):
        wrong()
    with pytest.raises(TypeError, match="no shape is known for 'b'"):
        gradient_property((2,))(lambda a, b: a)()
    with pytest.raises(TypeError, match="2 shapes given"):
        gradient_property((2,), (3,))(lambda a: a)
    with pytest.raises(TypeError, match="but c given"):
        gradient_property((2,), c=(3,))(lambda a: a)


def test_gradient_property_says_what_failed_and_why_nothing_could_be_said():
    bad = elementwise(lambda x: x * x, lambda g, x: g * x, parameters=("x",), name="square_without_two")

    @gradient_property((2,), max_examples=30)
    def energy(x, scale=0.5):
        return np.sum(bad(x)) * scale

    with pytest.raises(GradientError) as caught:
        energy()
    notes = "\n".join(caught.value.__notes__)
    assert "energy(" in notes
    assert "x=array([0.  , 0.01])" in notes or "x=array([0.01, 0.  ])" in notes

    @gradient_property((2,), max_examples=5)
    def drops(x):
        return x * np.random.default_rng().random()

    with pytest.raises(GradientError, match="not deterministic"):
        drops()


def test_one_line_tests_a_primitive_of_ones_own():
    f = elementwise(lambda x: x**3, lambda g, x: g * 3 * x * x, parameters=("x",), name="cube")
    check_entry(f, max_examples=10)
    with pytest.raises(GradientError):
        check_entry(elementwise(lambda x: x**3, lambda g, x: g * 2 * x, parameters=("x",), name="not_cube"))
    with pytest.raises(KeyError, match="not registered"):
        check_entry(len)


def test_hypothesis_is_imported_on_demand():
    code = "import sys, autodiff, autodiff.testing; print('hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_failing_property_of_a_lambda_has_a_report():
    bad = elementwise(lambda x: np.sin(x), lambda g, x: 2.0 * g * np.cos(x), parameters=("x",), name="bad_lambda")
    with pytest.raises(GradientError, match="wrong"):
        gradient_property((2,))(lambda x: bad(x))()
