"""Distributions of one number: the methods that a user calls, and the entry of the table that computes them.

A family declares the logarithm of its density and its distribution function in standard form, with all its shape
parameters.  Location and scale, the edges of the support and wrong parameters are handled here, for all families:
with z = (x - loc) / scale,

    logpdf(x) = log density(z) - log(scale),  cdf(x) = cdf(z).

Outside of the support the logarithm of the density is -inf, and its derivative 0.  Parameters that SciPy does not
allow, such as a negative scale, give NaN and a gradient of NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from ...arrays import as_array
from ...domain import Domain, Example, Sample, example, sample
from ...primitive import registry
from ..compiled import composed
from .parts import bounded_exp

Array = Any
Function = Callable[..., Any]

LOC, SCALE = Domain(-0.2, 0.1), Domain(1.0, 1.5)
"""Where the examples of the table take the location and the scale from."""


@dataclass(frozen=True)
class Family:
    """A family of distributions in standard form: functions of z and of the shape parameters, in their order.

    ``formula`` is that of the density, for the documentation.  ``shapes`` are the names of the parameters.  ``allowed``
    says of each whether a value is allowed.  ``domains`` are where the examples take values from, of x and of each
    parameter; a number stands for a parameter without a derivative.  ``low`` and ``high`` are the ends of the support,
    of which ``high`` may be a function of the parameters, and ``inside`` is a number between them.
    """

    formula: str
    log_density: Function
    cdf: Function
    sf: Function
    log_cdf: Function
    log_sf: Function
    shapes: tuple[str, ...] = ()
    allowed: tuple[Function, ...] = ()
    domains: tuple[Any, ...] = (Domain(-3.0, 3.0),)
    low: float = -math.inf
    high: Any = math.inf
    inside: float = 0.5


def positive(value: Array) -> Array:
    """Whether each number is above 0.

    >>> positive(np.array([1.0, 0.0])).tolist()
    [True, False]
    """
    return value > 0


class Distribution:
    """A distribution of SciPy's by its name: its methods take Tensors, for x and for each of the parameters.

    Without arguments to a method it is called as in SciPy: ``norm(loc, scale)`` holds the parameters still.  Methods
    that are not differentiated are those of SciPy's object, and take arrays.
    """

    methods: tuple[str, ...] = ("logpdf", "pdf", "cdf", "logcdf", "sf", "logsf")
    own: tuple[str, ...] = ("loc", "scale")
    """Parameters that every family has, after its shapes."""
    defaults: tuple[float, ...] = (0.0, 1.0)
    own_domains: tuple[Domain, ...] = (LOC, SCALE)
    ends: bool = True
    """Whether the support has ends where the density is 0 and that are not in it any more."""

    def __init__(self, name: str, family: Family, kinks: Sequence[Example] = ()) -> None:
        self.name, self.family = name, family
        self.parameters = (*family.shapes, *self.own)
        signature = ", ".join(
            [
                "x" if "scale" in self.own else "k",
                *family.shapes,
                *(f"{p}={v:g}" for p, v in zip(self.own, self.defaults, strict=True)),
            ]
        )
        self.__doc__ = (
            f"``scipy.stats.{name}``: {family.formula}.\n\nThe methods ``{'``, ``'.join(self.methods)}`` take "
            f"``({signature})``.  All broadcast, and are differentiated by each argument, to any order.\n"
        )

        def value(x: Array, *parameters: Any, of: str = self.methods[0]) -> Any:
            return self._value(of, x, parameters)

        value.__name__ = value.__qualname__ = name
        value.__doc__ = f"``scipy.stats.{name}``: {family.formula}."
        composed(examples=self._examples(), kinks=kinks, errors=self._errors())(value)
        self.entry = registry[value]

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        """The distribution with these parameters, whose methods take x alone."""
        return Frozen(self, self._bound("()", args, kwds))

    def __getattr__(self, name: str) -> Any:
        """A method without a derivative, of SciPy's object."""
        if name.startswith("__") or "name" not in self.__dict__:
            raise AttributeError(name)
        return getattr(getattr(stats, self.name), name)

    def __repr__(self) -> str:
        return f"autodiff.scipy.stats.{self.name}"

    def _method(self, of: str, x: Array, args: tuple[Any, ...], kwds: dict[str, Any]) -> Any:
        value = self.entry.call(x, *self._bound(f".{of}", args, kwds), of=of)
        return value[()] if type(value) is np.ndarray and not value.shape else value  # a number, as of a ufunc

    def _bound(self, of: str, args: tuple[Any, ...], kwds: dict[str, Any]) -> list[Any]:
        """The parameters in their order, with SciPy's defaults for the location and the scale."""
        names, call = self.parameters, f"{self.name}{of}"
        if len(args) > len(names):
            raise TypeError(f"{call}: got {len(args)} parameters; they are {', '.join(names)}")
        given = dict(zip(names, args, strict=False))
        for name, value in kwds.items():
            if name not in names:
                raise TypeError(f"{call}: has no parameter '{name}'; the parameters are {', '.join(names)}")
            if name in given:
                raise TypeError(f"{call}: got two values for '{name}'")
            given[name] = value
        missing = [name for name in self.family.shapes if name not in given]
        if missing:
            raise TypeError(f"{call}: missing {', '.join(missing)}; the parameters are {', '.join(names)}")
        return [*(given[n] for n in self.family.shapes), *map(given.get, self.own, self.defaults)]

    # -- values ------------------------------------------------------------------------------------------------------

    def _value(self, of: str, x: Array, parameters: tuple[Any, ...]) -> Any:
        if of not in self.methods:
            raise ValueError(f"{self.name}: of={of!r}; the methods are {', '.join(self.methods)}")
        x = self._number(np.float64(x) if type(x) in (int, float) else x)
        every = [self._number(value) for value in self._bound("", parameters, {})]
        shapes, own = every[: len(self.family.shapes)], every[len(self.family.shapes) :]
        x = x / 1.0 if x.dtype.kind in "iub" else x
        for place, is_allowed in enumerate(self.family.allowed):
            factor = _one_or_nan(shapes[place], is_allowed)
            if not _is(factor, 1.0):  # NaN outside of the support, too
                shapes[place], x = shapes[place] * factor, x * factor
        return self._in_standard_form(of, x, shapes, own)

    def _number(self, value: Any) -> Any:
        if type(value) in (int, float):
            return value
        value = as_array(value)
        if value.dtype.kind not in "fiub":
            raise TypeError(f"{self.name}: takes real numbers, and got an array of {value.dtype}")
        return value[()] if type(value) is np.ndarray and not value.shape else value

    def _in_standard_form(self, of: str, x: Array, shapes: list[Any], own: list[Any]) -> Any:
        loc, scale = own[0], own[1] * _one_or_nan(own[1], positive) if len(own) > 1 else 1.0
        z = x if _is(loc, 0.0) else x - loc
        z = z if _is(scale, 1.0) else z / scale
        kind = np.result_type(z.dtype, *[s.dtype for s in shapes if hasattr(s, "dtype")])
        shapes = [s if hasattr(s, "dtype") else kind.type(s) for s in shapes]
        if of in ("logpdf", "pdf", "logpmf", "pmf"):
            value = self._dense(z, shapes, scale)
            return value if of.startswith("log") else bounded_exp(value)
        return self._distributed(of, z, shapes)

    def _dense(self, z: Array, shapes: list[Any], scale: Any) -> Any:
        """The logarithm of the density."""
        width = 0.0 if _is(scale, 1.0) else math.log(scale) if type(scale) in (int, float) else np.log(scale)
        if self.family.low == -math.inf:
            return self.family.log_density(z, *shapes) - width
        outside = self._below(z) | self._above(z, shapes)
        value = self.family.log_density(np.where(outside, self.family.inside, z), *shapes) - width
        return np.where(outside | (value == -math.inf) if self.ends else outside, -math.inf, value)

    def _below(self, z: Array) -> Any:
        """Where no probability is at z or below."""
        low = self.family.low
        return z == low if low == -math.inf else z < low

    def _above(self, z: Array, shapes: list[Any]) -> Any:
        """Where no probability is above z."""
        high = self.family.high
        high = high(*shapes) if callable(high) else high
        return z == high if high is math.inf else z > high

    def _distributed(self, of: str, z: Array, shapes: list[Any]) -> Any:
        """The distribution function or the survival function, or the logarithm of one."""
        function = {
            "cdf": self.family.cdf, "sf": self.family.sf, "logcdf": self.family.log_cdf, "logsf": self.family.log_sf
        }[of]  # fmt: skip
        below, above = self._below(z), self._above(z, shapes)
        value = function(np.where(below | above, self.family.inside, z), *shapes)
        is_log = of in ("logcdf", "logsf")
        no, sure = (-math.inf, 0.0) if is_log else (0.0, 1.0)
        left, right = (no, sure) if of in ("cdf", "logcdf") else (sure, no)
        value = np.where(below, left, np.where(above, right, value))
        return np.where(value == -math.inf, -math.inf, value) if is_log else value

    # -- calls for the tests -----------------------------------------------------------------------------------------

    def _examples(self) -> list[Example]:
        """A call of each method; the first with arrays of several shapes for all of the parameters."""
        few = self._shapes()
        every = [*few, *[sample(domain=d) for d in self.own_domains]]
        first = every[0]._replace(shape=(2, 1)) if isinstance(every[0], Sample) else every[0]
        return [
            example(self._place(2), first, *every[1:]),
            *[example(self._place(), *few, of=method) for method in self.methods[1:]],
        ]

    def _shapes(self) -> list[Any]:
        """Places of the shape parameters in the examples."""
        return [sample(domain=d) if isinstance(d, Domain) else d for d in self.family.domains[1:]]

    def _place(self, *shape: int) -> Any:
        """The place of x in the examples."""
        return sample(*shape, domain=self.family.domains[0])

    def _errors(self) -> list[Example]:
        few = self._shapes()
        return [
            example(self._place(2), *few, sample(3)),
            example(self._place(), *few, 0.0, 1.0, 2.0),
            example(self._place(), *few, of="ppf"),
        ]


