"""What a transform's function does not take, the new function does not take either."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodiff import checkpoint, draw, grad, hessian, jacobian, no_grad, value_and_grad, vmap

Array = NDArray[np.float64]


def loss(w: Array, x: Array, *, scale: float = 1.0) -> Any:
    return np.mean((x @ w) ** 2) * scale


w, x = np.ones(3), np.ones((2, 3))
grad(loss)(w)  # error
grad(loss)(w, x, scal=2.0)  # error
grad(loss)(w, "x")  # error
value_and_grad(loss)(w, x, 2.0)  # error
jacobian(loss)(w, y=x)  # error
hessian(loss)()  # error
vmap(loss)(w, x, w)  # error
checkpoint(loss)(w, x, scale="2")  # error
grad(loss, argnum=1)  # error
grad(loss, argnums=1.0)  # error
grad(1.0)  # error
no_grad()(loss)(w)  # error
draw(w, value=True)  # error
value, gradient, rest = value_and_grad(loss)(w, x)  # error
