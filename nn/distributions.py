"""Probability distributions with differentiable densities: for policies, variational autoencoders, mixtures.

A distribution is made of arrays or Tensors, which broadcast; ``shape`` is that of one draw.  ``log_prob(x)`` is the
logarithm of the density or probability at x, ``sample(shape, rng=)`` draws, ``entropy()`` is the mean of -log_prob, and
:func:`kl` the divergence of Kullback and Leibler of two distributions of one kind.  Draws are arrays, and constants;
``rsample`` of :class:`Normal` and :class:`Uniform` is a differentiable function of the parameters.  Gamma functions are
SciPy's, so :class:`Beta` and :class:`Dirichlet` need it: ``pip install pullback[scipy]``.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from autodiff import sigmoid, softplus

from .layers.activation import log_softmax, softmax
from .layers.checks import as_array
from .layers.embedding import positions
from .layers.structure import values_of
from .random import Rng, draw, generator

__all__ = ["Bernoulli", "Beta", "Categorical", "Dirichlet", "Distribution", "Normal", "Uniform", "kl"]

Array = Any
Shape = int | tuple[int, ...]


def _parameter(who: str, name: str, value: Any, least: float = -math.inf, most: float = math.inf) -> Any:
    """A parameter as an array or a Tensor of numbers, larger than ``least``, or in [least, most] if that is finite."""
    value = as_array(value)
    if value.dtype.kind in "biu":
        value = value.astype(float)
    array = values_of(value)
    closed = most < math.inf
    wrong = np.isnan(array) | ((array < least) | (array > most) if closed else array <= least)
    if bool(np.any(wrong)):
        interval = (
            f"in [{least:g}, {most:g}]" if closed else f"larger than {least:g}" if least > -math.inf else "numbers"
        )
        raise ValueError(f"{who}: {name} must be {interval}; it reaches from {array.min():.6g} to {array.max():.6g}")
    return value


def _gamma() -> Any:
    """SciPy's functions of the gamma family."""
    try:
        return importlib.import_module("scipy.special")
    except ImportError as error:
        raise ImportError("Beta and Dirichlet need SciPy's gamma functions: pip install pullback[scipy]") from error


class Distribution:
    """What all distributions have in common."""

    shape: tuple[int, ...]
    """The shape of one draw."""
    event: int = 0
    """How many of its last axes are one outcome."""
    _parameters: tuple[str, ...] = ()

    def log_prob(self, x: Any) -> Any:
        """The logarithm of the density or probability at x."""
        raise NotImplementedError

    def entropy(self) -> Any:
        """The mean of -log_prob."""
        raise NotImplementedError

    def sample(self, shape: Shape = (), *, rng: Rng = None) -> Array:
        """Independent draws, of shape ``(*shape, *self.shape)``; a constant."""
        raise NotImplementedError

    def _drawn(self, shape: Shape) -> tuple[int, ...]:
        return (*((shape,) if isinstance(shape, int | np.integer) else tuple(shape)), *self.shape)

    def _broadcast(self, who: str, *parameters: Any) -> tuple[int, ...]:
        try:
            return np.broadcast_shapes(*map(np.shape, parameters))
        except ValueError:
            shapes = " and ".join(str(np.shape(p)) for p in parameters)
            raise ValueError(f"{who}: the parameters have shapes {shapes}, which do not broadcast") from None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape})"


class Normal(Distribution):
    """exp(-(x - loc)² / (2 scale²)) / (scale sqrt(2 pi)).

    >>> from nn.distributions import Normal
    >>> float(Normal(0.0, 1.0).log_prob(0.0).round(4))
    -0.9189
    """

    def __init__(self, loc: Any, scale: Any) -> None:
        self.loc: Any = _parameter("Normal", "loc", loc)
        self.scale: Any = _parameter("Normal", "scale", scale, 0.0)
        self.shape: tuple[int, ...] = self._broadcast("Normal", self.loc, self.scale)

    def log_prob(self, x: Any) -> Any:
        z = (x - self.loc) / self.scale
        return z * z * -0.5 - np.log(self.scale) - 0.5 * math.log(2.0 * math.pi)

    def entropy(self) -> Any:
        return np.broadcast_to(np.log(self.scale), self.shape) + 0.5 * (1.0 + math.log(2.0 * math.pi))

    def rsample(self, shape: Shape = (), *, rng: Rng = None) -> Any:
        """loc + scale e with standard normal e: differentiable in loc and scale."""
        return self.loc + self.scale * draw(generator(rng), "standard_normal", self._drawn(shape), self.loc.dtype)

    def sample(self, shape: Shape = (), *, rng: Rng = None) -> Array:
        return Normal(values_of(self.loc), values_of(self.scale)).rsample(shape, rng=rng)


