"""Arrays of examples, cut into batches and into parts.

The first axis counts examples.  Arrays that belong together have equal lengths and are shuffled together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.checks import as_array, whole
from ..random import Rng, generator
from .frames import array_of_frame
from .loader import DataLoader

__all__ = ["batches", "train_test_split"]

Array = Any


def batches(
    *arrays: Any, batch_size: int | None = None, rng: Rng = None, shuffle: bool | None = None, drop_last: bool = False
) -> DataLoader:
    """The examples of ``arrays`` in batches: ``batches(X, Y, 32)`` or ``batches(X, Y, batch_size=32)``.

    A :class:`nn.DataLoader`, for any number of passes.  With one array its items are arrays, with several they are
    tuples.  Shuffles if ``rng`` is given, or if ``shuffle=True`` (with a new generator).  The last batch may be
    smaller, or is left out with ``drop_last``.  Raises ValueError for unequal lengths, for no examples, and for a batch
    size below 1.

    >>> import numpy as np
    >>> [len(x) for x, y in batches(np.zeros((5, 2)), np.zeros(5), 2)]
    [2, 2, 1]
    >>> sorted(np.concatenate(list(batches(np.arange(5), batch_size=2, rng=0))).tolist())
    [0, 1, 2, 3, 4]
    """
    if batch_size is None and arrays and isinstance(arrays[-1], int | np.integer):
        *rest, batch_size = arrays
        arrays = tuple(rest)
    batch_size = whole("batches", "batch_size", batch_size)
    examples = _together("batches", arrays)
    if drop_last and len(examples[0]) < batch_size:
        raise ValueError(
            f"batches: {len(examples[0])} examples make no batch of {batch_size}, and drop_last leaves out the rest"
        )
    shuffle = rng is not None if shuffle is None else shuffle
    return DataLoader(*examples, batch_size=batch_size, shuffle=shuffle, rng=rng, drop_last=drop_last)


def train_test_split(*arrays: Any, test_size: float | int = 0.25, rng: Rng = None, stratify: Any = None) -> list[Array]:
    """Split arrays at random into training and test parts: X_train, X_test, Y_train, Y_test, ...

    ``test_size`` is a fraction of the examples (rounded up) or their number.  ``stratify``, a class for each example,
    keeps the proportions of the classes in both parts.  Always shuffles: the end of a file that is ordered by writers
    would have other writers.  Raises ValueError if a part would be empty, or would have no example of a class.

    >>> import numpy as np
    >>> X, Y = np.arange(20).reshape(10, 2), np.array([0] * 8 + [1] * 2)
    >>> X_train, X_test, Y_train, Y_test = train_test_split(X, Y, test_size=0.5, rng=0, stratify=Y)
    >>> X_train.shape, sorted(Y_test.tolist())
    ((5, 2), [0, 0, 0, 0, 1])
    """
    examples = _together("train_test_split", arrays)
    labels = None if stratify is None else np.asarray(stratify)
    train, test = parts_of("train_test_split", len(examples[0]), test_size, generator(rng), labels)
    return [part for a in examples for part in (a.take(train, axis=0), a.take(test, axis=0))]


def parts_of(
    who: str, total: int, test_size: float | int, rng: np.random.Generator, labels: Array | None
) -> tuple[Array, Array]:
    """The positions of the examples for training and for the test."""
    testing = _test_count(who, test_size, total)
    if labels is not None:
        return _stratified(who, labels, total, testing, rng)
    order = rng.permutation(total)
    return order[testing:], order[:testing]


def _test_count(who: str, test_size: float | int, total: int) -> int:
    if isinstance(test_size, float | np.floating):
        if not 0 < test_size < 1:
            raise ValueError(f"{who}: test_size is {test_size}; a fraction must lie between 0 and 1")
        count = int(np.ceil(round(float(test_size) * total, 9)))
    elif not isinstance(test_size, int | np.integer) or isinstance(test_size, bool):
        raise TypeError(f"{who}: test_size is {test_size!r}; it is a fraction, or a number of examples")
    else:
        count = int(test_size)
    if not 0 < count < total:
        raise ValueError(
            f"{who}: test_size {test_size} of {total} examples puts {count} into the test and "
            f"{total - count} into training; both must have some"
        )
    return count


def _stratified(who: str, labels: Array, total: int, testing: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Indices for training and testing, each class shared in proportion (largest remainders)."""
    if labels.shape != (total,):
        raise ValueError(f"{who}: stratify has shape {labels.shape}; one class an example is ({total},)")
    classes, which = np.unique(labels, return_inverse=True)
    counts = np.bincount(which)
    if counts.min() < 2:
        raise ValueError(f"{who}: class {classes[counts.argmin()]} has one example; stratifying needs one in each part")
    if testing < len(classes) or total - testing < len(classes):
        raise ValueError(
            f"{who}: {testing} for testing and {total - testing} for training, but there are "
            f"{len(classes)} classes; both parts need one of each"
        )
    shares = counts * (testing / total)
    wanted = np.clip(np.floor(shares).astype(int), 1, counts - 1)
    # hand out what rounding left over (or take back what the floor of one gave too much), by largest remainder
    while (missing := testing - int(wanted.sum())) != 0:
        room = wanted < counts - 1 if missing > 0 else wanted > 1
        need = np.where(room, (shares - wanted) * np.sign(missing), -np.inf)
        ties = np.flatnonzero(need == need.max())
        wanted[rng.choice(ties)] += np.sign(missing)
    test = []
    train = []
    for i, count in enumerate(wanted):
        members = rng.permutation(np.flatnonzero(which == i))
        test.append(members[:count])
        train.append(members[count:])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))


def _together(who: str, arrays: tuple[Any, ...]) -> tuple[Array, ...]:
    """The arrays, if their lengths are equal."""
    if not arrays:
        raise ValueError(f"{who}: there are no arrays")
    found = []
    for i, array in enumerate(arrays):
        if isinstance(array, Tensor):
            raise TypeError(f"{who}: argument {i} is a Tensor; examples are data: pass the array, t.data")
        array = as_array(array_of_frame(who, f"argument {i}", array))
        if not array.ndim:
            raise ValueError(f"{who}: argument {i} is a single value, not an array of examples")
        found.append(array)
    lengths = [len(a) for a in found]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"{who}: the arrays have {', '.join(map(str, lengths))} examples; they must have one entry an example each"
        )
    if not lengths[0]:
        raise ValueError(f"{who}: there are no examples (shapes {', '.join(str(a.shape) for a in found)})")
    return tuple(found)
