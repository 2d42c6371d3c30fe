"""Passes: small functions from a program to a program that computes the same bits with less."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import shared
from .dead import live

if TYPE_CHECKING:
    from ..program import Program


def cleaned(program: Program) -> Program:
    """The program without what nobody uses and what is computed twice."""
    return live(shared(live(program)))
