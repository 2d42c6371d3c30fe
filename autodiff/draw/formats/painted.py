"""PNG and PDF: the SVG as it is laid out here, painted by others."""

from __future__ import annotations

import importlib

from ..picture.model import Picture
from .svg import svg

SCALE = 2
"""Pixels of an image for each of the SVG: letters are sharp in print and on a screen of high resolution."""


def png(picture: Picture) -> bytes:
    """The picture as PNG.  Raises ImportError without resvg_py."""
    resvg = importlib.import_module("resvg_py")
    return bytes(resvg.svg_to_bytes(svg_string=svg(picture, scheme="light"), zoom=SCALE))


def pdf(picture: Picture) -> bytes:
    """The picture as PDF.  Raises ImportError without pymupdf."""
    mupdf = importlib.import_module("pymupdf")
    with mupdf.open(stream=svg(picture, scheme="light").encode(), filetype="svg") as document:  # its letters are Times
        return bytes(document.convert_to_pdf())
