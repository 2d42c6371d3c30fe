"""The sequences of labels for which ``ctc_loss`` is compared with PyTorch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.nn.references.cases import numbers


class CTCCase(NamedTuple):
    """Arguments of a call; the logits follow from their shape."""

    shape: tuple[int, ...]
    targets: Any
    input_lengths: Any
    target_lengths: Any
    options: dict[str, Any]

    def logits(self) -> Any:
        return numbers(self.shape, 90)


def case(shape, targets, input_lengths, target_lengths, **options):
    return CTCCase(shape, np.array(targets), np.array(input_lengths), np.array(target_lengths), options)


CTC: dict[str, CTCCase] = {
    "padded": case((6, 3, 5), [[1, 2, 4], [3, 4, 0], [1, 9, 9]], [6, 5, 3], [3, 2, 1]),
    "concatenated": case((6, 3, 5), [1, 2, 4, 3, 4, 1], [6, 5, 3], [3, 2, 1], reduction="sum"),
    "repeated": case((6, 2, 3), [[1, 1, 2], [2, 2, 2]], [6, 5], [3, 3], reduction="none"),
    "nothing said": case((4, 2, 3), [[1, 2], [0, 0]], [4, 3], [2, 0]),
    "another blank": case((5, 2, 4), [[0, 1], [2, 2]], [5, 5], [2, 2], blank=3, reduction="none"),
    "too short": case((4, 3, 3), [[1, 1], [1, 2], [1, 2]], [2, 1, 4], [2, 2, 2], zero_infinity=True),
    "one example": case((5, 4), [1, 3], 5, 2),
}
