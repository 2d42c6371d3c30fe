"""gradcheck: what it says of functions right and wrong, at kinks, and of those it cannot check."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from autodiff import Tensor, elementwise, grad, relu, stop_gradient
from autodiff.testing import GradientError, Report, assert_gradcheck, gradcheck


def wrong_at(factor, name="wrong"):
    """sin with a derivative that is ``factor(x)`` times too large."""
    return elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * factor(x), parameters=("x",), name=name)


# -- no false alarms ---------------------------------------------------------------------------------------------


def test_many_seeds(rng):
    x = rng.standard_normal((3, 4))
    assert all(gradcheck(lambda x: np.sum(np.tanh(x @ x.T)), x, rng=seed).correct for seed in range(50))


def test_a_network_with_kinks_inside(rng):
    w, v, x = rng.standard_normal((5, 40)), rng.standard_normal((40, 3)), rng.standard_normal((30, 5))
    assert_gradcheck(lambda p: np.sum(np.square(relu(x @ p["w"]) @ p["v"])), {"w": w, "v": v})


def test_orders():
    assert gradcheck(lambda x, y: np.sum(np.exp(x * y)), np.array([0.5, 1.0]), 0.3, order=3).correct


def test_second_order_fault():
    def forward(x):
        return x * x * x

    # the first derivative is right; the second is not, because the rule hides half of it from the graph
    f = elementwise(
        forward, lambda g, x: g * (1.5 * x * x + 1.5 * stop_gradient(x * x)), parameters=("x",), name="cube"
    )
    assert gradcheck(f, Tensor([1.0, 2.0])).correct
    report = gradcheck(f, Tensor([1.0, 2.0]), order=2)
    assert (report.verdict, report.order) == ("wrong", 2)


# -- no missed faults --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduce", [np.positive, np.sum, np.mean], ids=lambda f: f.__name__)
def test_one_element_of_a_hundred_thousand(reduce, dtype, rng):
    factors = np.ones(100_000)
    factors[76_543] = 1.01
    f = wrong_at(lambda x: factors.astype(x.dtype))
    report = gradcheck(lambda x: reduce(f(x)), rng.uniform(0.5, 1.0, 100_000).astype(dtype))
    assert (report.verdict, report.index) == ("wrong", (76_543,))
    assert report.analytic / report.numeric == pytest.approx(1.01, rel=1e-4)


def test_a_small_argument_beside_a_large_one(rng):
    bad = wrong_at(lambda x: 1.01)
    report = gradcheck(
        lambda a, b: np.sum(a * a) + np.sum(bad(b)) * 1e-6, rng.standard_normal(1000), rng.standard_normal(4)
    )
    assert (report.verdict, report.argument) == ("wrong", "b")


def test_a_gradient_that_is_wrong_in_float32_alone():
    f = elementwise(
        lambda x: np.sin(x),
        lambda g, x: g * np.cos(x) * (1.01 if x.dtype == np.float32 else 1.0),
        parameters=("x",),
        name="f",
    )
    assert gradcheck(f, np.array([0.5, 1.0])).correct
    report = gradcheck(f, np.array([0.5, 1.0], np.float32))
    assert report.verdict == "wrong"
    assert "float32" in report.reason


def test_the_complex_step_sees_fourteen_digits():
    report = gradcheck(np.sin, np.array([0.5, 1.0]))
    assert report.method == "the complex step"
    assert report.bound < 1e-14
    assert gradcheck(wrong_at(lambda x: 1 + 1e-12), np.array([0.5, 1.0])).verdict == "wrong"


def test_the_complex_step_is_not_believed_where_it_lies():
    # |x|^2 is smooth on the real line, and its complex step gives 0: abs forgets the imaginary part
    report = gradcheck(lambda x: np.abs(x) * np.abs(x), np.array([0.5, 1.0]))
    assert report.correct
    assert report.method != "the complex step"


def test_a_gradient_of_ones_own():
    assert gradcheck(lambda x: np.sum(x**3), np.array([1.0, 2.0]), gradient=lambda x: 3 * x**2).correct
    report = gradcheck(lambda w, b: np.sum(w**2) + b, np.ones(2), 1.0, gradient=lambda w, b: (2 * w, 2.0))
    assert (report.verdict, report.argument) == ("wrong", "b")


def test_a_gradient_that_is_not_finite():
    f = elementwise(lambda x: x * x, lambda g, x: g * 2 * x / (x - 1.0) * (x - 1.0), parameters=("x",), name="f")
    report = gradcheck(f, np.array([0.5, 1.0]))
    assert (report.verdict, report.index) == ("wrong", (1,))
    assert "not finite" in report.reason


def test_nested_arguments_are_named():
    bad = wrong_at(lambda x: -1.0)
    report = gradcheck(lambda p: np.sum(p["layers"][0] + bad(p["layers"][1])), {"layers": [np.ones(2), np.ones(2)]})
    assert report.argument == "p['layers'][1]"
    assert report.reason == "the sign is wrong"


# -- complex numbers ---------------------------------------------------------------------------------------------

Z = np.array([0.5 + 0.25j, -1.0 + 0.7j])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda z: np.sum(np.abs(z) ** 2), (Z,)),
        (np.exp, (Z,)),
        (np.exp, (Z.astype(np.complex64),)),
        (lambda z: np.real(z * z), (Z,)),
        (lambda z: z * np.conj(z), (Z,)),
        (lambda z, x: np.abs(z * x), (Z, np.array([0.5, 2.0]))),
        (lambda p: p["z"] * p["x"], ({"z": Z, "x": 1.5},)),
        (lambda x: np.exp(1j * x), (np.array([0.5, 1.0]),)),
        (lambda z: z * z, (1 + 2j,)),
        (lambda z: z * z, (np.complex128(1 + 2j),)),
        (np.fft.fft, (Z,)),
        (np.exp, (np.zeros(0, complex),)),
    ],
)
def test_complex_arguments(f, args, order):
    assert_gradcheck(f, *args, order=order)


@pytest.mark.parametrize("z", [Z, 1 + 2j])
@pytest.mark.parametrize("wrong", [lambda g, x: g * np.conj(2.0 * x), lambda g, x: np.real(g * 2.0 * x) + 0.0 * x])
def test_a_wrong_complex_rule(z, wrong):
    f = elementwise(lambda x: x * x, wrong, parameters=("x",), name="f")
    report = gradcheck(f, z)
    assert report.verdict == "wrong"
    assert report.argument in ("x.real", "x.imag", "args[0].real", "args[0].imag")


def test_second_derivatives_of_an_imaginary_part():
    def forward(x):
        return x * 1j * x

    f = elementwise(forward, lambda g, x: 2j * g * x + np.imag(g) * (stop_gradient(x) - x), parameters=("x",), name="f")
    assert gradcheck(f, np.array([0.5, 1.0])).correct
    assert gradcheck(f, np.array([0.5, 1.0]), order=2).verdict == "wrong"


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.interp(x, np.arange(3.0), np.array([1.0, 2.0, 0.0])),
        np.gradient,
        lambda x: np.trapezoid(x, x),
        lambda x: (x * x).astype(float),
    ],
)
def test_what_drops_imaginary_parts_is_checked_by_real_steps(f, order):
    """NumPy warns of what it drops; here warnings are errors, and none is seen."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert gradcheck(f, np.array([0.5, 1.2, 1.7]), order=order).correct
    assert not seen


