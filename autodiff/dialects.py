"""What people write who come from PyTorch, or to an array, and what it is called here.

Only a mistake reads this: a name that a Tensor does not have.
"""

from __future__ import annotations

from typing import NoReturn

_CPU = "a Tensor lives where its array does; leave this out"
_FROZEN = "every Tensor is a variable and every array a constant; pass an array for what needs no gradient"

HINTS = {
    "bmm": "t @ u",
    "byteswap": "t.data.byteswap()",
    "chunk": "np.array_split(t, parts, axis)",
    "clamp": "np.clip(t, low, high)",
    "clone": "t.copy()",
    "compress": "np.compress(condition, t)",
    "contiguous": "t as it is",
    "cpu": _CPU,
    "cuda": _CPU,
    "device": _CPU,
    "dim": "t.ndim",
    "double": "t.astype(np.float64)",
    "expand": "np.broadcast_to(t, shape)",
    "expand_as": "np.broadcast_to(t, u.shape)",
    "fill": "a new Tensor: np.full_like(t.data, value)",
    "flat": "np.ravel(t)",
    "float": "t.astype(np.float32)",
    "gather": "np.take_along_axis(t, index, axis)",
    "grad_fn": "print(autodiff.draw.draw(t)) for what it was made of",
    "half": "t.astype(np.float16)",
    "int": "t.astype(int)",
    "is_leaf": "it in an error message: results have no .grad",
    "itemsize": "t.data.itemsize",
    "log_softmax": "t - autodiff.logsumexp(t, axis=-1, keepdims=True), or nn.log_softmax",
    "long": "t.astype(int)",
    "masked_fill": "np.where(mask, value, t)",
    "mm": "t @ u",
    "mv": "t @ u",
    "nbytes": "t.data.nbytes",
    "ndimension": "t.ndim",
    "norm": "np.linalg.norm(t)",
    "numel": "t.size",
    "numpy": "t.data",
    "partition": "np.partition(t, kth), which returns a new Tensor",
    "permute": "t.transpose(axes)",
    "put": "t.at[index].set(values)",
    "requires_grad": _FROZEN,
    "requires_grad_": _FROZEN,
    "resize": "np.resize(t, shape)",
    "retain_grad": "vjp or grad with respect to it: only variables keep a gradient",
    "scatter_add": "autodiff.scatter_add(values, index, shape), or t.at[index].add(values)",
    "select": "t[index]",
    "softmax": "nn.softmax(t, axis)",
    "sort": "np.sort(t), which returns a new Tensor",
    "split": "np.split(t, sections, axis)",
    "strides": "t.data.strides",
    "t": "t.T",
    "to": "t.astype(dtype)",
    "tobytes": "t.data.tobytes()",
    "type": "t.astype(dtype)",
    "unsqueeze": "np.expand_dims(t, axis), or t[..., None]",
    "view": "t.reshape(shape)",
    "view_as": "t.reshape(u.shape)",
    "zero_grad": "t.grad = None",
}
"""The attribute of another library, and what takes its place."""


def missing(name: str) -> NoReturn:
    """Raise AttributeError for an attribute that a Tensor does not have, with what to write."""
    hint = HINTS.get(name)
    if hint is None and name.endswith("_") and not name.startswith("_"):
        hint = "a new value: a Tensor is never changed in place"
    words = "" if hint is None else f"; {hint}" if hint in (_CPU, _FROZEN) else f"; use {hint}"
    raise AttributeError(f"'Tensor' object has no attribute '{name}'{words}")


def unknown(keyword: str) -> NoReturn:
    """Raise TypeError for a keyword that Tensor does not take."""
    hint = HINTS.get(keyword, "it takes data and dtype")
    raise TypeError(f"Tensor: got an unexpected keyword argument '{keyword}'; {hint}")
