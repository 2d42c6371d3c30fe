"""What a message says to write is right: it has the value of the function that it replaces, and a gradient."""

from __future__ import annotations

import cmath
import importlib
import math
import re

import numpy as np
import pytest
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.spatial
import scipy.special
import scipy.stats

import autodiff
from autodiff import Tensor, grad
from autodiff.instead import MATH, NUMPY, SCIPY, message

V, W, P = np.array([0.3, 0.5, 0.9]), np.array([0.7, 0.2, 0.4]), np.array([0.2, 0.5, 0.3])
A = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]])
BANDS = np.array([[0.0, 0.3, 0.2], [2.0, 1.5, 1.2]])
NORMAL = {"loc": 0.2, "scale": 1.5}

EXPRESSIONS = {
    "special.logsumexp": {"x": A, "axis": 0},
    "special.softmax": {"x": A, "axis": 0},
    "special.log_softmax": {"x": A, "axis": 1},
    "special.polygamma": {"n": 2, "x": V},
    "special.factorial": {"n": V},
    "special.comb": {"N": V + 3.0, "k": W},
    "special.perm": {"N": V + 3.0, "k": W},
    **{
        f"linalg.{name}": {"a": A}
        for name in (
            "inv",
            "pinv",
            "det",
            "norm",
            "cholesky",
            "cho_factor",
            "lu_factor",
            "lu",
            "qr",
            "eigh",
            "eigvalsh",
            "svd",
            "svdvals",
        )
    },
    **{f"linalg.{name}": {"A": A} for name in ("expm", "logm", "sqrtm")},
    **{f"linalg.{name}": {"a": A, "b": V} for name in ("solve", "solve_triangular", "lstsq", "block_diag")},
    **{f"linalg.{name}": {"c": V} for name in ("toeplitz", "hankel")},
    **{f"linalg.{name}": {"a": 0.1 * A, "q": A} for name in ("solve_continuous_lyapunov", "solve_discrete_lyapunov")},
    "linalg.solve_sylvester": {"a": A, "b": A, "q": A},
    "linalg.expm_frechet": {"A": A, "E": A},
    "linalg.solve_banded": {"l_and_u": (1, 1), "ab": A, "b": V},
    "linalg.solveh_banded": {"ab": BANDS, "b": V},
    "linalg.cholesky_banded": {"ab": BANDS},
    "linalg.cho_solve_banded": {"cb_and_lower": (BANDS, False), "b": V},
    "linalg.solve_toeplitz": {"c_or_cr": A[0], "b": V},
    "linalg.solve_circulant": {"c": A[0], "b": V},
    "linalg.cho_solve": {"c_and_lower": scipy.linalg.cho_factor(A), "b": V},
    "linalg.lu_solve": {"lu_and_piv": scipy.linalg.lu_factor(A), "b": V},
    "stats.norm.ppf": {"q": V, **NORMAL},
    "stats.multivariate_normal.logpdf": {"x": V, "mean": W, "cov": A},
    "stats.zscore": {"a": V},
    "stats.gmean": {"a": V},
    "stats.entropy": {"pk": V},
    "stats.pearsonr": {"x": V, "y": P},
    "integrate.trapezoid": {"y": V, "x": np.cumsum(W)},
    "integrate.cumulative_trapezoid": {"y": V, "x": np.cumsum(W)},
    "integrate.simpson": {"y": V, "x": np.cumsum(W)},
    "signal.convolve": {"in1": V, "in2": W},
    "signal.fftconvolve": {"in1": V, "in2": W},
    "signal.oaconvolve": {"in1": V, "in2": W},
    "signal.correlate": {"in1": V, "in2": W},
    "signal.convolve2d": {"in1": A, "in2": A},
    "signal.correlate2d": {"in1": A, "in2": A},
    "signal.filtfilt": {"b": V[:2], "a": W[:2], "x": np.cos(np.arange(9.0))},
    "signal.sosfilt": {"sos": np.array([[0.3, 0.5, 0.9, 1.0, 0.2, 0.4]]), "x": V},
    "signal.hilbert": {"x": V},
    "ndimage.gaussian_filter": {"input": A, "sigma": 0.7},
    "ndimage.gaussian_filter1d": {"input": A, "sigma": 0.7},
    "ndimage.uniform_filter": {"input": A},
    "ndimage.correlate": {"input": A, "weights": A},
    "ndimage.convolve": {"input": A, "weights": A},
    "ndimage.map_coordinates": {"input": A, "coordinates": A[:2]},
    "signal.detrend": {"data": V},
    "spatial.distance.euclidean": {"u": V, "v": W},
    "spatial.distance.sqeuclidean": {"u": V, "v": W},
    "spatial.distance.cityblock": {"u": V, "v": W},
    "spatial.distance.cosine": {"u": V, "v": W},
    "spatial.distance.cdist": {"XA": A, "XB": A + 1.0},
    **{name: {"x": A} for name in SCIPY if name.startswith("fft.")},
}
"""Arguments for the entries that are an expression."""


