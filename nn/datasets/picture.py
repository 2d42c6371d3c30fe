"""Pictures in files, as arrays; and how a picture of a digit becomes one like those of a dataset."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff import files

from .idx import DamagedFileError
from .png import SIGNATURE, read_png, size_of_png

Array = Any
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""How bright red, green and blue are (ITU-R BT.601)."""
FAINT = 0.1
"""What is darker than this part of the darkest ink is paper."""


def read_image(path: str | os.PathLike[str]) -> Array:
    """The picture in a file: float32 from 0 (black) to 1 (white), (height, width) or (height, width, 3).

    PNG is read as it is; JPEG and other formats by Pillow, which the extra ``images`` installs.  Raises ImportError
    where that is missing, and DamagedFileError for a file that is no picture.
    """
    with open(files.expanded(path), "rb") as file:
        return image_in(os.fspath(path), file.read())


def image_in(name: str, contents: bytes) -> Array:
    """The picture that is the contents of a file, as :func:`read_image` gives it."""
    if contents.startswith(SIGNATURE):
        return read_png(name, contents)
    with _opened(name, contents) as picture:
        grey = picture.mode in ("1", "L", "I", "F", "I;16")
        return np.asarray(picture.convert("L" if grey else "RGB"), np.float32) / 255


def size_in(name: str, contents: bytes) -> tuple[int, int]:
    """The height and the width of a picture, of which no more is read.  Raises as :func:`read_image` does."""
    if contents.startswith(SIGNATURE):
        return size_of_png(name, contents)
    with _opened(name, contents) as picture:
        return picture.height, picture.width


@contextlib.contextmanager
def _opened(name: str, contents: bytes) -> Iterator[Any]:
    """A picture of Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            f"{name}: is not a PNG file; for JPEG and other formats pip install 'pullback[images]', or save it as PNG"
        ) from None
    try:
        with Image.open(io.BytesIO(contents)) as picture:
            yield picture
    except Exception as error:  # whatever a decoder says about a damaged file
        raise DamagedFileError(f"{name}: is no picture that can be read ({error})") from None


def grey(picture: Array) -> Array:
    """The brightness of each pixel, (height, width)."""
    return picture if picture.ndim == 2 else picture[..., :3] @ LUMA


def resized(picture: Array, height: int, width: int) -> Array:
    """A picture (h, w) or (h, w, c) at another size: each new pixel is the mean over its area in the old one.

    >>> resized(np.array([[0.0, 1.0, 1.0, 0.0]]), 1, 2).tolist()
    [[0.5, 0.5]]
    """
    rows = _areas(picture.shape[0], height, 0.0, picture.shape[0] / height)
    columns = _areas(picture.shape[1], width, 0.0, picture.shape[1] / width)
    return np.einsum("ih,hw...,jw->ij...", rows, picture, columns, optimize=True)


def _areas(old: int, new: int, start: float, step: float) -> Array:
    """The share of each old pixel in each new one, which begins at ``start + i step`` and is ``step`` wide."""
    edges = start + step * np.arange(new + 1)
    low, high = edges[:-1, None], edges[1:, None]
    at = np.arange(old)
    return np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0.0, None) / step


def ink_of(picture: Array) -> Array:
    """How dark each pixel is, from 0 (paper) to 1: a picture with a light border is turned into its negative."""
    values = grey(np.asarray(picture, np.float32))
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    paper = float(np.median(border))
    ink = (paper - values) if paper > 0.5 else (values - paper)
    ink = np.clip(ink, 0.0, None)
    most = float(ink.max())
    return ink / most if most > 0 else ink


def extent(ink: Array) -> int:
    """The larger side of the smallest rectangle around the ink; 0 where there is none."""
    marked = np.argwhere(ink > FAINT * max(float(ink.max(initial=0)), 1e-9))
    return int((marked.max(axis=0) - marked.min(axis=0)).max()) + 1 if len(marked) else 0


def centred(ink: Array, height: int, width: int, box: int) -> Array:
    """A digit as MNIST has it: scaled so that it fits into ``box`` x ``box``, its centre of mass in the middle.

    ``ink`` is (h, w), from 0 (paper) to 1; the result is float32 (height, width).  Source: Y. LeCun, C. Cortes,
    C. Burges, "The MNIST database of handwritten digits" (1998).  Raises ValueError for an empty picture.

    >>> ink = np.zeros((100, 100)); ink[10:50, 20:30] = 1
    >>> centred(ink, 4, 4, 4).tolist()[0]
    [0.0, 0.5, 0.5, 0.0]
    """
    marked = ink > FAINT * max(float(ink.max(initial=0)), 1e-9)
    if not marked.any():
        raise ValueError("the picture is empty: all of it has one colour")
    inside = np.argwhere(marked)
    (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0) + 1
    step = max(bottom - top, right - left) / box
    mass = np.where(marked, ink, 0.0)
    middle = [
        float((mass.sum(axis=1 - axis) * (np.arange(n) + 0.5)).sum() / mass.sum()) for axis, n in enumerate(ink.shape)
    ]
    starts = []
    for centre, low, high, size in zip(middle, (top, left), (bottom, right), (height, width), strict=True):
        start = centre - step * size / 2
        # nothing is cut off for the sake of the middle
        starts.append(min(max(start, high - step * size), low))
    rows = _areas(ink.shape[0], height, starts[0], step)
    columns = _areas(ink.shape[1], width, starts[1], step)
    return (rows @ mass @ columns.T).astype(np.float32)