# -- a gradient of zero ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [lambda x: np.gradient(x, x), lambda x: np.sin(x) ** 2 + np.cos(x) ** 2])
def test_a_gradient_that_is_zero_up_to_rounding(f):
    assert_gradcheck(f, np.array([0.5, 1.0, 1.7]))


def test_a_gradient_that_is_hidden_in_noise_is_not_called_zero():
    report = gradcheck(lambda x: 1e14 + np.sin(x) * 1e-3, np.array([0.5, 1.0]))
    assert report.verdict == "inconclusive"
    assert "noise floor" in report.reason


# -- kinks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "text"),
    [
        (relu, np.array(0.0), "0 in [0, 1]"),
        (np.abs, np.array([0.0, 1.0]), "0 in [-1, 1]"),
        (np.max, np.array([1.0, 1.0, 0.0]), "0.5 in [0, 1]"),
        (lambda x: np.clip(x, -1.0, 1.0), np.array([1.0, 0.0]), "0 in [0, 1]"),
        (lambda x: np.hypot(x, 0.0), np.array([0.0]), "0 in [-1, 1]"),
    ],
)
def test_a_value_between_the_slopes_is_correct(f, x, text):
    report = gradcheck(f, x)
    assert report.verdict == "correct", report
    assert any(text in kink for kink in report.kinks)


