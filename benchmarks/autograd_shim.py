"""HIPS autograd's names, by pullback's public names: what its own tests need to run on pullback.

``install()`` puts modules called ``autograd``, ``autograd.numpy`` and so on in the place of the library's.  A name is
NumPy's own, or a few lines of public calls; what is left out is what exists only inside autograd (boxes, nodes, vector
spaces).  It is a measurement, and no way to write a program: docs/coming-from-autograd.md says what to write instead.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

import autodiff
from autodiff import Tensor
from autodiff.tree import flatten as leaves_of

Function = Callable[..., Any]
RNG = np.random.default_rng(0)


def named(operator: Function) -> Function:
    """An operator of a function and a point, as one of any arguments that takes ``argnum``."""

    def of_any(fun: Function, argnum: Any = 0, *more: Any, **options: Any) -> Function:
        def call(*args: Any, **kwargs: Any) -> Any:
            places = (argnum,) if isinstance(argnum, int) else builtins.tuple(argnum)

            def of_one(x: Any) -> Any:
                given = builtins.list(args)
                for place, value in zip(places, (x,) if isinstance(argnum, int) else x, strict=True):
                    given[place] = value
                return fun(*given, **kwargs)

            of_one.__name__ = getattr(fun, "__name__", "f")
            picked = builtins.tuple(args[place] for place in places)
            return operator(of_one, picked[0] if isinstance(argnum, int) else picked, *more, **options)

        name = getattr(fun, "__name__", "[unknown name]")
        call.__name__ = f"{operator.__name__}_of_{name}_wrt_argnum_{argnum}"
        call.__doc__ = f"    {operator.__name__} of function {name} with respect to argument number {argnum}."
        return call

    of_any.__name__, of_any.__doc__ = operator.__name__, operator.__doc__
    return of_any


def real_loss(f: Function) -> Function:
    """The function, refusing the complex result that has no gradient."""

    def checked(*args: Any) -> Any:
        y = f(*args)
        if np.iscomplexobj(y):
            raise TypeError("grad: the function returned a complex number; take its real part")
        return y

    return checked


def make_vjp(f: Function, x: Any) -> tuple[Function, Any]:
    y, pull = autodiff.vjp(f, x)
    return (lambda g: pull(g)[0]), y


def make_jvp(f: Function, x: Any) -> Function:
    return lambda v: autodiff.jvp(f, (x,), (v,))


def like(x: Any, fill: Function) -> Any:
    """The nesting with other arrays in it."""
    leaves, unflatten = leaves_of(x)
    return unflatten([fill(np.asarray(plain(leaf))) for leaf in leaves])


def plain(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


def ones(x: Any) -> Any:
    return like(x, lambda a: np.ones_like(a)[()])


def grad(fun: Function, x: Any) -> Any:
    """
    Returns a function which computes the gradient of `fun` with respect to argument `argnum`."""
    return autodiff.grad(real_loss(fun))(x)


def value_and_grad(fun: Function, x: Any) -> Any:
    return autodiff.value_and_grad(real_loss(fun))(x)


def elementwise_grad(fun: Function, x: Any) -> Any:
    y, pull = autodiff.vjp(real_loss(fun), x)
    return pull(ones(y))[0]


def holomorphic_grad(fun: Function, x: Any) -> Any:
    return autodiff.grad(lambda z: np.real(fun(z)))(x)


def deriv(fun: Function, x: Any) -> Any:
    return autodiff.jvp(fun, (x,), (ones(x),))[1]


def jacobian(fun: Function, x: Any) -> Any:
    return autodiff.jacobian(fun)(x)


def hessian(fun: Function, x: Any) -> Any:
    return autodiff.hessian(fun)(x)


def make_hvp(fun: Function, x: Any) -> Any:
    return make_vjp(autodiff.grad(fun), x)


def grad_and_aux(fun: Function, x: Any) -> Any:
    return autodiff.grad(fun, has_aux=True)(x)


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    def product(*args: Any, **kwargs: Any) -> Any:
        *given, v = args
        return autodiff.jacobian(lambda *inner: np.tensordot(v, fun(*inner, **kwargs), axes=np.ndim(v)), argnum)(*given)

    return product


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    def product(*args: Any, **kwargs: Any) -> Any:
        *given, v = args
        point = given[argnum]
        return autodiff.hvp(lambda x: fun(*given[:argnum], x, *given[argnum + 1 :], **kwargs), (point,), (v,))[0]

    return product


def make_ggnvp(f: Function, g: Function = lambda y: np.sum(y**2) / 2, f_argnum: int = 0) -> Function:
    def at(f: Function, x: Any) -> Any:
        y, pull = autodiff.vjp(f, x)
        return lambda v: pull(autodiff.hvp(g, (y,), (autodiff.jvp(f, (x,), (v,))[1],))[0])[0]

    found: Function = named(at)(f, f_argnum)
    return found


def multigrad_dict(fun: Function) -> Function:
    return lambda **arguments: autodiff.grad(lambda d: fun(**d))(arguments)


def grad_named(fun: Function, name: str) -> Function:
    found: Function = named(grad)(fun, builtins.list(inspect.signature(fun).parameters).index(name))
    return found


class Primitive:
    """A function whose rules may come later; it is registered with pullback when they come."""

    def __init__(self, function: Function) -> None:
        self.function = self.call = function
        self.__name__, self.__doc__ = getattr(function, "__name__", "f"), function.__doc__
        self.makers: dict[int, Function | None] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.makers and any(isinstance(leaf, Tensor) for leaf in leaves_of(args)[0]):
            raise NotImplementedError(f"{self.__name__}: no rule")
        return self.call(*args, **kwargs)

    def defgrad(self, maker: Function, argnum: int = 0) -> None:
        self.register({argnum: maker})

    def defvjp(self, rule: Function, argnum: int = 0) -> None:
        self.register({argnum: lambda y, *args: lambda g: rule(g, y, None, None, *args)})

    def defvjp_is_zero(self, argnums: Any) -> None:
        self.register(dict.fromkeys(argnums))

    def register(self, makers: dict[int, Function | None]) -> None:
        self.makers.update(makers)
        names = [f"{name}_" for name in inspect.signature(self.function).parameters]  # none means the output, then
        rules = [self.rule(self.makers.get(i), names) for i in range(max(self.makers) + 1)]
        asked = ", ".join(names)
        renamed = eval(f"lambda {asked}: f({asked})", {"f": self.function})
        self.call = autodiff.primitive(*rules, name=self.__name__)(renamed)

    @staticmethod
    def rule(maker: Function | None, names: list[str]) -> Function | None:
        if maker is None:
            return None
        asked = ", ".join(names)  # a rule of pullback asks for values by their names
        return eval(f"lambda g, y, {asked}: maker(y, {asked})(g)", {"maker": maker})  # type: ignore[no-any-return]


def defvjp(fun: Primitive, *makers: Function | None, argnums: Any = None) -> None:
    fun.register(dict(zip(argnums or range(len(makers)), makers, strict=True)))


def defvjp_argnum(fun: Primitive, maker: Function) -> None:
    count = len(inspect.signature(fun.function).parameters)
    fun.register({i: lambda y, *args, i=i: maker(i, y, args, {}) for i in range(count)})


def of_list(function: Function) -> Function:
    """A function of NumPy's that takes a list of Tensors, too, as an array of them."""
    return lambda a, *args, **kwargs: function(array(a), *args, **kwargs)


