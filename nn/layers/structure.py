"""The structure of a model: which modules, parameters and constants are in it, under which names, and copies of it.

Everything here is iterative: a model may be as deep as its names are bearable.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autodiff import GraphError, Tensor

Array = Any
Path = tuple[Any, ...]


class Holder:
    """What holds parameters in its attributes: the part of a Module that a walk needs to know."""

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

    @property
    def __deepcopy__(self) -> Callable[[dict[int, Any]], Any]:
        if not is_plain(type(self)):
            raise AttributeError("__deepcopy__")  # its class says how it is copied
        return functools.partial(deep_copied, self)


class Slot(NamedTuple):
    """One place in a model that holds an array or a Tensor."""

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
    """What a walk meets: a module, or what is in a slot."""

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
    """The layers of a module that is a row of them, else nothing."""
    return vars(module).get(module._inlined or "", ())


def contents(module: Holder, name: str = "") -> Iterator[Thing]:
    """The modules, Tensors and arrays in the attributes of a module, and in lists, tuples and dicts there.

    Raises TypeError for a set of them, which has no order to name them by.
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

    One that is met twice is looked into twice, as its places have two names, but not while it is being looked into.
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
    """Every place that holds a parameter or a constant; a shared one at each of its places."""
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
    """The dtype of all parameters of a model (of its constants, where it has none), or None if they have several."""
    slots = list(unique(slots_of(model)))
    trained = [slot for slot in slots if isinstance(slot.value, Tensor) or is_copied(slot)]
    dtypes = {slot.value.dtype for slot in trained or slots if slot.value.dtype.kind in "fc"}
    return dtypes.pop() if len(dtypes) == 1 else None


def is_variable(t: Tensor) -> bool:
    """Whether this Tensor is a variable: only those have a gradient to ask for."""
    try:
        t.grad  # noqa: B018
    except GraphError:
        return False
    return True


def is_copied(slot: Slot) -> bool:
    """Whether a transform filled this place: then it is a variable, whatever it holds."""
    return slot.path in slot.owner.__dict__.get("_variables", ())


def values_of(value: Any) -> Any:
    """The array in a slot."""
    return value.data if isinstance(value, Tensor) else value


# -- changing and copying ----------------------------------------------------------------------------------------------


def assign(slot: Slot, value: Any) -> None:
    """Put another value into a slot; a tuple on the way is made anew."""
    containers: list[Any] = [slot.owner.__dict__]
    for key in slot.path[:-1]:
        containers.append(containers[-1][key])
    for container, key in zip(reversed(containers), reversed(slot.path), strict=True):
        if not isinstance(container, tuple):
            container[key] = value
            return
        value = _tuple_like(container, [*container[:key], value, *container[key + 1 :]])


def _tuple_like(like: Any, items: list[Any]) -> Any:
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


_COPYING = {f"__{name}__" for name in ("deepcopy", "getnewargs", "getnewargs_ex", "getstate", "reduce", "reduce_ex",
                                      "setstate")}  # fmt: skip


def is_plain(kind: type) -> bool:
    """Whether the modules of a class are copied by their attributes alone: it does not say how."""
    classes = [c for c in kind.__mro__ if c not in (Holder, object)]
    return not any(vars(c).keys() & _COPYING or vars(c).get("__slots__") for c in classes)


def deep_copied(root: Holder, memo: dict[int, Any]) -> Any:
    """A deep copy of a module; the modules inside it are made first, so that none is copied from within another."""
    made = []
    for _, module in modules_of(root):
        if id(module) not in memo and is_plain(type(module)):
            memo[id(module)] = new = object.__new__(type(module))
            made.append((module, new))
    for module, new in made:
        vars(new).update(copy.deepcopy(vars(module), memo))
    return memo[id(root)]


def split(model: Holder) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The parameters of a model, and the function that makes a copy of it from others."""
    slots = [slot for slot in slots_of(model) if isinstance(slot.value, Tensor) or is_copied(slot)]
    places: dict[int, int] = {}
    for slot in slots:
        places.setdefault(id(slot.value), len(places))
    children = list({id(slot.value): slot.value for slot in slots}.values())
    variables: dict[int, set[Path]] = {}
    for slot in slots:
        variables.setdefault(id(slot.owner), set()).add(slot.path)

    def rebuild(values: list[Any]) -> Any:
        return _Copier(places, values, variables).copied(model)

    return children, rebuild


class _Copier:
    """Makes the copy of a model: other values in the places of its parameters, everything else that is no part shared.

    What may refer to itself is made empty first and filled later, so that nothing here recurs but tuples in tuples.
    """

    def __init__(self, places: dict[int, int], values: list[Any], variables: dict[int, set[Path]]) -> None:
        self.places, self.values, self.variables = places, values, variables
        self.made: dict[int, Any] = {}
        self.unfilled: list[tuple[Any, Any]] = []

    def copied(self, model: Holder) -> Any:
        """The copy of a module, with all that is in it."""
        result = self._shell(model)
        while self.unfilled:
            thing, new = self.unfilled.pop()
            if isinstance(thing, list):
                new[:] = [self._shell(value) for value in thing]
                continue
            filled = vars(thing) if isinstance(thing, Holder) else thing
            target = vars(new) if isinstance(thing, Holder) else new
            target.update({name: self._shell(value) for name, value in filled.items()})
            if isinstance(thing, Holder):
                target["_variables"] = frozenset(self.variables.get(id(thing), ()))
        return result

    def _shell(self, thing: Any) -> Any:
        """What stands for ``thing`` in the copy; modules, lists and dicts are filled when their turn comes."""
        if id(thing) in self.places:
            return self.values[self.places[id(thing)]]
        if isinstance(thing, tuple):
            return _tuple_like(thing, [self._shell(value) for value in thing])
        if not isinstance(thing, Holder | list | dict):
            return thing
        if id(thing) not in self.made:
            # a dict or list of a kind of its own keeps what else it knows, such as the factory of a defaultdict
            new = object.__new__(type(thing)) if isinstance(thing, Holder) else copy.copy(thing)
            self.made[id(thing)] = new
            self.unfilled.append((thing, new))
        return self.made[id(thing)]
