"""The types of command-line options: each takes a text and gives a value, or says what the text is not."""

from __future__ import annotations

import argparse


def whole(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text) if text.strip().lstrip("+").isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return value


def seed(text: str) -> int:
    """A whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 0")
    return int(text)


def positive(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return value


def share(text: str) -> float:
    """A number from 0 to less than 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to less than 1")
    return value


def sizes(text: str) -> tuple[int, ...]:
    """Whole numbers of at least 1 with commas between them; none for an empty text."""
    parts = text.split(",") if text.strip() else []
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of sizes like 64,32")
    return tuple(int(part) for part in parts)
