"""Module: a model is an object whose attributes hold its parameters.

A Tensor in an attribute is a parameter: a variable that training changes.  A plain array in an attribute is a constant:
it is saved with the model and never changed.  Modules may be in attributes, and in lists, tuples and dicts in
attributes, to any depth.  An object with two paths has two names and counts once.

A Tensor under a public name must be a variable.  Results of operations may be stored under names that begin with an
underscore; these are not parameters.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from autodiff import Tensor, mark_written, register_container

from .copying import deep_copied, in_dtype, is_plain, split
from .dialects import FROM_TORCH, is_of_torch, missing
from .structure import (
    Holder,
    Slot,
    assign,
    is_copied,
    is_variable,
    modules_of,
    named_slots,
    slots_of,
    unique,
    values_of,
)
from .summary import summary

__all__ = ["Module"]

Array = Any
DEEP = 50
"""So many modules inside one another are no accident of a function that calls itself."""


class Module(Holder):
    """A part of a model: a function with parameters.

    A subclass assigns Tensors and modules to attributes and defines ``forward``; a call of the module calls it.
    Nothing needs to be registered, and ``super().__init__()`` is not needed.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Tensor(np.ones(3))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(np.full(3, 2.0)).tolist()
    [2.0, 2.0, 2.0]
    >>> Scale()
    Scale()  factor (3,)  3 parameters, float64, 24 B
    """

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The function that this module computes."""
        raise NotImplementedError(f"{type(self).__name__}: has no forward; define forward(self, x) in the class")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.forward(*args, **kwargs)
        except RecursionError as error:
            depth = error.__dict__["depth"] = getattr(error, "depth", 0) + 1  # how many modules it has come through
            if depth < DEEP:
                raise  # a function that calls itself: its lines are what one wants to see
            what = f"{type(self).__name__}: {depth} modules stood inside one another when Python's stack was full"
            error.args = (f"{what}; put modules into one row, Sequential(a, b, c)",)
            raise error.with_traceback(None) from None

    if not TYPE_CHECKING:  # a type checker shall know the attributes that there are

        def __getattr__(self, name: str) -> Any:
            raise missing(self, name)

    @property
    def __deepcopy__(self) -> Callable[[dict[int, Any]], Any]:
        if not is_plain(type(self), Module):
            raise AttributeError("__deepcopy__")  # its class says how it is copied
        return functools.partial(deep_copied, self, Module)

    # -- what is in it ---------------------------------------------------------------------------------------

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter once, with its path from here: ('0.weight', Tensor).

        Raises TypeError for a Tensor under a public name that is the result of an operation: it would not be trained.
        """
        for slot in unique(slots_of(self)):
            if not isinstance(slot.value, Tensor):
                continue
            if not is_variable(slot.value) and not is_copied(slot):
                raise TypeError(
                    f"{type(slot.owner).__name__}: the attribute '{slot.place}' is a result, not a variable, and could "
                    f"not be trained: {_shortened(slot.value)}. For a parameter make the values first and the Tensor "
                    f"last, Tensor(values * scale); to keep a result, use a name that begins with an underscore"
                )
            yield slot.name, slot.value

    def parameters(self) -> Iterator[Tensor]:
        """Every parameter once, in the order in which they were assigned."""
        return (parameter for _, parameter in self.named_parameters())

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module, under the name '', and every module inside it once, with its path."""
        return modules_of(self)

    def modules(self) -> Iterator[Module]:
        """This module and every module inside it, each once."""
        return (module for _, module in self.named_modules())

    # -- state -----------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and constants by name.

        A shared parameter appears under each of its names.

        >>> from nn import Linear
        >>> sorted(Linear(2, 3).state_dict())
        ['bias', 'weight']
        """
        slots = named_slots(self, "state_dict")
        return {name: np.array(values_of(slot.value)) for name, slot in slots.items()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take the values of all parameters and constants from ``state``.

        The names must be exactly those of :meth:`state_dict`, with the same shapes; matrices are (in, out), and filters
        (out, in, height, width).  PyTorch's matrices are (out, in): :func:`nn.from_torch` transposes them, and a state
        that says that it is PyTorch's is refused.  Raises ValueError that names all that is missing, unexpected or of
        another shape; then nothing has been loaded.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict: expected names and arrays, got {_instead_of_a_state(state)}")
        if is_of_torch(state):
            raise TypeError(f"load_state_dict: the state is PyTorch's; {FROM_TORCH}")
        slots = named_slots(self, "load_state_dict")
        complaints = []
        if missing := [name for name in slots if name not in state]:
            complaints.append(f"missing: {', '.join(missing)}")
        if unexpected := [str(name) for name in state if name not in slots]:
            complaints.append(f"unexpected: {', '.join(unexpected)}")
        loaded: dict[int, tuple[Slot, Array]] = {}
        for name, slot in slots.items():
            if name not in state:
                continue
            given, complaint = _fitted(name, state[name], values_of(slot.value))
            first, earlier = loaded.setdefault(id(slot.value), (slot, given))
            if complaint:
                complaints.append(complaint)
            elif first is not slot and not np.array_equal(earlier, given, equal_nan=given.dtype.kind in "fc"):
                complaints.append(f"{first.name} and {name} are one array in the model and differ in the state")
        if complaints:
            raise ValueError(
                f"load_state_dict: the state does not fit {type(self).__name__}, nothing was loaded; "
                + "; ".join(complaints)
                + (f"; {FROM_TORCH}" if any(_is_turned(slot, state.get(name)) for name, slot in slots.items()) else "")
            )
        held = [slot.value for slot, _ in loaded.values()]
        before = [t.data if isinstance(t, Tensor) else t.copy() for t in held]
        try:
            for value, (_, given) in zip(held, loaded.values(), strict=True):
                _put(value, given)
        except BaseException:  # Ctrl-C, or an array that cannot be written: half a state is none
            for value, old in zip(held, before, strict=True):
                _put(value, old)
            raise

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all inside it to training (dropout drops)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch this module and all inside it to evaluation (dropout does nothing)."""
        return self.train(False)

    def freeze(self) -> Self:
        """Turn every parameter into a constant: each attribute then has the parameter's array.

        No gradient is computed for it, and an optimizer that already has it does not change it.

        >>> from nn import Linear
        >>> layer = Linear(2, 3).freeze()
        >>> len(list(layer.parameters())), sorted(layer.state_dict())
        (0, ['bias', 'weight'])
        >>> len(list(layer.unfreeze().parameters()))
        2
        """
        for slot in list(slots_of(self)):
            if isinstance(slot.value, Tensor) and is_variable(slot.value):
                slot.value.grad = None
                assign(slot, slot.value.data)
                slot.owner.__dict__.setdefault("_frozen", {})[slot.path] = slot.value
        return self

    def unfreeze(self) -> Self:
        """Turn the constants that :meth:`freeze` made back into parameters."""
        for slot in list(slots_of(self)):
            parameter = slot.owner.__dict__.get("_frozen", {}).pop(slot.path, None)
            if parameter is not None:
                parameter.data = slot.value
                assign(slot, parameter)
        return self

    def arrays(self) -> Self:
        """A copy of this model with copied arrays instead of its parameters.

        With it the transforms return arrays: ``grad(loss)(model.arrays())`` is a model whose parameters are arrays.
        ``grad(loss)(model)`` depends on the model's own variables, so it contains Tensors with a graph.

        >>> import numpy as np
        >>> from autodiff import grad
        >>> from nn import Linear
        >>> model = Linear(2, 1, rng=0)
        >>> g = grad(lambda model: np.sum(model(np.ones((3, 2)))))(model.arrays())
        >>> g.bias.tolist()
        [3.0]
        """
        return in_dtype(self)  # type: ignore[no-any-return]

    # -- how it looks ----------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The text between the brackets in this module's line."""
        return ""

    def __repr__(self) -> str:
        return summary(self)


