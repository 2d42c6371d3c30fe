"""What a user may write with Tensors: neither checker complains, and both know what comes out."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

from autodiff import Tensor, relu

t = Tensor([[1.0, 2.0], [3.0, 4.0]])
a = np.ones((2, 2))
n: NDArray[np.int64] = np.array([0, 1])

# operators, with whatever else is a number
assert_type(t + t, Tensor)
assert_type(t * 2.0, Tensor)
assert_type(2 - t, Tensor)
assert_type(1j * t, Tensor)
assert_type(t @ a, Tensor)
assert_type(t / np.float32(2.0), Tensor)
assert_type(t**2, Tensor)
assert_type(2.0**t, Tensor)
assert_type(t // 2 % 3, Tensor)
assert_type(divmod(t, 2.0), tuple[Tensor, Tensor])
assert_type(t + [1.0, 2.0], Tensor)
assert_type(-t + +t, Tensor)
assert_type(abs(t), Tensor)
assert_type(round(t, 2), Tensor)
a @ t, a - t, a[0] * t, np.float64(2.0) * t
t += 1.0

# comparisons
assert_type(t > 0, Tensor)
assert_type(1.0 <= t, Tensor)
assert_type(t == a, Tensor)
assert_type(t != 1.0, Tensor)
assert_type((t > 0) & ~(t > 1) | (t < 0), Tensor)

# as a container
assert_type(t[0], Tensor)
assert_type(t[0, None, ..., 1:], Tensor)
assert_type(t[n], Tensor)
assert_type(t[a > 0], Tensor)
assert_type(t[t > 0], Tensor)
assert_type(t[[0, 1]], Tensor)
assert_type(len(t), int)
assert_type([row for row in t], list[Tensor])
row, other = t

# methods, in NumPy's order and by NumPy's names
assert_type(t.sum(), Tensor)
t.sum(0)
t.sum(0, None, None, True)
t.sum(axis=(0, 1), keepdims=True, where=a > 0, dtype=np.float32)
t.sum(axis=np.intp(0))
t.mean(axis=-1).std(ddof=1), t.var(0, correction=1)
t.max(1).clip(0.0, 1.0).clip(min=0).clip(None, a)
t.reshape(4).reshape(2, 2).reshape((1, 4)).transpose(1, 0).swapaxes(0, 1).ravel("F").flatten().squeeze()
t.astype(np.float32).astype(dtype="float64", copy=False).round(2).argsort(kind="stable")
t.tanh().relu().sigmoid().logsumexp(axis=0, keepdims=True).detach().take([0], axis=1, mode="clip").repeat(2, axis=0)
t.add(a).maximum(0.0).where(a, t)
assert_type(t.at[0, 1].set(5.0), Tensor)
assert_type(t.at[n].add(a), Tensor)

# what it holds, and gradients
assert_type(t.shape, tuple[int, ...])
assert_type(t.ndim, int)
assert_type(t.T @ t.mT + t.real - t.imag, Tensor)
w = Tensor(a)
w.sum().backward()
(w * w).backward(np.ones((2, 2)), retain_graph=True, create_graph=False)
w.data = w.data - 0.1 * w.grad
w.grad = None
number: float = t.sum().item()

# NumPy's functions
np.sum(t), np.sum(t * t).backward()
np.tanh(t), np.maximum(t, 0.0), np.where(t > 0, t, 0.0), np.concatenate([t, t]), np.stack([t, t])
np.einsum("ij,jk->ik", t, a), np.linalg.norm(t), np.mean(t), np.matmul(t, a), np.exp(-(t**2))
assert_type(relu(t), Any)
