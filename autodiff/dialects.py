"""Names of PyTorch and of NumPy's arrays that a Tensor does not have, and what to write instead.

This module is used only after a mistake: a name that a Tensor does not have.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
_CPU = "a Tensor lives where its array does; leave this out"
_FROZEN = "every Tensor is a variable and every array a constant; pass an array for what needs no gradient"

HINTS = {
    "addmm": "t + a @ b",
    "append": "np.append(t, values), which returns a new Tensor",
    "block_until_ready": "t as it is: it is computed already",
    "bmm": "t @ u",
    "byteswap": "t.data.byteswap()",
    "cat": "np.concatenate([t, u])",
    "chunk": "np.array_split(t, parts, axis)",
    "clamp": "np.clip(t, low, high)",
    "clone": "t.copy()",
    "compress": "np.compress(condition, t)",
    "constant": _FROZEN,
    "contiguous": "t as it is",
    "cpu": _CPU,
    "creator": "print(autodiff.draw.draw(t)) for what it was made of",
    "cuda": _CPU,
    "device": _CPU,
    "dim": "t.ndim",
    "div": "t / u",
    "double": "t.astype(np.float64)",
    "eq": "t == u",
    "expand": "np.broadcast_to(t, shape)",
    "expand_as": "np.broadcast_to(t, u.shape)",
    "fill": "a new Tensor: np.full_like(t.data, value)",
    "flat": "np.ravel(t)",
    "float": "t.astype(np.float32)",
    "gather": "np.take_along_axis(t, index, axis)",
    "ge": "t >= u",
    "grad_fn": "print(autodiff.draw.draw(t)) for what it was made of",
    "gt": "t > u",
    "half": "t.astype(np.float16)",
    "index_add": "t.at[index].add(values)",
    "index_select": "np.take(t, index, axis)",
    "int": "t.astype(int)",
    "is_cuda": _CPU,
    "is_leaf": "it in an error message: results have no .grad",
    "itemsize": "t.data.itemsize",
    "layout": "t.data.strides",
    "le": "t <= u",
    "log_softmax": "t - autodiff.logsumexp(t, axis=-1, keepdims=True), or nn.log_softmax",
    "long": "t.astype(int)",
    "lt": "t < u",
    "masked_fill": "np.where(mask, value, t)",
    "mm": "t @ u",
    "mul": "t * u",
    "mv": "t @ u",
    "nbytes": "t.data.nbytes",
    "ndimension": "t.ndim",
    "ne": "t != u",
    "neg": "-t",
    "nelement": "t.size",
    "new_ones": "np.ones(shape)",
    "new_zeros": "np.zeros(shape)",
    "norm": "np.linalg.norm(t)",
    "null_grad": "t.grad = None",
    "null_gradients": "t.grad = None of each variable",
    "numel": "t.size",
    "numpy": "t.data",
    "partition": "np.partition(t, kth), which returns a new Tensor",
    "permute": "t.transpose(axes)",
    "put": "t.at[index].set(values)",
    "register_hook": "vjp, whose cotangents can be changed on the way",
    "repeat_interleave": "np.repeat(t, n, axis)",
    "requires_grad": _FROZEN,
    "requires_grad_": _FROZEN,
    "resize": "np.resize(t, shape)",
    "retain_grad": "vjp or grad with respect to it: only variables keep a gradient",
    "rsqrt": "t ** -0.5",
    "scatter": "t.at[index].set(values)",
    "scatter_add": "autodiff.scatter_add(values, index, shape), or t.at[index].add(values)",
    "select": "t[index]",
    "softmax": "nn.softmax(t, axis)",
    "sort": "np.sort(t), which returns a new Tensor",
    "split": "np.split(t, sections, axis)",
    "storage": "t.data",
    "strides": "t.data.strides",
    "sub": "t - u",
    "t": "t.T",
    "to": "t.astype(dtype)",
    "tobytes": "t.data.tobytes()",
    "topk": "np.sort(t, axis)[..., -k:]",
    "type": "t.astype(dtype)",
    "type_as": "t.astype(u.dtype)",
    "unsqueeze": "np.expand_dims(t, axis), or t[..., None]",
    "view": "t.reshape(shape)",
    "view_as": "t.reshape(u.shape)",
    "zero_grad": "t.grad = None",
}
"""The attribute of another library, and what takes its place."""


_AXIS = "PyTorch's word; write axis="
KEYWORDS = {
    "dim": _AXIS,
    "dims": _AXIS,
    "keepdim": "PyTorch's word; write keepdims=",
    "unbiased": "PyTorch's word; write ddof=1 or ddof=0",
    "descending": "PyTorch's word; write np.flip(np.sort(t))",
    "input": "PyTorch's word; give the Tensor by position",
    "other": "PyTorch's word; give the other array by position",
}
"""A keyword of another library's functions of arrays, and what it is called in NumPy."""

