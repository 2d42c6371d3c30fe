"""The types of command-line options: each converts a text to a value, or raises an error that says why not."""

from __future__ import annotations

import argparse
from typing import NamedTuple


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


def port(text: str) -> int:
    """A port of TCP: a whole number from 0 to 65535."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port, a whole number from 0 to 65535")
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


def not_negative(text: str) -> float:
    """A finite number of at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of at least 0")
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


def names(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of names like id,address")
    return found


class Shape(NamedTuple):
    """The shape of an input, and the name of its parameter ('' for the next in order)."""

    name: str
    sizes: tuple[int, ...]


def shape(text: str) -> Shape:
    """The shape of an array, with or without a parameter's name: 3,4, (3,4), x=3,4; for a single number (), x= or x=().

    >>> shape("x=3,4"), shape("()")
    (Shape(name='x', sizes=(3, 4)), Shape(name='', sizes=()))
    """
    name, equals, lengths = text.rpartition("=")
    inside = lengths.strip().removeprefix("(").removesuffix(")")
    parts = [part.strip() for part in inside.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts) or (equals and not name.strip()):
        raise argparse.ArgumentTypeError(f"'{text}' is no shape; write NAME=SHAPE or SHAPE, as x=3,4 or 3,4 or ()")
    return Shape(name.strip(), tuple(map(int, parts)))
