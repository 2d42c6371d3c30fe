"""Elementwise functions, as a table of derivatives.

``g`` cotangent, ``x`` the argument of a unary function, ``a, b`` those of a binary one, ``y`` the output.
Constants are Python numbers, so that float32 stays float32.

At kinks: abs'(0) = 0, relu'(0) = 0, clip' = 0 at and beyond its bounds, sign' = 0 everywhere; where two arguments tie
in maximum, minimum, fmax and fmin, each gets half.
Sources: M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 4.1 to 4.6; JAX's and PyTorch's choices
at kinks are noted where they differ.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..convention import spelling
from ..primitive import Domain, exactly, example, nonzero, positive, real, sample
from ..registering import elementwise
from ..structural import at_kinks, chosen, masking, selected
from .kinks import across, along, by_convention

Array = Any

# -- arithmetic --------------------------------------------------------------------------------------------------

elementwise(np.add, lambda g: g, lambda g: g, forward=operator.add)
elementwise(np.subtract, lambda g: g, lambda g: -g, forward=operator.sub)
elementwise(np.multiply, lambda g, b: g * b, lambda g, a: g * a, forward=operator.mul)
elementwise(np.divide, lambda g, b: g / b, lambda g, b, y: -g * y / b, forward=operator.truediv, domain=(real, nonzero))
elementwise(np.negative, lambda g: -g, forward=operator.neg)
elementwise(np.positive, lambda g: g)
elementwise(np.reciprocal, lambda g, y: -g * y * y, domain=nonzero, analytic=True)
elementwise(np.square, lambda g, x: g * (2.0 * x))
elementwise(np.sqrt, lambda g, y: g * 0.5 / y, domain=positive)
elementwise(np.cbrt, lambda g, y: g / (3.0 * (y * y)), domain=nonzero)


def _base_slope(a: Array, b: Array) -> Array:
    """b a^(b - 1), and 0 for b = 0, whatever a is.

    Its derivative with respect to b is a^(b - 1) (1 + b log(a)), which is 1 / a at b = 0.  So the power stays in the
    formula there.
    """
    if type(b) in (int, float):  # a plain number keeps float32 what it is
        return b * a ** (b - 1 if b else 0)
    flat = (b == 0) & ((a == 0) | (a != a))
    power = a ** np.where(flat, 0.0, b - 1.0)
    return by_convention(b * power, (b,), lambda: (b, (a != 0) | (b > 1)))


def _exponent_slope(a: Array, b: Array, y: Array) -> Array:
    """a^b log(a), and 0 where a is 0: 0 ** b does not change with b > 0."""
    if type(a) in (int, float):  # a plain number keeps float32 what it is
        return by_convention(y * (float(np.log(a)) if a else 0.0), (b,), lambda: (b, (b > 0) | (a != 0)))
    zero = a == 0
    slope = y * np.log(np.where(zero, 1.0, a))
    slope = by_convention(slope, (a,), lambda: (a, ~zero | (b > 1)))
    return by_convention(slope, (b,), lambda: (b, ~zero | (b > 0)))


elementwise(
    np.power,
    lambda g, a, b: g * _base_slope(a, b),
    lambda g, a, b, y: g * _exponent_slope(a, b, y),
    forward=operator.pow,
    domain=(positive, real),
)
elementwise(
    np.float_power,
    lambda g, a, b: g * _base_slope(a, b),
    lambda g, a, b, y: g * _exponent_slope(a, b, y),
    domain=(positive, real),
)
_TWICE = (Domain(10.0, 13.0), Domain(4.3, 5.1))  # the quotient lies between 2 and 3
elementwise(np.remainder, lambda g: g, lambda g, a, b: -g * np.floor(a / b), domain=_TWICE)
elementwise(np.fmod, lambda g: g, lambda g, a, b: -g * np.trunc(a / b), domain=_TWICE)

# -- exponentials and logarithms ---------------------------------------------------------------------------------

elementwise(np.exp, lambda g, y: g * y)
elementwise(np.exp2, lambda g, y: g * (y * math.log(2.0)))
elementwise(np.expm1, lambda g, y: g * (y + 1.0))
elementwise(np.log, lambda g, x: g / x, domain=positive)
elementwise(np.log2, lambda g, x: g / (x * math.log(2.0)), domain=positive)
elementwise(np.log10, lambda g, x: g / (x * math.log(10.0)), domain=positive)
elementwise(np.log1p, lambda g, x: g / (x + 1.0), domain=Domain(-1.0, 4.0))
elementwise(np.logaddexp, lambda g, a, y: g * _share(a, y), lambda g, b, y: g * _share(b, y))
elementwise(
    np.logaddexp2,
    lambda g, a, y: g * np.exp2(np.where(a == y, 0.0, a - y)),
    lambda g, b, y: g * np.exp2(np.where(b == y, 0.0, b - y)),
)


def _share(part: Array, total: Array) -> Array:
    """exp(part - total), and 1 where they are equal, infinite included."""
    return np.exp(np.where(part == total, 0.0, part - total))


# -- trigonometric and hyperbolic --------------------------------------------------------------------------------

elementwise(np.sin, lambda g, x: g * np.cos(x))
elementwise(np.cos, lambda g, x: -g * np.sin(x))
elementwise(np.tan, lambda g, y: g * (1.0 + y * y), domain=Domain(-1.4, 1.4))
# not 1.0 - x, which of a complex x loses the sign of a zero imaginary part, and with it the side of the branch cut
elementwise(np.arcsin, lambda g, x: g / np.sqrt(-(x - 1.0) * (x + 1.0)), domain=Domain(-1.0, 1.0))
elementwise(np.arccos, lambda g, x: -g / np.sqrt(-(x - 1.0) * (x + 1.0)), domain=Domain(-1.0, 1.0))
elementwise(np.arctan, lambda g, x: g / (1.0 + x * x))
elementwise(
    np.arctan2,
    lambda g, a, b: _off_origin(g, a, b) * _over_square(b, a, b),
    lambda g, a, b: -_off_origin(g, a, b) * _over_square(a, a, b),
    domain=(positive, nonzero),
)
elementwise(np.sinh, lambda g, x: g * np.cosh(x))
elementwise(np.cosh, lambda g, x: g * np.sinh(x))
elementwise(np.tanh, lambda g, y: g * (1.0 - y * y))
elementwise(np.arcsinh, lambda g, x: g / _arcsinh_slope(x))
elementwise(np.arccosh, lambda g, x: g / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)), domain=Domain(1.0, 4.0))
elementwise(np.arctanh, lambda g, x: g / ((1.0 - x) * (1.0 + x)), domain=Domain(-1.0, 1.0))
elementwise(np.deg2rad, lambda g: g * (math.pi / 180.0))
elementwise(np.radians, lambda g: g * (math.pi / 180.0))
elementwise(np.rad2deg, lambda g: g * (180.0 / math.pi))
elementwise(np.degrees, lambda g: g * (180.0 / math.pi))
elementwise(np.sinc, lambda g, x: g * _sinc_slope(x))


def _arcsinh_slope(x: Array) -> Array:
    """sqrt(x² + 1), computed by hypot for real numbers, so that the square does not overflow."""
    return np.sqrt(x * x + 1.0) if x.dtype.kind == "c" else np.hypot(x, 1.0)


def _off_origin(g: Array, a: Array, b: Array) -> Array:
    return across(g, (a, b), lambda: (a != 0) | (b != 0))


def _over_square(part: Array, a: Array, b: Array) -> Array:
    """part / (a² + b²), computed by hypot so that squares neither overflow nor vanish; 0 at the origin."""
    length = np.hypot(a, b)
    zero = length == 0
    safe = np.where(zero, 1.0, length)
    return by_convention(part / safe / safe, (length,), lambda: (length, ~zero))


def _sinc_slope(x: Array) -> Array:
    """d sinc(x) / dx = (cos(pi x) - sinc(x)) / x, which is -pi² x / 3 + pi⁴ x³ / 30 near 0, where it cancels."""
    small = np.abs(x) < 1e-2
    safe = np.where(small, 1.0, x)
    square = (math.pi**2) * (x * x)
    series = -(math.pi**2 / 3.0) * x * (1.0 - square / 10.0 * (1.0 - square / 28.0 * (1.0 - square / 54.0)))
    return np.where(small, series, (np.cos(math.pi * safe) - np.sinc(safe)) / safe)


# -- choosing ----------------------------------------------------------------------------------------------------


def _share_at_ties(g: Array, winner: Array, other: Array, wins: Array) -> Array:
    """``g`` times 1 where the first argument wins, 0 where it does not, and 1/2 at a tie."""
    tie = winner == other
    share = np.where(tie, g.dtype.type(0.5), wins)
    share = chosen(by_convention(share, (winner, other), lambda: (winner - other, ~tie)))
    return across(g, (winner, other), lambda: ~tie) * share


_TIE = [example(exactly([0.5, 2.0]), exactly([0.5, 1.0]))]

elementwise(
    np.maximum,
    lambda g, a, b: _share_at_ties(g, a, b, a > b),
    lambda g, a, b: _share_at_ties(g, b, a, b > a),
    kinks=_TIE,
    analytic=False,
)
elementwise(
    np.minimum,
    lambda g, a, b: _share_at_ties(g, a, b, a < b),
    lambda g, a, b: _share_at_ties(g, b, a, b < a),
    kinks=_TIE,
    analytic=False,
)
elementwise(  # where b is NaN, a is chosen: not (a <= b), and b is not (b > a)
    np.fmax,
    lambda g, a, b: _share_at_ties(g, a, b, (a > b) | np.isnan(b)),
    lambda g, a, b: _share_at_ties(g, b, a, (b > a) | np.isnan(a)),
    kinks=_TIE,
    analytic=False,
)
elementwise(
    np.fmin,
    lambda g, a, b: _share_at_ties(g, a, b, (a < b) | np.isnan(b)),
    lambda g, a, b: _share_at_ties(g, b, a, (b < a) | np.isnan(a)),
    kinks=_TIE,
    analytic=False,
)
elementwise(np.absolute, lambda g, x: along(g, x), domain=nonzero)
elementwise(np.fabs, lambda g, x: along(g, x), domain=nonzero)
elementwise(np.copysign, lambda g, a, y: along(g, a * np.sign(y)), None, domain=(nonzero, nonzero))
elementwise(
    np.hypot,
    lambda g, a, y: across(g, (a, y), lambda: y != 0) * _ratio(a, y),
    lambda g, b, y: across(g, (b, y), lambda: y != 0) * _ratio(b, y),
    domain=(nonzero, nonzero),
    kinks=[example(exactly([0.0, 1.0]), exactly([0.0, 2.0]))],
)


@spelling(np.where)
def _where(chosen: Any, condition: Any, *choices: Any, **options: Any) -> Any:
    """With a condition only, the positions where it holds."""
    if options:
        raise TypeError(f"where: takes no keyword '{next(iter(options))}'; write np.where(condition, a, b)")
    return chosen(condition, *choices) if choices else np.nonzero(condition)


elementwise(
    np.where,
    None,
    lambda g, condition: np.where(condition, g, 0.0),
    lambda g, condition: np.where(condition, 0.0, g),
    parameters=("condition", "a", "b"),
    forward=selected,
    domain=(Domain(-1.0, 1.0), real, real),
    examples=[
        example(np.array([True, False, True]), sample(2, 3), sample(3)),
        example(np.array([[0], [1]]), sample(), sample(3)),
        example(False, sample(2), sample()),
    ],
)


def limit(a: Array, lower: Array, upper: Array) -> Array:
    """``np.clip`` with both of its bounds given."""
    return np.clip(a, lower, upper)


limit = elementwise(
    limit,
    lambda g, a, lower, upper: g * at_kinks((a > lower) & (a < upper), lambda: (a == lower) | (a == upper), g.dtype),
    lambda g, a, lower, upper: g * ((a <= lower) & (lower < upper)),
    lambda g, a, lower, upper: g * ((a >= upper) | (lower >= upper)),  # bounds that cross give the upper one
    domain=(real, Domain(-2.0, -1.0), Domain(1.0, 2.0)),
    kinks=[example(exactly([-1.5, 1.25, 0.5]), exactly([-1.5]), exactly([1.25]))],
    analytic=False,
    method="",
)


def _sign(x: Array) -> Array:
    if np.iscomplexobj(x):
        raise TypeError("sign: of a complex number it is x / |x|, which changes with x; write x / np.abs(x)")
    return np.sign(x)


def _ratio(part: Array, length: Array) -> Array:
    """part / length, and 0 by convention where the length is 0."""
    zero = length == 0
    return by_convention(part / np.where(zero, 1.0, length), (part, length), lambda: (length, ~zero))


# -- recorded, with a derivative that is zero everywhere ---------------------------------------------------------

elementwise(np.sign, None, forward=_sign, analytic=False, errors=[example(exactly([1.0 + 2.0j]))])
function: Any
for function in (np.floor, np.ceil, np.trunc, np.rint, np.isnan, np.isinf, np.isfinite, np.signbit):
    elementwise(function, None, forward=masking(function), analytic=False)
for function in (np.logical_not, np.invert):
    elementwise(function, None, forward=masking(function), analytic=False)
for function in (
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.floor_divide,
    np.logical_and, np.logical_or, np.logical_xor, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.heaviside,
):  # fmt: skip
    elementwise(function, None, None, forward=masking(function), analytic=False)


def stop_gradient(x: Array) -> Array:
    """The same values as a constant: no gradient flows back through the result.

    >>> from autodiff import grad, stop_gradient
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return np.copy(x) if x.dtype.kind == "b" else np.positive(x)


