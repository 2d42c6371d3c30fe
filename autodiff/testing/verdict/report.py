"""The report of a gradient check, as text, as a dict, and as HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

SHOWN_ROWS = 4


class GradientError(AssertionError):
    """The verdict of a gradient check was not "correct"; ``report`` has the details."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True)
class Report:
    """The result of a gradient check.

    ``verdict`` is "correct", "wrong" or "inconclusive"; ``reason`` says why it is not "correct".  ``analytic`` and
    ``numeric`` are the two values at ``argument`` and ``index`` (for ``output``, if the function returns an array).
    ``error`` is their difference, ``bound`` the estimated error of the numeric value.  For a correct gradient these two
    belong to the directional derivative, relative to its size.  ``resolution`` is the smallest relative fault that
    would have been found in any one of ``resolved`` elements, of ``elements`` in all; the others are too small beside
    the rest, or at a kink.
    """

    verdict: str
    reason: str = ""
    function: str = "f"
    order: int = 1
    argument: str = ""
    index: tuple[int, ...] | None = None
    output: str = ""
    analytic: float | None = None
    numeric: float | None = None
    error: float | None = None
    bound: float | None = None
    resolution: float | None = None
    resolved: int = 0
    elements: int = 0
    method: str = ""
    steps: list[tuple[float, float, float, float]] = field(default_factory=list)
    kinks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seed: int = 0
    directions: int = 0
    evaluations: int = 0
    code: str = ""
    node: Any = field(default=None, compare=False)  # of check_graph: the guilty node

    @property
    def correct(self) -> bool:
        """Whether the verdict is "correct"."""
        return self.verdict == "correct"

    def __bool__(self) -> bool:
        return self.correct

    def as_dict(self) -> dict[str, Any]:
        """Every field by name, in plain Python types."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "node"}

    def _facts(self) -> list[tuple[str, str]]:
        """Label and text, in the order of reading."""
        facts: list[tuple[str, str]] = []
        if self.reason:
            facts.append(("reason", self.reason))
        if self.argument:
            place = self.argument + ("" if not self.index else str(list(self.index)))
            facts.append(("where", place + (f", for {self.output}" if self.output else "")))
        if self.analytic is not None:
            facts.append(("analytic", f"{self.analytic:.15g}"))
        if self.numeric is not None:
            facts.append(("numeric", f"{self.numeric:.15g}   (by {self.method})"))
        if self.error is not None:
            facts.append(("error", f"{self.error:.3g}   (numeric value known to {_short(self.bound)})"))
        if self.resolution is not None and self.verdict != "wrong":
            some = f"of {self.resolved} of the {self.elements} elements"
            where = "one element" if self.resolved == self.elements else some
            facts.append(("resolves", f"a relative fault of {self.resolution:.1g} in any {where}"))
        if self.kinks:
            more = len(self.kinks) - 2
            facts.append(("kink", "; ".join(self.kinks[:2]) + (f"; and {more} more" if more > 0 else "")))
        facts += [("note", note) for note in self.notes[:2]]
        facts.append(("cost", f"{self.evaluations} evaluations, {self.directions} directions, seed {self.seed}"))
        return facts

    def _steps(self) -> list[tuple[float, float, float, float]]:
        rows = self.steps
        if len(rows) <= SHOWN_ROWS:
            return rows
        chosen = np.linspace(0, len(rows) - 1, SHOWN_ROWS).round().astype(int)
        return [rows[i] for i in chosen]

    def _title(self) -> str:
        order = f", order {self.order}" if self.order > 1 else ""
        return f"gradcheck: {self.verdict}: the gradient of {self.function}{order}"

    def __str__(self) -> str:
        """At most 15 lines."""
        lines = [self._title()]
        lines += [f"  {label:<9}{text}" for label, text in self._facts()]
        if self.steps and self.verdict != "correct":
            lines.append("  steps    step      from the left   from the right   central")
            lines += [f"           {t:<9.1e} {a:<15.8g} {b:<16.8g} {c:.8g}" for t, a, b, c in self._steps()]
        if self.code and self.verdict != "correct":
            room = 15 - len(lines) - 1
            code = self.code.splitlines()
            if room >= len(code):
                lines += ["  reproduce with:", *[f"    {line}" for line in code]]
            else:
                lines.append("  reproduce with: print(report.code)")
        return "\n".join(lines[:15])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        facts = self._facts()
        rows = "".join(f"<tr><th>{html.escape(a)}</th><td>{html.escape(b)}</td></tr>" for a, b in facts)
        text = f"<strong>{html.escape(self._title())}</strong><table>{rows}</table>"
        if self.steps and self.verdict != "correct":
            head = "<tr><th>step</th><th>from the left</th><th>from the right</th><th>central</th></tr>"
            cells = "".join("<tr>" + "".join(f"<td>{v:.8g}</td>" for v in row) + "</tr>" for row in self._steps())
            text += f"<table>{head}{cells}</table>"
        if self.code and self.verdict != "correct":
            text += f"<pre>{html.escape(self.code)}</pre>"
        return text


def _short(bound: float | None) -> str:
    return "no precision" if bound is None or not np.isfinite(bound) else f"{bound:.2g}"
