"""Arrays as pictures in a page: images, weights of both signs, and weights of attention."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from ..datasets.png import png_of

Array = Any
SIDE = 112
"""Pixels of the page that a picture's longer side has at least."""
_LOW, _MIDDLE, _HIGH = np.array([[0.0, 0.447, 0.698], [1.0, 1.0, 1.0], [0.835, 0.369, 0.0]])
CELL = 7
"""The side of a weight in a map of attention."""


def source(pixels: Array) -> str:
    """Numbers from 0 to 1, (height, width) or (height, width, 3), as the address of an image in the page itself."""
    return "data:image/png;base64," + base64.b64encode(png_of(pixels)).decode("ascii")


def gallery(pictures: Sequence[tuple[Array, str]]) -> str:
    """Images with their captions, one beside the other, each pixel a square.

    >>> gallery([(np.zeros((2, 4)), "a < b")]).count('width="112" height="56"')
    1
    """
    figures = []
    for pixels, caption in pictures:
        height, width = np.shape(pixels)[:2]
        scale = max(1, round(SIDE / max(height, width)))
        figures.append(
            f'<figure><img src="{source(pixels)}" width="{width * scale}" height="{height * scale}" '
            f'alt="{escape(caption, quote=True)}"><figcaption>{escape(caption)}</figcaption></figure>'
        )
    return f'<div class="gallery">{"".join(figures)}</div>'


def signed(weights: Array) -> Array:
    """Numbers of both signs as colours: blue below zero, white at zero, orange above, by the largest of them.

    >>> signed([[-2.0, 0.0, 1.0]]).round(2).tolist()
    [[[0.0, 0.45, 0.7], [1.0, 1.0, 1.0], [0.92, 0.68, 0.5]]]
    """
    values = np.asarray(weights, float)
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    part = (values / largest)[..., None]
    return _MIDDLE + np.abs(part) * (np.where(part < 0, _LOW, _HIGH) - _MIDDLE)


def attention_map(weights: Array, text: str, caption: str) -> str:
    """Weights (length, length) from 0 to 1 as an SVG picture: row i is what character i looks at, darker for more."""
    length = len(weights)
    edge, side = 2 * CELL, CELL * length
    letters = []
    for i, character in enumerate(text):
        shown, place = escape("·" if character.isspace() else character), edge + CELL * (i + 0.5)
        letters.append(f'<text x="{place}" y="{edge - 3}">{shown}</text>')
        letters.append(f'<text x="{CELL}" y="{place + 2.5}">{shown}</text>')
    return (
        f'<figure><svg class="attention" viewBox="0 0 {edge + side} {edge + side}" width="{edge + side}" '
        f'height="{edge + side}" role="img" aria-label="{escape(caption, quote=True)}">{"".join(letters)}'
        f'<image href="{source(1.0 - np.sqrt(np.asarray(weights, float)))}" x="{edge}" y="{edge}" width="{side}" '
        f'height="{side}" preserveAspectRatio="none"/></svg><figcaption>{escape(caption)}</figcaption></figure>'
    )
