"""Patterns: which numbers of a result depend on which numbers of the arguments, read off a recorded program."""

from __future__ import annotations

from .reading import pattern_of as pattern_of
