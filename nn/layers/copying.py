"""Copies of a model: deep copies, and copies with other values of its parameters.

Everything here is iterative, as in :mod:`nn.layers.structure`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import Tensor

from .structure import Holder, Path, is_copied, modules_of, slots_of, tuple_like, values_of

_COPYING = {f"__{name}__" for name in ("deepcopy", "getnewargs", "getnewargs_ex", "getstate", "reduce", "reduce_ex",
                                      "setstate")}  # fmt: skip


def is_plain(kind: type, base: type) -> bool:
    """Whether copying the attributes is enough for a class: it adds no method to ``base`` that says otherwise."""
    classes = [c for c in kind.__mro__ if c not in base.__mro__]
    return not any(vars(c).keys() & _COPYING or vars(c).get("__slots__") for c in classes)


def deep_copied(root: Holder, base: type, memo: dict[int, Any]) -> Any:
    """A deep copy of a module; the modules inside it are made first, so that none is copied from within another."""
    made = []
    for _, module in modules_of(root):
        if id(module) not in memo and is_plain(type(module), base):
            memo[id(module)] = new = object.__new__(type(module))
            made.append((module, new))
    for module, new in made:
        vars(new).update(copy.deepcopy(vars(module), memo))
    return memo[id(root)]


def split(model: Holder) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The parameters of a model, and a function that makes a copy of it with other ones."""
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


def in_dtype(model: Holder, dtype: Any = None) -> Any:
    """A copy of a model with copied arrays instead of parameters; real ones in the given dtype."""
    parameters, rebuild = split(model)
    values = [values_of(parameter) for parameter in parameters]
    return rebuild([np.array(v, dtype if v.dtype.kind == "f" else None) for v in values])


class _Copier:
    """Makes the copy of a model: other values in the places of its parameters, everything else that is no part shared.

    An object that may refer to itself is made empty first and filled later.  So nothing is recursive but tuples inside
    tuples.
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
        """The copy of ``thing``; modules, lists and dicts are filled later."""
        if id(thing) in self.places:
            return self.values[self.places[id(thing)]]
        if isinstance(thing, tuple):
            return tuple_like(thing, [self._shell(value) for value in thing])
        if not isinstance(thing, Holder | list | dict):
            return thing
        if id(thing) not in self.made:
            # a dict or list of a kind of its own keeps what else it knows, such as the factory of a defaultdict
            new = object.__new__(type(thing)) if isinstance(thing, Holder) else copy.copy(thing)
            self.made[id(thing)] = new
            self.unfilled.append((thing, new))
        return self.made[id(thing)]
