"""Arrays of examples, cut into batches and into parts.

The first axis counts examples.  Arrays that belong together have equal lengths and are shuffled together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autodiff import Tensor

from ..random import Rng, generator

__all__ = ["Batches", "batches", "train_test_split"]

Array = Any


class Batches:
    """Batches of one or more arrays; every pass draws a new order if it shuffles."""

    def __init__(
        self, arrays: tuple[Array, ...], batch_size: int, rng: np.random.Generator | None, drop_last: bool
    ) -> None:
        self.arrays = arrays
        self.batch_size = batch_size
        self.rng = rng
        self.drop_last = drop_last
        self._position = 0
        self._before: Any = None
        self._resumed: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        whole, rest = divmod(len(self.arrays[0]), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def __iter__(self) -> Iterator[Any]:
        size, (first, order) = self.batch_size, self._begin()
        for i in range(first, len(self)):
            start = i * size
            if order is None:  # slices are views: nothing is copied
                batch = tuple(a[start : start + size] for a in self.arrays)
            else:
                chosen = order[start : start + size]
                batch = tuple(a.take(chosen, axis=0) for a in self.arrays)
            self._position = i + 1
            yield batch if len(batch) > 1 else batch[0]
        self._position, self._before = 0, None

    def _begin(self) -> tuple[int, Array | None]:
        """The number of batches to leave out, and the order of the examples."""
        state, self._resumed = self._resumed, None
        self._position = 0 if state is None else int(state["position"])
        if self.rng is None:
            return self._position, None
        if state is not None and state["before"] is not None:
            self.rng.bit_generator.state = state["before"]
        self._before = self.rng.bit_generator.state
        order = self.rng.permutation(len(self.arrays[0]))
        if state is not None and state["before"] is not None:
            self.rng.bit_generator.state = state["now"]
        return self._position, order

    def state_dict(self) -> dict[str, Any]:
        """Where a pass is: ``position``, the batches that it has given (0 between passes), and the generator's states
        ``before`` it (None between passes) and ``now``."""
        now = None if self.rng is None else self.rng.bit_generator.state
        return {"position": self._position, "before": self._before, "now": now}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next pass go on from a :meth:`state_dict`: the rest of that pass, then others as they would come."""
        if not isinstance(state, Mapping) or set(state) != {"position", "before", "now"}:
            raise ValueError("batches: expected the entries 'position', 'before' and 'now' of a state_dict")
        if (self.rng is None) != (state["now"] is None):
            raise ValueError("batches: of this data and that of the state, one is shuffled and the other is not")
        if not 0 <= state["position"] <= len(self):
            raise ValueError(f"batches: the state is at batch {state['position']}, and this data has {len(self)}")
        if self.rng is not None:
            self.rng.bit_generator.state = state["now"]
        self._resumed = dict(state)

    def __repr__(self) -> str:
        shapes = ", ".join(str(a.shape) for a in self.arrays)
        return f"Batches({shapes}; {len(self)} of {self.batch_size}{', shuffled' if self.rng else ''})"


def batches(
    *arrays: Any, batch_size: int | None = None, rng: Rng = None, shuffle: bool | None = None, drop_last: bool = False
) -> Batches:
    """The examples of ``arrays`` in batches: ``batches(X, Y, 32)`` or ``batches(X, Y, batch_size=32)``.

    An iterable with a length, for any number of passes.  With one array its items are arrays, with several they are
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
    if not isinstance(batch_size, int | np.integer) or isinstance(batch_size, bool) or batch_size < 1:
        raise ValueError(f"batches: batch_size is {batch_size!r}; it must be an integer of at least 1")
    examples = _together("batches", arrays)
    if drop_last and len(examples[0]) < batch_size:
        raise ValueError(
            f"batches: {len(examples[0])} examples make no batch of {batch_size}, and drop_last leaves out the rest"
        )
    shuffle = rng is not None if shuffle is None else shuffle
    return Batches(examples, int(batch_size), generator(rng) if shuffle else None, drop_last)


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
    total = len(examples[0])
    testing = _test_count(test_size, total)
    rng = generator(rng)
    if stratify is None:
        order = rng.permutation(total)
        test, train = order[:testing], order[testing:]
    else:
        train, test = _stratified(np.asarray(stratify), total, testing, rng)
    return [part for a in examples for part in (a.take(train, axis=0), a.take(test, axis=0))]


def _test_count(test_size: float | int, total: int) -> int:
    if isinstance(test_size, float | np.floating):
        if not 0 < test_size < 1:
            raise ValueError(f"train_test_split: test_size is {test_size}; a fraction must lie between 0 and 1")
        count = int(np.ceil(round(float(test_size) * total, 9)))
    elif not isinstance(test_size, int | np.integer) or isinstance(test_size, bool):
        raise TypeError(f"train_test_split: test_size is {test_size!r}; it is a fraction, or a number of examples")
    else:
        count = int(test_size)
    if not 0 < count < total:
        raise ValueError(
            f"train_test_split: test_size {test_size} of {total} examples puts {count} into the test and "
            f"{total - count} into training; both must have some"
        )
    return count


def _stratified(labels: Array, total: int, testing: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Indices for training and testing, each class shared in proportion (largest remainders)."""
    if labels.shape != (total,):
        raise ValueError(f"train_test_split: stratify has shape {labels.shape}; one class an example is ({total},)")
    classes, which = np.unique(labels, return_inverse=True)
    counts = np.bincount(which)
    if counts.min() < 2:
        raise ValueError(
            f"train_test_split: class {classes[counts.argmin()]} has one example; stratifying needs one in each part"
        )
    if testing < len(classes) or total - testing < len(classes):
        raise ValueError(
            f"train_test_split: {testing} for testing and {total - testing} for training, but there are "
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
        array = array if hasattr(array, "__array_function__") else np.asarray(array)
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