TRANSFORMS = {
    "argnum": "HIPS autograd's word; write argnums=",
    "wrt": "write argnums=, the number of the argument",
    "in_dims": "PyTorch's word; write in_axes=",
    "out_dims": "PyTorch's word; write out_axes=",
    "in_dim": "write in_axes=",
    "out_dim": "write out_axes=",
    "randomness": "PyTorch's word; draw random numbers outside and map over them",
    "axis_size": "JAX's word; leave it out",
    "axis_name": "JAX's word; sum over the examples outside of vmap",
    "holomorphic": "JAX's word; take grad of np.real and np.imag of the output",
    "allow_int": "JAX's word; pass .astype(float), or leave integers out of argnums",
    "inputs": "PyTorch's word; the arguments come later: {name}(f)(x)",
    "create_graph": "PyTorch's word; leave it out, derivatives can be differentiated again: {name}({name}(f))",
    "primals": "JAX's word; write args=",
    "v": "PyTorch's word; write tangents=",
    "strict": "PyTorch's word; leave it out",
}
"""A keyword of another library's transforms, and what is meant here."""

DRAWINGS = {
    "filename": "graphviz's word; write draw(...).save(path)",
    "format": "graphviz's word; write draw(...).save(path), whose ending says the format",
    "params": "torchviz's word; write names={name: tensor}",
    "show_attrs": "torchviz's word; write values=True",
    "show_saved": "torchviz's word; write memory=True",
    "show_shapes": "Keras' word; leave it out, shapes are always shown",
    "show_values": "not a word of draw's; write values=True",
    "show_gradients": "not a word of draw's; write gradients=True",
    "input_size": "torchview's word; write draw(model, x) with an array x",
    "input_data": "torchview's word; write draw(model, x)",
    "expand_nested": "torchview's word; write depth=, the number of levels that are open",
    "rankdir": "graphviz's word; write draw(...).graphviz(), and set it there",
}
"""A keyword of other libraries that draw graphs, and what is meant here."""

SHOWING = {
    "show": "its name alone in a notebook, print(drawing) on a terminal, or drawing.save(path)",
    "view": "its name alone in a notebook, print(drawing) on a terminal, or drawing.save(path)",
    "render": "drawing.save(path), whose ending says the format",
    "write_png": "drawing.save('graph.png')",
    "visual_graph": "drawing.graphviz()",
    "source": "drawing.dot()",
    "pipe": "drawing.svg()",
    "text": "str(drawing)",
    "to_html": "drawing.html()",
    "to_json": "drawing.json()",
}
"""What drawings of other libraries have, and what takes its place."""

NAMES = {
    "array": "Tensor(x) for a variable; a plain NumPy array is a constant",
    "autograd": "grad(f)(x), or t.backward()",
    "backward": "t.backward()",
    "check_graph": "autodiff.testing.check_graph",
    "check_grads": "autodiff.testing.gradcheck",
    "elementwise_grad": "grad(lambda x: np.sum(f(x))), or vmap(grad(f))",
    "enable_grad": "record outside of no_grad(); everything is recorded by default",
    "functional": "nn, or np functions",
    "gradcheck": "autodiff.testing.gradcheck",
    "extend": "primitive or elementwise, which register a rule",
    "holomorphic_grad": "grad of np.real and np.imag of the output",
    "inference_mode": "no_grad()",
    "jacfwd": "jacobian(f)",
    "jacrev": "jacobian(f)",
    "linearize": "jvp(f, args, tangents)",
    "make_hvp": "hvp(f, args, tangents)",
    "make_jvp": "jvp(f, args, tangents)",
    "make_vjp": "vjp(f, *args)",
    "nn": "import nn: it is a package beside this one",
    "no_autodiff": "no_grad()",
    "numpy": "import numpy as np: NumPy itself is differentiated",
    "np": "import numpy as np: NumPy itself is differentiated",
    "optim": "import nn: nn.SGD, nn.Adam",
    "pmap": "vmap(f)",
    "Variable": "Tensor(x)",
    "hessian_vector_product": "hvp(f, args, tangents)",
    "log_softmax": "nn.log_softmax",
    "set_grad_enabled": "with no_grad(): around what is not to be recorded",
    "value_and_gradient": "value_and_grad(f)",
    "zeros": "np.zeros(shape), and Tensor(...) of it for a variable",
    "ones": "np.ones(shape), and Tensor(...) of it for a variable",
}
"""A name of another library's, and what has its place in this package."""


