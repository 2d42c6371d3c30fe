"""Transforms of images: functions of a batch (n, ..., height, width) and of a generator.

One generator gives one result; each example has its own crop and its own flip.  They are for
``DataLoader(transform=)``, which gives each batch a generator of its own, or to be called: ``flip(x, rng)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..random import Rng, generator
from .checks import count_of, in_range
from .loader import takes_rng

__all__ = ["Compose", "Normalize", "RandomCrop", "RandomHorizontalFlip"]

Array = Any


class Compose:
    """Transforms one after the other.

    Any function of a batch may be among them.  It gets the generator if it has a parameter ``rng``.

    >>> import numpy as np
    >>> from nn.transforms import Compose, Normalize, RandomCrop
    >>> change = Compose(RandomCrop(4, padding=1), Normalize(0.5, 0.25))
    >>> change(np.zeros((2, 1, 4, 4), np.float32), rng=0).shape
    (2, 1, 4, 4)
    """

    def __init__(self, *transforms: Callable[..., Any]) -> None:
        for one in transforms:
            if not callable(one) or isinstance(one, type):
                raise TypeError(f"Compose: expected functions of a batch, got {one!r}; Compose(Normalize(0.5, 0.25))")
        self.transforms = transforms
        self._draws = [takes_rng(one) for one in transforms]

    def __call__(self, x: Any, rng: Rng = None) -> Any:
        rng = generator(rng)
        for one, draws in zip(self.transforms, self._draws, strict=True):
            x = one(x, rng=rng) if draws else one(x)
        return x

    def __repr__(self) -> str:
        return f"Compose({', '.join(map(repr, self.transforms))})"


class Normalize:
    """(x - mean) / std, with one number, or one for each channel of images (n, channels, height, width).

    Integers become float32; floating-point numbers keep their dtype.

    >>> import numpy as np
    >>> Normalize(2.0, 4.0)(np.array([[[2, 6]]], np.uint8)).tolist()
    [[[0.0, 1.0]]]
    """

    def __init__(self, mean: Any, std: Any) -> None:
        self.mean: Array = np.asarray(mean, float)
        self.std: Array = np.asarray(std, float)
        if (
            self.mean.ndim > 1
            or self.std.ndim > 1
            or (self.mean.ndim and self.std.ndim and len(self.mean) != len(self.std))
        ):
            raise ValueError(
                f"Normalize: mean has shape {self.mean.shape} and std {self.std.shape}; each is a number, or one for "
                "each channel"
            )
        if not np.isfinite(self.mean).all() or not (np.isfinite(self.std).all() and (self.std > 0).all()):
            raise ValueError(f"Normalize: mean must be finite, and std finite and above 0; got {mean} and {std}")

    def __call__(self, x: Any, rng: Rng = None) -> Array:
        x = _images("Normalize", x)
        channels = max(self.mean.size, self.std.size)
        if channels > 1 and (x.ndim < 4 or x.shape[-3] != channels):
            raise ValueError(f"Normalize: mean and std are for {channels} channels; the batch has shape {x.shape}")
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
        mean, std = (a.astype(dtype).reshape(-1, 1, 1) if a.ndim else a.astype(dtype) for a in (self.mean, self.std))
        return (x.astype(dtype, copy=False) - mean) / std

    def __repr__(self) -> str:
        return f"Normalize({self.mean.tolist()}, {self.std.tolist()})"


class RandomCrop:
    """A part of each image, ``size`` pixels high and wide, at a random place, after ``padding`` pixels on each side.

    ``size`` is a number or (height, width); the padding has the value ``fill``.  Raises ValueError where the padded
    image is smaller than the part.
    """

    def __init__(self, size: int | tuple[int, int], padding: int = 0, *, fill: float = 0.0) -> None:
        height, width = size if isinstance(size, tuple | list) else (size, size)
        self.size: tuple[int, int] = (
            count_of("RandomCrop", "size", height, 1),
            count_of("RandomCrop", "size", width, 1),
        )
        self.padding: int = count_of("RandomCrop", "padding", padding, 0)
        self.fill = fill

    def __call__(self, x: Any, rng: Rng = None) -> Array:
        x, rng = _images("RandomCrop", x), generator(rng)
        if self.padding:
            ends = [(0, 0)] * (x.ndim - 2) + [(self.padding, self.padding)] * 2
            x = np.pad(x, ends, constant_values=self.fill)
        room = [whole - part + 1 for whole, part in zip(x.shape[-2:], self.size, strict=True)]
        if min(room) < 1:
            raise ValueError(
                f"RandomCrop: images of {x.shape[-2]} by {x.shape[-1]} pixels (with padding) have no part of "
                f"{self.size[0]} by {self.size[1]}"
            )
        parts = np.lib.stride_tricks.sliding_window_view(x, self.size, axis=(-2, -1))
        top, left = (rng.integers(0, count, len(x)) for count in room)
        parts = np.moveaxis(parts, (-4, -3), (1, 2))  # beside the examples, so that each takes one of its own
        return parts[np.arange(len(x)), top, left]

    def __repr__(self) -> str:
        return f"RandomCrop({self.size}, {self.padding})"


class RandomHorizontalFlip:
    """Each image mirrored, left to right, with probability ``p``.

    >>> import numpy as np
    >>> RandomHorizontalFlip(p=1.0)(np.array([[[1, 2, 3]]])).tolist()
    [[[3, 2, 1]]]
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p: float = in_range("RandomHorizontalFlip", "p", p, 0.0, 1.0)

    def __call__(self, x: Any, rng: Rng = None) -> Array:
        x = _images("RandomHorizontalFlip", x)
        chosen = generator(rng).random(len(x)) < self.p
        return np.where(chosen.reshape(-1, *[1] * (x.ndim - 1)), x[..., ::-1], x)

    def __repr__(self) -> str:
        return f"RandomHorizontalFlip({self.p})"


def _images(who: str, x: Any) -> Array:
    x = np.asarray(x)
    if x.ndim < 3:
        raise ValueError(f"{who}: the batch has shape {x.shape}; images are (n, height, width) or "
                         "(n, channels, height, width)")  # fmt: skip
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{who}: the batch holds {x.dtype}, not numbers")
    return x