def _put(value: Any, array: Array) -> None:
    """Other values for a parameter or a constant."""
    if isinstance(value, Tensor):
        value.data = array
    elif value.flags.writeable or not np.array_equal(value, array, equal_nan=value.dtype.kind in "fc"):
        np.copyto(value, array)
        mark_written(value)  # a graph may hold it


def _fitted(name: str, given: Any, here: Any) -> tuple[Array, str]:
    """A new array from a state, in the dtype of the model, and what is wrong with it, or ''."""
    array = np.asarray(values_of(given))
    if array.shape != here.shape:
        return array, f"{name} has shape {array.shape}, the model {here.shape}"
    if array.dtype.kind not in "fciub" or not np.can_cast(array.dtype, here.dtype, "same_kind"):
        return array, f"{name} is {array.dtype}, the model {here.dtype}"
    with np.errstate(over="ignore"):
        cast = array.astype(here.dtype)
    if here.dtype.kind in "fc" and array.dtype != here.dtype and np.any(np.isfinite(array) & ~np.isfinite(cast)):
        return array, f"{name} holds numbers too large for the model's {here.dtype}"
    return cast, ""


def _is_turned(slot: Slot, given: Any) -> bool:
    """Whether a matrix would fit if its axes were in the other order."""
    here = np.shape(values_of(slot.value))
    return len(here) == 2 and here[0] != here[1] and np.shape(values_of(given)) == here[::-1]


def _instead_of_a_state(given: Any) -> str:
    """The argument that was given, and the one that is needed."""
    kind = type(given).__name__
    if isinstance(given, str | bytes | os.PathLike):
        return f"{kind}; read the file first: load_state_dict(load_file({given!r})), with nn.safetensors.load_file"
    if isinstance(given, Module):
        return f"{kind}, a module; pass its state: load_state_dict(other.state_dict())"
    return kind


def _shortened(value: Tensor) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


register_container(Module, split)
