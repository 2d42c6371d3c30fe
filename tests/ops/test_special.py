"""SciPy's special functions: registered in any order of imports, smooth where they look singular, refused by name."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import autodiff
from autodiff import Tensor, grad, hessian, jacobian, vmap

special = pytest.importorskip("scipy.special")

PEOPLE_USE = """
    expit logit log_expit softplus erf erfc erfcx erfi erfinv erfcinv gammaln loggamma gamma psi digamma ndtr log_ndtr
    ndtri i0 i1 i0e i1e j0 j1 y0 y1 k0 k1 entr exp1 expi exprel expm1 log1p spence ellipk ellipe dawsn cosm1 rgamma
    cbrt exp10
""".split()  # noqa: SIM905
POINT = {"erfcinv": 0.7, "ellipk": 0.3, "ellipe": 0.3}


@pytest.mark.parametrize("first", ["scipy.special", "autodiff"])
def test_it_works_with_scipy_alone_in_either_order_of_imports(first):
    second = {"scipy.special": "autodiff", "autodiff": "scipy.special"}[first]
    code = (
        f"import sys, {first}, {second}; import numpy as np; from autodiff import Tensor, grad\n"
        "t = Tensor([0.5, 0.25]); np.sum(scipy.special.erf(t) * scipy.special.xlogy(2.0, t)).backward()\n"
        "print(*t.grad, grad(grad(lambda x: scipy.special.gammaln(x)))(0.5))\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    x = np.array([0.5, 0.25])
    slope = 2 / np.sqrt(np.pi) * np.exp(-(x**2)) * special.xlogy(2.0, x) + special.erf(x) * 2.0 / x
    np.testing.assert_allclose([float(number) for number in printed.split()], [*slope, np.pi**2 / 2], rtol=1e-12)


def test_a_ufunc_without_a_public_name_may_be_the_first_that_is_met():
    code = "import scipy.special, autodiff; print(autodiff.grad(lambda x: scipy.special.zeta(3.0, x))(2.0))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert float(printed) == pytest.approx(-3.0 * special.zeta(4.0, 2.0))


def test_scipy_is_imported_by_nobody_but_its_user():
    code = "import autodiff, sys; autodiff.grad(lambda x: x * x)(1.0); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "autodiff.ops.special" in loaded
    assert [name for name in loaded if "scipy" in name] == []


@pytest.mark.parametrize("name", PEOPLE_USE)
def test_what_people_use_to_third_order(name):
    """Against central differences, one order after the other."""
    if not hasattr(special, name):
        pytest.skip(f"this SciPy has no {name}")
    f, x, h = getattr(special, name), POINT.get(name, 0.6), 2.0**-12
    for derivative in (grad(f), grad(grad(f)), grad(grad(grad(f)))):
        coarse, fine = ((f(x + s) - f(x - s)) / (2 * s) for s in (2 * h, h))
        assert derivative(x) == pytest.approx((4 * fine - coarse) / 3, rel=1e-8, abs=1e-9)
        f = derivative
    assert grad(getattr(special, name))(np.float32(x)).dtype == np.float32
    xs = np.array([x, x / 2])
    np.testing.assert_allclose(vmap(grad(getattr(special, name)))(xs), [grad(getattr(special, name))(v) for v in xs])


@pytest.mark.parametrize("name", ["xlogy", "xlog1py", "rel_entr", "kl_div", "betaln", "beta", "huber", "pseudo_huber",
                                  "boxcox", "boxcox1p", "poch", "owens_t"])  # fmt: skip
def test_second_derivatives_of_two_arguments_are_symmetric(name):
    f = getattr(special, name)
    (_, ab), (ba, _) = hessian(f, (0, 1))(1.3, 0.7)
    assert ab == pytest.approx(ba, rel=1e-12)
    h = 2.0**-13
    assert ab == pytest.approx((grad(f)(1.3, 0.7 + h) - grad(f)(1.3, 0.7 - h)) / (2 * h), rel=1e-6)


def test_smooth_where_the_formula_is_not():
    """Spence's function at 1, Box and Cox's at lambda 0, exprel and the elliptic integrals at 0, and beside them."""
    d = grad(special.spence)
    for x in (1.0, 1.0 + 1e-9, 1.0 - 1e-7):
        assert (d(x), grad(d)(x), grad(grad(d))(x)) == pytest.approx((-1.0, 0.5, -2.0 / 3.0), rel=1e-6)
    assert d(1e-17) == pytest.approx(np.log(1e-17) / (1 - 1e-17))
    log = np.log(2.0)
    by_order = grad(lambda p: special.boxcox(2.0, p))
    for p in (0.0, 1e-9, -1e-12):
        assert (by_order(p), grad(by_order)(p)) == pytest.approx((log**2 / 2, log**3 / 3), rel=1e-8)
    assert (grad(special.exprel)(0.0), grad(grad(special.exprel))(0.0)) == pytest.approx((1 / 2, 1 / 3))
    assert (grad(special.ellipk)(0.0), grad(special.ellipe)(0.0)) == pytest.approx((np.pi / 8, -np.pi / 8))


@pytest.mark.parametrize(
    ("m", "of_k", "of_e", "twice_k", "twice_e"),  # in sixty digits, by mpmath
    [
        (-5e7, 1.3081561731798543e-11, -7.071067122432045e-5, 3.7830471275931029e-19, -7.0710658142758718e-13),
        (-2.0, 0.1108185091411757, -0.25325451464985783, 0.043539587444864339, -0.035609001377170533),
        (0.75, 1.7918056418494632, -0.63030641328745581, 7.6535025749314263, -0.77433281904133829),
    ],
)
def test_elliptic_integrals_far_from_zero(m, of_k, of_e, twice_k, twice_e):
    k, e, complement = special.ellipk, special.ellipe, special.ellipkm1
    assert (grad(k)(m), grad(e)(m), grad(complement)(1.0 - m)) == pytest.approx((of_k, of_e, -of_k), rel=1e-14, abs=0)
    assert (grad(grad(k))(m), grad(grad(e))(m)) == pytest.approx((twice_k, twice_e), rel=1e-12, abs=0)
    assert grad(grad(complement))(1.0 - m) == pytest.approx(twice_k, rel=1e-12, abs=0)
    for f, x, expected in ((k, m, of_k), (e, m, of_e), (complement, 1.0 - m, -of_k)):
        (found,) = grad(f)(np.array([x], np.float32))
        assert found.dtype == np.float32
        assert found == pytest.approx(expected, rel=1e-6, abs=0)


def test_integrals_of_every_order():
    x = 0.7
    for n in (0, 1, 2, 3):
        f = lambda x, n=n: special.expn(n, x)  # noqa: E731
        h = 2.0**-12
        assert grad(f)(x) == pytest.approx((f(x + h) - f(x - h)) / (2 * h), rel=1e-6)
        assert grad(grad(f))(x) == pytest.approx((grad(f)(x + h) - grad(f)(x - h)) / (2 * h), rel=1e-6)
    both = jacobian(lambda n: special.expn(np.arange(4), n))(x)
    np.testing.assert_allclose(both, [grad(lambda x, n=n: special.expn(n, x))(x) for n in range(4)])


def test_several_outputs():
    x = 1.25
    slopes = [grad(lambda x, i=i: special.airy(x)[i])(x) for i in range(4)]
    ai, aip, bi, bip = special.airy(x)
    assert slopes == pytest.approx([aip, x * ai, bip, x * bi])
    si, ci = special.sici(Tensor(np.array([x, 2.0])))
    (np.sum(si) + np.sum(2.0 * ci)).backward()


def test_what_is_wanted_by_its_order_is_refused():
    for call in (lambda v: special.jv(v, 1.0), lambda a: special.gammaincinv(a, 0.5), lambda v: special.chdtr(v, 0.5)):
        with pytest.raises(TypeError, match="only its last argument is differentiated"):
            grad(call)(1.5)
    assert grad(lambda x: special.zeta(2.5, x))(1.5) == pytest.approx(-2.5 * special.zeta(3.5, 1.5))


@pytest.mark.parametrize(
    ("call", "at", "slope", "second"),
    [  # by Richardson's differences in 60 digits
        (lambda a: special.gammainc(a, 0.25), 0.75, -0.594625569583742441, 0.786802004526398241),
        (lambda a: special.gammainc(a, 1e4), 9900.0, -0.00241566767342081285, -0.000024278473739337315),
        (lambda a: special.gammaincc(a, 40.0), 1.5, 1.12859819396957415e-16, 3.86320865638644394e-16),
        (lambda a: special.gammaincc(a, 0.5), 1e-06, 0.559774181534790169, 0.586757674946024084),
        (lambda a: special.betainc(a, 0.5, 0.25), 1.5, -0.0948029990171089787, 0.163747715406142004),
        (lambda b: special.betainc(300.0, b, 0.375), 500.0, 0.0109299623647268692, -0.0000136740687069859404),
        (lambda v: special.stdtr(v, -3.0), 1.5, -0.0500722809478150509, 0.0615119587024682892),
        (lambda v: special.stdtr(v, -20.0), 1000000.0, -1.15172992416335788e-96, 2.3491211870411534e-102),
        (lambda v: special.stdtr(v, 1.0), 1000000000.0, 1.20985362199078994e-19, -2.41970724337665306e-28),
    ],
)
def test_incomplete_functions_have_derivatives_by_their_shapes(call, at, slope, second):
    assert grad(call)(at) == pytest.approx(slope, rel=5e-13)
    assert grad(grad(call))(at) == pytest.approx(second, rel=1e-11)


def test_at_the_ends_they_are_zero():
    x = np.array([0.0, np.inf])
    assert jacobian(lambda a: special.gammainc(a, x))(1.5).tolist() == [0.0, 0.0]
    assert jacobian(lambda a: special.betainc(a, 1.5, np.array([0.0, 1.0])))(1.5).tolist() == [0.0, 0.0]
    assert jacobian(lambda v: special.stdtr(v, np.array([-np.inf, 0.0, np.inf])))(1.5).tolist() == [0.0, 0.0, 0.0]
    assert grad(lambda v: special.stdtr(v, 1.0))(np.inf) == 0.0
    assert grad(lambda a: special.gammainc(a, np.float32(1.5)))(np.float32(2.0)).dtype == np.float32


def test_one_over_gamma_has_a_slope_where_gamma_has_a_pole():
    zeros = np.array([0.0, -1.0, -2.0, -3.0])
    np.testing.assert_allclose(grad(lambda x: np.sum(special.rgamma(x)))(zeros), [1.0, -1.0, 2.0, -6.0], rtol=1e-14)
    second = 2.0 * np.array([1.0, -1.0, 2.0, -6.0]) * -special.psi(1.0 - zeros)  # DLMF 5.7.1, differentiated
    np.testing.assert_allclose(np.diag(hessian(lambda x: np.sum(special.rgamma(x)))(zeros)), second, rtol=1e-13)


@pytest.mark.parametrize(
    ("a", "b", "slopes"),
    [
        (3.0, 5.0, (-1 / 20, 1 / 20)),
        (4.0, 6.0, (-1 / 30, 1 / 30)),
        (5.0, -2.0, (0.0, -1 / 42)),
        (5.0, -1.0, (0, 1 / 6)),
    ],
)
def test_binomial_coefficients_have_slopes_where_they_are_zero(a, b, slopes):
    """Those slopes are beta(a + 1, b - a) and beta(a + 1, -b), with a sign."""
    assert special.binom(a, b) == 0.0
    assert grad(special.binom, argnums=(0, 1))(a, b) == pytest.approx(slopes, rel=1e-13)
    step = 1e-5
    central = (special.binom(a, b + step) - special.binom(a, b - step)) / (2 * step)
    assert slopes[1] == pytest.approx(central, rel=1e-6)


@pytest.mark.parametrize("x", [-1e8, -3e5, -40.0])
def test_the_tail_of_the_normal_distribution_does_not_cancel(x):
    """log_ndtr' tends to -x and log_ndtr'' to -1; the differences of large squares in them would leave noise."""
    assert grad(special.log_ndtr)(x) == pytest.approx(-x - 1 / x + 2 / x**3 - 10 / x**5, rel=1e-9)
    assert grad(grad(special.log_ndtr))(x) == pytest.approx(-1 + x**-2 - 6 * x**-4, rel=1e-7)
    assert grad(special.log_ndtr)(np.float32(x)) == pytest.approx(-x - 1 / x, rel=1e-6)
    assert grad(special.ndtri_exp)(special.log_ndtr(x)) == pytest.approx(1 / grad(special.log_ndtr)(x), rel=1e-9)