def array(a: Any, dtype: Any = None, ndmin: int = 0, **options: Any) -> Any:
    """np.array, also of a nesting of Tensors: np.stack."""
    if not any(isinstance(leaf, Tensor) for leaf in leaves_of(a)[0]):
        return np.array(a, dtype=dtype, ndmin=ndmin, **options)
    whole = a if isinstance(a, Tensor) else np.stack([array(part) for part in a])
    whole = whole if dtype is None else whole.astype(dtype)
    return np.reshape(whole, (1,) * (ndmin - whole.ndim) + whole.shape) if ndmin > whole.ndim else whole


class Joined:
    """np.r_ and np.c_: what stands in the brackets, one behind the other."""

    def __init__(self, join: Function) -> None:
        self.join = join

    def __getitem__(self, items: Any) -> Any:
        items = items if isinstance(items, tuple) else (items,)
        return self.join([np.r_[i] if isinstance(i, slice) else np.atleast_1d(array(i)) for i in items])


class int64(np.int64):  # noqa: N801  # its name in NumPy
    """The integers, which also takes Tensors: positions, through which no gradient flows."""

    def __new__(cls, x: Any = 0) -> Any:
        return np.int64(plain(x))


def isinstance_(x: Any, kind: Any) -> bool:
    return isinstance(plain(x), kind)


def convolve(a: Any, b: Any, axes: Any = None, dot_axes: Any = ((), ()), mode: str = "full") -> Any:
    """autograd's own convolution: over pairs of ``axes``, summed over pairs of ``dot_axes``, each of the others."""
    from autodiff.scipy.signal import fftconvolve

    axes = axes or (range(np.ndim(a)), range(np.ndim(b)))
    first = [
        [i for i in range(np.ndim(x)) if i not in (*c, *d)] for x, c, d in zip((a, b), axes, dot_axes, strict=True)
    ]
    a, b = (np.transpose(x, (*f, *d, *c)) for x, f, d, c in zip((a, b), first, dot_axes, axes, strict=True))
    a = np.reshape(a, a.shape[: len(first[0])] + (1,) * len(first[1]) + a.shape[len(first[0]) :])
    b = np.reshape(b, (1,) * len(first[0]) + b.shape)
    count = len(axes[0])
    y = fftconvolve(a, b, mode=mode, axes=range(-count, 0)) if count else a * b
    return np.sum(y, axis=tuple(range(-count - len(dot_axes[0]), -count)))


