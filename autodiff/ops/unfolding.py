"""Windows of arrays as new axes, and their adjoint: adding windows back.

``unfold`` and ``fold`` are each other's adjoint.  So each is the rule of the other, and both differentiate to any
order.  Convolution and pooling are made of them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..examples import is_one
from ..primitive import example, sample
from ..registering import primitive
from ..structural import begin, blank, is_tracking, settled

Array = Any
Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


class Grid(NamedTuple):
    """Where windows lie on the last axes of an array."""

    kernel: Sizes
    stride: Sizes
    padding: Pairs
    dilation: Sizes

    @property
    def axes(self) -> int:
        """How many axes windows have."""
        return len(self.kernel)

    @property
    def extent(self) -> Sizes:
        """From the first to the last element of a window."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def padded(self, sizes: Sizes) -> Sizes:
        """The lengths of the axes with their border."""
        return tuple(n + before + after for n, (before, after) in zip(sizes, self.padding, strict=True))

    def places(self, sizes: Sizes) -> Sizes:
        """How many windows there are along each axis of an array of these lengths."""
        room = zip(self.padded(sizes), self.extent, self.stride, strict=True)
        return tuple((n - extent) // step + 1 for n, extent, step in room)

    def taps(self, places: Sizes) -> Iterator[tuple[Sizes, tuple[slice, ...]]]:
        """Each position in a window, and the elements that it has in all windows, of the padded array."""
        for tap in product(*map(range, self.kernel)):
            starts = [t * d for t, d in zip(tap, self.dilation, strict=True)]
            ends = zip(starts, places, self.stride, strict=True)
            yield tap, tuple(slice(start, start + (n - 1) * step + 1, step) for start, n, step in ends)


def grid(who: str, sizes: Sizes, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Grid:
    """A checked grid; raises ValueError for windows that do not fit into axes of these lengths."""
    kernel = (kernel,) if not isinstance(kernel, tuple | list) else tuple(kernel)
    axes = len(kernel)
    found = Grid(
        tuple(map(operator.index, kernel)),
        spread_out(who, "stride", stride, axes),
        _borders(who, padding, axes),
        spread_out(who, "dilation", dilation, axes),
    )
    if len(sizes) < axes:
        raise ValueError(f"{who}: windows of {axes} axes in an array of {len(sizes)}")
    sizes = sizes[len(sizes) - axes :]
    for what, values in (("kernel", found.kernel), ("stride", found.stride), ("dilation", found.dilation)):
        if min(values) < 1:
            raise ValueError(f"{who}: {what} is {values}; each must be at least 1")
    if any(have < need for have, need in zip(found.padded(sizes), found.extent, strict=True)):
        border = f" and a border of {found.padding}" if any(map(any, found.padding)) else ""
        raise ValueError(
            f"{who}: the window reaches over {found.extent}, but the last axes of the array have lengths {sizes}"
            f"{border}; pad it, or take a smaller window"
        )
    return found


def spread_out(who: str, what: str, value: Any, axes: int) -> Sizes:
    """One integer for each axis: given as that, or as one for all."""
    values = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(values) != axes:
        raise ValueError(f"{who}: {what} is {value!r}; give one integer, or {axes}")
    return tuple(map(operator.index, values))


def _borders(who: str, padding: Any, axes: int) -> Pairs:
    """How much is added before and after each axis."""
    values = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * axes
    if len(values) != axes:
        raise ValueError(f"{who}: padding is {padding!r}; give one integer, or {axes}, or {axes} pairs")
    pairs = tuple((v, v) if not isinstance(v, tuple | list) else tuple(v) for v in values)
    if any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise ValueError(f"{who}: padding is {padding!r}; it must be 0 or more, on both sides of each axis")
    return tuple((operator.index(before), operator.index(after)) for before, after in pairs)


def bordered(x: Array, padding: Pairs, first: int) -> Array:
    """An array with zeros around some of its axes, from axis ``first``."""
    if not any(map(any, padding)):
        return x
    rest = x.ndim - first - len(padding)
    return np.pad(begin(x), [(0, 0)] * first + list(padding) + [(0, 0)] * rest)


def windows(x: Array, where: Grid, first: int) -> Array:
    """A view of all windows: axes of places where axes ``first`` and following were, and the windows' axes last."""
    axes = tuple(range(first, first + where.axes))
    found = sliding_window_view(bordered(x, where.padding, first), where.extent, axes)
    if max(where.stride) == 1 and max(where.dilation) == 1:
        return found
    rest = (slice(None),) * (x.ndim - first - where.axes)
    steps = [tuple(slice(None, None, n) for n in steps) for steps in (where.stride, where.dilation)]
    return found[(slice(None),) * first + steps[0] + rest + steps[1]]


def can_write(a: Array) -> bool:
    """Whether an array that is made like this one can be written into: NumPy's own, or a recorded one."""
    held = a.held if is_one(a) else a
    return isinstance(held, np.ndarray)


def unfolded(x: Array, where: Grid) -> Array:
    """``unfold`` of arrays."""
    before, axes = x.ndim - where.axes, where.axes
    found = windows(x, where, before)
    order = [*range(before), *range(before + axes, before + 2 * axes), *range(before, before + axes)]
    return np.transpose(found, order)


def gathered(parts: Callable[[Sizes], Array], where: Grid, shape: Sizes, first: int) -> Array:
    """The sum of windows at their places, without the border: ``parts`` is called for each position in a window.

    ``shape`` is that of the result, ``first`` its first axis with a border.
    """
    sizes = shape[first : first + where.axes]
    full = (*shape[:first], *where.padded(sizes), *shape[first + where.axes :])
    whole = (slice(None),) * first
    total: Any = None
    writes = tracked = False
    for tap, elements in where.taps(where.places(sizes)):
        part = parts(tap)
        if total is None:
            writes, tracked = can_write(part), bool(is_tracking())
            total = blank(np.zeros_like(part, shape=full)) if writes else _spread(part, elements, full, first)
        elif not writes:
            total = total + _spread(part, elements, full, first)
        if tracked and writes:
            total[(*whole, *elements)] = total[(*whole, *elements)] + part
        elif writes:
            there = total[(*whole, *elements)]
            there += part
    total = settled(total)
    if not any(map(any, where.padding)):
        return total
    inside = tuple(slice(before, before + n) for (before, _), n in zip(where.padding, sizes, strict=True))
    return total[(*whole, *inside)]


def _spread(part: Array, elements: tuple[slice, ...], full: Sizes, first: int) -> Array:
    """Zeros with one position of all windows, without writing."""
    for axis, where in enumerate(elements, first):
        step, n = where.step, part.shape[axis]
        if step > 1 and n > 1:
            part = np.expand_dims(part, axis + 1)
            part = np.pad(part, [(0, step - 1) if i == axis + 1 else (0, 0) for i in range(part.ndim)])
            shape = [*part.shape[:axis], n * step, *part.shape[axis + 2 :]]
            part = np.reshape(part, shape)[(slice(None),) * axis + (slice(0, (n - 1) * step + 1),)]
        n = part.shape[axis]
        border = (where.start, full[axis] - where.start - n)
        part = np.pad(part, [border if i == axis else (0, 0) for i in range(part.ndim)])
    return part


@primitive(
    lambda g, x_shape, kernel, stride, padding, dilation: fold(
        g, x_shape[len(x_shape) - (len(kernel) if isinstance(kernel, tuple | list) else 1) :], kernel, stride, padding,
        dilation,
    ),
    examples=[
        example(sample(2, 4, 5), (2, 3)), example(sample(7), 3, 2), example(sample(4, 4), (2, 2), 2, 1),
        example(sample(2, 7), (3,), 1, 1, 2), example(sample(3, 4), (2, 2), (1, 2), ((1, 0), (0, 2))),
        example(sample(0, 3, 4), (2, 2)), example(sample(4), 2, 3),
    ],
    errors=[example(sample(3), 4), example(sample(3), 2, 0), example(sample(3), 2, 1, -1), example(sample(3), (2, 2))],
)  # fmt: skip
def unfold(x: Array, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> Array:
    """All windows over the last axes: x (..., *sizes) becomes (..., *kernel, *places).

    Element [..., k, p] is x[..., p stride + k dilation - padding], and 0 beyond the ends.  Each argument is one integer
    for all axes of the window or one for each; ``padding`` may also have pairs (before, after).  Axis i has
    (size + padding - dilation (kernel - 1) - 1) // stride + 1 places.  Raises ValueError for a window that is longer
    than its axis.

    >>> import numpy as np
    >>> from autodiff import unfold
    >>> unfold(np.arange(4.0), 2).tolist()
    [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]
    """
    return np.copy(unfolded(x, grid("unfold", x.shape, kernel, stride, padding, dilation)), order="C")


@primitive(
    lambda g, kernel, stride, padding, dilation: unfold(g, kernel, stride, padding, dilation),
    examples=[
        example(sample(2, 2, 3, 3, 3), (4, 5), (2, 3)), example(sample(3, 3), (7,), 3, 2),
        example(sample(2, 2, 3, 3), (4, 4), (2, 2), 2, 1), example(sample(2, 3, 5), (7,), (3,), 1, 1, 2),
    ],
    errors=[example(sample(3, 3), (7,), 3, 1)],
)  # fmt: skip
def fold(windows: Array, sizes: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> Array:
    """The sum of windows at their places, the adjoint of :func:`unfold`: (..., *kernel, *places) to (..., *sizes).

    Elements that several windows have are added, those that none has are 0.  Raises ValueError if the windows are not
    those of an array with these ``sizes``.

    >>> import numpy as np
    >>> from autodiff import fold
    >>> fold(np.ones((2, 3)), (4,), 2).tolist()
    [1.0, 2.0, 2.0, 1.0]
    """
    sizes = tuple(map(operator.index, sizes))
    where = grid("fold", sizes, kernel, stride, padding, dilation)
    before, axes = windows.ndim - 2 * where.axes, where.axes
    wanted = (*where.kernel, *where.places(sizes))
    if before < 0 or windows.shape[before:] != wanted or len(sizes) != axes:
        raise ValueError(
            f"fold: the windows of an array of {sizes} have shape (..., {str(wanted)[1:]}, not {windows.shape}"
        )
    whole = (slice(None),) * before
    return gathered(lambda tap: windows[(*whole, *tap)], where, (*windows.shape[:before], *sizes), before)
