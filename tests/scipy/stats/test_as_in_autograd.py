"""Calls that users of HIPS autograd make of its ``scipy.stats``: a gradient by each argument, against differences."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import grad
from autodiff.scipy import stats

X, A, B = np.array([0.3, 0.6, 0.8]), np.array([1.5, 0.7, 2.5]), np.array([0.8, 1.2, 3.0])
C = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, 0.2], [0.1, 0.2, 1.0]])
CALLS = {
    **{f"norm.{m}": (getattr(stats.norm, m), (X, A, B)) for m in stats.norm.methods},
    **{f"t.{m}": (getattr(stats.t, m), (X, 4.0 * A, B, A)) for m in ("pdf", "cdf", "logpdf", "logcdf")},
    **{f"gamma.{m}": (getattr(stats.gamma, m), (X, A)) for m in ("pdf", "cdf", "logpdf")},
    **{f"beta.{m}": (getattr(stats.beta, m), (X, A, B)) for m in ("pdf", "cdf", "logpdf")},
    **{f"chi2.{m}": (getattr(stats.chi2, m), (X, A)) for m in ("pdf", "cdf", "logpdf")},
    **{
        f"poisson.{m}": (lambda mu, m=m: getattr(stats.poisson, m)(np.arange(3), mu), (A,))
        for m in ("pmf", "cdf", "logpmf")
    },
    "multivariate_normal.logpdf": (stats.multivariate_normal.logpdf, (X, A, C)),
    "multivariate_normal.pdf": (stats.multivariate_normal.pdf, (X, A, C)),
    "dirichlet.logpdf": (lambda x, alpha: stats.dirichlet.logpdf(x / np.sum(x), alpha), (X, A)),
    "dirichlet.pdf": (lambda x, alpha: stats.dirichlet.pdf(x / np.sum(x), alpha), (X, A)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_gradient_by_each_argument(name):
    function, arguments = CALLS[name]
    found = grad(lambda *given: np.sum(function(*given)), tuple(range(len(arguments))))(*arguments)
    for place, (slope, argument) in enumerate(zip(found, arguments, strict=True)):
        step = 1e-5 * np.cos(np.arange(argument.size)).reshape(argument.shape)

        def at(h, place=place, argument=argument, step=step):
            return np.sum(function(*arguments[:place], argument + h * step, *arguments[place + 1 :]))

        expected = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / 12.0
        np.testing.assert_allclose(np.sum(slope * step), expected, rtol=1e-6, atol=1e-14)
