"""Who asks a Tensor for a plain value is found and named, however deep in a library it is asked."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import math
import operator
import re
import traceback
import types
from math import sin

import numpy as np
import pytest
import scipy.cluster.vq
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.sparse.linalg
import scipy.spatial
import scipy.stats
from scipy.optimize import linear_sum_assignment as assign

from autodiff import Tensor, checkpoint, grad, hessian, jacobian, jvp, value_and_grad, vjp, vmap

X = np.array([1.0, 2.0, 3.0])
S = scipy.sparse.csr_array(np.eye(3))
RNG = np.random.default_rng(0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")  # SciPy's own
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: math.sin(t[0]), r"^math\.sin: would cut this Tensor \(shape \(\)\).*write np\.sin\(t\)\. "),
        (lambda t: sin(t[0]), r"^math\.sin: .*write np\.sin\(t\)\. "),
        (lambda t: math.fabs(t[0]), r"^math\.fabs: .*write np\.abs\(t\)"),
        (lambda t: math.lgamma(t[0]), r"^math\.lgamma: .*write scipy\.special\.gammaln\(t\)"),
        (lambda t: float(t[0]), r"^float: .*t\.item\(\) for a number"),
        (lambda t: int(t[0]), r"^int: "),
        (lambda t: operator.mod("%.2f", t[0]), r"^operator\.mod: |^float: "),
        (lambda t: np.array([t, t]), r"^np\.array: .*\(3,\).*write np\.stack\(\[t, u\]\)"),
        (lambda t: np.array([t[0], 1.0]), r"^np\.array: .*write np\.stack\(\[t, u\]\)"),
        (lambda t: np.asarray(t), r"^np\.asarray: .*write t itself"),
        (lambda t: np.float64(t[0]), r"^np\.float64: .*t\.astype\(np\.float64\)"),
        (lambda t: np.full(2, t[0]), r"^np\.full: .*t \* np\.ones\(shape\)"),
        (lambda t: np.arange(t[0]), r"^np\.arange: .*step \* np\.arange\(n\)"),
        (lambda t: np.vectorize(lambda v: v * 2.0)(t), r"^np\.vectorize: .*autodiff\.vmap"),
        (lambda t: np.random.normal(t), r"^np\.random\.normal: .*loc \+ scale \* rng\.standard"),  # noqa: NPY002
        (lambda t: RNG.normal(t), r"^np\.random\.Generator\.normal: .*loc \+ scale"),
        (lambda t: RNG.permutation(t), r"^np\.random\.Generator\.permutation: .*t\[rng\.permutation\(len\(t\)\)\]"),
        (lambda t: np.r_[t, t], r"^np\.r_\[\.\.\.\]: .*write np\.concatenate\(\[t, u\]\)"),
        (lambda t: np.sum([t, t]), r"^np\.sum: .*write np\.sum\(np\.stack\(\[t, u\]\)\) for a list"),
        (lambda t: np.max(t, t), r"^max: 'axis' .*np\.maximum or np\.minimum"),
        (lambda t: [1, 2, 3][t[0]], r"^index: .*a\[int\(t\.item\(\)\)\]"),
        (lambda t: X[t[0]], r"^index: .*a\[int\(t\.item\(\)\)\]"),
        (lambda t: scipy.sparse.linalg.spsolve(S.tocsc(), t), r"^scipy\.sparse\.linalg\.spsolve: .*A\.toarray"),
        (
            lambda t: scipy.stats.norm.logpdf(t),
            r"^scipy\.stats\.norm\.logpdf: .*write autodiff\.scipy\.stats\.norm",
        ),
        (
            lambda t: scipy.stats.norm(0, 1).logpdf(t),
            r"^scipy\.stats\.norm\.logpdf: .*write autodiff\.scipy\.stats\.norm",
        ),
        (lambda t: scipy.stats.multivariate_normal.logpdf(t, X), r"^scipy\.stats\.multivariate_normal\.logpdf: "),
        (lambda t: scipy.stats.gumbel_r.logpdf(t), r"^scipy\.stats\.gumbel_r\.logpdf: .*the formula"),
        (
            lambda t: scipy.linalg.solve(np.eye(3), t),
            r"^scipy\.linalg\.solve: .*write autodiff\.scipy\.linalg\.solve\(a, b\)",
        ),
        (
            lambda t: scipy.linalg.cholesky(np.eye(3) * t),
            r"^scipy\.linalg\.cholesky: .*write autodiff\.scipy\.linalg\.cholesky",
        ),
        (lambda t: scipy.linalg.toeplitz(t), r"^scipy\.linalg\.toeplitz: .*write autodiff\.scipy\.linalg\.toeplitz"),
        (
            lambda t: scipy.integrate.odeint(lambda y, s: -y, t, X),
            r"^scipy\.integrate\.odeint: .*autodiff\.scipy\.integrate\.odeint",
        ),
        (
            lambda t: scipy.integrate.quad(lambda s: s * t[0], 0, 1),
            r"^scipy\.integrate\.quad: .*autodiff\.scipy\.integrate\.quad",
        ),
        (
            lambda t: scipy.optimize.minimize(np.sum, t),
            r"^scipy\.optimize\.minimize: .*autodiff\.scipy\.optimize\.minimize\(f, x0\)",
        ),
        (lambda t: assign(t[None]), r"^scipy\.optimize\.linear_sum_assignment: "),
        (
            lambda t: scipy.signal.convolve(t, t),
            r"^scipy\.signal\.convolve: .*write autodiff\.scipy\.signal\.convolve\(in1",
        ),
        (
            lambda t: scipy.ndimage.gaussian_filter(t, 1.0),
            r"^scipy\.ndimage\.gaussian_filter: .*autodiff\.scipy\.ndimage\.gaussian_filter",
        ),
        (lambda t: scipy.interpolate.CubicSpline(X, t), r"^scipy\.interpolate\.CubicSpline: .*np\.interp"),
        (lambda t: scipy.interpolate.CubicSpline(X, X)(t), r"^scipy\.interpolate\.CubicSpline: .*np\.interp"),
        (lambda t: scipy.interpolate.interp1d(X, X)(t), r"^scipy\.interpolate\.interp1d: .*np\.interp"),
        (lambda t: scipy.fft.rfft(t), r"^scipy\.fft\.rfft: .*write np\.fft\.rfft\(x\)"),
        (lambda t: scipy.spatial.cKDTree(t[None]), r"^scipy\.spatial\.cKDTree: "),
        (lambda t: scipy.cluster.vq.kmeans2(t, 2), r"^scipy\.cluster\.vq\.kmeans2: "),
    ],
)
def test_the_function_that_asks_is_named_with_what_to_write(call, words):
    with pytest.raises(TypeError, match=words):
        call(Tensor(X))


PANDAS = """
class Series:
    __array_ufunc__ = None

    def __init__(self, data=()):
        self.data = np.asarray(data)
        self.columns = {}

    def __getattr__(self, name):
        if name in self.columns:  # without end, until there are any
            return self.columns[name]
        raise AttributeError(name)

    def plain(self, other):
        return np.asarray(other)

    def decorated(method):
        def new_method(self, other):
            np.asarray(other)
            return method(self, other)
        return new_method

    @decorated
    def __add__(self, other):
        return other