@pytest.mark.parametrize("x", [1e2, 1e4, 1e8])
def test_slopes_of_scaled_error_functions_do_not_cancel(x):
    u = 0.5 / x**2
    assert grad(special.erfcx)(x) == pytest.approx(-2 / np.sqrt(np.pi) * (u - 3 * u**2), rel=1e-7)
    for point in (x, -x):
        assert grad(special.dawsn)(point) == pytest.approx(-(u + 3 * u**2), rel=1e-7)
    for function, near in ((special.erfcx, 49.999), (special.dawsn, 49.999)):
        step = 0.002  # the two formulas meet at 50
        assert grad(function)(near) == pytest.approx(grad(function)(near + step), rel=2e-4)


X = np.array([[0.5, 1000.0, -2.0], [3.0, 1.0, -1000.0]])
REPLACEMENTS = {
    "logsumexp": lambda x, axis: autodiff.logsumexp(x, axis=axis),
    "softmax": lambda x, axis: np.exp(x - autodiff.logsumexp(x, axis=axis, keepdims=True)),
    "log_softmax": lambda x, axis: x - autodiff.logsumexp(x, axis=axis, keepdims=True),
}


@pytest.mark.parametrize("name", REPLACEMENTS)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_functions_of_scipy_that_coerce_name_what_has_their_value(name, axis):
    with pytest.raises(TypeError, match=f"{name}: SciPy makes a plain array.*autodiff.logsumexp"):
        getattr(special, name)(Tensor(X), axis=axis)
    with pytest.raises(TypeError, match=f"^scipy.special.{name}: SciPy"):
        grad(lambda x: np.sum(getattr(special, name)(x, axis=axis)))(X)
    replacement = REPLACEMENTS[name]
    np.testing.assert_allclose(replacement(X, axis), getattr(special, name)(X, axis=axis), rtol=1e-12, atol=1e-300)
    assert np.all(np.isfinite(grad(lambda x: np.sum(replacement(x, axis) ** 2))(X)))


def test_polygamma_names_zeta():
    with pytest.raises(TypeError, match=r"polygamma: .*scipy.special.zeta\(n \+ 1.0, x\)"):
        special.polygamma(1, Tensor(1.5))
    assert grad(lambda x: special.zeta(2.0, x))(1.5) == pytest.approx(special.polygamma(2, 1.5))


def test_asking_for_an_array_elsewhere_says_what_it_always_says():
    def softmax(x):
        return np.asarray(x)

    with pytest.raises(TypeError, match="cut this Tensor"):
        softmax(Tensor(1.0))
