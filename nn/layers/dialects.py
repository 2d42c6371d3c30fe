"""Names of other libraries that a model does not have, and what to write instead.

This is for mistakes: a name that a module does not have, and a state that is another library's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEVICE = "a model lives where its arrays do; leave this out"
_TYPE = "give the type when it is made: Linear(2, 3, dtype=np.float64)"
_LEARNER = "Learner(model, loss, optimizer) trains and measures: nn.Learner"

HINTS = {
    "add": "give all layers at once: Sequential(a, b, c)",
    "add_module": "assign the module to an attribute",
    "append": "model.layers.append(layer)",
    "backward": "call backward() of the loss: loss.backward()",
    "buffers": "constants are arrays in attributes; state_dict() has them all",
    "children": "modules(), or vars(model)",
    "compile": _LEARNER,
    "cpu": _DEVICE,
    "cuda": _DEVICE,
    "double": _TYPE,
    "evaluate": _LEARNER,
    "fit": _LEARNER,
    "float": _TYPE,
    "half": _TYPE,
    "load": "nn.load(path)",
    "load_weights": "model.load_state_dict(load_file(path)), with nn.safetensors.load_file",
    "predict": "model(x), or Learner.predict(X) for many examples",
    "register_buffer": "assign an array to an attribute",
    "register_module": "assign the module to an attribute",
    "register_parameter": "assign a Tensor to an attribute",
    "requires_grad_": "freeze() and unfreeze()",
    "save": "nn.save(path, model)",
    "save_weights": "save_file(model.state_dict(), path), with nn.safetensors.save_file",
    "step": "call step() of the optimizer",
    "summary": "print(model)",
    "to": f"{_DEVICE}; for another type, {_TYPE}",
    "trainable_variables": "parameters()",
}


def is_of_torch(state: Mapping[str, Any]) -> bool:
    """Whether a state says that it is PyTorch's: by its tensors, what ``state_dict`` there returns, or its file."""
    if getattr(state, "is_of_torch", False):
        return True
    return "_metadata" in getattr(state, "__dict__", ()) or any(
        type(v).__module__.split(".")[0] == "torch" for v in state.values()
    )


FROM_TORCH = (
    "matrices of PyTorch are (out, in), and of this library (in, out); write "
    "model.load_state_dict(nn.from_torch(state, model))"
)


def missing(owner: object, name: str) -> AttributeError:
    """The error for an attribute that a module does not have."""
    hint = HINTS.get(name)
    words = f"'{type(owner).__name__}' object has no attribute '{name}'" + (f"; {hint}" if hint else "")
    return AttributeError(words, name=name, obj=owner)
