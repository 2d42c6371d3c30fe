"""Groups of parameters, each with options of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from autodiff import Tensor

from .checks import checked, in_range
from .options import option

Parameters = Iterable[Tensor] | Iterable[Mapping[str, Any]]
State = dict[str, Any]


class Group(MutableMapping[str, Any]):
    """Some parameters of an optimizer, the state of each, and the options that they are updated with.

    Options are read and changed as ``group["lr"]``, as in PyTorch, or as ``group.lr``; a value out of range is refused.
    ``params`` is the list of parameters, ``state`` the list of their states.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> from nn.optim import SGD
    >>> bias, weight = Tensor(np.zeros(2)), Tensor(np.ones((3, 2)))
    >>> optimizer = SGD([{"params": [weight], "weight_decay": 0.1}, {"params": [bias], "lr": 0.5}], lr=0.25)
    >>> [(group["lr"], group["weight_decay"]) for group in optimizer.groups]
    [(0.25, 0.1), (0.5, 0.0)]
    >>> optimizer.groups[1]["lr"] /= 2
    >>> optimizer.groups[1].lr
    0.25
    """

    params: list[Tensor]
    state: list[State]
    is_described = True
    """Whether files of models may hold objects of this class, by their attributes."""

    def __init__(self, who: str, params: list[Tensor], options: Mapping[str, Any]) -> None:
        own: dict[str, Any] = {"_who": who, "params": params, "state": [{} for _ in params], **options}
        vars(self).update(own)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __getitem__(self, name: str) -> Any:
        if name in _OWN or name not in vars(self):
            raise KeyError(name)
        return vars(self)[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self or name == "params":
            raise ValueError(f"{self._who}: a group has no option {name!r} to set; it has {', '.join(self.options)}")
        vars(self)[name] = option(self._who, name, value)

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{self._who}: a group keeps its options; set {name} to another value")

    def __iter__(self) -> Iterator[str]:
        return (name for name in vars(self) if name not in _OWN)

    def __len__(self) -> int:
        return len(vars(self)) - len(_OWN)

    @property
    def options(self) -> dict[str, Any]:
        """The options by name."""
        return {name: value for name, value in self.items() if name != "params"}

    def __repr__(self) -> str:
        return f"Group({self.described()})"

    def described(self) -> str:
        """What it has in words, without the options that are off."""
        on = (f"{name}={value}" for name, value in self.options.items() if value is not False and value is not None)
        return ", ".join([f"{len(self.params)} parameters", *on])


_OWN = ("_who", "state")
"""What a group has beside ``params`` and options."""


def groups_of_parameters(who: str, parameters: Parameters, defaults: Mapping[str, Any]) -> list[Group]:
    """The groups that an optimizer is made with: one of Tensors, or those that are given as dictionaries."""
    given: Any = parameters
    if isinstance(given, Iterable) and not isinstance(given, Tensor | str | Mapping):
        given = list(given)
    if not isinstance(given, list) or not any(isinstance(entry, Mapping) for entry in given):
        return [Group(who, checked(given, who), defaults)]
    groups = [group_of(who, entry, defaults) for entry in given]
    checked([p for group in groups for p in group.params], who)
    return groups


def group_of(who: str, given: Any, defaults: Mapping[str, Any]) -> Group:
    """One group from a dictionary: its "params", and options in the place of the defaults."""
    if not isinstance(given, Mapping) or "params" not in given:
        raise TypeError(f"{who}: a group of parameters is a dict: {{'params': [...], 'lr': 0.1}}; got {given!r:.60}")
    unknown = sorted(set(given) - {"params", *defaults})
    if unknown:
        raise ValueError(f"{who}: a group has the option {unknown[0]!r}; this optimizer has {', '.join(defaults)}")
    params = given["params"]
    own = checked([params] if isinstance(params, Tensor) else params, who, empty=True)
    options = {name: option(who, name, given.get(name, value)) for name, value in defaults.items()}
    return Group(who, own, options)


def for_each(who: str, name: str, value: float | Sequence[float], groups: list[Group]) -> list[float]:
    """One number of at least 0 for each group, from one for all or a list of them."""
    values: list[Any] = list(value) if isinstance(value, list | tuple) else [value] * len(groups)
    if len(values) != len(groups):
        raise ValueError(f"{who}: {name} has {len(values)} numbers; the optimizer has {len(groups)} groups")
    return [in_range(who, name, number, 0.0) for number in values]
