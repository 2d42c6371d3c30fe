"""Models that are a sequence of modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules one after the other: the output of each is the input of the next.

    An index returns a module, a slice returns a Sequential of the same modules.

    >>> import numpy as np
    >>> from nn import Linear, ReLU
    >>> model = Sequential(Linear(2, 3, rng=0), ReLU(), Linear(3, 1, rng=1))
    >>> model(np.ones((5, 2), dtype=np.float32)).shape
    (5, 1)
    >>> len(model[:2]), type(model[-1]).__name__
    (2, 'Linear')
    """

    _inlined = "layers"

    def __init__(self, *layers: Module) -> None:
        if len(layers) == 1 and isinstance(layers[0], list | tuple):
            layers = tuple(layers[0])
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise TypeError(f"Sequential: layer {i} is a {type(layer).__name__}; give modules or functions")
            if isinstance(layer, type):
                raise TypeError(f"Sequential: layer {i} is the class {layer.__name__}; make one: {layer.__name__}()")
        self.layers: list[Module] = list(layers)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        try:
            return self.layers[index]
        except TypeError:
            raise TypeError(f"Sequential: a layer has a number, not the name {index!r}; write model[0]") from None
        except IndexError:
            raise IndexError(f"Sequential: there is no layer {index}; it has {len(self.layers)}") from None
