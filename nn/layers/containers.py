"""Modules that hold others and compute nothing: a list, a dictionary, and the identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .module import Module

__all__ = ["Identity", "ModuleDict", "ModuleList"]


class Identity(Module):
    """The input itself, in the place of a layer that is left out.

    Takes any arguments, and ignores them.

    >>> Identity()(3.0)
    3.0
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        return x


class ModuleList(Module):
    """Modules in a list.  A plain list in an attribute does the same; this one has a line of its own in the summary.

    >>> from nn import Linear
    >>> blocks = ModuleList(Linear(2, 2, rng=i) for i in range(3))
    >>> len(blocks), len(blocks[1:]), sorted(blocks.state_dict())[0]
    (3, 2, '0.bias')
    """

    _inlined = "layers"

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.layers: list[Module] = [_module("ModuleList", i, m) for i, m in enumerate(modules)]

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end."""
        self.layers.append(_module("ModuleList", len(self.layers), module))
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add several modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at ``index``."""
        self.layers.insert(index, _module("ModuleList", index, module))

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __getitem__(self, index: int | slice) -> Any:
        return ModuleList(self.layers[index]) if isinstance(index, slice) else self.layers[index]

    def __setitem__(self, index: int, module: Module) -> None:
        self.layers[index] = _module("ModuleList", index, module)

    def __delitem__(self, index: int | slice) -> None:
        del self.layers[index]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("ModuleList: only holds its modules; call them, or put them into Sequential")


class ModuleDict(Module):
    """Modules by name.  A plain dict in an attribute does the same.

    >>> from nn import Linear, ReLU
    >>> heads = ModuleDict({"mean": Linear(2, 1, rng=0), "act": ReLU()})
    >>> list(heads), "mean" in heads, sorted(heads.state_dict())
    (['mean', 'act'], True, ['mean.bias', 'mean.weight'])
    """

    _inlined = "layers"

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.layers: dict[str, Module] = {}
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add several modules, or put others in their places."""
        for name, module in modules.items():
            self[name] = module

    def keys(self) -> Iterable[str]:
        """The names."""
        return self.layers.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self.layers.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Pairs of a name and its module."""
        return self.layers.items()

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __contains__(self, name: object) -> bool:
        return name in self.layers

    def __getitem__(self, name: str) -> Any:
        if name not in self.layers:
            raise KeyError(f"ModuleDict: there is no module {name!r}; there are {', '.join(self.layers) or 'none'}")
        return self.layers[name]

    def __setitem__(self, name: str, module: Module) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"ModuleDict: {name!r} cannot be a name in a path; take a string without a dot")
        self.layers[name] = _module("ModuleDict", name, module)

    def __delitem__(self, name: str) -> None:
        self[name]
        del self.layers[name]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("ModuleDict: only holds its modules; call one of them: modules[name](x)")


def _module(who: str, place: Any, value: Any) -> Module:
    if not isinstance(value, Module):
        hint = f", the class; make one: {value.__name__}()" if isinstance(value, type) else ""
        what = value.__name__ if isinstance(value, type) else type(value).__name__
        raise TypeError(f"{who}: {place!r} is a {what}{hint}; it holds modules")
    return value
