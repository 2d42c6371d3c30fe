"""Our side of the comparison with PyTorch: a module of a case, its output, and derivatives of two orders."""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

import numpy as np

import nn
from autodiff import GraphError, Tensor
from tests.nn.references.cases import Case, inputs, numbers


def made(case: Case, dtype: Any = np.float64) -> Any:
    """The module, with parameters that follow from their names."""
    kind = getattr(nn, case.kind)
    try:
        module = kind(*case.args, **case.kwargs, dtype=dtype)
    except TypeError:  # it has no parameters
        module = kind(*case.args, **case.kwargs)
    set_parameters(module)
    return module.train(case.training)


def set_parameters(module: Any) -> None:
    """Values for all parameters, from their names and shapes."""
    for name, parameter in module.named_parameters():
        values = numbers(parameter.shape, zlib.crc32(name.encode()) % 1000, 0.5) + 0.1
        parameter.data = values.astype(parameter.dtype)


def projections(shapes: Any) -> Any:
    """Weights of the outputs, and a function for the direction in which gradients are differentiated."""
    weights = [numbers(shape, 30 + i) + 0.2 for i, shape in enumerate(shapes)]

    def directions(name: str, shape: Any) -> Any:
        return numbers(shape, 40 + zlib.crc32(name.encode()) % 100) + 0.1

    return weights, directions


def outputs(found: Any) -> list[Any]:
    """The arrays of a result, in order."""
    if found is None:
        return []
    return [o for part in found for o in outputs(part)] if isinstance(found, tuple | list) else [found]


def computed(case: Case, module: Any = None) -> dict[str, Any]:
    """The output, its gradients, and projections of second derivatives, by the names of the file."""
    module = made(case) if module is None else module
    given = inputs(case)
    names = [f"input{i}" for i, a in enumerate(given) if a.dtype.kind == "f"]
    values = [a for a in given if a.dtype.kind == "f"]
    parameters = dict(module.named_parameters())

    def total(arguments: Any) -> Any:
        rest = iter(arguments)
        found = outputs(module(*[next(rest) if a.dtype.kind == "f" else a for a in given], **case.call))
        weights, _ = projections([o.shape for o in found])
        return sum(np.sum(o * w) for o, w in zip(found, weights, strict=True)), found

    variables = [Tensor(v) for v in values]
    everything = dict(zip(names, variables, strict=True)) | parameters
    loss, found = total(variables)
    kept = {f"output{i}": np.asarray(o.data if isinstance(o, Tensor) else o) for i, o in enumerate(found)}
    buffers = {n: np.array(v) for n, v in module.state_dict().items() if n not in parameters}
    for variable in everything.values():
        variable.grad = None
    loss.backward(create_graph=True)
    _, directions = projections([])
    along: Any = 0.0
    for name, variable in everything.items():
        g = variable.grad
        kept[f"d {name}"] = np.zeros(variable.shape) if g is None else np.array(g.data)
        along = along + (0.0 if g is None else np.sum(g * directions(name, variable.shape)))
        variable.grad = None
    with contextlib.suppress(GraphError):  # the first derivative is constant
        Tensor.backward(along)
    for name, variable in everything.items():
        g = variable.grad
        kept[f"dd {name}"] = (
            np.zeros(variable.shape) if g is None else np.asarray(g.data if isinstance(g, Tensor) else g)
        )
        variable.grad = None
    return kept | {f"buffer {name}": value for name, value in buffers.items()}
