"""The console script ``pullback``."""

from .console import COMMANDS, main, parser

__all__ = ["COMMANDS", "main", "parser"]
