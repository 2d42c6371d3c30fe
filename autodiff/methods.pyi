"""The methods and operators of a Tensor, for type checkers.  Written by `python -m docs`; do not edit."""

from types import EllipsisType
from typing import Any, Literal, Protocol, SupportsIndex, TypeAlias

from numpy.typing import DTypeLike

from .ops.update import At
from .tensor import Tensor

class HasArray(Protocol):
    """An array or a NumPy number of any library."""
    def __array__(self) -> Any: ...

Axis: TypeAlias = SupportsIndex | tuple[SupportsIndex, ...] | None
Operand: TypeAlias = Tensor | complex | HasArray | list[Any] | tuple[Any, ...]
Index: TypeAlias = Tensor | SupportsIndex | slice | EllipsisType | HasArray | list[Any] | tuple[Any, ...] | None

class Methods:
    def __abs__(self) -> Tensor: ...
    def __add__(self, other: Operand) -> Tensor: ...
    def __radd__(self, other: Operand) -> Tensor: ...
    def __and__(self, other: Operand) -> Tensor: ...
    def __rand__(self, other: Operand) -> Tensor: ...
    def __eq__(self, other: Operand) -> Tensor: ...  # type: ignore[override]
    def __floordiv__(self, other: Operand) -> Tensor: ...
    def __rfloordiv__(self, other: Operand) -> Tensor: ...
    def __ge__(self, other: Operand) -> Tensor: ...
    def __getitem__(self, index: Index) -> Tensor: ...
    def __gt__(self, other: Operand) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __le__(self, other: Operand) -> Tensor: ...
    def __lt__(self, other: Operand) -> Tensor: ...
    def __matmul__(self, other: Operand) -> Tensor: ...
    def __rmatmul__(self, other: Operand) -> Tensor: ...
    def __mod__(self, other: Operand) -> Tensor: ...
    def __rmod__(self, other: Operand) -> Tensor: ...
    def __mul__(self, other: Operand) -> Tensor: ...
    def __rmul__(self, other: Operand) -> Tensor: ...
    def __ne__(self, other: Operand) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor: ...
    def __or__(self, other: Operand) -> Tensor: ...
    def __ror__(self, other: Operand) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __pow__(self, other: Operand) -> Tensor: ...
    def __rpow__(self, other: Operand) -> Tensor: ...
    def __round__(self, decimals: SupportsIndex = 0) -> Tensor: ...
    def __sub__(self, other: Operand) -> Tensor: ...
    def __rsub__(self, other: Operand) -> Tensor: ...
    def __truediv__(self, other: Operand) -> Tensor: ...
    def __rtruediv__(self, other: Operand) -> Tensor: ...
    def __xor__(self, other: Operand) -> Tensor: ...
    def __rxor__(self, other: Operand) -> Tensor: ...
    def absolute(self) -> Tensor:
        """As ``np.absolute``."""
    def add(self, b: Operand, /) -> Tensor:
        """Same as a + b."""
    def all(self, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Operand = True) -> Tensor:
        """Whether all elements are true: constant between jumps."""
    def any(self, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Operand = True) -> Tensor:
        """Whether an element is true: constant between jumps."""
    def arccos(self) -> Tensor:
        """As ``np.arccos``."""
    def arccosh(self) -> Tensor:
        """As ``np.arccosh``."""
    def arcsin(self) -> Tensor:
        """As ``np.arcsin``."""
    def arcsinh(self) -> Tensor:
        """As ``np.arcsinh``."""
    def arctan(self) -> Tensor:
        """As ``np.arctan``."""
    def arctan2(self, b: Operand, /) -> Tensor:
        """As ``np.arctan2``."""
    def arctanh(self) -> Tensor:
        """As ``np.arctanh``."""
    def argmax(self, axis: SupportsIndex | None = None, *, keepdims: bool = False) -> Tensor:
        """The position of the largest element: constant between jumps."""
    def argmin(self, axis: SupportsIndex | None = None, *, keepdims: bool = False) -> Tensor:
        """The position of the smallest element: constant between jumps."""
    def argsort(
        self,
        axis: SupportsIndex | None = -1,
        kind: str | None = None,
        *,
        stable: bool | None = None,
    ) -> Tensor:
        """The positions of the sorted elements: constant between jumps."""
    def astype(self, dtype: DTypeLike | None, *, copy: bool = True) -> Tensor:
        """Another type of number: d y / d x = 1 among floating-point types, 0 for integers and truth values."""
    def bitwise_and(self, b: Operand, /) -> Tensor:
        """As ``np.bitwise_and``."""
    def bitwise_or(self, b: Operand, /) -> Tensor:
        """As ``np.bitwise_or``."""
    def bitwise_xor(self, b: Operand, /) -> Tensor:
        """As ``np.bitwise_xor``."""
    def cbrt(self) -> Tensor:
        """As ``np.cbrt``."""
    def ceil(self) -> Tensor:
        """As ``np.ceil``."""
    def clip(
        self,
        a_min: Operand | None = ...,
        a_max: Operand | None = ...,
        *,
        min: Operand | None = None,
        max: Operand | None = None,
    ) -> Tensor:
        """Limit the values to an interval; derivative 0 at and beyond its ends."""
    def conj(self) -> Tensor:
        """As ``np.conjugate``."""
    def conjugate(self) -> Tensor:
        """As ``np.conjugate``."""
    def copy(self, order: Literal["C", "F", "A", "K"] = "K", subok: bool = False) -> Tensor:
        """The same values in memory of their own; their layout in memory is not defined."""
    def copysign(self, b: Operand, /) -> Tensor:
        """As ``np.copysign``."""
    def cos(self) -> Tensor:
        """As ``np.cos``."""
    def cosh(self) -> Tensor:
        """As ``np.cosh``."""
    def cumprod(self, axis: SupportsIndex | None = None, dtype: DTypeLike | None = None) -> Tensor:
        """The running product; its derivative is right if elements are zero, too."""
    def cumsum(self, axis: SupportsIndex | None = None, dtype: DTypeLike | None = None) -> Tensor:
        """The running sum: the cotangent of a_i is the sum of those of y_i, y_(i + 1)..."""
    def deg2rad(self) -> Tensor:
        """As ``np.deg2rad``."""
    def degrees(self) -> Tensor:
        """As ``np.degrees``."""
    def detach(self) -> Tensor:
        """The same values as a constant: no gradient flows back through the result."""
    def diagonal(self, offset: SupportsIndex = 0, axis1: SupportsIndex = 0, axis2: SupportsIndex = 1) -> Tensor:
        """The elements of a diagonal."""
    def divide(self, b: Operand, /) -> Tensor:
        """Same as a / b."""
    def dot(self, b: Operand) -> Tensor:
        """The sum of products over the last axis of a and the last but one of b; a product if one is a number."""
    def equal(self, b: Operand, /) -> Tensor:
        """As ``np.equal``."""
    def erf(self) -> Tensor:
        """The error function 2 / sqrt(pi) times the integral of exp(-t²) from 0 to x."""
    def exp(self) -> Tensor:
        """As ``np.exp``."""
    def exp2(self) -> Tensor:
        """As ``np.exp2``."""
    def expm1(self) -> Tensor:
        """As ``np.expm1``."""
    def fabs(self) -> Tensor:
        """As ``np.fabs``."""
    def float_power(self, b: Operand, /) -> Tensor:
        """As ``np.float_power``."""
    def floor(self) -> Tensor:
        """As ``np.floor``."""
    def floor_divide(self, b: Operand, /) -> Tensor:
        """As ``np.floor_divide``."""
    def fmax(self, b: Operand, /) -> Tensor:
        """As ``np.fmax``."""
    def fmin(self, b: Operand, /) -> Tensor:
        """As ``np.fmin``."""
    def fmod(self, b: Operand, /) -> Tensor:
        """As ``np.fmod``."""
    def greater(self, b: Operand, /) -> Tensor:
        """As ``np.greater``."""
    def greater_equal(self, b: Operand, /) -> Tensor:
        """As ``np.greater_equal``."""
    def heaviside(self, b: Operand, /) -> Tensor:
        """As ``np.heaviside``."""
    def hypot(self, b: Operand, /) -> Tensor:
        """As ``np.hypot``."""
    def invert(self) -> Tensor:
        """As ``np.invert``."""
    def isfinite(self) -> Tensor:
        """As ``np.isfinite``."""
    def isinf(self) -> Tensor:
        """As ``np.isinf``."""
    def isnan(self) -> Tensor:
        """As ``np.isnan``."""
    def less(self, b: Operand, /) -> Tensor:
        """As ``np.less``."""
    def less_equal(self, b: Operand, /) -> Tensor:
        """As ``np.less_equal``."""
    def log(self) -> Tensor:
        """As ``np.log``."""
    def log10(self) -> Tensor:
        """As ``np.log10``."""
    def log1p(self) -> Tensor:
        """As ``np.log1p``."""
    def log2(self) -> Tensor:
        """As ``np.log2``."""
    def logaddexp(self, b: Operand, /) -> Tensor:
        """As ``np.logaddexp``."""
    def logaddexp2(self, b: Operand, /) -> Tensor:
        """As ``np.logaddexp2``."""
    def logical_and(self, b: Operand, /) -> Tensor:
        """As ``np.logical_and``."""
    def logical_not(self) -> Tensor:
        """As ``np.logical_not``."""
    def logical_or(self, b: Operand, /) -> Tensor:
        """As ``np.logical_or``."""
    def logical_xor(self, b: Operand, /) -> Tensor:
        """As ``np.logical_xor``."""
    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """log(sum(exp(x))) along ``axis``, exact where exp overflows; -inf if there are no elements."""
    def max(
        self,
        axis: Axis = None,
        out: None = None,
        keepdims: bool = False,
        initial: Operand | None = None,
        where: Operand = True,
    ) -> Tensor:
        """The largest element along ``axis``: its derivative is 1, and 1 / n for each of n that tie."""
    def maximum(self, b: Operand, /) -> Tensor:
        """As ``np.maximum``."""
    def mean(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
        *,
        where: Operand = True,
    ) -> Tensor:
        """The mean along ``axis`` of the elements that ``where`` selects: d y / d a = 1 / their number."""
    def min(
        self,
        axis: Axis = None,
        out: None = None,
        keepdims: bool = False,
        initial: Operand | None = None,
        where: Operand = True,
    ) -> Tensor:
        """The smallest element along ``axis``: its derivative is 1, and 1 / n for each of n that tie."""
    def minimum(self, b: Operand, /) -> Tensor:
        """As ``np.minimum``."""
    def multiply(self, b: Operand, /) -> Tensor:
        """Same as a * b."""
    def negative(self) -> Tensor:
        """Same as -a."""
    def not_equal(self, b: Operand, /) -> Tensor:
        """As ``np.not_equal``."""
    def positive(self) -> Tensor:
        """As ``np.positive``."""
    def power(self, b: Operand, /) -> Tensor:
        """Same as a ** b."""
    def prod(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
        initial: Operand | None = None,
        where: Operand = True,
    ) -> Tensor:
        """The product along ``axis``, times ``initial``: d y / d a_i is the product of all the others, zeros
        included."""
    def ptp(self, axis: Axis = None, out: None = None, keepdims: bool = False) -> Tensor:
        """The range: max - min."""
    def rad2deg(self) -> Tensor:
        """As ``np.rad2deg``."""
    def radians(self) -> Tensor:
        """As ``np.radians``."""
    def ravel(self, order: Literal["C", "F", "A", "K"] = "C") -> Tensor:
        """The elements in one axis, in C or Fortran order."""
    def reciprocal(self) -> Tensor:
        """As ``np.reciprocal``."""
    def relu(self) -> Tensor:
        """max(x, 0), with relu'(0) = 0."""
    def remainder(self, b: Operand, /) -> Tensor:
        """As ``np.remainder``."""
    def repeat(self, repeats: Operand, axis: SupportsIndex | None = None) -> Tensor:
        """Elements repeated: their cotangents are summed."""
    def rint(self) -> Tensor:
        """As ``np.rint``."""
    def round(self, decimals: SupportsIndex = 0) -> Tensor:
        """To ``decimals`` digits: constant between jumps."""
    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x)), without overflow and to full relative accuracy in the left tail."""
    def sign(self) -> Tensor:
        """As ``np.sign``."""
    def signbit(self) -> Tensor:
        """As ``np.signbit``."""
    def sin(self) -> Tensor:
        """As ``np.sin``."""
    def sinc(self) -> Tensor:
        """As ``np.sinc``."""
    def sinh(self) -> Tensor:
        """As ``np.sinh``."""
    def softplus(self) -> Tensor:
        """log(1 + exp(x)), linear for large x."""
    def spacing(self) -> Tensor:
        """As ``np.spacing``."""
    def sqrt(self) -> Tensor:
        """As ``np.sqrt``."""
    def square(self) -> Tensor:
        """As ``np.square``."""
    def squeeze(self, axis: Axis = None) -> Tensor:
        """Without axes of length 1."""
    def std(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        where: Operand = True,
        correction: float | None = None,
    ) -> Tensor:
        """sqrt(var): d y / d a = (a - mean) / ((n - ddof) y), and 0 where all elements are equal."""
    def subtract(self, b: Operand, /) -> Tensor:
        """Same as a - b."""
    def sum(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
        initial: Operand | None = None,
        where: Operand = True,
    ) -> Tensor:
        """The sum along ``axis``, plus ``initial``: d y / d a = 1 for the elements that ``where`` selects."""
    def swapaxes(self, axis1: SupportsIndex, axis2: SupportsIndex) -> Tensor:
        """Two axes swapped, as in the rule."""
    def take(
        self,
        indices: Operand,
        axis: SupportsIndex | None = None,
        out: None = None,
        mode: str = "raise",
    ) -> Tensor:
        """Elements at positions: cotangents are added back there."""
    def tan(self) -> Tensor:
        """As ``np.tan``."""
    def tanh(self) -> Tensor:
        """As ``np.tanh``."""
    def trace(self, offset: SupportsIndex = 0, axis1: SupportsIndex = 0, axis2: SupportsIndex = 1) -> Tensor:
        """The sum of a diagonal."""
    def trunc(self) -> Tensor:
        """As ``np.trunc``."""
    def var(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        where: Operand = True,
        correction: float | None = None,
    ) -> Tensor:
        """sum |a - mean|² / (n - ddof): d y / d a = 2 (a - mean) / (n - ddof), conjugated for complex numbers."""
    def where(self, a: Operand, b: Operand, /) -> Tensor:
        """``np.where``, which keeps the mask of what was left out if masks are kept."""
    @property
    def at(self) -> At:
        """Positions to change in a new Tensor: ``x.at[index].set(v)`` means ``x[index] = v``."""
