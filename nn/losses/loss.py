"""A loss as a module: a function, with its options declared as fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, dataclass_transform

import numpy as np

from ..layers.module import Module
from .checks import REDUCTIONS, check_reduction


@dataclass_transform(kw_only_default=True)
class Declared(Module):
    """A module for which a type checker uses the fields of a class as keywords of its constructor."""


class Loss(Declared):
    """A loss with its options: ``loss(prediction, target)``.

    A subclass names a function of (prediction, target), and declares its options as fields with their defaults.  The
    constructor takes them by name.  They are read at each call.  An array for an option with the default None is a
    constant of the module, and is saved with it.

    >>> import numpy as np
    >>> def power_loss(prediction, target, *, power=2.0, reduction="mean"):
    ...     return np.mean(abs(prediction - target) ** power)
    >>> class PowerLoss(Loss, function=power_loss):
    ...     power: float = 2.0
    >>> float(PowerLoss(power=3.0)(np.array([2.0]), np.zeros(1)))
    8.0
    """

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()
    reductions: ClassVar[tuple[str, ...]] = REDUCTIONS
    reduction: str = "mean"

    def __init_subclass__(cls, *, function: Callable[..., Any] | None = None) -> None:
        super().__init_subclass__()
        if function is not None:
            cls.function = staticmethod(function)
            fields = _fields(cls, function)
            cls.options = tuple(fields)
            setattr(cls, "__init__", _constructor(fields))  # noqa: B010

    def forward(self, prediction: Any, target: Any, *more: Any) -> Any:
        return self.function(prediction, target, *more, **{name: getattr(self, name) for name in self.options})

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else f"reduction='{self.reduction}'"


def _fields(cls: type[Loss], function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The options of the function.  Raises TypeError if the class declares others, or other defaults."""
    parameters = inspect.signature(function).parameters
    fields = {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    annotations = inspect.get_annotations(cls)
    names = [name for name, kind in annotations.items() if not str(kind).startswith(("ClassVar", "typing.ClassVar"))]
    declared = {name: getattr(cls, name, inspect.Parameter.empty) for name in (*names, "reduction")}
    wanted = {name: p.default for name, p in fields.items()}
    if declared != wanted:
        raise TypeError(f"{cls.__name__}: the fields are {declared}, the options of {function.__name__} {wanted}")
    return fields


def _constructor(fields: dict[str, inspect.Parameter]) -> Callable[..., None]:
    """The constructor that takes these options by name."""

    def construct(self: Loss, *values: Any, **given: Any) -> None:
        who = type(self).__name__
        if values:
            raise TypeError(f"{who}: options have names; make the loss, then call it: {who}()(prediction, target)")
        if unknown := given.keys() - fields.keys():
            raise TypeError(f"{who}: there is no option {', '.join(sorted(unknown))}; there are {', '.join(fields)}")
        for name, parameter in fields.items():
            value = given.get(name, parameter.default)
            is_array = parameter.default is None and value is not None
            setattr(self, name, np.asarray(value) if is_array else value)
        check_reduction(who, self.reduction, self.reductions)

    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    setattr(construct, "__signature__", inspect.Signature([itself, *fields.values()]))  # noqa: B010
    return construct
