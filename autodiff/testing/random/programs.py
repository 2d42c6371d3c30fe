"""Random programs that are valid at their inputs.

Programs with fewer steps, inputs instead of steps, smaller shapes and simpler numbers are simpler.  So a failure
shrinks to the operations that cause it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from ...primitive import Domain
from .calls import slots
from .outline import Outline
from .program import Operand, Program, Step

Array = Any


# -- making a program legal at its inputs ------------------------------------------------------------------------


def squashed(value: int, domain: Domain) -> Operand:
    """The operand that moves all numbers smoothly into the middle of a domain."""
    low, high, kinks = domain
    low = max([low, *[kink for kink in kinks if low < kink < high]])
    return Operand(value, round((low + high) / 2, 3), round((high - low) * 0.8 / np.pi, 3))


def inside(values: Array, domain: Domain, at_kinks: bool) -> bool:
    """Whether all values lie inside of a domain, away from its ends and (unless ``at_kinks``) its kinks."""
    low, high, kinks = domain
    margin = min(0.1, (high - low) / 40)
    within = bool(np.all((values > low + margin) & (values < high - margin)))
    return within and (at_kinks or all(bool(np.all(np.abs(values - kink) > margin)) for kink in kinks))


def settled(step: Step, values: list[Array], at_kinks: bool) -> Step:
    """The step, with each operand that is outside its domain moved into it."""
    places = slots((*step.args, *step.kwargs.values()))
    operands = []
    for operand, place in zip(step.operands, places, strict=True):
        value = values[operand.value]
        suits = place.make is not None or np.iscomplexobj(value) or inside(value, place.domain, at_kinks)
        operands.append(operand if suits else squashed(operand.value, place.domain))
    return replace(step, operands=tuple(operands))


PROBE = 1e-4


def is_smooth(program: Program) -> bool:
    """Whether all values of the program change smoothly when the inputs move a little: no kink or jump is near."""
    rng = np.random.default_rng(len(program.steps))
    directions = [rng.choice([-1.0, 1.0], np.shape(a)) * rng.uniform(0.5, 1.0, np.shape(a)) for a in program.arrays]
    sides: list[list[Array]] = []
    with np.errstate(all="ignore"):
        for t in (0.0, PROBE, -PROBE):
            moved = [a + (t * d).astype(a.dtype) for a, d in zip(program.arrays, directions, strict=True)]
            sides.append(program.values(np, *moved))
        for here, after, before in zip(*sides, strict=True):
            if not (np.shape(here) == np.shape(after) == np.shape(before) and np.isfinite(here).all()):
                return False
            bend = np.abs((after - here) - (here - before))
            slope = np.abs(after - here) + np.abs(here - before)
            if not np.all(bend <= 1e-2 * PROBE + 1e-2 * slope):
                return False
    return True


@st.composite
def programs(
    draw: Any,
    max_depth: int = 8,
    entries: Sequence[Any] | None = None,
    *,
    dtype: Any = np.float64,
    at_kinks: bool = False,
) -> Program:
    """Random programs of depth up to ``max_depth``: any registered operations, any shapes, values used several times.

    ``entries`` are the operations to choose from, as functions or entries (default: all of the table that NumPy has,
    that take real numbers and have a derivative).  The inputs are short decimals of ``dtype`` at which every step is
    defined and, unless ``at_kinks``, smooth.  Raises KeyError for a function that is not registered.

    >>> from hypothesis import find
    >>> from autodiff.testing.strategies import programs
    >>> find(programs(entries=[np.exp, np.tanh]), lambda p: p.depth > 1 and p.names[-1] == "tanh")
    def program(a):
        v0 = np.exp(a)
        v1 = np.tanh(v0)
        return v1
    <BLANKLINE>
    program(np.array(0.0))
    """
    outline = Outline(draw, max_depth, entries)
    outline.grow()
    if not outline.steps:
        reject()
    program = _filled_in(outline, outline.inputs(dtype, at_kinks), at_kinks)
    if not (at_kinks or is_smooth(program)):
        reject()
    return program


def _filled_in(outline: Outline, arrays: list[Array], at_kinks: bool) -> Program:
    """The program of an outline at these inputs, in which each step is valid."""
    values = list(arrays)
    steps: list[Step] = []
    with np.errstate(all="ignore"):
        for number, step in enumerate(outline.renumbered()):
            step = settled(step, values, at_kinks)
            try:
                result = step.run(values, np)
            except Exception:  # the numbers do not suit it: a singular matrix, say
                reject()
            if np.iscomplexobj(result) != outline.is_complex(number) or not np.isfinite(result).all():
                reject()
            values.append(result)
            steps.append(step)
    taken = {i for step in steps for i in step.takes}
    return Program(tuple(arrays), tuple(steps), tuple(i for i in range(len(arrays), len(values)) if i not in taken))