@pytest.mark.parametrize("value", [-0.01, 1.01, 7.0])
def test_a_value_outside_of_the_slopes_is_wrong(value):
    f = elementwise(
        lambda x: np.maximum(x, 0.0), lambda g, x: g * ((x > 0) + value * (x == 0)), parameters=("x",), name="f"
    )
    report = gradcheck(f, np.array([1.0, 0.0]))
    assert (report.verdict, report.index) == ("wrong", (1,)), report
    assert "[0, 1]" in report.reason


def test_a_fault_beside_a_kink_is_found():
    f = elementwise(
        lambda x: np.abs(x), lambda g, x: g * np.sign(x) * (1 + 0.01 * (x > 1)), parameters=("x",), name="f"
    )
    report = gradcheck(f, np.array([0.0, 0.5, 2.0]))
    assert (report.verdict, report.index) == ("wrong", (2,))


def test_an_operation_at_its_kink_inside_a_smooth_function():
    report = gradcheck(lambda x: relu(x) - relu(-x), np.zeros(2))
    assert report.verdict == "wrong"
    assert "kink of an operation inside" in report.reason


# -- before anything is measured ---------------------------------------------------------------------------------


def generator_outside():
    rng = np.random.default_rng(0)
    return lambda x: x * (rng.random(x.shape) > 0.5)


def writes(x):
    x.data[0] = 5.0
    return x * 2.0


SHARED = np.arange(4.0)
LEAF = Tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("f", "args", "message"),
    [
        (lambda a, b: a[:2] * b, (SHARED, SHARED[2:]), "share memory"),
        (lambda a, b: a * b, (LEAF, LEAF * 2.0), "was computed from"),
        (lambda x: x * 2.0, (np.broadcast_to(np.ones(1), (3,)),), "expanded view"),
        (generator_outside(), (np.ones(20),), "not deterministic"),
        (writes, (np.ones(3),), "writes into its argument"),
        (lambda x: np.argmax(x), (np.ones(3),), "no derivative"),
        (lambda x: x > 0.5, (np.ones(3),), "no derivative"),
        (lambda n: n * 2.0, (3,), "no argument holds floating-point"),
        (lambda x: x, (np.array([1.0, np.nan]),), "holds a NaN"),
        (lambda x: np.log(x), (np.array([-1.0]),), "not finite in 1 of 1"),
        (lambda x: np.sqrt(x), (np.array([0.0]),), "no finite slope"),
        (lambda x: 1e14 + np.sin(x), (np.array([1e-9]),), "noise floor"),
    ],
)
def test_what_cannot_be_checked_is_said(f, args, message):
    with np.errstate(all="ignore"):
        report = gradcheck(f, *args)
    assert report.verdict == "inconclusive", report
    assert message in report.reason


@pytest.mark.parametrize("f", [lambda x: x * x.detach(), lambda x, y=2.0: Tensor(x.data) * y])
def test_a_function_that_detaches(f):
    report = gradcheck(lambda x: f(x), np.array([1.0, 2.0]))
    assert report.verdict == "wrong"


def test_a_function_that_cuts_the_graph_is_told_so():
    assert "detached" in gradcheck(lambda x: Tensor(x.data) * 2.0, np.ones(2)).reason


def test_what_the_function_raises_comes_through():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        gradcheck(f, 1.0)


def test_nothing_to_compare():
    assert gradcheck(np.sin, np.zeros((0, 3))).correct
    assert gradcheck(np.sin, np.array(0.3)).correct


def test_arguments_are_left_alone():
    x = np.array([0.5, 1.0])
    x.flags.writeable = False
    assert gradcheck(np.exp, x).correct


# -- the report --------------------------------------------------------------------------------------------------


def broken(x):
    return wrong_at(lambda x: 1.01)(x)


def test_the_report_can_be_read():
    with pytest.raises(GradientError) as caught:
        assert_gradcheck(broken, np.array([0.5, 1.0]), rng=3)
    report = caught.value.report
    text = str(caught.value)
    assert text == str(report)
    assert len(text.splitlines()) <= 15
    for part in ("wrong", "x[", "analytic", "numeric", "1.01", "seed 3", "steps"):
        assert part in text
    plain = report.as_dict()
    assert plain["argument"] == "x"
    assert plain["seed"] == 3
    html = report._repr_html_()
    assert f"{report.analytic:.15g}" in html
    assert "<script" not in html
    assert not report