def no_such_name(owner: str, name: str, hints: Mapping[str, str] = NAMES) -> AttributeError:
    """The error for a name that a module or object does not have, with its replacement."""
    hint = hints.get(name)
    if hint is None and hints is NAMES and callable(getattr(np, name, None)):
        hint = f"np.{name}, which takes Tensors"
    return AttributeError(f"{owner} has no attribute '{name}'{'' if hint is None else f'; use {hint}'}")


def answering(words: Mapping[str, str]) -> Callable[[F], F]:
    """Let a function reply to the keywords of other libraries with their names here."""

    def decorated(function: F) -> F:
        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            if kwargs and not words.keys().isdisjoint(kwargs):
                name, wrong = function.__name__, next(key for key in kwargs if key in words)
                raise TypeError(f"{name}: '{wrong}' is {words[wrong].replace('{name}', name)}")
            return function(*args, **kwargs)

        return called  # type: ignore[return-value]

    return decorated


def keyword(operation: str, wrong: str, parameters: Sequence[str]) -> None:
    """Raise TypeError for a keyword of PyTorch in a call of NumPy's function; return for any other."""
    if wrong in KEYWORDS and wrong not in parameters:
        raise TypeError(f"{operation}: '{wrong}' is {KEYWORDS[wrong]}")


_CHANGING = (
    "abs", "add", "addcdiv", "addcmul", "clamp", "clip", "copy", "detach", "div", "divide", "exp", "fill", "index_add",
    "index_copy", "index_fill", "lerp", "log", "masked_fill", "mul", "multiply", "neg", "normal", "pow", "relu",
    "requires_grad", "scatter", "scatter_add", "set", "sigmoid", "sqrt", "squeeze", "sub", "subtract", "tanh",
    "transpose", "uniform", "unsqueeze", "zero",
)  # fmt: skip
"""PyTorch's methods that change a tensor, without the underscore at their end."""


class Absent:
    """An attribute that a Tensor does not have, but that a user may expect: an error that says what to write.

    It is in the class because a ``__getattr__`` would make every attribute ten times slower.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Any, owner: Any = None) -> Any:
        if tensor is None:
            raise AttributeError(f"type object 'Tensor' has no attribute '{self.name}'")
        missing(self.name)


def absences() -> Iterator[Absent]:
    """The attributes that a user of another library, or of NumPy, may expect."""
    for name in {*HINTS, *dir(np), *(f"{name}_" for name in _CHANGING)}:
        if not name.startswith("_"):
            yield Absent(name)


def missing(name: str) -> NoReturn:
    """Raise AttributeError for an attribute that a Tensor does not have, with what to write."""
    hint = HINTS.get(name)
    if hint is None and callable(getattr(np, name, None)):
        hint = f"np.{name}(t)"
    if hint is None and name.endswith("_") and not name.startswith("_"):
        hint = "a new value: a Tensor is never changed in place"
    words = "" if hint is None else f"; {hint}" if hint in (_CPU, _FROZEN) else f"; use {hint}"
    raise AttributeError(f"'Tensor' object has no attribute '{name}'{words}")


def unknown(keyword: str) -> NoReturn:
    """Raise TypeError for a keyword that Tensor does not take."""
    hint = HINTS.get(keyword, "it takes data and dtype")
    raise TypeError(f"Tensor: got an unexpected keyword argument '{keyword}'; {hint}")
