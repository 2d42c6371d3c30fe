"""DataLoader: batches of data of any size and kind, in an order that can be repeated and continued."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import numpy as np

from ..random import Rng, generator
from .checks import count_of
from .prefetching import ahead
from .sources import Collate, Source, Stream, shuffled, source_of
from .structures import leaves, part_of, share

__all__ = ["DataLoader"]

Array = Any
_ENTRIES = {"position", "before", "now"}


class DataLoader:
    """Batches of examples, for any number of passes: ``DataLoader(X, Y, batch_size=64, rng=0)``.

    The data is one of these:

    - arrays whose first axis counts examples, as arguments, or in a tuple or a dict, to any depth: NumPy's, memory
      maps, :class:`nn.data.ArrayFiles`, tables of pandas and polars, and others with ``shape``, ``dtype`` and ``[...]``
      (HDF5, zarr).  Batches have the same structure.  Of data on disk only what a batch needs is read.
    - an object with ``len`` and ``[i]``, or a list of tuples or dicts: each ``[i]`` is an example, and
      ``collate(examples)`` makes a batch of a list of them, by default with ``np.stack``.
    - an iterable of examples, or a function that makes one for each pass; without a length.  ``batch_size=None`` says
      that its items are batches already.

    It shuffles if ``rng`` is given, or by ``shuffle=True``; iterables in a ``buffer`` of so many examples.  ``rows``
    are the positions of the examples to use.  ``transform`` is a function of the inputs (the first part of a tuple, the
    whole of anything else), and of a generator if it has a parameter ``rng``, as those of :mod:`nn.transforms` have.
    ``prefetch`` batches are made ahead in a thread.  One generator gives the same batches, whatever ``prefetch`` is; it
    is used at the beginning of a pass alone.

    ``state_dict`` is the position, from which the next pass of a loader like this one goes on.

    >>> import numpy as np
    >>> loader = DataLoader(np.arange(10).reshape(5, 2), np.arange(5), batch_size=2, rng=0)
    >>> [(x.shape, y.tolist()) for x, y in loader]
    [((2, 2), [2, 4]), ((2, 2), [3, 0]), ((1, 2), [1])]
    """

    def __init__(
        self,
        *data: Any,
        batch_size: int | None = 32,
        shuffle: bool | None = None,
        rng: Rng = None,
        drop_last: bool = False,
        transform: Callable[..., Any] | None = None,
        prefetch: int = 0,
        buffer: int = 1024,
        collate: Collate | None = None,
        rows: Any = None,
    ) -> None:
        self.source: Source = source_of(data, rows, collate)
        if batch_size is None and not isinstance(self.source, Stream):
            raise ValueError("DataLoader: batch_size is None, which says that an iterable gives batches already")
        self.batch_size: int | None = (
            None if batch_size is None else count_of("DataLoader", "batch_size", batch_size, 1)
        )
        self.drop_last = drop_last
        if self.length() == 0:
            raise ValueError(
                f"DataLoader: {self.source.total} examples make no batch of {batch_size}, and drop_last leaves out the "
                "rest"
            )
        if transform is not None and not callable(transform):
            raise TypeError(f"DataLoader: transform must be a function of a batch, got {transform!r}")
        if not (shuffle is None or isinstance(shuffle, bool | np.bool_)):
            raise TypeError(f"DataLoader: shuffle is {shuffle!r}; it must be True or False")
        self.transform = transform
        self.prefetch: int = count_of("DataLoader", "prefetch", prefetch, 0)
        self.buffer: int = count_of("DataLoader", "buffer", buffer, 1)
        self.shuffle: bool = rng is not None if shuffle is None else bool(shuffle)
        self._draws = transform is not None and takes_rng(transform)
        self.rng: np.random.Generator | None = generator(rng) if self.shuffle or self._draws else None
        self._position = 0
        self._before: Any = None
        self._resumed: Mapping[str, Any] | None = None

    def length(self) -> int | None:
        """The number of batches of a pass; None where it is not known."""
        if self.source.total is None or self.batch_size is None:
            return None
        whole, rest = divmod(self.source.total, self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def __len__(self) -> int:
        length = self.length()
        if length is None:
            raise TypeError("DataLoader: an iterable has no length; count its batches as they come")
        return length

    # -- a pass ------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        with contextlib.closing(self._parts(0, 1)) as made:
            for batch, _ in made:
                yield batch

    def parts(self, rank: int, size: int) -> Iterator[tuple[Any, int]]:
        """The part of each batch that process ``rank`` of ``size`` takes, with the number of examples that count.

        Loaders of one generator's state give the processes one order.  The parts are equal but for one example; where a
        batch has fewer examples than there are processes, some get one that does not count.  Of data with positions
        nothing else is read, and a transform gets the part, with random numbers of this process.

        >>> import numpy as np
        >>> loaders = [DataLoader(np.arange(5), batch_size=3, rng=0) for rank in range(2)]
        >>> [[(x.tolist(), counted) for x, counted in loader.parts(i, 2)] for i, loader in enumerate(loaders)]
        [[([2], 1), ([0], 1)], [([4, 3], 2), ([1], 1)]]
        """
        if not 0 <= rank < size:
            raise ValueError(f"DataLoader.parts: rank is {rank}; of {size} processes it is from 0 to {size - 1}")
        if size == 1 or type(self).__iter__ is not DataLoader.__iter__:  # or a class that makes its own batches
            return (_cut(batch, rank, size) for batch in self)
        return self._parts(rank, size)

    def _parts(self, rank: int, size: int) -> Generator[tuple[Any, int]]:
        first, order, seed = self._begin()
        mine = rank, size
        made = (
            self._stream(first, seed, mine)
            if isinstance(self.source, Stream)
            else self._chosen(first, order, seed, mine)
        )
        if self.prefetch:
            made = ahead(made, self.prefetch)
        try:
            for batch in made:
                self._position += 1
                yield batch
        finally:
            made.close()
        self._position, self._before = 0, None

    def _begin(self) -> tuple[int, Array | None, int]:
        """The number of batches to leave out, the order of the examples, and a seed for what else is random."""
        state, self._resumed = self._resumed, None
        self._position, order, seed = (0 if state is None else int(state["position"])), None, 0
        if self.rng is None:
            return self._position, None, 0
        within = state is not None and state["before"] is not None
        if state is not None and within:
            self.rng.bit_generator.state = state["before"]
        self._before = self.rng.bit_generator.state
        if self.shuffle and self.source.total is not None:
            order = self.rng.permutation(self.source.total)
        if self._draws or (self.shuffle and order is None):
            seed = int(self.rng.integers(2**63))
        if state is not None and within:
            self.rng.bit_generator.state = state["now"]
        return self._position, order, seed

    def _chosen(self, first: int, order: Array | None, seed: int, mine: tuple[int, int]) -> Generator[tuple[Any, int]]:
        """Parts of batches of examples that have positions."""
        source, size = self.source, self.batch_size
        assert not isinstance(source, Stream)
        assert size is not None
        for i in range(first, len(self)):
            start = i * size
            begin, end, counted = share(min(size, source.total - start), *mine)
            begin, end = begin + start, end + start
            batch = source.part(begin, end) if order is None else source.take(order[begin:end])
            yield (batch if self.transform is None else self._transformed(batch, seed, i, *mine)), counted

    def _stream(self, first: int, seed: int, mine: tuple[int, int]) -> Generator[tuple[Any, int]]:
        """Parts of batches of examples as they come."""
        assert isinstance(self.source, Stream)
        examples = self.source.examples()
        if self.shuffle:
            examples = shuffled(examples, self.buffer, np.random.default_rng([seed]))
        for i, items in enumerate(_grouped(examples, self.batch_size or 1)):
            if i < first or (self.drop_last and self.batch_size is not None and len(items) < self.batch_size):
                continue
            if self.batch_size is None:
                batch, counted = _cut(items[0], *mine) if mine[1] > 1 else (items[0], 0)
            else:
                begin, end, counted = share(len(items), *mine)
                batch = self.source.collate(items[begin:end])
            yield (batch if self.transform is None else self._transformed(batch, seed, i, *mine)), counted

    def _transformed(self, batch: Any, seed: int, i: int, rank: int, size: int) -> Any:
        """The batch with its inputs transformed; each batch has a generator of its own, so that none needs another."""
        assert self.transform is not None
        numbers = [seed, i] if size == 1 else [seed, i, rank]
        options = {"rng": np.random.default_rng(numbers)} if self._draws else {}
        if isinstance(batch, tuple) and batch:
            return (self.transform(batch[0], **options), *batch[1:])
        return self.transform(batch, **options)

    # -- where it is -------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Where a pass is: ``position``, the batches that it has given (0 between passes), and the generator's states
        ``before`` it (None between passes) and ``now``."""
        now = None if self.rng is None else self.rng.bit_generator.state
        return {"position": self._position, "before": self._before, "now": now}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next pass go on from a :meth:`state_dict`: the rest of that pass, then others as they would come."""
        if not isinstance(state, Mapping) or set(state) != _ENTRIES:
            raise ValueError(f"DataLoader: expected the entries {sorted(_ENTRIES)} of a state_dict")
        if (self.rng is None) != (state["now"] is None):
            raise ValueError("DataLoader: of this data and that of the state, one is shuffled and the other is not")
        if state["position"] < 0 or state["position"] > (self.length() or state["position"]):
            raise ValueError(f"DataLoader: the state is at batch {state['position']}, and this data has {len(self)}")
        if self.rng is not None:
            kinds = [now["bit_generator"] for now in (self.rng.bit_generator.state, state["now"])]
            if kinds[0] != kinds[1]:
                raise ValueError(f"DataLoader: the state is that of a {kinds[1]} generator, and rng is a {kinds[0]}")
            self.rng.bit_generator.state = state["now"]
        self._resumed = dict(state)

    def __repr__(self) -> str:
        tree = getattr(self.source, "tree", None)
        what = type(self.source).__name__ if tree is None else ", ".join(str(a.shape) for a in leaves(tree))
        count = "batches" if self.length() is None else f"{self.length()} batches"
        return f"DataLoader({what}; {count} of {self.batch_size}{', shuffled' if self.shuffle else ''})"


def _cut(batch: Any, rank: int, size: int) -> tuple[Any, int]:
    """The part of a batch that a process has; a list is one of arrays."""
    return part_of(tuple(batch) if isinstance(batch, list) else batch, rank, size)


def _grouped(examples: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Lists of so many examples; the last one may be shorter."""
    group: list[Any] = []
    for example in examples:
        group.append(example)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def takes_rng(function: Callable[..., Any]) -> bool:
    """Whether a transform is given a generator: if it has a parameter ``rng``."""
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function of C
        return False
