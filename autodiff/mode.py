"""Modes: objects that take the place of recording, and the questions that each mode answers.

A mode belongs to one thread and to one asynchronous task; others are not affected.  Modes nest: each knows its
``enclosing`` mode (None for the outermost).  Code that does an operation on behalf of a mode does it
:meth:`~Mode.outside`.  No code probes a mode for attributes.  All questions to a mode are methods of :class:`Mode`, and
by default they pass the question to the enclosing mode.

No mode stays on after Ctrl-C, at whatever instruction it comes.  An interrupt may come before the first instruction of
``__exit__``, where no code can catch it.  So a mode does not rely on being turned off.  A ``with`` statement holds the
only reference to the ``__exit__`` of its mode, and drops it when the block is left in any way.  A mode whose
``__exit__`` is gone is over: it does nothing from then on, and the next operation removes it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Self
from weakref import ref

from .primitive import Primitive
from .switching import switched

_state: ContextVar[Mode | None] = ContextVar("autodiff_mode", default=None)
_opening: ContextVar[Mode | None] = ContextVar("autodiff_mode_that_a_with_statement_is_about_to_enter", default=None)

innermost = _state.get
"""The mode that operations go to, be it over or not, or None: then they are recorded."""


def current() -> Mode | None:
    """The innermost mode that is not over, or None: then operations are recorded."""
    return living(_state.get())


def living(mode: Mode | None) -> Mode | None:
    """The mode itself if it is not over, else the innermost enclosing one that is not."""
    while mode is not None and mode.over:
        mode = mode.enclosing
    return mode


def entered(mode: Mode | None) -> switched:
    """A context in which operations go to this mode; afterwards the mode before comes back, whatever happens."""
    return switched(_state, mode)


def is_recording() -> bool:
    """Whether an operation is recorded now."""
    mode = current()
    return mode is None or mode.is_recording


def recorded(mode: Mode | None) -> Mode | None:
    """The mode that does the same as the current one, and records everything."""
    return None if mode is None else mode.recorded()


def unwatched() -> Mode | None:
    """The mode that computes in the same way as the current one, records, and is watched by no other mode."""
    mode = current()
    return None if mode is None else mode.unwatched()


class _Exit:
    """The ``__exit__`` of a mode; a ``with`` statement reads it once, before it enters."""

    def __get__(self, mode: Any, kind: Any = None) -> Any:
        if mode is None:  # of the class, as ExitStack asks for it
            return lambda mode, *error: mode.__exit__(*error)
        opened = mode.inside(None)
        opened._name = object()
        # not a closure: an interrupted call of it would live on in the traceback, and the block with it
        leave = functools.partial(_leave, mode, opened)
        opened._block = ref(leave)
        _opening.set(opened)
        return leave


class Mode:
    """A mode takes the place of recording.  It is a context manager, or is passed to :func:`entered`.

    Each block, and each place inside another mode, has a copy of the mode.  So blocks nest, and threads share a mode.
    Copies share values through dictionaries and lists.
    """

    enclosing: Mode | None = None
    _original: Mode | None = None
    _block: ref[Any] | None = None
    _name: Any = None

    # -- what a mode must answer -----------------------------------------------------------------------------

    def operate(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do one operation, instead of ``primitive.call``."""
        raise NotImplementedError

    @property
    def is_recording(self) -> bool:
        """Whether operations are recorded.  Default: as in the enclosing mode."""
        return self.enclosing is None or self.enclosing.is_recording

    def recorded(self) -> Mode | None:
        """The mode that does the same and records; a transform computes its function in it."""
        return self if self.is_recording else self.inside(recorded(self.enclosing))

    def unwatched(self) -> Mode | None:
        """The mode for operations that are not recorded: the enclosing one, unless this mode changes how to compute."""
        return None if self.enclosing is None else self.enclosing.unwatched()

    def without(self, level: Any) -> Mode | None:
        """This mode and the enclosing ones, without the ``vmap`` of ``level``: examples are computed one by one."""
        around = living(self.enclosing)
        return self.inside(None if around is None else around.without(level))  # type: ignore[no-any-return]

    def backward(self, proceed: Callable[[], Any], seeds: dict[Any, Any], targets: Any) -> Any:
        """Make a backward pass by ``proceed()``, which frees nothing; return the gradients."""
        around = living(self.enclosing)
        return proceed() if around is None else around.backward(proceed, seeds, targets)

    def visiting(self) -> Callable[[Any, Any], Any] | None:
        """A function that backward passes call instead of each rule, or None: the ``visit`` of :func:`.graph.sweep`."""
        around = living(self.enclosing)
        return None if around is None else around.visiting()

    def otherwise(self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
        """A function that computes a composite whose own code failed, from the composite and its arguments; or None."""
        around = living(self.enclosing)
        return None if around is None else around.otherwise(error, args, kwargs)

    def replaced(self, old: Any, new: Any) -> None:
        """Note that a new node stands for an old one: ``checkpoint`` keeps only the results of a part."""
        around = living(self.enclosing)
        if around is not None:
            around.replaced(old, new)

    def left(self, *error: Any) -> None:
        """Called when the block is left; ``error`` are the arguments of ``__exit__``."""

    # -- what all modes do alike -----------------------------------------------------------------------------

    def perform(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do one operation, unless this mode is over."""
        if not self.over:
            return self.operate(primitive, args, kwargs)
        if _state.get() is self:
            _state.set(current())
            return primitive.call(*args, **kwargs)
        with self.outside():
            return primitive.call(*args, **kwargs)

    def inside(self, enclosing: Mode | None) -> Any:
        """This mode with another enclosing mode."""
        mode: Mode = object.__new__(type(self))
        vars(mode).update(vars(self))
        mode._original, mode.enclosing = self._original or self, enclosing
        return mode

    def outside(self) -> Any:
        """A context in which operations go to the enclosing mode."""
        return entered(self.enclosing)

    @property
    def over(self) -> bool:
        """Whether the block was left, even if ``__exit__`` did not run."""
        return self._block is not None and self._block() is None

    def __enter__(self) -> Self:
        opened = _opening.get()
        if opened is None or opened._original is not self or opened.over:  # called by hand
            opened = self.inside(None)
            opened._name = object()
        _opening.set(None)
        opened.enclosing = current()
        _state.set(opened)
        return self

    __exit__: Any = _Exit()


def _leave(mode: Mode, opened: Mode, *error: Any) -> None:
    """Turn off the mode that was entered, or the last one of this object if ``__exit__`` is called by hand."""
    name: Any = opened._name
    if opened.enclosing is None and not _is_on(name):
        one = _state.get()
        while one is not None and one._original is not mode:
            one = one.enclosing
        name = None if one is None else one._name
    _state.set(_without(name, _state.get()))
    opened._block = None  # it was left as it should be: what computes something again may still ask this mode
    mode.left(*error)


def _is_on(name: Any) -> bool:
    mode = _state.get()
    while mode is not None and mode._name is not name:
        mode = mode.enclosing
    return mode is not None


def _without(name: Any, mode: Mode | None) -> Mode | None:
    """A mode without one of those in it; needed because suspended generators may be closed in any order."""
    if mode is None or name is None or not _is_on(name):
        return mode
    if mode._name is name:
        return mode.enclosing
    return mode.inside(_without(name, mode.enclosing))  # type: ignore[no-any-return]
