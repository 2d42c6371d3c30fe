"""The handwritten digits of the UCI Machine Learning Repository (Alpaydin and Kaynak, 1998; CC BY 4.0).

The data and its licence are beside this module: ``digits.npz`` and ``digits-LICENSE.txt``.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np

LEVELS = 16
"""The largest value of a pixel in the file: how many of its 4 x 4 points were on."""


def digits(*, flat: bool = True) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The 1,797 embedded images of handwritten digits and their labels.

    Images are float32 from 0 (paper) to 1 (ink), of shape (1797, 64), or (1797, 8, 8) with ``flat=False``;
    labels are int64 from 0 to 9, of shape (1797,).  Both are new arrays.

    The images are **in the order of their writers**.  A test set from the end has writers that the training set does
    not have, and loses about 7 points of accuracy.  Shuffle before the split, within each class:

    >>> import numpy as np
    >>> from nn import datasets
    >>> images, labels = datasets.digits()
    >>> images.shape, images.dtype, labels.shape
    ((1797, 64), dtype('float32'), (1797,))
    >>> np.bincount(labels).tolist()
    [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    """
    with resources.files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    pixels = images.astype(np.float32) / LEVELS
    return pixels.reshape(len(pixels), -1) if flat else pixels, labels.astype(np.int64)