class Continuous(Distribution):
    """A distribution with a density."""

    def logpdf(self, x: Array, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the density at x."""
        return self._method("logpdf", x, args, kwds)

    def pdf(self, x: Array, *args: Any, **kwds: Any) -> Any:
        """The density at x."""
        return self._method("pdf", x, args, kwds)

    def cdf(self, x: Array, *args: Any, **kwds: Any) -> Any:
        """The probability of a number up to x."""
        return self._method("cdf", x, args, kwds)

    def logcdf(self, x: Array, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of a number up to x."""
        return self._method("logcdf", x, args, kwds)

    def sf(self, x: Array, *args: Any, **kwds: Any) -> Any:
        """The probability of a number above x."""
        return self._method("sf", x, args, kwds)

    def logsf(self, x: Array, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of a number above x."""
        return self._method("logsf", x, args, kwds)


class Discrete(Distribution):
    """A distribution of whole numbers k, by which nothing is differentiated: the derivative is zero."""

    methods = ("logpmf", "pmf", "cdf", "logcdf", "sf", "logsf")
    own, defaults, own_domains, ends = ("loc",), (0.0,), (), False

    def logpmf(self, k: Array, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of k."""
        return self._method("logpmf", k, args, kwds)

    def pmf(self, k: Array, *args: Any, **kwds: Any) -> Any:
        """The probability of k."""
        return self._method("pmf", k, args, kwds)

    def cdf(self, k: Array, *args: Any, **kwds: Any) -> Any:
        """The probability of a number up to k."""
        return self._method("cdf", k, args, kwds)

    def logcdf(self, k: Array, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of a number up to k."""
        return self._method("logcdf", k, args, kwds)

    def sf(self, k: Array, *args: Any, **kwds: Any) -> Any:
        """The probability of a number above k."""
        return self._method("sf", k, args, kwds)

    def logsf(self, k: Array, *args: Any, **kwds: Any) -> Any:
        """The logarithm of the probability of a number above k."""
        return self._method("logsf", k, args, kwds)

    def _dense(self, z: Array, shapes: list[Any], scale: Any) -> Any:
        k = np.floor(z)
        return np.where(k < z, -math.inf, super()._dense(k, shapes, scale))

    def _distributed(self, of: str, z: Array, shapes: list[Any]) -> Any:
        k, high = np.floor(z), self.family.high
        return super()._distributed(of, np.where(k >= high(*shapes), math.inf, k) if callable(high) else k, shapes)

    def _place(self, *shape: int) -> Any:
        return np.resize([0.0, 1.0], shape)[()]  # numbers, by which nothing is differentiated


class Frozen:
    """A distribution with its parameters: ``norm(loc, scale).logpdf(x)``."""

    def __init__(self, distribution: Distribution, parameters: list[Any]) -> None:
        self.dist, self.args = distribution, tuple(parameters)

    def __getattr__(self, name: str) -> Any:
        """A method with the parameters filled in; one without a derivative is SciPy's."""
        if name.startswith("__") or "args" not in self.__dict__:
            raise AttributeError(name)
        if name not in self.dist.methods:
            return getattr(getattr(stats, self.dist.name)(*self.args), name)
        return lambda x: self.dist._method(name, x, self.args, {})

    def __repr__(self) -> str:
        named = zip(self.dist.parameters, self.args, strict=True)
        return f"{self.dist!r}({', '.join(f'{name}={value!r}' for name, value in named)})"


def _is(value: Any, number: float) -> bool:
    """Whether it is this number, as Python has it: not an array that happens to hold it."""
    return type(value) in (int, float) and value == number


def _one_or_nan(value: Any, is_allowed: Function) -> Any:
    """1, or NaN for values that are not allowed: as a factor it makes both the value and the gradient NaN."""
    if type(value) in (int, float):
        return 1.0 if is_allowed(value) else math.nan
    kind = value.dtype.type if value.dtype.kind == "f" else float
    return np.where(is_allowed(value), kind(1.0), kind(math.nan))
