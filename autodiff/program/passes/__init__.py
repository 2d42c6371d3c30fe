"""Passes: small functions from a program to a program that computes the same bits with less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lowering import lowered
from .bounded import bounded
from .common import shared
from .dead import live as live
from .fixed import fixed as fixed
from .outs import unwritten
from .plain import plain as plain

if TYPE_CHECKING:
    from ..program import Program


def cleaned(program: Program) -> Program:
    """The program without what nobody uses and what is computed twice."""
    return live(shared(unwritten(live(program))))


def direct(program: Program) -> Program:
    """The program to be run: cleaned, with its calls made directly, which are then more often the same."""
    program = fixed(cleaned(program))
    return live(bounded(live(shared(program.with_instructions([lowered(i) for i in program.instructions])))))
