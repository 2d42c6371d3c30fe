"""What to write instead of functions that convert a Tensor to plain values.

The tables are read by name, and only after a mistake.  If an entry is an expression, its letters are the parameters of
the function that it replaces.  The tests compare the two.
"""

from __future__ import annotations

import os

import numpy as np

_PLAIN = "For plain values say so: t.item() for a number, t.data for the array"

_WRITING = """\
setitem: would cut this Tensor (shape {shape}) out of the graph and lose its gradient: a[i] = t writes plain numbers.
  instead of                          write
  a = np.zeros(n); a[i] = f(i)        a = np.stack([f(i) for i in range(n)])
  a[i] = t   (a is an array)          a = autodiff.index_update(a, i, t)
  a[i] += t  (a is an array)          a = autodiff.index_add(a, i, t)
  a[mask] = t                         a = np.where(mask, t, a)
  a[i] = t for the values alone       a[i] = t.item(), or a[i] = t.data"""

NUMPY = {
    "array": "np.stack([t, u]) of Tensors of one shape, np.concatenate or np.block of others",
    "asarray": "t itself, which np functions take as it is; np.stack([t, u]) for a list",
    "from_dlpack": "np.from_dlpack(t.data), or t itself",
    "asanyarray": "t itself, which np functions take as it is",
    "ascontiguousarray": "t itself: its place in memory is no concern of yours",
    "float64": "t itself, or t.astype(np.float64)",
    "float32": "t.astype(np.float32)",
    "arange": "start + step * np.arange(n)",
    "full": "t * np.ones(shape), or np.broadcast_to(t, shape)",
    "fromiter": "np.stack(list(values))",
    "vectorize": "the function on the whole array: np functions work on all elements; or autodiff.vmap(f)(t)",
    "polynomial.polynomial.Polynomial": "np.polyval(p, x), highest power first",
    "matrix": "t itself, which has two axes already if it is a matrix",
    "ma.array": "np.where(mask, t, 0.0) in the place of a mask",
    "r_[...]": "np.concatenate([t, u]), or np.stack([t, u]) of numbers",
    "c_[...]": "np.stack([t, u], axis=1)",
    "random.choice": "t[rng.integers(len(t), size=n)]",
    "random.permutation": "t[rng.permutation(len(t))]",
    "random.Generator.choice": "t[rng.integers(len(t), size=n)]",
    "random.Generator.permutation": "t[rng.permutation(len(t))]",
    "random.Generator.permuted": "t[rng.permutation(len(t))]",
}
"""What NumPy has that its protocols do not reach, by its name after ``np.``."""

SPELT = {
    "lib.RClass.__getitem__": "r_[...]",
    "lib.CClass.__getitem__": "c_[...]",
    "matrixlib.defmatrix.matrix.__new__": "matrix",
    "ma.core.array": "ma.array",
    "ma.core.MaskedArray.__new__": "ma.array",
}
"""How a user writes what NumPy calls otherwise inside."""

DRAWN = "the draw by itself, and then the Tensors: loc + scale * rng.standard_normal(shape)"
"""For random numbers whose parameters are Tensors."""

MATH = {
    "fabs": "np.abs(t)",
    "fsum": "np.sum(t)",
    "prod": "np.prod(t)",
    "dist": "np.linalg.norm(p - q)",
    "atan2": "np.arctan2(y, x)",
    "pow": "t ** p",
    "erf": "scipy.special.erf(t)",
    "erfc": "scipy.special.erfc(t)",
    "gamma": "scipy.special.gamma(t)",
    "lgamma": "scipy.special.gammaln(t)",
    "factorial": "scipy.special.gamma(t + 1)",
    "comb": "scipy.special.binom(n, k)",
    "fmod": "np.fmod(x, y)",
    "phase": "np.angle(t)",
    "polar": "np.abs(t), np.angle(t)",
    "rect": "r * np.exp(1j * phi)",
    "isclose": "np.isclose(t, u)",
}
"""Functions of ``math`` and ``cmath`` that NumPy has under another name."""

_FFT = [f"{way}{kind}" for way in ("", "i") for kind in ("fft", "fft2", "fftn", "rfft", "rfft2", "rfftn", "hfft")]

