"""Module: a model is an object whose attributes hold its parameters.

A Tensor in an attribute is a parameter: a variable that training changes.  A plain array in an attribute is a constant:
it is saved with the model and never changed.  Modules may stand in attributes and in lists, tuples and dicts of
attributes, to any depth; what is found on two paths is one thing with two names, and counts once.

A Tensor under a public name must be a variable.  Results of operations may be kept under names that begin with an
underscore, where they are nobody's parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from autodiff import GraphError, Tensor, register_container

Array = Any


class Slot(NamedTuple):
    """One place in a model that holds an array or a Tensor."""

    owner: Module
    path: str
    """Where it is from its owner: an attribute, or an attribute and the keys into its containers."""
    name: str
    """The same from the root of the model."""
    value: Any


class Module:
    """A part of a model: a function with parameters.

    A subclass assigns Tensors and modules to attributes and defines ``forward``; calling the module calls it.  There
    is nothing to register and no ``super().__init__()`` to remember.

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

    training: bool = True
    """Whether layers that behave differently in training do so; see :meth:`train` and :meth:`eval`."""

    _inlined: str | None = None
    """The attribute whose name is left out of parameter names ('0.weight' rather than 'layers.0.weight')."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The function that this module computes."""
        raise NotImplementedError(f"{type(self).__name__}: has no forward; define forward(self, x) in the class")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # -- what is in it ---------------------------------------------------------------------------------------

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Every parameter once, with its path from here: ('0.weight', Tensor).

        Raises TypeError for a Tensor under a public name that is the result of an operation: it would never be trained.
        """
        for slot in _unique(_slots(self)):
            if not isinstance(slot.value, Tensor):
                continue
            if not _is_variable(slot.value) and not _is_copied(slot):
                raise TypeError(
                    f"{type(slot.owner).__name__}: the attribute '{slot.path}' is a result, not a variable, and could "
                    f"not be trained: {_shortened(slot.value)}. For a parameter make the values first and the Tensor "
                    f"last, Tensor(values * scale); to keep a result, use a name that begins with an underscore"
                )
            yield slot.name, slot.value

    def parameters(self) -> Iterator[Tensor]:
        """Every parameter once, in the order in which they were assigned."""
        return (parameter for _, parameter in self.named_parameters())

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module, under the name '', and every module inside it once, with its path."""
        return ((name, module) for name, module, _, _ in _walk(self) if isinstance(module, Module))

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
        return {slot.name: np.array(_plain(slot.value)) for slot in _slots(self)}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take the values of all parameters and constants from ``state``.

        The names must be exactly those of :meth:`state_dict`, with the same shapes.  Raises ValueError that names all
        that is missing, unexpected or of another shape; then nothing has been loaded.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict: expected names and arrays, got {type(state).__name__}")
        slots = {slot.name: slot for slot in _slots(self)}
        complaints = []
        if missing := [name for name in slots if name not in state]:
            complaints.append(f"missing: {', '.join(missing)}")
        if unexpected := [str(name) for name in state if name not in slots]:
            complaints.append(f"unexpected: {', '.join(unexpected)}")
        loaded: list[tuple[Slot, Array]] = []
        for name, slot in slots.items():
            if name not in state:
                continue
            given, here = np.asarray(_plain(state[name])), np.asarray(_plain(slot.value))
            if given.shape != here.shape:
                complaints.append(f"{name} has shape {given.shape}, the model {here.shape}")
            elif given.dtype.kind not in "fciub" or not np.can_cast(given.dtype, here.dtype, "same_kind"):
                complaints.append(f"{name} is {given.dtype}, the model {here.dtype}")
            else:
                loaded.append((slot, given))
        if complaints:
            raise ValueError(
                f"load_state_dict: the state does not fit {type(self).__name__}, nothing was loaded; "
                + "; ".join(complaints)
            )
        for slot, given in loaded:
            if isinstance(slot.value, Tensor):
                slot.value.data = given.astype(slot.value.dtype)
            else:
                np.copyto(slot.value, given, casting="same_kind")

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
        """Turn every parameter into a constant: each attribute holds the parameter's array in its place.

        No gradient is computed for it, and an optimizer that has it already leaves it alone.

        >>> from nn import Linear
        >>> layer = Linear(2, 3).freeze()
        >>> len(list(layer.parameters())), sorted(layer.state_dict())
        (0, ['bias', 'weight'])
        >>> len(list(layer.unfreeze().parameters()))
        2
        """
        for slot in list(_slots(self)):
            if isinstance(slot.value, Tensor) and _is_variable(slot.value):
                slot.value.grad = None
                _assign(slot, slot.value.data)
                slot.owner.__dict__.setdefault("_frozen", {})[slot.path] = slot.value
        return self

    def unfreeze(self) -> Self:
        """Make the parameters that :meth:`freeze` turned into constants parameters again."""
        for slot in list(_slots(self)):
            parameter = slot.owner.__dict__.get("_frozen", {}).pop(slot.path, None)
            if parameter is not None:
                parameter.data = slot.value
                _assign(slot, parameter)
        return self

    def arrays(self) -> Self:
        """A copy of this model with plain arrays, copies, in the place of its parameters.

        This is the form in which the functional transforms give plain arrays back: ``grad(loss)(model.arrays())`` is
        a model-shaped set of arrays, while ``grad(loss)(model)`` depends on the model's own variables and so holds
        Tensors that remember how they were made.

        >>> import numpy as np
        >>> from autodiff import grad
        >>> from nn import Linear
        >>> model = Linear(2, 1, rng=0)
        >>> g = grad(lambda model: np.sum(model(np.ones((3, 2)))))(model.arrays())
        >>> g.bias.tolist()
        [3.0]
        """
        parameters, rebuild = _split(self)
        return rebuild([np.array(_plain(p)) for p in parameters])  # type: ignore[return-value]

    # -- how it looks ----------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets of this module's own line."""
        return ""

    def __repr__(self) -> str:
        from .summary import summary

        return summary(self)


