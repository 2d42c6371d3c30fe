"""The error for a training step that is not finite: the step, and the first operation with a bad result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autodiff import Tensor

from .structures import leaves

__all__ = ["DivergenceError"]


class DivergenceError(FloatingPointError):
    """The loss or a gradient became NaN or infinite.

    ``epoch`` and ``step`` count from 1, ``step`` over the whole of ``fit`` (``epoch`` is 0 in a loop without epochs);
    ``cause`` says what made the first number that is not finite.
    """

    def __init__(self, message: str, epoch: int, step: int, cause: str) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.step = step
        self.cause = cause


def is_finite(array: Any) -> bool:
    """Whether every number is finite, found with one dot product if they are."""
    if array.dtype.kind not in "fc":
        return True
    # squares do not cancel, so a bad number shows in their sum; a sum that overflows is looked at more closely
    total = np.vdot(array, array)
    return bool(np.isfinite(total)) or bool(np.isfinite(array).all())


def bad_names(named: Iterable[tuple[str, Any]]) -> list[str]:
    """The names of the arrays with a number that is not finite."""
    with np.errstate(all="ignore"):
        return [name for name, array in named if array is not None and not is_finite(array)]


def first_bad_operation(run: Callable[[], Any]) -> str:
    """Repeat a computation, and find the first operation that makes NaN or infinity; '' if none does."""
    from autodiff.testing import AnomalyError, detect_anomaly  # most programs never need it

    try:
        with detect_anomaly():
            run()
    except AnomalyError as error:
        return str(error)
    return ""


def cause(
    batch: tuple[Any, Any], parameters: Iterable[tuple[str, Tensor]], run: Callable[[], Any], previous_step: int
) -> str:
    """The reason for a bad step: its data, its parameters, or the first bad operation."""
    for what, data in (
        (what, part) for what, tree in zip(("inputs", "targets"), batch, strict=True) for part in leaves(tree)
    ):
        data = np.asarray(data)
        if not is_finite(data):
            count = int((~np.isfinite(data)).sum())
            return f"the {what} of this batch hold {count} of {data.size} numbers that are not finite"
    if names := bad_names((name, parameter.data) for name, parameter in parameters):
        when = f"since the update of step {previous_step}" if previous_step else "before the first step"
        return f"the parameters {', '.join(names)} are not finite {when}"
    operation = first_bad_operation(run)
    if operation:
        return f"the first operation that made it: {operation}"
    return "the same batch, run again, gave finite numbers (does the model draw random ones?)"