_LINALG = {
    **dict.fromkeys(("inv", "pinv", "det", "cholesky", "cho_factor", "lu_factor", "lu", "qr", "eigh", "eigvalsh"), "a"),
    **dict.fromkeys(("svd", "svdvals"), "a"),
    **dict.fromkeys(("expm", "logm", "sqrtm"), "A"),
    **dict.fromkeys(("solve", "solve_triangular", "lstsq"), "a, b"),
    **dict.fromkeys(("solve_continuous_lyapunov", "solve_discrete_lyapunov"), "a, q"),
    **dict.fromkeys(("toeplitz", "hankel"), "c"),
    "solve_banded": "l_and_u, ab, b",
    "solveh_banded": "ab, b",
    "cholesky_banded": "ab",
    "cho_solve_banded": "cb_and_lower, b",
    "solve_toeplitz": "c_or_cr, b",
    "solve_circulant": "c, b",
    "cho_solve": "c_and_lower, b",
    "lu_solve": "lu_and_piv, b",
    "solve_sylvester": "a, b, q",
    "expm_frechet": "A, E",
    "block_diag": "a, b",
}
"""The functions of ``autodiff.scipy.linalg``, and their first arguments."""

_DISTRIBUTIONS = {
    **dict.fromkeys(("norm", "expon", "laplace", "uniform", "cauchy"), "x"),
    **dict.fromkeys(("chi2", "t"), "x, df"),
    "gamma": "x, a",
    "beta": "x, a, b",
    "lognorm": "x, s",
    "weibull_min": "x, c",
    "pareto": "x, b",
}
"""The distributions of ``autodiff.scipy.stats`` that have a location and a scale, and their first arguments."""

_COUNTS = {"poisson": "k, mu", "binom": "k, n, p", "nbinom": "k, n, p", "bernoulli": "k, p"}
"""Those of whole numbers."""

METHODS = ("logpdf", "pdf", "cdf", "logcdf", "sf", "logsf")
"""The methods of a distribution that are differentiated."""