def test_html_is_escaped():
    assert "<lambda>" not in gradcheck(lambda x: x, 1.0)._repr_html_()


def test_the_code_in_the_report_reproduces_it():
    report = gradcheck(broken, np.array([0.5, 1.0]), rng=3)
    printed = []
    lines = [line for line in report.code.splitlines() if not line.startswith(f"from {broken.__module__}")]
    exec("\n".join(lines), {"print": printed.append, "broken": broken})  # the module is already here, under any name
    assert isinstance(printed[0], Report)
    assert printed[0].as_dict()["analytic"] == report.analytic


def test_the_same_seed_gives_the_same_report(rng):
    x = rng.standard_normal(20)
    assert gradcheck(np.tanh, x, rng=5).as_dict() == gradcheck(np.tanh, x, rng=5).as_dict()
    assert gradcheck(np.tanh, x, rng=np.random.default_rng(1)).correct


def test_a_tolerance_can_be_given():
    assert gradcheck(wrong_at(lambda x: 1.001), np.array([0.5, 1.0]), tolerance=0.01).correct
    assert not gradcheck(wrong_at(lambda x: 1.1), np.array([0.5, 1.0]), tolerance=0.01).correct


@pytest.mark.parametrize("seed", [3, 7, 8])  # whose first direction hardly shows the fault
def test_the_complex_step_allows_no_more_than_the_tolerance(seed):
    wrong = 1.0 + 2e-3 * np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    report = gradcheck(
        lambda x: np.sum(np.exp(x)), np.linspace(-0.5, 0.5, 6), gradient=lambda x: np.exp(x) * wrong, tolerance=1e-3,
        rng=seed,
    )  # fmt: skip
    assert report.verdict == "wrong"


def test_order_must_be_positive():
    with pytest.raises(ValueError, match="order must be 1 or more"):
        gradcheck(np.sin, 1.0, order=0)


def test_a_million_inputs(rng):
    report = gradcheck(lambda x: np.sum(np.tanh(x)), rng.standard_normal(1_000_000))
    assert report.correct, report
    assert report.evaluations < 100


def test_gradients_are_checked_and_not_recomputed():
    """The checker sees the same gradient that ``grad`` gives."""
    f = wrong_at(lambda x: 3.0)
    report = gradcheck(lambda x: np.sum(f(x)), np.array([0.5]))
    assert report.analytic == pytest.approx(grad(lambda x: np.sum(f(x)))(np.array([0.5]))[0], rel=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_complex_outputs_of_real_arguments_are_not_taken_for_an_analytic_function(size):
    """They are two real numbers each at real points, one complex number at complex ones."""
    x = np.linspace(0.5, 1.5, size)
    assert gradcheck(lambda x: np.fft.fft(np.sin(x)), x).verdict == "correct"
    wrong = gradcheck(lambda x: np.fft.fft(x * x), x, gradient=lambda x: x)
    assert wrong.verdict != "correct"


def test_a_rule_that_is_cut_from_its_cotangent_fails_in_second_order():
    def cut(x):
        return np.sin(x)

    cut = elementwise(cut, lambda g, x: getattr(g, "data", g) * np.cos(x))
    assert gradcheck(cut, 0.3).correct
    assert gradcheck(cut, 0.3, order=2).verdict == "wrong"


def test_a_gradient_of_ones_own_needs_no_tensors():
    assert gradcheck(math.sin, 1.0, gradient=math.cos).correct
    assert gradcheck(math.sin, 1.0, gradient=lambda x: 1.01 * math.cos(x)).verdict == "wrong"
    report = gradcheck(lambda z: z**2, 1 + 2j, gradient=lambda z: 2 * z)
    assert (report.verdict, "one real number" in report.reason) == ("inconclusive", True)


def test_the_code_of_a_report_has_everything_that_was_given():
    report = gradcheck(
        lambda x, s: np.sum(x[s] ** 2), np.arange(3.0), slice(0, 2), gradient=lambda x, s: x, tolerance=1e-3
    )
    assert report.verdict == "wrong"
    assert "slice(0, 2, None), rng=0, tolerance=0.001, gradient=gradient)" in report.code
