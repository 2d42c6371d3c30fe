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
from ...domain import Domain, Example, example, sample
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

    ``formula`` is that of the density in the documentation, ``shapes`` are the names of the parameters, ``allowed`` says of each whether a value is allowed, and ``domains``
    where the examples take values from: of x, and of each parameter.  ``low`` and ``high`` are the ends of the support,
    numbers or functions of the parameters; ``inside`` is a number in it.
    """

    formula: str
    log_density: Function
    cdf: Function
    sf: Function
    log_cdf: Function
    log_sf: Function
    shapes: tuple[str, ...] = ()
    allowed: tuple[Function, ...] = ()
    domains: tuple[Domain, ...] = (Domain(-3.0, 3.0),)
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

    def __init__(self, name: str, family: Family, kinks: Sequence[Example] = ()) -> None:
        self.name, self.family = name, family
        self.parameters = (*family.shapes, *self.own)
        signature = ", ".join(
            ["x", *family.shapes, *(f"{p}={v:g}" for p, v in zip(self.own, self.defaults, strict=True))]
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
        x = self._number(as_array(x))
        every = [self._number(value) for value in self._bound("", parameters, {})]
        shapes, own = every[: len(self.family.shapes)], every[len(self.family.shapes) :]
        shapes = [_allowed(value, is_allowed) for value, is_allowed in zip(shapes, self.family.allowed, strict=True)]
        return self._in_standard_form(of, x / 1.0 if x.dtype.kind in "iub" else x, shapes, own)

    def _number(self, value: Any) -> Any:
        if type(value) in (int, float):
            return value
        value = as_array(value)
        if value.dtype.kind not in "fiub":
            raise TypeError(f"{self.name}: takes real numbers, and got an array of {value.dtype}")
        return value

    def _in_standard_form(self, of: str, x: Array, shapes: list[Any], own: list[Any]) -> Any:
        loc, scale = own[0], _allowed(own[1], positive)
        z = x if _is(loc, 0.0) else x - loc
        z = z if _is(scale, 1.0) else z / scale
        kind = np.result_type(z.dtype, *[s.dtype for s in shapes if hasattr(s, "dtype")])
        shapes = [s if hasattr(s, "dtype") else np.asarray(s, kind) for s in shapes]
        if of not in ("logpdf", "pdf"):
            return self._distributed(of, z, shapes)
        width = 0.0 if _is(scale, 1.0) else math.log(scale) if type(scale) in (int, float) else np.log(scale)
        if self.family.low == -math.inf:
            value = self.family.log_density(z, *shapes) - width
        else:
            outside = self._below(z) | self._above(z, shapes)
            value = self.family.log_density(np.where(outside, self.family.inside, z), *shapes) - width
            value = np.where(outside | (value == -math.inf), -math.inf, value)
        return value if of == "logpdf" else bounded_exp(value)

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
        x, *shapes = self.family.domains
        every = [sample(domain=d) for d in (*shapes, *self.own_domains)]
        first = example(self._place(2, domain=x), *[p._replace(shape=(2, 1)) for p in every[:1]], *every[1:])
        few = every[: len(shapes)]
        return [first, *[example(self._place(domain=x), *few, of=method) for method in self.methods[1:]]]

    def _place(self, *shape: int, domain: Domain) -> Any:
        """A variable x in the examples."""
        return sample(*shape, domain=domain)

    def _errors(self) -> list[Example]:
        x, *shapes = self.family.domains
        few = [sample(domain=d) for d in shapes]
        return [
            example(self._place(2, domain=x), *few, sample(3)),
            example(self._place(domain=x), *few, 0.0, 1.0, 2.0),
            example(self._place(domain=x), *few, of="ppf"),
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


def _allowed(value: Any, is_allowed: Function) -> Any:
    """A parameter with NaN, of gradient NaN too, in the place of values that are not allowed."""
    if type(value) in (int, float):
        return value if is_allowed(value) else math.nan
    kind = value.dtype.type if value.dtype.kind == "f" else float
    return value * np.where(is_allowed(value), kind(1.0), kind(math.nan))
