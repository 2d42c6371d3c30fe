"""A transform keeps the parameters of its function."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import autodiff
from autodiff import (
    Tensor,
    checkpoint,
    draw,
    elementwise,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    testing,
    value_and_grad,
    vjp,
    vmap,
)
from autodiff.draw import Drawing

Array = NDArray[np.float64]


def loss(w: Array, x: Array, *, scale: float = 1.0) -> Any:
    return np.mean((x @ w) ** 2) * scale


w, x = np.ones(3), np.ones((2, 3))
grad(loss)(w, x)
grad(loss)(w, x, scale=2.0)
value, (by_w, by_x) = value_and_grad(loss, argnums=(0, 1))(w, x, scale=2.0)
jacobian(loss)(w, x=x)
hessian(loss, vectorize=False)(w, x)
vmap(grad(loss), in_axes=(None, 0))(w, x)
checkpoint(loss)(w, x, scale=2.0)
vjp(loss, w, x)[1](1.0)
jvp(np.tanh, (w,), (w,))
hvp(loss, (w, x), (w, x))

# functions that a checker knows nothing of, and NumPy's, whose parameters have several types
grad(lambda p: p["a"] * p["b"])({"a": 1.0, "b": 2.0})
grad(grad(lambda x: x**3))(2.0)
vmap(grad(np.sin))(w)
jacobian(np.tanh)(w)
grad(np.sum)(w)
grad(np.prod)(w)
value_and_grad(np.mean)(w)
jacobian(np.cumsum)(w)


class Model:
    def __call__(self, x: Array) -> Any:
        return np.sum(x)


grad(Model())(w)


@checkpoint
def length(x: Array) -> str:
    return str(x.size)


assert_type(length(w), str)


@no_grad
def evaluate(t: Tensor) -> float:
    return 1.0


@no_grad()
def evaluated(t: Tensor) -> float:
    return 1.0


assert_type(evaluate(Tensor(1.0)), float)
assert_type(evaluated(Tensor(1.0)), float)
with no_grad():
    pass


def cube(x: Array) -> Array:
    return x * x * x


cubed = elementwise(cube, lambda g, x: g * 3 * x * x)
assert_type(cubed(w), Array)

testing.gradcheck(loss, w, x)

# a package that is a function
assert_type(draw(Tensor(1.0), values=True), Drawing)
assert_type(autodiff.draw(Tensor(1.0)), Drawing)
assert_type(autodiff.draw.draw(Tensor(1.0)), Drawing)
