"""States of PyTorch's models, in the layout of ours.

Layers of one name have parameters of the same names.  PyTorch computes x @ weight.T with matrices (out, in); here they
are (in, out), so they are transposed: those of Linear, of recurrent layers, and the projections of attention.  Filters,
tables of embeddings, and all else are alike.  torch is not imported.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.attention import MultiheadAttention
from ..layers.linear import Linear
from ..layers.module import Module
from ..layers.recurrent import GRU, LSTM, RNN
from ..layers.structure import Slot, named_slots, values_of

__all__ = ["from_torch"]

Array = Any
TRANSPOSED: dict[Any, tuple[str, ...]] = {
    Linear: ("weight",),
    (RNN, GRU, LSTM): ("weight_ih_", "weight_hh_"),
    MultiheadAttention: ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"),
}
"""The layers with matrices, and how the names of these begin."""
PREFIXES = ("module.", "_orig_mod.")
"""What stands before all names of a model in DataParallel, and of a compiled one."""
SHOWN = 8


def from_torch(state_dict: Mapping[str, Any], model: Module) -> dict[str, Array]:
    """A state of PyTorch's, in the layout of a model of ours: ``model.load_state_dict(nn.from_torch(state, model))``.

    ``state_dict`` maps names to torch's tensors or to arrays, such as :func:`nn.safetensors.load_file` reads; ``model``
    has the layers of the same names, and is not changed.  Matrices are transposed: PyTorch's are (out, in), ours (in,
    out).  A prefix of all names, of DataParallel or of a compiled model, is taken away.  Raises ValueError that names
    all that is missing, unexpected or of another shape.

    >>> import numpy as np
    >>> import nn
    >>> model = nn.Linear(2, 2)
    >>> state = {"weight": np.array([[1.0, 2.0], [3.0, 4.0]]), "bias": np.zeros(2)}
    >>> model.load_state_dict(nn.from_torch(state, model))
    >>> model(np.array([1.0, 0.0])).tolist()
    [1.0, 3.0]
    """
    if not isinstance(model, Module):
        raise TypeError(f"from_torch: model is a {type(model).__name__}; give the model that shall have the state")
    state = _without_prefix(_mapping(state_dict))
    slots = named_slots(model, "from_torch")
    complaints = []
    names_of: dict[int, str] = {id(slot.value): name for name, slot in slots.items() if name in state}
    found: dict[str, Array] = {}
    for name, slot in slots.items():
        source = name if name in state else names_of.get(id(slot.value))  # of shared ones a file may have one
        if source is None:
            complaints.append(f"missing: {name}")
            continue
        found[name], complaint = _fitted(name, _array(source, state[source]), slot)
        complaints += [complaint] if complaint else []
    complaints += [f"unexpected: {str(name)[:80]}" for name in state if name not in slots]
    if complaints:
        more = f"; and {len(complaints) - SHOWN} more" if len(complaints) > SHOWN else ""
        raise ValueError(
            f"from_torch: the state does not fit {type(model).__name__}; {'; '.join(complaints[:SHOWN])}{more}"
        )
    return found


def _mapping(given: Any) -> Mapping[str, Any]:
    """The state itself, or an error that says where it is."""
    if isinstance(given, str | bytes | os.PathLike):
        raise TypeError(
            f"from_torch: got the path {os.fspath(given)!r}; read a safetensors file first, with "
            "nn.safetensors.load_file; of a .pt file, torch.load makes the state"
        )
    if not isinstance(given, Mapping):
        hint = "; pass its state_dict()" if hasattr(given, "state_dict") else ""
        raise TypeError(f"from_torch: expected names and tensors, got a {type(given).__name__}{hint}")
    for name, value in given.items():
        if isinstance(value, Mapping):
            raise ValueError(
                f"from_torch: {name!r} holds a mapping; of a whole checkpoint pass the part: state[{name!r}]"
            )
    return given


def _without_prefix(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state under names without a prefix that all of them have."""
    found = dict(state)
    for prefix in PREFIXES:
        if found and all(isinstance(name, str) and name.startswith(prefix) for name in found):
            found = {name.removeprefix(prefix): value for name, value in found.items()}
    return found


def _array(name: str, value: Any) -> Array:
    """An array of a tensor of torch, or of an array."""
    if isinstance(value, Tensor):
        raise TypeError(f"from_torch: {name} is a Tensor of autodiff; is this a state of ours? load it as it is")
    if hasattr(value, "detach"):  # a tensor of torch, in whatever memory
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        return value.numpy()
    return np.asarray(value)


def _fitted(name: str, array: Array, slot: Slot) -> tuple[Array, str]:
    """An array in our layout, and what is wrong with it, or ''."""
    shape = np.shape(values_of(slot.value))
    turned = _is_matrix(slot)
    wanted = shape[::-1] if turned else shape
    if array.shape != wanted:
        here = f", which is {shape} here" if turned else ""
        return array, f"{name} has shape {array.shape}, and PyTorch's would have {wanted}{here}"
    return np.array(array.T if turned else array, order="C"), ""


def _is_matrix(slot: Slot) -> bool:
    return any(isinstance(slot.owner, kind) and slot.place.startswith(names) for kind, names in TRANSPOSED.items())