def function(name):
    """SciPy's function of this name; that of a distribution is a method."""
    parts = name.split(".")
    module = importlib.import_module(f"scipy.{'.'.join(parts[: 2 if parts[0] == 'spatial' else 1])}")
    for part in parts[2 if parts[0] == "spatial" else 1 :]:
        module = getattr(module, part)
    return module


def evaluated(expression, arguments):
    return eval(expression, {"np": np, "scipy": scipy, "autodiff": autodiff, "math": math, **arguments})


def first(expression):
    """The expression at the beginning of an entry that goes on in words."""
    return re.split(r", (?:which|or|and) | for one axis", expression)[0]


@pytest.mark.parametrize("name", SCIPY)
def test_scipy_has_what_is_replaced(name):
    assert callable(function(name))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_expression_has_the_value_and_a_gradient(name):
    arguments = EXPRESSIONS[name]
    positional = [arguments[k] for k in arguments if k not in ("axis", "loc", "scale")]
    named = {k: arguments[k] for k in arguments if k in ("axis", "loc", "scale")}
    expected = function(name)(*positional, **named)
    found = evaluated(first(SCIPY[name]), arguments)
    if isinstance(expected, tuple) and name.startswith("linalg."):
        found, expected = (x[1] if name == "linalg.lu" else x[0] for x in (found, expected))
        found, expected = (np.triu(x) if name == "linalg.cho_factor" else x for x in (found, expected))
    if name == "stats.pearsonr":
        expected = expected.statistic
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    key = next(k for k, v in arguments.items() if isinstance(v, np.ndarray | float) and np.asarray(v).dtype.kind == "f")

    def total(value):
        result = evaluated(first(SCIPY[name]), {**arguments, key: value})
        return np.sum(np.abs(result[0] if isinstance(result, tuple) else result))

    derivative = grad(total)(arguments[key])
    assert np.all(np.isfinite(derivative))
    variable, message = Tensor(arguments[key]), ""
    try:
        result = function(name)(*[variable if v is arguments[key] else v for v in positional], **named)
    except TypeError as error:
        message = str(error)
    if message:
        assert f"scipy.{name}: SciPy makes a plain array" in message
    else:  # SciPy computes it by functions of NumPy's, which Tensors have
        np.sum(np.abs(result)).backward()
        np.testing.assert_allclose(variable.grad, derivative, rtol=1e-12, atol=1e-14)


MIRRORED = {name for name in SCIPY if name.startswith("stats.") and f"autodiff.scipy.{name}(" in SCIPY[name]}
"""Methods of distributions, which have the same name here."""
PARAMETERS = {"s": 0.7, "a": 1.7, "b": 0.6, "c": 1.2, "df": 2.5, "mu": 1.7, "n": 4, "p": 0.3, "loc": -1, "scale": 2.5}


def test_methods_of_distributions_have_the_value_and_a_gradient():
    for name in MIRRORED:
        first, *rest = SCIPY[name].partition("(")[2].strip(")").split(", ")
        parameters = {parameter: PARAMETERS[parameter] for parameter in rest}
        x = V if first == "x" else np.arange(3)
        expected = function(name)(x, **parameters)
        np.testing.assert_allclose(evaluated(SCIPY[name], {first: x, **parameters}), expected, rtol=1e-12, err_msg=name)
        with pytest.raises(TypeError, match=re.escape(f"write {SCIPY[name]}")):
            function(name)(Tensor(V), **parameters)


WORDS = {"special.multigammaln", "integrate.quad", "signal.lfilter", "spatial.distance.pdist", "linalg.eig",
         "linalg.eigvals"}  # fmt: skip
"""Entries that say it in words, or whose signs are a matter of convention."""


def test_every_entry_that_is_an_expression_is_tried():
    rest = SCIPY.keys() - EXPRESSIONS.keys() - MIRRORED - WORDS
    assert {
        name for name in rest if not name.startswith(("optimize.", "fft.", "integrate.odeint", "integrate.solve_ivp"))
    } == set()


