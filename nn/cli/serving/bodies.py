"""What the body of a request holds: JSON, a table, an array or a picture, by its type or by its first bytes."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ...datasets.picture import size_in
from ...datasets.png import SIGNATURE
from ..kinds import Inputs, Kind

MOST_EXAMPLES = 1024
"""So many examples at most are in one request."""
MOST_PIXELS = 16_000_000
"""So many pixels at most are in a picture: a small file can declare any number."""
JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
TYPES = f"{JSON}, {CSV}, {NPY}, image/png"
_ENDINGS = {CSV: "csv", "text/tab-separated-values": "csv", NPY: "npy"}
_UNSAID = ("", "application/octet-stream", "application/x-www-form-urlencoded")
"""What programs send that do not know a type: then the first bytes decide."""
_BEGINNINGS = {SIGNATURE: "image/png", b"\xff\xd8\xff": "image/jpeg", b"\x93NUMPY": NPY, b"{": JSON}


class BodyError(ValueError):
    """A body that cannot be used, with the status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def kind_of_body(header: str, contents: bytes) -> str:
    """The type of a body: what the header says, or what its first bytes are.  Raises BodyError."""
    said = header.partition(";")[0].strip().lower()
    if said not in _UNSAID:
        return said
    for beginning, found in _BEGINNINGS.items():
        if contents.lstrip().startswith(beginning) if beginning == b"{" else contents.startswith(beginning):
            return found
    raise BodyError(f"the type of the body is not known; set Content-Type to one of {TYPES}", 415)


def inputs(kind: Kind, what: str, contents: bytes) -> Inputs:
    """What a body of this type asks predictions for.  Raises BodyError."""
    try:
        if what == JSON:
            found = kind.taken(_instances(contents))
        elif what in _ENDINGS:
            found = kind.read(f"body.{_ENDINGS[what]}", contents)
        elif what.startswith("image/") and kind.name == "images":
            height, width = size_in("body", contents)
            if height * width > MOST_PIXELS:
                raise BodyError(f"a picture of {width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are read", 413)
            found = kind.read("body", contents)
        else:
            raise BodyError(f"a body of the type {what} is of no use to this model; it takes {_types(kind)}", 415)
    except BodyError:
        raise
    except (ValueError, ImportError) as error:
        raise BodyError(str(error)) from error
    if len(found.arrays) > MOST_EXAMPLES:
        raise BodyError(f"the body has {len(found.arrays):,} examples; at most {MOST_EXAMPLES:,} go into one", 413)
    return found


def _types(kind: Kind) -> str:
    return TYPES if kind.name == "images" else f"{JSON}, {CSV}, {NPY}"


def _instances(contents: bytes) -> list[Any]:
    """The entries of ``{"instances": [...]}``."""
    try:
        found = json.loads(contents, parse_constant=_constant)
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, of numbers with thousands of digits
        raise BodyError(f"the body is not JSON that can be read: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("instances"), list):
        raise BodyError('the body must be {"instances": [...]}, with one entry for each prediction')
    if not found["instances"]:
        raise BodyError("instances: there is none; it must have one entry for each prediction")
    instances: list[Any] = found["instances"]
    return instances


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