def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    return autodiff.logsumexp(x if b is None else x + np.log(b), axis=axis, keepdims=keepdims)


def polygamma(n: Any, x: Any) -> Any:
    return special.psi(x) if n == 0 else (-1) ** (n + 1) * math.factorial(n) * special.zeta(n + 1.0, x)


def multigammaln(a: Any, d: int) -> Any:
    return sum(special.gammaln(a - 0.5 * j) for j in range(d)) + d * (d - 1) / 4 * np.log(np.pi)


def const_graph(fun: Function, *args: Any, **kwargs: Any) -> Function:
    """A function that is recorded; the arguments here are the same in each call."""
    return autodiff.jit(functools.partial(fun, *args, **kwargs))


def flatten(tree: Any) -> tuple[Any, Function]:
    """The numbers of a nesting as one array, the keys of dicts in order, and the way back."""
    if isinstance(tree, dict):
        tree = {key: tree[key] for key in sorted(tree)}
    leaves, unflatten = leaves_of(tree)
    shapes = [np.shape(leaf) for leaf in leaves]
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])

    def back(flat: Any) -> Any:
        parts: list[Any] = [np.reshape(flat[a:b], s) for a, b, s in zip(ends[:-1], ends[1:], shapes, strict=True)]
        return unflatten([part if np.ndim(part) or type(part) is Tensor else part[()] for part in parts])

    return np.concatenate([np.ravel(leaf) for leaf in leaves]) if leaves else np.zeros(0), back


def inner(x: Any, y: Any) -> Any:
    pairs = zip(leaves_of(x)[0], leaves_of(y)[0], strict=True)
    return builtins.sum(np.real(np.sum(np.asarray(a) * np.asarray(b))) for a, b in pairs)


def moved(x: Any, v: Any, step: float) -> Any:
    leaves, unflatten = leaves_of(x)
    return unflatten([a + step * b for a, b in zip(leaves, leaves_of(v)[0], strict=True)])


def random_like(x: Any) -> Any:
    def draw(a: Any) -> Any:
        real = RNG.standard_normal(a.shape)
        return np.asarray(real + 1j * RNG.standard_normal(a.shape) if a.dtype.kind == "c" else real)[()]

    return like(x, draw)


def close(a: Any, b: Any) -> bool:
    return bool(abs(a - b) < 1e-6 or abs(a - b) / abs(a + b) < 1e-6)


def check_equivalent(x: Any, y: Any) -> None:
    shapes = [[np.shape(leaf) for leaf in leaves_of(side)[0]] for side in (x, y)]
    assert shapes[0] == shapes[1], f"shapes: {shapes[0]} and {shapes[1]}"
    v = random_like(x)
    assert close(inner(x, v), inner(y, v)), f"Value mismatch:\nx: {x}\ny: {y}"


def agrees(pushed: Any, f: Function, x: Any, v: Any, w: Any) -> bool:
    """Whether it is the slope of <w, f> along v, by differences of second or of fourth order, whichever resolves it."""
    for step in (1e-6, 2e-5):
        a, b, c, d = (inner(f(moved(x, v, k * step)), w) for k in (-1.0, -0.5, 0.5, 1.0))
        if close(pushed, (c - b) / step) or close(pushed, (8 * (c - b) - (d - a)) / (6 * step)):
            return True
    return False


def check_grads(f: Function, x: Any, modes: Any = ("fwd", "rev"), order: int = 2) -> None:
    """Products with the Jacobian, from both sides, beside differences; and again of the products."""
    name, v, w = getattr(f, "__name__", "f"), random_like(x), random_like(f(x))
    again = named(check_grads)
    if "fwd" in modes:

        def push(x: Any, v: Any) -> Any:
            return autodiff.jvp(f, (x,), (v,))[1]

        push.__name__ = f"jvp_{name}"
        assert agrees(inner(push(x, v), w), f, x, v, w), f"(JVP) check of {name} failed"
        if order > 1:
            again(push, (0, 1), modes, order - 1)(x, v)
    if "rev" in modes:

        def pull(x: Any, w: Any) -> Any:
            return autodiff.vjp(f, x)[1](w)[0]

        pull.__name__ = f"vjp_{name}"
        assert agrees(inner(pull(x, w), v), f, x, v, w), f"(VJP) check of {name} failed"
        if order > 1:
            again(pull, (0, 1), modes, order - 1)(x, w)
