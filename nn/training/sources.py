"""What a DataLoader reads: examples by position, or one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autodiff import Tensor

from ..layers.checks import as_array
from .checks import what_is
from .frames import array_of_frame
from .structures import leaves, mapped, stacked

Array = Any
Collate = Callable[[list[Any]], Any]


class Arrays:
    """Arrays whose first axis counts examples, in a tuple or a dict, or one; ``rows`` are the positions to use."""

    def __init__(self, tree: Any, rows: Array | None) -> None:
        self.tree: Any = tree
        self.rows: Array | None = rows
        self.total: int = len(next(leaves(tree))) if rows is None else len(rows)
        self._flat = tree if type(tree) is tuple and all(type(a) is np.ndarray for a in tree) else None

    def part(self, start: int, stop: int) -> Any:
        """Examples in order: views, where that is possible."""
        if self.rows is not None:
            return self.take(np.arange(start, min(stop, self.total)))
        if self._flat is not None:
            return tuple(array[start:stop] for array in self._flat)
        return mapped(lambda array: as_array(array[start:stop]), self.tree)

    def take(self, chosen: Array) -> Any:
        """Examples at these positions."""
        if self.rows is not None:
            chosen = self.rows[chosen]
        if self._flat is not None:
            return tuple(array.take(chosen, axis=0) for array in self._flat)
        return mapped(lambda array: _taken(array, chosen), self.tree)


def _taken(array: Any, chosen: Array) -> Array:
    if hasattr(array, "take"):
        return array.take(chosen, axis=0)
    order = np.argsort(chosen)  # files of datasets are read from the front to the back
    found = np.asarray(array[chosen[order]])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return found[back]


class Dataset:
    """An object with ``len`` and ``[i]``, which gives one example."""

    def __init__(self, data: Any, rows: Array | None, collate: Collate) -> None:
        self.data: Any = data
        self.rows: Array | None = rows
        self.collate: Collate = collate
        self.total: int = len(data) if rows is None else len(rows)

    def part(self, start: int, stop: int) -> Any:
        return self.take(np.arange(start, min(stop, self.total)))

    def take(self, chosen: Array) -> Any:
        chosen = chosen if self.rows is None else self.rows[chosen]
        return self.collate([self.data[int(i)] for i in chosen])


class Stream:
    """An iterable of examples without positions, or a function that makes one for each pass."""

    total: int | None = None

    def __init__(self, data: Any, collate: Collate) -> None:
        self.data: Any = data
        self.collate: Collate = collate
        self._used = False

    def examples(self) -> Iterator[Any]:
        """The examples of one pass."""
        made = self.data() if callable(self.data) else self.data
        if not isinstance(made, Iterable):
            raise TypeError(f"DataLoader: the function made {what_is(made)}, which is no iterable of examples")
        found = iter(made)
        if found is self.data:
            if self._used:
                raise ValueError(
                    "DataLoader: the iterator is used up by the first pass; give a function that makes one for each: "
                    "DataLoader(lambda: examples())"
                )
            self._used = True
        return found


def shuffled(examples: Iterator[Any], room: int, rng: np.random.Generator) -> Iterator[Any]:
    """Examples in another order: of ``room`` that are kept, a random one comes next, and a new one takes its place."""
    kept: list[Any] = []
    for example in examples:
        if len(kept) < room:
            kept.append(example)
            continue
        i = int(rng.integers(room))
        yield kept[i]
        kept[i] = example
    for i in rng.permutation(len(kept)):
        yield kept[i]


Source = Arrays | Dataset | Stream


def source_of(data: tuple[Any, ...], rows: Any, collate: Collate | None) -> Source:
    """The source that suits the data."""
    if not data:
        raise ValueError("DataLoader: there is no data")
    one = data[0] if len(data) == 1 else data
    one = array_of_frame("DataLoader", "the data", one)
    collate = collate or stacked
    if isinstance(one, str | bytes | os.PathLike):
        raise TypeError(
            f"DataLoader: got the path {one!r}; load it: np.load(path, mmap_mode='r'), or ArrayFiles([path])"
        )
    if isinstance(one, list) and one and isinstance(one[0], tuple | Mapping):
        return Dataset(one, _rows(rows, len(one)), collate)
    if isinstance(one, tuple | list | Mapping) or hasattr(one, "__array__") or _is_array(one):
        tree = _arrays(one, "the data")
        return Arrays(tree, _rows(rows, _length(tree)))
    if hasattr(one, "__len__") and hasattr(one, "__getitem__") and not isinstance(one, type):
        if not len(one):
            raise ValueError("DataLoader: there are no examples; the length of the data is 0")
        return Dataset(one, _rows(rows, len(one)), collate)
    if callable(one) or isinstance(one, Iterable):
        if rows is not None:
            raise TypeError("DataLoader: rows are positions, and an iterable has none; leave out examples in it")
        return Stream(one, collate)
    raise TypeError(
        f"DataLoader: got {what_is(one)}; data is arrays, an object with len and [i], an iterable, or a function that "
        "makes one"
    )


def _is_array(data: Any) -> bool:
    return all(hasattr(data, name) for name in ("shape", "dtype", "__getitem__", "__len__"))


def _arrays(data: Any, name: str) -> Any:
    """The structure, with arrays in it."""
    if isinstance(data, Mapping):
        return {key: _arrays(part, f"{key!r}") for key, part in data.items()}
    if isinstance(data, tuple):
        return tuple(_arrays(part, f"part {i}") for i, part in enumerate(data))
    if isinstance(data, Tensor):
        raise TypeError(f"DataLoader: {name} is a Tensor; examples are data: pass the array, t.data")
    if isinstance(data, np.ma.MaskedArray):
        raise TypeError(f"DataLoader: {name} is a MaskedArray, which has rules of its own; fill it: x.filled(0)")
    data = array_of_frame("DataLoader", name, data)
    if not (_is_array(data) and not isinstance(data, np.ndarray)):
        data = np.asarray(data)  # of a memory map a view, which reads what is used
    if data.dtype == object:
        raise TypeError(f"DataLoader: {name} is an array of Python objects; make it one of numbers")
    if not data.shape:
        raise ValueError(f"DataLoader: {name} is a single value, not an array of examples")
    return data


def _length(tree: Any) -> int:
    arrays = list(leaves(tree))
    if not arrays:
        raise ValueError("DataLoader: there are no arrays")
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"DataLoader: the arrays have {', '.join(map(str, lengths))} examples; they must have one entry an example "
            "each"
        )
    if not lengths[0]:
        raise ValueError(f"DataLoader: there are no examples (shapes {', '.join(str(a.shape) for a in arrays)})")
    return lengths[0]


def _rows(rows: Sequence[int] | Array | None, total: int) -> Array | None:
    if rows is None:
        return None
    found = np.asarray(rows)
    if found.ndim != 1 or found.dtype.kind not in "iu" or not found.size:
        raise ValueError(f"DataLoader: rows are whole numbers, one axis of them; got {found.dtype} {found.shape}")
    if found.min() < 0 or found.max() >= total:
        raise ValueError(f"DataLoader: rows reach from {found.min()} to {found.max()}; there are {total} examples")
    return found
