"""The structure of a model: its modules, parameters and constants, and their names.

Everything here is iterative, so a model may be nested to any depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autodiff import GraphError, Tensor

Array = Any
Path = tuple[Any, ...]


class Holder:
    """An object with parameters in its attributes: the part of a Module that a search needs."""

    training: bool = True
    """Whether layers that behave differently in training do so."""

    _inlined: str | None = None
    """The attribute whose name is left out of parameter names ('0.weight' rather than 'layers.0.weight')."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, value in vars(cls).items():
            if isinstance(value, Tensor | Holder):
                raise TypeError(
                    f"{cls.__name__}: the class attribute '{name}' is a {type(value).__name__}, which all of its "
                    f"instances would share and no walk would find; assign it in __init__: self.{name} = ..."
                )


class Slot(NamedTuple):
    """One place in a model with an array or a Tensor."""

    owner: Holder
    path: Path
    """Where it is from its owner: an attribute, and the keys into its containers."""
    name: str
    """The same from the root of the model, in words."""
    value: Any

    @property
    def place(self) -> str:
        """The path in words."""
        return joined(*self.path)


class Thing(NamedTuple):
    """An item of a search: a module, or the content of a slot."""

    value: Any
    name: str
    owner: Holder
    path: Path


_MET = (Tensor, np.ndarray, Holder)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_PRIVATE = frozenset({"_frozen", "_variables"})


def joined(*parts: Any) -> str:
    """The parts of a name, without those that are empty."""
    return ".".join([text for part in parts if (text := str(part))])


def row_of(module: Holder) -> Any:
    """The layers of a module that is a sequence of them, else nothing."""
    return vars(module).get(module._inlined or "", ())


def contents(module: Holder, name: str = "") -> Iterator[Thing]:
    """The modules, Tensors and arrays in the attributes of a module, and in lists, tuples and dicts there.

    Raises TypeError for a set of them, which has no order for their names.
    """
    variables = module.__dict__.get("_variables", ())
    for attribute, value in list(module.__dict__.items()):
        if isinstance(value, _MET) or (variables and (attribute,) in variables):
            yield Thing(value, name if attribute == module._inlined else joined(name, attribute), module, (attribute,))
        elif isinstance(value, _CONTAINERS) and attribute not in _PRIVATE:
            base = name if attribute == module._inlined else joined(name, attribute)
            yield from _elements(Thing(value, base, module, (attribute,)), variables)


def _elements(outermost: Thing, variables: Any) -> Iterator[Thing]:
    """The same of a container, and of those inside it.

    A container with two paths is searched twice, because its places have two names; but not inside itself.
    """
    inside = {id(outermost.value)}
    stack: list[tuple[Iterator[Any], Thing]] = [(iter(_items(outermost)), outermost)]
    while stack:
        for key, value in stack[-1][0]:
            _, name, owner, path = stack[-1][1]
            if isinstance(value, _MET) or (variables and (*path, key) in variables):
                yield Thing(value, joined(name, key), owner, (*path, key))
            elif isinstance(value, _CONTAINERS) and id(value) not in inside:
                inside.add(id(value))
                thing = Thing(value, joined(name, key), owner, (*path, key))
                stack.append((iter(_items(thing)), thing))
                break
        else:
            inside.discard(id(stack.pop()[1].value))


def _items(thing: Thing) -> list[tuple[Any, Any]]:
    container = thing.value
    if isinstance(container, dict):
        return list(container.items())
    if isinstance(container, set | frozenset):
        if any(isinstance(element, Tensor | Holder) for element in container):
            raise TypeError(
                f"{type(thing.owner).__name__}: '{joined(*thing.path)}' is a {type(container).__name__} of parameters "
                "or modules, which has no order to name them by; use a list or a dict"
            )
        return []
    return list(enumerate(container))


def walk(root: Holder) -> Iterator[Thing]:
    """Each module once, and each Tensor and array wherever it is, depth first.  A module is its own owner."""
    met = {id(root)}
    yield Thing(root, "", root, ())
    stack = [contents(root)]
    while stack:
        for thing in stack[-1]:
            module = thing.value
            if not isinstance(module, Holder):
                yield thing
            elif id(module) not in met:
                met.add(id(module))
                yield Thing(module, thing.name, module, ())
                stack.append(contents(module, thing.name))
                break
        else:
            stack.pop()


def modules_of(root: Holder) -> Iterator[tuple[str, Any]]:
    """Every module with its name, each once."""
    return ((thing.name, thing.value) for thing in walk(root) if isinstance(thing.value, Holder))


def slots_of(root: Holder) -> Iterator[Slot]:
    """Every place with a parameter or a constant; a shared one at each of its places."""
    for value, name, owner, path in walk(root):
        if isinstance(value, Holder):
            continue
        slot = Slot(owner, path, name, value)
        if path[0].startswith("_") and not (is_copied(slot) or (isinstance(value, Tensor) and is_variable(value))):
            continue
        yield slot


def named_slots(root: Holder, who: str) -> dict[str, Slot]:
    """The slots by name.  Raises ValueError if two have one name, which begins with ``who``."""
    slots: dict[str, Slot] = {}
    for slot in slots_of(root):
        if slot.name in slots:
            raise ValueError(
                f"{who}: two places in the model have the name '{slot.name}' (keys of a dict that differ in type, or "
                "hold a dot?); give one of them another key"
            )
        slots[slot.name] = slot
    return slots


def unique(slots: Iterator[Slot]) -> Iterator[Slot]:
    """The slots, of those with one value only the first."""
    seen: set[int] = set()
    for slot in slots:
        if id(slot.value) not in seen:
            seen.add(id(slot.value))
            yield slot


def dtype_of(model: Holder) -> Any:
    """The dtype of all parameters of a model (of its constants if it has no parameters), or None if they differ."""
    slots = list(unique(slots_of(model)))
    trained = [slot for slot in slots if isinstance(slot.value, Tensor) or is_copied(slot)]
    return common_dtype(slot.value for slot in trained or slots)


def common_dtype(arrays: Iterable[Any]) -> Any:
    """The dtype of all of these that are floating-point or complex, or None if they differ."""
    dtypes = {array.dtype for array in arrays if array.dtype.kind in "fc"}
    return dtypes.pop() if len(dtypes) == 1 else None


def is_variable(t: Tensor) -> bool:
    """Whether this Tensor is a variable: only variables have a gradient."""
    try:
        t.grad  # noqa: B018
    except GraphError:
        return False
    return True


def is_copied(slot: Slot) -> bool:
    """Whether a transform filled this place: then it is a variable, whatever it contains."""
    return slot.path in slot.owner.__dict__.get("_variables", ())


def values_of(value: Any) -> Any:
    """The array of a Tensor; everything else as it is."""
    return value.data if isinstance(value, Tensor) else value


# -- changing ------------------------------------------------------------------------------------------------------


def assign(slot: Slot, value: Any) -> None:
    """Put another value into a slot; a tuple on the path is replaced by a new one."""
    containers: list[Any] = [slot.owner.__dict__]
    for key in slot.path[:-1]:
        containers.append(containers[-1][key])
    for container, key in zip(reversed(containers), reversed(slot.path), strict=True):
        if not isinstance(container, tuple):
            container[key] = value
            return
        value = tuple_like(container, [*container[:key], value, *container[key + 1 :]])


def tuple_like(like: Any, items: list[Any]) -> Any:
    """A tuple of these items, of the same kind as another, which may have named fields."""
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)