class Uniform(Distribution):
    """1 / (high - low) where low <= x < high, 0 elsewhere.

    >>> from nn.distributions import Uniform
    >>> Uniform(0.0, 2.0).log_prob(3.0).tolist()
    -inf
    """

    def __init__(self, low: Any, high: Any) -> None:
        self.low: Any = _parameter("Uniform", "low", low)
        self.high: Any = _parameter("Uniform", "high", high)
        self.shape: tuple[int, ...] = self._broadcast("Uniform", self.low, self.high)
        if bool(np.any(values_of(self.high) <= values_of(self.low))):
            raise ValueError("Uniform: high must be larger than low, everywhere")

    def log_prob(self, x: Any) -> Any:
        inside = (values_of(x) >= values_of(self.low)) & (values_of(x) < values_of(self.high))
        return np.where(inside, 0.0 - np.log(self.high - self.low), -math.inf)

    def entropy(self) -> Any:
        return np.log(self.high - self.low)

    def rsample(self, shape: Shape = (), *, rng: Rng = None) -> Any:
        """low + (high - low) u with u uniform in [0, 1): differentiable in low and high."""
        return self.low + (self.high - self.low) * draw(generator(rng), "random", self._drawn(shape), self.low.dtype)

    def sample(self, shape: Shape = (), *, rng: Rng = None) -> Array:
        return Uniform(values_of(self.low), values_of(self.high)).rsample(shape, rng=rng)