def test_what_is_said_in_words_is_true_too():
    i, j = np.triu_indices(len(A), 1)
    np.testing.assert_allclose(np.linalg.norm(A[i] - A[j], axis=-1), scipy.spatial.distance.pdist(A))
    u, weights = np.polynomial.legendre.leggauss(9)
    at = (0.5 + 2.0) / 2 + (2.0 - 0.5) / 2 * u
    assert (2.0 - 0.5) / 2 * np.sum(weights * np.exp(at)) == pytest.approx(scipy.integrate.quad(np.exp, 0.5, 2.0)[0])
    total = sum(scipy.special.gammaln(2.7 - 0.5 * j) for j in range(3)) + 3 * 2 / 4 * np.log(np.pi)
    assert total == pytest.approx(scipy.special.multigammaln(2.7, 3))
    transform = scipy.fft.dct(np.eye(3), axis=0)
    np.testing.assert_allclose(transform @ V, scipy.fft.dct(V))


def test_optimisers_run_as_they_are_to_be_written():
    optimize = autodiff.scipy.optimize

    def f(q):
        return np.sum((q - V) ** 4 + (q - V) ** 2)

    np.testing.assert_allclose(
        optimize.minimize(f, np.zeros(3)).x, scipy.optimize.minimize(f, np.zeros(3)).x, atol=1e-6
    )
    assert optimize.minimize_scalar(np.cosh).x == pytest.approx(0.0, abs=1e-8)

    def residual(q):
        return np.stack([q[0] ** 2 - 2.0, q[0] * q[1] - 1.0])

    start, root = np.ones(2), scipy.optimize.fsolve(residual, np.ones(2))
    np.testing.assert_allclose(optimize.root(residual, start).x, root)
    np.testing.assert_allclose(optimize.least_squares(residual, start).x, root)
    np.testing.assert_allclose(optimize.least_squares(residual, start, method="lm").x, root)
    np.testing.assert_allclose(optimize.fixed_point(np.cos, 1.0), scipy.optimize.fixed_point(np.cos, 1.0))
    assert optimize.root_scalar(np.sin, x0=3.0).root == pytest.approx(scipy.optimize.newton(np.sin, 3.0))
    assert optimize.brentq(np.sin, 3.0, 4.0) == scipy.optimize.brentq(np.sin, 3.0, 4.0)
    line = optimize.curve_fit(lambda x, a, b: a + b * x, V, 2.0 + 3.0 * V)[0]
    np.testing.assert_allclose(line, [2.0, 3.0])


OF_MATH = {
    "sin": ("t", 0.5), "exp": ("t", 0.5), "acos": ("t", 0.5), "atanh": ("t", 0.5), "log2": ("t", 0.5),
    "fabs": ("t", -0.5), "fsum": ("t", V), "prod": ("t", V), "dist": ("pq", V, W), "atan2": ("yx", 0.5, -2.0),
    "pow": ("tp", 0.5, 3.0), "erf": ("t", 0.5), "erfc": ("t", 0.5), "gamma": ("t", 0.5), "lgamma": ("t", 0.5),
    "factorial": ("t", 4), "comb": ("nk", 5, 2), "fmod": ("xy", -5.0, 3.0), "isclose": ("tu", 1.0, 1.1),
}  # fmt: skip


@pytest.mark.parametrize("name", [*OF_MATH, *MATH])
def test_what_replaces_a_function_of_math_has_its_value(name):
    module = math if hasattr(math, name) else cmath
    names, *values = OF_MATH.get(name, ("t", 0.5 + 1.0j) if name != "rect" else (["r", "phi"], 2.0, 0.5))
    text = re.search(r"; write (.*?)\. For plain", message(f"{module.__name__}.{name}", "", ()))[1]
    found = evaluated(text, dict(zip(names, values, strict=True)))
    assert found == pytest.approx(getattr(module, name)(*values), rel=1e-14)


def test_what_only_math_has_gets_the_general_answer():
    assert "np functions of the Tensor itself" in message("math.isqrt", "", ())


def test_a_message_has_the_shape_and_ends_with_the_way_to_plain_values():
    for name in ("numpy.array", "math.exp", "float", "pandas.Series", "matplotlib.axes.Axes.plot", "own.function"):
        assert "(shape (2,))" in message(name, "", (2,))
        assert message(name, "", (2,)).endswith("t.item() for a number, t.data for the array")
    assert "s.to_numpy() + t" in message("pandas.Series.__add__", "", (2,))
    for name in NUMPY:
        assert message(f"numpy.{name}", "", ()).startswith(f"np.{name}: ")
