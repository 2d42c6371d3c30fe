"""MNIST: 70,000 handwritten digits, 28 x 28 (LeCun, Cortes and Burges, 1998), from its four original files.

Nothing is downloaded: the files are found, checked and read.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autodiff import files

from .idx import DamagedFileError, contents_of

VARIABLE = "PULLBACK_MNIST"


class File(NamedTuple):
    """One of the four files: its name, the MD5 sum of its unpacked contents, the number of axes and of bytes."""

    name: str
    md5: str
    axes: int
    size: int


FILES = {
    "train images": File("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb", 3, 47_040_016),
    "train labels": File("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624", 1, 60_008),
    "test images": File("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea", 3, 7_840_016),
    "test labels": File("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637", 1, 10_008),
}

Split = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def folder(path: str | os.PathLike[str] | None = None) -> Path:
    """The folder of the files: ``path``, the variable PULLBACK_MNIST, or ``~/.cache/pullback/mnist``."""
    given = path or os.environ.get(VARIABLE)
    if given:
        return Path(files.expanded(given))
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(cache or files.expanded("~/.cache")) / "pullback" / "mnist"


def _candidates(file: File) -> list[str]:
    """The common names of a file: compressed or not, and with a dot as some tools write it."""
    names = [file.name, file.name.replace("-idx", ".idx")]
    return [*names, *(f"{name}.gz" for name in names)]


def _missing(where: Path, names: list[str]) -> FileNotFoundError:
    files = ", ".join(file.name for file in FILES.values())
    return FileNotFoundError(
        f"mnist: {', '.join(names)} not found in {where}. Get the four original files of the MNIST database ({files}, "
        f"as they are or with .gz at the end) and put them into that folder, or name the folder where they are: "
        f"path=, --data-path, or the environment variable {VARIABLE}. Their contents are compared with published sums"
    )


def _find(where: Path) -> dict[str, Path]:
    """The paths of the four files."""
    found, missing = {}, []
    for key, file in FILES.items():
        path = next((where / name for name in _candidates(file) if (where / name).is_file()), None)
        if path is None:
            missing.append(file.name)
        else:
            found[key] = path
    if missing:
        raise _missing(where, missing)
    return found


def _read(path: Path, file: File) -> np.ndarray[Any, Any]:
    """One file, checked: first its format, which explains a damage better, then its checksum."""
    header, data = contents_of(path, limit=max(f.size for f in FILES.values()))
    array = header.array(data)
    if array.ndim != file.axes or array.dtype != np.uint8:
        raise DamagedFileError(
            f"{path}: holds shape {array.shape}, {array.dtype}; {file.name} has {file.axes} axes of uint8: is this "
            "another of the four files under a wrong name?"
        )
    found = hashlib.md5(header.raw + data, usedforsecurity=False).hexdigest()
    if found != file.md5:
        raise DamagedFileError(
            f"{path}: its contents have the MD5 sum {found}, the published file {file.md5}; the file was changed, "
            "or belongs to another dataset (Fashion-MNIST has the same names): get it again"
        )
    return array


def mnist(path: str | os.PathLike[str] | None = None, *, flat: bool = True) -> tuple[Split, Split]:
    """MNIST as ``(train images, train labels), (test images, test labels)``.

    Images are float32 from 0 (paper) to 1 (ink), of shape (60000, 784) and (10000, 784), or (n, 28, 28) with
    ``flat=False``; labels are int64 from 0 to 9.  The four original IDX files, gzip or not, are read from ``path``,
    or else from the folder in the environment variable PULLBACK_MNIST, or else from ``~/.cache/pullback/mnist``
    (``$XDG_CACHE_HOME`` is respected), and compared with the sums of the published files.

    Raises FileNotFoundError that says how to get the files, and DamagedFileError for one that is cut off, changed
    or another file.

    >>> from nn import datasets
    >>> datasets.mnist("no/such/folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FileNotFoundError: mnist: train-images-idx3-ubyte, ... not found in no/such/folder. Get the four ...
    """
    paths = _find(folder(path))
    arrays = {key: _read(paths[key], FILES[key]) for key in FILES}

    def split(part: str) -> Split:
        images, labels = arrays[f"{part} images"], arrays[f"{part} labels"]
        pixels = images.astype(np.float32)
        pixels /= 255
        return pixels.reshape(len(pixels), -1) if flat else pixels, labels.astype(np.int64)

    return split("train"), split("test")
