"""What all classifiers have in common: their answers, and their measure beside the most frequent class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ...layers.activation import softmax
from ...training.learner import Learner
from ...training.metrics import confusion_matrix
from .kind import Measured, Pair

Array = Any
SHOWN = 20
"""So many classes at most fit into a confusion matrix on a terminal."""


def loss_line(smoothing: float, classes: int) -> str:
    """The loss and its smallest possible value: a smoothed target cannot be met exactly."""
    if not smoothing:
        return "loss: cross-entropy"
    other = smoothing / classes
    right = 1 - smoothing + other
    least = -right * math.log(right) - (classes - 1) * other * math.log(other)
    return f"loss: cross-entropy, labels smoothed by {smoothing:g} (it can get no smaller than {least:.4f})"


def matrix_lines(matrix: Array, names: Sequence[str]) -> list[str]:
    """A confusion matrix with its classes."""
    shown = [name if len(name) <= 12 else f"{name[:11]}…" for name in names]
    side = max(3, *map(len, shown))
    width = max(3, len(str(matrix.max())), min(side, 6))
    head = " " * (side + 1) + " ".join(f"{name[:width]:>{width}}" for name in shown)
    rows = [
        f"{name:>{side}} " + " ".join(f"{count or '.':>{width}}" for count in row)
        for name, row in zip(shown, matrix.tolist(), strict=True)
    ]
    return ["confusion matrix (rows: what it is, columns: what the network says)", head, *rows]


def matrix_table(matrix: Array, names: Sequence[str]) -> str:
    """The same as an HTML table, darker where there are more."""
    matrix = np.asarray(matrix)
    most = max(int(matrix.max()), 1)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = []
    for i, (name, row) in enumerate(zip(names, matrix.tolist(), strict=True)):
        cells = "".join(
            f'<td class="{"right" if i == j else "wrong"}" style="--share:{count / most:.3f}">{count or ""}</td>'
            for j, count in enumerate(row)
        )
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        "<p>Rows: what it is. Columns: what the network says.</p>"
        f'<table class="matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table>'
    )


def measured(learner: Learner, examples: Pair, names: Sequence[str], outputs: Array = None) -> Measured:
    """The accuracy on examples, beside always naming the most frequent class; ``outputs`` if they are known."""
    X, Y = examples
    found = learner.evaluate(X, Y)
    outputs = learner.predict(X) if outputs is None else outputs
    matrix = confusion_matrix(outputs.argmax(axis=1), Y, classes=len(names))
    frequent = int(np.bincount(Y, minlength=len(names)).argmax())
    baseline = float(np.mean(np.asarray(Y) == frequent))
    right, total = int(np.trace(matrix)), int(matrix.sum())
    summary = f"accuracy {found['accuracy']:.2%} ({right:,} of {total:,})"
    lines = matrix_lines(matrix, names) if len(names) <= SHOWN else []
    guess = f"always saying {names[frequent]}: {baseline:.2%}"
    result = {
        "loss": found["loss"], "accuracy": found["accuracy"], "baseline_accuracy": baseline,
        "confusion_matrix": matrix.tolist(),
    }  # fmt: skip
    return Measured(lines, result, [("Confusion matrix", matrix_table(matrix, names))], summary, guess)


def mistakes(outputs: Array, labels: Array, names: Sequence[str], most: int) -> list[tuple[int, str]]:
    """The examples that are taken for another class, those first of which the network is the surest, in words."""
    share = np.asarray(softmax(np.asarray(outputs, np.float64)))
    said, truth = share.argmax(axis=1), np.asarray(labels)
    wrong = np.flatnonzero(said != truth)
    surest = wrong[np.argsort(-share[wrong, said[wrong]], kind="stable")][:most]
    return [(int(i), f"{names[truth[i]]}, says {names[said[i]]} ({share[i, said[i]]:.0%})") for i in surest]


def answers(outputs: Array, names: Sequence[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """The classes for logits, most probable first, with their probabilities."""
    lines, found = [], []
    for row in np.asarray(softmax(np.asarray(outputs, np.float64))):
        best = np.argsort(-row, kind="stable")
        lines.append("  ".join(f"{names[i]} {row[i]:.1%}" for i in best[:3]))
        found.append({"label": names[best[0]], "probabilities": {n: float(p) for n, p in zip(names, row, strict=True)}})
    return lines, found