Series.__module__ = "pandas"
"""


def test_operators_and_methods_of_a_library_are_named_too():
    """As pandas does it: an operator that a decorator unwraps the argument for."""
    library = {"__name__": "pandas.core.series", "np": np}
    exec(PANDAS, library)
    series = library["Series"]()
    for call, name in ((lambda: series + Tensor(X), "__add__"), (lambda: series.plain(Tensor(X)), "plain")):
        with pytest.raises(TypeError, match=rf"^pandas\.Series\.{name}: .*write s\.to_numpy\(\)"):
            call()
    with pytest.raises(TypeError, match=r"^pandas\.Series: .*write s\.to_numpy\(\)"):
        library["Series"](Tensor(X))


def test_without_a_source_the_kind_of_question_is_named():
    for source, words in (("float(t)", "^float: "), ("np.array([t])", r"^np\.asarray: "), ("a[t]", "^index: ")):
        with pytest.raises(TypeError, match=words):
            eval(compile(source, "<nowhere>", "eval"), {"t": Tensor(1.0), "np": np, "a": [1]})


def test_a_name_that_would_have_to_be_computed_is_left_as_it_is_spelt():
    class Lazy:
        def __getattr__(self, name):
            raise AssertionError("a message must not run anything")

        def exp(self, t):
            raise NotImplementedError

    lazy = types.SimpleNamespace(convert=float)
    with pytest.raises(TypeError, match=r"^lazy\.convert: "):
        lazy.convert(Tensor(1.0))
    tools = {"f": float, "lazy": Lazy()}
    with pytest.raises(TypeError, match="^float: "):
        tools["f"](Tensor(1.0))


# -- through a library's own error -------------------------------------------------------------------------------


def assigned(x):
    a = np.zeros(3)
    a[0] = x[0]
    return np.sum(a)


def added(x):
    a = np.zeros((3, 3))
    a[1, 1] += x[0]
    return np.sum(a)


def minimised(x):
    return scipy.optimize.minimize(lambda q: np.sum((q - x) ** 2), np.ones(3)).fun


def sparse(x):
    return np.sum(scipy.sparse.csr_array(x[None]) @ x)


CALLS = {
    "grad": lambda f: grad(f)(X),
    "value_and_grad": lambda f: value_and_grad(f)(X),
    "jacobian": lambda f: jacobian(f)(X),
    "hessian": lambda f: hessian(f)(X),
    "vjp": lambda f: vjp(f, X),
    "jvp": lambda f: jvp(f, (X,), (X,)),
    "vmap": lambda f: vmap(f)(X[None]),
    "vmap of grad": lambda f: vmap(grad(f))(X[None]),
    "grad of checkpoint": lambda f: grad(checkpoint(f))(X),
}


@pytest.mark.parametrize("transform", CALLS)
@pytest.mark.parametrize(
    ("function", "words"),
    [
        (assigned, r"setitem: would cut.*a = np\.stack\(\[f\(i\) for i in range\(n\)\]\)"),
        (added, r"setitem: would cut.*a = autodiff\.index_add\(a, i, t\)"),
        (minimised, r"scipy\.optimize\.minimize: SciPy makes.*autodiff\.scipy\.optimize\.minimize"),
        (sparse, r"scipy\.sparse\.csr_array: SciPy makes"),
    ],
)
def test_the_last_lines_are_ours_and_the_users_line_stays_in_sight(function, words, transform):
    with pytest.raises(TypeError) as caught:
        CALLS[transform](function)
    lines = traceback.format_exception(caught.value)
    assert re.match(f"TypeError: {words}", lines[-1], re.DOTALL)
    assert "The above exception" not in "".join(lines)
    assert any(f"in {function.__name__}\n" in line for line in lines)


def test_what_the_user_made_of_it_stays_as_it_is():
    class MineError(Exception):
        pass

    def wrapped(x):
        try:
            return assigned(x)
        except ValueError as error:
            raise MineError("the third layer") from error

    def recovered(x):
        try:
            return assigned(x)
        except ValueError:
            return np.sum(x)

    def other(x):
        np.zeros(3)[0] = [1.0, 2.0]
        return np.sum(x)

    for transform in (grad, vmap, jacobian):
        with pytest.raises(MineError, match="the third layer"):
            transform(wrapped)(X if transform is not vmap else X[None])
    assert grad(recovered)(X).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="setting an array element with a sequence"):
        grad(other)(X)


# -- all of SciPy ------------------------------------------------------------------------------------------------

PARTS = ["linalg", "stats", "signal", "ndimage", "integrate", "interpolate", "fft", "spatial.distance", "special"]


def named(message):
    """The function that a message begins with the full name of."""
    module, _, name = message.partition(": ")[0].rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", PARTS)
def test_every_function_of_scipy_that_refuses_is_named(part):
    """Called with one, two or three Tensors: where a Tensor refuses, its message names SciPy's public function."""
    module = importlib.import_module(f"scipy.{part}")
    refused = []
    for name in module.__all__:
        function = getattr(module, name)
        if not inspect.isfunction(function) or "seed" in name:
            continue
        for arguments in ([Tensor(np.eye(2))], [Tensor(X)] * 2, [Tensor(X)] * 3):
            with contextlib.suppress(Exception):
                try:
                    function(*arguments)
                except TypeError as error:
                    refused.append((function, str(error)))
    of_scipy = [(function, text) for function, text in refused if "SciPy makes a plain array" in text]
    assert len({function for function, _ in of_scipy}) > 1
    for function, text in of_scipy:
        assert named(text) in (function, getattr(function, "__wrapped__", function)), text
    assert [text for _, text in refused if "would cut this Tensor" in text] == []