SCIPY = {
    "special.logsumexp": "autodiff.logsumexp(x, axis=axis), which has the same value",
    "special.softmax": "np.exp(x - autodiff.logsumexp(x, axis=axis, keepdims=True))",
    "special.log_softmax": "x - autodiff.logsumexp(x, axis=axis, keepdims=True)",
    "special.polygamma": "(-1) ** (n + 1) * math.factorial(n) * scipy.special.zeta(n + 1.0, x), or psi(x) for n = 0",
    "special.multigammaln": "the sum of scipy.special.gammaln(a - 0.5 * j) for j in range(d), "
    "plus d (d - 1) / 4 log(pi)",
    "special.factorial": "scipy.special.gamma(n + 1)",
    "special.comb": "scipy.special.binom(N, k)",
    "special.perm": "scipy.special.poch(N - k + 1, k)",
    **{f"linalg.{name}": f"autodiff.scipy.linalg.{name}({arguments})" for name, arguments in _LINALG.items()},
    "linalg.norm": "np.linalg.norm(a)",
    "linalg.eig": "np.linalg.eig(a)",
    "linalg.eigvals": "np.linalg.eigvals(a)",
    **{
        f"stats.{name}.{method}": f"autodiff.scipy.stats.{name}.{method}({arguments}, loc, scale)"
        for name, arguments in _DISTRIBUTIONS.items()
        for method in METHODS
    },
    **{
        f"stats.{name}.{method}": f"autodiff.scipy.stats.{name}.{method}({arguments}, loc)"
        for name, arguments in _COUNTS.items()
        for method in ("logpmf", "pmf", *METHODS[2:])
    },
    "stats.norm.ppf": "loc + scale * scipy.special.ndtri(q)",
    "stats.multivariate_normal.logpdf": "-0.5 * ((x - mean) @ np.linalg.solve(cov, x - mean) "
    "+ np.linalg.slogdet(cov)[1] + len(mean) * np.log(2 * np.pi))",
    "stats.zscore": "(a - np.mean(a)) / np.std(a)",
    "stats.gmean": "np.exp(np.mean(np.log(a)))",
    "stats.entropy": "np.sum(scipy.special.entr(pk / np.sum(pk)))",
    "stats.pearsonr": "np.corrcoef(x, y)[0, 1]",
    "integrate.trapezoid": "autodiff.scipy.integrate.trapezoid(y, x)",
    "integrate.cumulative_trapezoid": "autodiff.scipy.integrate.cumulative_trapezoid(y, x)",
    "integrate.simpson": "autodiff.scipy.integrate.simpson(y, x)",
    "integrate.quad": "autodiff.scipy.integrate.quad(func, a, b), with the Tensors among its arguments or in func",
    "integrate.odeint": "autodiff.scipy.integrate.odeint(func, y0, t, args)",
    "integrate.solve_ivp": "autodiff.scipy.integrate.solve_ivp(fun, t_span, y0, args=args)",
    "optimize.minimize": "autodiff.scipy.optimize.minimize(f, x0), whose result follows the Tensors that f depends on",
    "optimize.minimize_scalar": "autodiff.scipy.optimize.minimize_scalar(f)",
    "optimize.least_squares": "autodiff.scipy.optimize.least_squares(f, x0)",
    "optimize.curve_fit": "autodiff.scipy.optimize.curve_fit(f, xdata, ydata)",
    "optimize.root": "autodiff.scipy.optimize.root(f, x0)",
    "optimize.root_scalar": "autodiff.scipy.optimize.root_scalar(f, x0=x0)",
    "optimize.brentq": "autodiff.scipy.optimize.brentq(f, a, b)",
    "optimize.newton": "autodiff.scipy.optimize.root_scalar(f, x0=x0)",
    "optimize.fixed_point": "autodiff.scipy.optimize.fixed_point(f, x0)",
    "optimize.fsolve": "autodiff.scipy.optimize.root(f, x0)",
    "optimize.leastsq": "autodiff.scipy.optimize.least_squares(f, x0, method='lm')",
    "signal.convolve": "autodiff.scipy.signal.convolve(in1, in2)",
    "signal.fftconvolve": "autodiff.scipy.signal.fftconvolve(in1, in2)",
    "signal.oaconvolve": "autodiff.scipy.signal.oaconvolve(in1, in2)",
    "signal.correlate": "autodiff.scipy.signal.correlate(in1, in2)",
    "signal.convolve2d": "autodiff.scipy.signal.convolve2d(in1, in2)",
    "signal.correlate2d": "autodiff.scipy.signal.correlate2d(in1, in2)",
    "signal.lfilter": "autodiff.scipy.signal.lfilter(b, a, x)",
    "signal.filtfilt": "autodiff.scipy.signal.filtfilt(b, a, x)",
    "signal.sosfilt": "autodiff.scipy.signal.sosfilt(sos, x)",
    "signal.hilbert": "autodiff.scipy.signal.hilbert(x)",
    "signal.detrend": "autodiff.scipy.signal.detrend(data)",
    "ndimage.gaussian_filter": "autodiff.scipy.ndimage.gaussian_filter(input, sigma)",
    "ndimage.gaussian_filter1d": "autodiff.scipy.ndimage.gaussian_filter1d(input, sigma)",
    "ndimage.uniform_filter": "autodiff.scipy.ndimage.uniform_filter(input)",
    "ndimage.correlate": "autodiff.scipy.ndimage.correlate(input, weights)",
    "ndimage.convolve": "autodiff.scipy.ndimage.convolve(input, weights)",
    "ndimage.map_coordinates": "autodiff.scipy.ndimage.map_coordinates(input, coordinates)",
    "spatial.distance.euclidean": "np.linalg.norm(u - v)",
    "spatial.distance.sqeuclidean": "np.sum((u - v) ** 2)",
    "spatial.distance.cityblock": "np.sum(np.abs(u - v))",
    "spatial.distance.cosine": "1 - u @ v / (np.linalg.norm(u) * np.linalg.norm(v))",
    "spatial.distance.cdist": "np.sqrt(np.sum((XA[:, None] - XB) ** 2, axis=-1))",
    "spatial.distance.pdist": "np.linalg.norm(X[i] - X[j], axis=-1) with i, j = np.triu_indices(len(X), 1)",
    **{f"fft.{name}": f"np.fft.{name}(x)" for name in _FFT},
}
"""SciPy's functions that make plain arrays, by their name after ``scipy.``, and what has their value here."""

