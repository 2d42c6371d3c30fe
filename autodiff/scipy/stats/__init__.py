"""Distributions of ``scipy.stats`` with derivatives, under SciPy's names: by the variable and by every parameter.

>>> from autodiff import grad
>>> from autodiff.scipy.stats import norm
>>> grad(norm.logpdf, (0, 1, 2))(1.5, 1.0, 2.0)
(-0.125, 0.125, -0.46875)
>>> round(grad(lambda scale: norm(0.0, scale).logsf(3.0))(1.0), 6)
9.849296
"""

from __future__ import annotations

from ...ops.special import load
from ...primitive import lasting

load()
with lasting():
    from .continuous import cauchy, expon, laplace, lognorm, norm, pareto, uniform, weibull_min
    from .incomplete import bernoulli, beta, binom, chi2, gamma, nbinom, poisson, t
    from .multivariate import multivariate_normal, multivariate_t
    from .simplex import dirichlet, multinomial

__all__ = [
    "bernoulli",
    "beta",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "gamma",
    "laplace",
    "lognorm",
    "multinomial",
    "multivariate_normal",
    "multivariate_t",
    "nbinom",
    "norm",
    "pareto",
    "poisson",
    "t",
    "uniform",
    "weibull_min",
]