stop_gradient = elementwise(stop_gradient, None, analytic=False, method="detach")

# -- activations that NumPy does not have ------------------------------------------------------------------------


def relu(x: Array) -> Array:
    """max(x, 0), with relu'(0) = 0.

    A primitive because ``np.maximum(x, 0)`` keeps both arguments and shares its gradient at the tie.

    >>> import numpy as np
    >>> from autodiff import relu
    >>> relu(np.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow and to full relative accuracy in the left tail.

    A primitive because the composition overflows for x << 0 and takes twice the passes.  The form with tanh cannot
    overflow either, but has lost all digits at x = -17 in float32.

    >>> float(sigmoid(0.0)), float(sigmoid(-40.0)), float(sigmoid(-800.0))
    (0.5, 4.248354255291589e-18, 0.0)
    """
    if getattr(x, "dtype", None) == np.float16:  # exp(-x) overflows at x = -11, where the result is still far from 0
        return (1.0 / (1.0 + np.exp(-x.astype(np.float32)))).astype(np.float16)
    with np.errstate(over="ignore"):  # 1 / inf is the right 0
        return 1.0 / (1.0 + np.exp(-x))


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), linear for large x.

    A primitive because the composition overflows; ``np.logaddexp(x, 0)`` is the same number, ten times slower.

    >>> from autodiff import softplus
    >>> float(softplus(800.0))
    800.0
    """
    if np.iscomplexobj(x):
        raise TypeError("softplus: needs real numbers; of complex ones write np.log(1 + np.exp(x))")
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


# from y alone, which the next layer keeps anyway: at 0 this is the slope from the left, and a selection as there
relu = elementwise(relu, lambda g, y: g * (y > 0), domain=nonzero)
sigmoid = elementwise(sigmoid, lambda g, y: g * (y * (1.0 - y)))
softplus = elementwise(softplus, lambda g, x: g * sigmoid(x), analytic=False, errors=[example(exactly([1.0 + 2.0j]))])