MODULES = {
    "scipy.stats": "autodiff.scipy.stats, whose distributions have derivatives, or the formula with np functions and "
    "scipy.special's ufuncs, which take Tensors",
    "scipy.optimize": "autodiff.scipy.optimize, whose functions have exact derivatives; a solution x of g(x, p) = 0 "
    "that was found by other means follows p by autodiff.scipy.optimize.implicit(g, x, args=(p,))",
    "scipy.integrate": "autodiff.scipy.integrate, whose odeint and solve_ivp have derivatives",
    "scipy.interpolate": "np.interp(x, xp, fp) for straight lines; interp1d, CubicSpline, PchipInterpolator, BSpline "
    "and others of autodiff.scipy.interpolate",
    "scipy.signal": "the filter with the functions of autodiff.scipy.signal or np.fft, or a loop of np functions",
    "scipy.ndimage": "a filter of autodiff.scipy.ndimage, or a sum of weights times shifted slices of np.pad(t, w); "
    "for positions between elements, index their neighbours",
    "scipy.fft": "np.fft, whose functions take Tensors, or a product with the matrix of the transform: "
    "scipy.fft.dct(np.eye(n), axis=0) @ t",
    "scipy.sparse.linalg": "autodiff.scipy.sparse.linalg.spsolve(A, b), splu(A).solve(b) or factorized(A)(b); "
    "A.toarray() for any other function",
    "scipy.sparse": "A @ t, or a sparse array whose stored values are a Tensor: autodiff.scipy.sparse.coo_array; "
    "A.toarray() for anything else",
    "pandas": "s.to_numpy() in the place of a Series or DataFrame: s.to_numpy() + t",
    "matplotlib": "t.data: a picture shows values",
    "seaborn": "t.data: a picture shows values",
    "torch": "torch.from_dlpack(t.data), or torch.tensor(t.data)",
    "sklearn": "t.data: its estimators learn by themselves, without our gradients",
}
"""What to write where no function of a package is named here, by the longest part of its name that fits."""

ALMOST = "it with np functions or the ufuncs of scipy.special, or register a rule for it (autodiff.primitive)"


def message(name: str, deed: str, shape: tuple[int, ...]) -> str:
    """The message for a call of the function ``name``, or for a line that does ``deed``."""
    if deed == "setitem" and not name:
        return _WRITING.format(shape=shape)
    package, _, rest = name.partition(".")
    if package == "scipy":
        way = SCIPY.get(rest) or _of_module(name)
        if os.environ.get("SCIPY_ARRAY_API", "0") not in ("", "0") and rest.startswith("special."):
            way += ". SCIPY_ARRAY_API is set: with it the ufuncs of scipy.special take no Tensor; unset it"
        return (
            f"{name}: SciPy makes a plain array of its argument before NumPy's protocols are asked, "
            f"so no gradient can flow; write {way}"
        )
    cut = f"would cut this Tensor (shape {shape}) out of the graph and lose its gradient"
    if package == "numpy":
        rest = SPELT.get(rest, rest)
        listed = f"np.{rest}(np.stack([t, u])) for a list of Tensors" if hasattr(np, rest) else _general()
        way = NUMPY.get(rest, DRAWN if rest.startswith("random.") else listed)
        return f"np.{rest}: {cut}; write {way}. {_PLAIN}"
    if package in ("math", "cmath") and rest:
        way = MATH.get(rest) or (f"np.{rest}(t)" if hasattr(np, rest) else _general())
        return f"{name}: {cut}; write {way}. {_PLAIN}"
    if package in MODULES:
        return f"{name}: {cut}; write {_of_module(name)}. {_PLAIN}"
    if deed == "index" and not name:
        return f"index: {cut}: a Tensor of floating-point numbers is no position; write a[int(t.item())]. {_PLAIN}"
    return f"{name or deed}: {cut}; write {_general()}. {_PLAIN}"


def _general() -> str:
    return "np functions of the Tensor itself: np.exp(t) for math.exp(t), np.stack([t, u]) for np.array([t, u])"


def _of_module(name: str) -> str:
    while name:
        if name in MODULES:
            return MODULES[name]
        name = name.rpartition(".")[0]
    return ALMOST
