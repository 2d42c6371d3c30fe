"""The options of optimizers, by name: what each may be.

An option that two optimizers have under one name means the same in both, so its check stands here once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .checks import count_of, in_range


def option(who: str, name: str, value: Any) -> Any:
    """The value of an option, or ValueError or TypeError that names it; an option that is not known is left alone."""
    check = _CHECKS.get(name)
    return value if check is None else check(who, name, value)


def _at_least_0(who: str, name: str, value: Any) -> float:
    return in_range(who, name, value, 0.0)


def _share(who: str, name: str, value: Any) -> float:
    return in_range(who, name, value, 0.0, 1.0)


def _switch(who: str, name: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{who}: {name} is {value!r}; it must be True or False")
    return bool(value)


def _betas(who: str, name: str, value: Any) -> tuple[float, float]:
    pair = value if isinstance(value, tuple | list) and len(value) == 2 else ()
    if not pair or not all(isinstance(b, int | float | np.floating) and 0 <= b < 1 for b in pair):
        raise ValueError(f"{who}: {name} are {value!r}; they must be two numbers in [0, 1)")
    return float(pair[0]), float(pair[1])


def _coefficients(who: str, name: str, value: Any) -> tuple[float, ...]:
    three = value if isinstance(value, tuple | list) and len(value) == 3 else ()
    if not three or not all(isinstance(c, int | float | np.floating) and np.isfinite(c) for c in three):
        raise ValueError(f"{who}: {name} are {value!r}; they must be three finite numbers")
    return tuple(map(float, three))


def _count(who: str, name: str, value: Any) -> int:
    return count_of(who, name, value, 1)


def _one_of(*choices: str | None) -> Callable[[str, str, Any], Any]:
    def check(who: str, name: str, value: Any) -> Any:
        if value not in choices:
            raise ValueError(f"{who}: {name} is {value!r}; it must be one of {', '.join(map(repr, choices))}")
        return value

    return check


_CHECKS: dict[str, Callable[[str, str, Any], Any]] = {
    **dict.fromkeys(
        ["lr", "momentum", "weight_decay", "eps", "lr_decay", "initial_accumulator_value", "momentum_decay",
         "tolerance_grad", "tolerance_change"],
        _at_least_0,
    ),
    **dict.fromkeys(["alpha", "rho", "dampening"], _share),
    **dict.fromkeys(["nesterov", "maximize", "centered", "amsgrad", "decoupled_weight_decay"], _switch),
    **dict.fromkeys(["ns_steps", "max_iter", "max_eval", "history_size"], _count),
    "betas": _betas,
    "ns_coefficients": _coefficients,
    "adjust_lr_fn": _one_of(None, "original", "match_rms_adamw"),
    "line_search_fn": _one_of(None, "strong_wolfe"),
}  # fmt: skip