class Bernoulli(Distribution):
    """1 with probability p, 0 else; given by ``probs``, or by ``logits`` = log(p / (1 - p)).

    >>> import numpy as np
    >>> from nn.distributions import Bernoulli
    >>> Bernoulli(logits=np.zeros(2)).log_prob(np.array([0, 1])).round(4).tolist()
    [-0.6931, -0.6931]
    """

    def __init__(self, probs: Any = None, logits: Any = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Bernoulli: give either probs or logits")
        self.probs: Any
        self.logits: Any
        if probs is not None:
            self.probs = _parameter("Bernoulli", "probs", probs, 0.0, 1.0)
            with np.errstate(divide="ignore"):
                self.logits = np.log(self.probs) - np.log1p(-self.probs)
        else:
            self.logits = _parameter("Bernoulli", "logits", logits)
            self.probs = sigmoid(self.logits)
        self.shape: tuple[int, ...] = np.shape(self.probs)

    def log_prob(self, x: Any) -> Any:
        return np.where(values_of(x) == 1, 0.0 - softplus(-self.logits), 0.0 - softplus(self.logits))

    def entropy(self) -> Any:
        p = self.probs
        yes = p * np.where(values_of(p) > 0, softplus(-self.logits), 0.0)
        return yes + (1.0 - p) * np.where(values_of(p) < 1, softplus(self.logits), 0.0)

    def sample(self, shape: Shape = (), *, rng: Rng = None) -> Array:
        return (draw(generator(rng), "random", self._drawn(shape), float) < values_of(self.probs)).astype(int)


class Categorical(Distribution):
    """Class k with probability p[..., k]: given by ``probs``, which are divided by their sum, or by ``logits``.

    >>> import numpy as np
    >>> from nn.distributions import Categorical
    >>> Categorical(probs=np.array([1.0, 3.0])).log_prob(np.array([0, 1])).round(4).tolist()
    [-1.3863, -0.2877]
    """

    def __init__(self, probs: Any = None, logits: Any = None) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Categorical: give either probs or logits")
        self.probs: Any
        self.logits: Any
        if probs is not None:
            given = _parameter("Categorical", "probs", probs, 0.0, np.finfo(float).max)
            self.probs = given / np.sum(given, axis=-1, keepdims=True)
            with np.errstate(divide="ignore"):
                self.logits = np.log(self.probs)
        else:
            given = _parameter("Categorical", "logits", logits)
            self.logits, self.probs = log_softmax(given), softmax(given)
        if not np.ndim(given):
            raise ValueError("Categorical: one number is no distribution; give an axis of classes")
        self.shape: tuple[int, ...] = np.shape(given)[:-1]

    def log_prob(self, x: Any) -> Any:
        x = positions("Categorical", x, np.shape(self.logits)[-1], "classes")
        shape = np.broadcast_shapes(np.shape(x), self.shape)
        logits = np.broadcast_to(self.logits, (*shape, np.shape(self.logits)[-1]))
        return np.take_along_axis(logits, np.broadcast_to(x, shape)[..., None], -1)[..., 0]

    def entropy(self) -> Any:
        return 0.0 - np.sum(self.probs * _where_possible(self, self.logits), axis=-1)

    def sample(self, shape: Shape = (), *, rng: Rng = None) -> Array:
        bounds = np.cumsum(values_of(self.probs).astype(float), axis=-1)[..., :-1]
        return np.sum(draw(generator(rng), "random", self._drawn(shape), float)[..., None] >= bounds, axis=-1)


def _where_possible(p: Categorical, logits: Any) -> Any:
    """Logits of the classes that can be drawn, 0 for the others."""
    return np.where(values_of(p.probs) > 0, logits, 0.0)


class Dirichlet(Distribution):
    """Positive numbers that sum to 1 along the last axis: the product of x^(concentration - 1), normalised.

    >>> import numpy as np
    >>> from nn.distributions import Dirichlet
    >>> float(Dirichlet(np.ones(3)).log_prob(np.full(3, 1 / 3)).round(4))
    0.6931
    """

    event = 1

    def __init__(self, concentration: Any) -> None:
        self.concentration: Any = _parameter("Dirichlet", "concentration", concentration, 0.0)
        self.shape: tuple[int, ...] = np.shape(self.concentration)
        if not self.shape:
            raise ValueError("Dirichlet: one number is no distribution; give an axis of classes")

    def _log_norm(self) -> Any:
        log_gamma, a = _gamma().gammaln, self.concentration
        return np.sum(log_gamma(a), axis=-1) - log_gamma(np.sum(a, axis=-1))

    def log_prob(self, x: Any) -> Any:
        return np.sum((self.concentration - 1.0) * np.log(x), axis=-1) - self._log_norm()

    def entropy(self) -> Any:
        psi, a = _gamma().digamma, self.concentration
        total = np.sum(a, axis=-1)
        spread = (total - self.shape[-1]) * psi(total) - np.sum((a - 1.0) * psi(a), axis=-1)
        return self._log_norm() + spread

    def sample(self, shape: Shape = (), *, rng: Rng = None) -> Array:
        drawn = generator(rng).standard_gamma(values_of(self.concentration), self._drawn(shape))
        return drawn / np.sum(drawn, axis=-1, keepdims=True)


class Beta(Distribution):
    """x^(a - 1) (1 - x)^(b - 1), normalised, for x between 0 and 1: a is ``concentration1``, b ``concentration0``.

    >>> from nn.distributions import Beta
    >>> float(Beta(2.0, 2.0).log_prob(0.5).round(4))
    0.4055
    """

    def __init__(self, concentration1: Any, concentration0: Any) -> None:
        self.concentration1: Any = _parameter("Beta", "concentration1", concentration1, 0.0)
        self.concentration0: Any = _parameter("Beta", "concentration0", concentration0, 0.0)
        self.shape: tuple[int, ...] = self._broadcast("Beta", self.concentration1, self.concentration0)

    def _pair(self) -> Dirichlet:
        """The distribution of (x, 1 - x)."""
        both = (np.broadcast_to(a, self.shape) for a in (self.concentration1, self.concentration0))
        return Dirichlet(np.stack(list(both), axis=-1))

    def log_prob(self, x: Any) -> Any:
        a, b = self.concentration1, self.concentration0
        return (a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(np.negative(x)) - self._pair()._log_norm()

    def entropy(self) -> Any:
        return self._pair().entropy()

    def sample(self, shape: Shape = (), *, rng: Rng = None) -> Array:
        return generator(rng).beta(values_of(self.concentration1), values_of(self.concentration0), self._drawn(shape))


def kl(p: Distribution, q: Distribution) -> Any:
    """The mean of log(p(x) / q(x)) for x drawn from p: 0 if they are the same, infinite where q cannot draw what p can.

    Raises TypeError for distributions of two kinds.

    >>> from nn.distributions import Normal, kl
    >>> float(kl(Normal(1.0, 1.0), Normal(0.0, 1.0)))
    0.5
    """
    if isinstance(p, Normal) and isinstance(q, Normal):
        ratio, shift = p.scale / q.scale, (p.loc - q.loc) / q.scale
        return 0.5 * (ratio * ratio + shift * shift - 1.0) - np.log(ratio)
    if isinstance(p, Uniform) and isinstance(q, Uniform):
        inside = (values_of(q.low) <= values_of(p.low)) & (values_of(p.high) <= values_of(q.high))
        return np.where(inside, np.log((q.high - q.low) / (p.high - p.low)), math.inf)
    if isinstance(p, Bernoulli) and isinstance(q, Bernoulli):
        pairs = ((p.probs, p.logits, q.logits), (1.0 - p.probs, -p.logits, -q.logits))
        # log(p / q) = softplus(-q's logit) - softplus(-p's)
        yes, no = (a * np.where(values_of(a) > 0, softplus(-y) - softplus(-x), 0.0) for a, x, y in pairs)
        return yes + no
    if isinstance(p, Categorical) and isinstance(q, Categorical):
        return np.sum(p.probs * (_where_possible(p, p.logits) - _where_possible(p, q.logits)), axis=-1)
    if isinstance(p, Beta) and isinstance(q, Beta):
        return kl(p._pair(), q._pair())
    if isinstance(p, Dirichlet) and isinstance(q, Dirichlet):
        psi, a, b = _gamma().digamma, p.concentration, q.concentration
        mean_log = psi(a) - psi(np.sum(a, axis=-1, keepdims=True))
        return q._log_norm() - p._log_norm() + np.sum((a - b) * mean_log, axis=-1)
    raise TypeError(f"kl: there is no formula for {type(p).__name__} and {type(q).__name__}; they must be of one kind")