# -- walking ---------------------------------------------------------------------------------------------------------


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _walk(root: Module) -> Iterator[tuple[str, Any, Module, str]]:
    """(name, thing, owner, path) of each module once and of each Tensor and array, depth first."""
    seen: set[int] = set()

    def visit(thing: Any, name: str, owner: Module, path: str) -> Iterator[tuple[str, Any, Module, str]]:
        if isinstance(thing, Tensor | np.ndarray) or path in owner.__dict__.get("_variables", ()):
            yield name, thing, owner, path
        elif isinstance(thing, Module):
            if id(thing) not in seen:
                seen.add(id(thing))
                yield name, thing, thing, ""
                for attribute, value in vars(thing).items():
                    if attribute not in _PRIVATE:
                        inlined = attribute == thing._inlined
                        yield from visit(value, name if inlined else _join(name, attribute), thing, attribute)
        elif type(thing) in _CONTAINERS and id(thing) not in seen:
            seen.add(id(thing))  # only while inside: a list may contain itself, and may be met again elsewhere
            for key, value in _items(thing):
                yield from visit(value, _join(name, str(key)), owner, _join(path, str(key)))
            seen.discard(id(thing))

    return visit(root, "", root, "")


_CONTAINERS = (list, tuple, dict)
_PRIVATE = frozenset({"_frozen", "_variables"})


def _items(container: Any) -> Any:
    return container.items() if type(container) is dict else enumerate(container)


def _slots(root: Module) -> Iterator[Slot]:
    """Every place that holds a parameter or a constant; a shared one at each of its places."""
    for name, thing, owner, path in _walk(root):
        if isinstance(thing, Module):
            continue
        slot = Slot(owner, path, name, thing)
        if path.startswith("_") and not (_is_copied(slot) or (isinstance(thing, Tensor) and _is_variable(thing))):
            continue
        yield slot


def _unique(slots: Iterator[Slot]) -> Iterator[Slot]:
    seen: set[int] = set()
    for slot in slots:
        if id(slot.value) not in seen:
            seen.add(id(slot.value))
            yield slot


def _is_variable(t: Tensor) -> bool:
    """Whether this Tensor is a variable: only those have a gradient to ask for."""
    try:
        t.grad  # noqa: B018
    except GraphError:
        return False
    return True


def _is_copied(slot: Slot) -> bool:
    """Whether a transform filled this place: then it is a variable, whatever it holds."""
    return slot.path in slot.owner.__dict__.get("_variables", ())


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def _shortened(value: Tensor) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


# -- changing and copying ----------------------------------------------------------------------------------------------


def _assign(slot: Slot, value: Any) -> None:
    """Put another value into a slot; a tuple on the way is made anew."""

    def replaced(thing: Any, keys: list[str]) -> Any:
        if not keys:
            return value
        key: Any = next(k for k in thing if str(k) == keys[0]) if type(thing) is dict else int(keys[0])
        if type(thing) is tuple:
            return (*thing[:key], replaced(thing[key], keys[1:]), *thing[key + 1 :])
        thing[key] = replaced(thing[key], keys[1:])
        return thing

    attribute, *keys = slot.path.split(".")
    slot.owner.__dict__[attribute] = replaced(slot.owner.__dict__[attribute], keys)


def _split(model: Module) -> tuple[list[Any], Callable[[list[Any]], Module]]:
    """The parameters of a model, and the function that makes a copy of it from others."""
    slots = [slot for slot in _slots(model) if isinstance(slot.value, Tensor) or _is_copied(slot)]
    places: dict[int, int] = {}
    for slot in slots:
        places.setdefault(id(slot.value), len(places))
    children = list({id(slot.value): slot.value for slot in slots}.values())
    variables: dict[int, set[str]] = {}
    for slot in slots:
        variables.setdefault(id(slot.owner), set()).add(slot.path)

    def rebuild(values: list[Any]) -> Module:
        memo: dict[int, Any] = {}

        def copied(thing: Any) -> Any:
            if id(thing) in places:
                return values[places[id(thing)]]
            if isinstance(thing, Module):
                if id(thing) not in memo:
                    memo[id(thing)] = new = object.__new__(type(thing))
                    new.__dict__.update({name: copied(value) for name, value in vars(thing).items()})
                    new.__dict__["_variables"] = frozenset(variables.get(id(thing), ()))
                return memo[id(thing)]
            if type(thing) is tuple:
                return tuple(copied(value) for value in thing)
            if type(thing) in _CONTAINERS:
                if id(thing) not in memo:
                    memo[id(thing)] = new = type(thing)()
                    if type(thing) is dict:
                        new.update({key: copied(value) for key, value in thing.items()})
                    else:
                        new.extend(copied(value) for value in thing)
                return memo[id(thing)]
            return thing

        return copied(model)  # type: ignore[no-any-return]

    return children, rebuild


register_container(Module, _split)
