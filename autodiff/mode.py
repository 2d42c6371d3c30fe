"""Modes: what happens to operations on Tensors in place of being recorded, and what a mode must answer.

A mode belongs to a thread and to an asynchronous task: others are not affected.  Modes nest; each knows the one around
it (``enclosing``, None outside of all), and who does an operation on behalf of a mode does it :meth:`~Mode.outside`.
Nobody probes a mode for attributes: what it may be asked stands here, with the answer that passes the question on.

Ctrl-C at any instruction leaves no mode on.  An interrupt may come before the first instruction of ``__exit__``, where
nothing can catch it.  So a mode does not rely on being turned off: what a ``with`` statement holds as its ``__exit__``
dies with the block, however the block is left, and a mode whose ``__exit__`` is dead is over.  It does nothing from
then on, and the next operation takes it off.
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
    """The innermost of a mode and those around it that is not over."""
    while mode is not None and mode.over:
        mode = mode.enclosing
    return mode


def entered(mode: Mode | None) -> switched:
    """A context: what is done inside is done in this mode, and the one before comes back whatever happens."""
    return switched(_state, mode)


def is_recording() -> bool:
    """Whether an operation that is done here and now remembers what it was done to."""
    mode = current()
    return mode is None or mode.is_recording


def recorded(mode: Mode | None) -> Mode | None:
    """The mode in which the same things are done, and everything is recorded."""
    return None if mode is None else mode.recorded()


def unwatched() -> Mode | None:
    """The mode in which what is done here and now is computed alike, recorded, and seen by nobody."""
    mode = current()
    return None if mode is None else mode.unwatched()


class _Exit:
    """The ``__exit__`` of a mode: a ``with`` statement asks for it once, before it enters."""

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
    """What stands in the place of recording.  A context manager, or passed to :func:`entered`.

    Each block, and each place inside of another mode, has a copy of its own, so that blocks nest and threads share a
    mode.  What copies have in common they hold in dictionaries and lists.
    """

    enclosing: Mode | None = None
    _original: Mode | None = None
    _block: ref[Any] | None = None
    _name: Any = None

    # -- what a mode must answer -----------------------------------------------------------------------------

    def operate(self, primitive: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do one operation, in the place of ``primitive.call``."""
        raise NotImplementedError

    @property
    def is_recording(self) -> bool:
        """Whether operations leave a history: as around this mode, unless it says otherwise."""
        return self.enclosing is None or self.enclosing.is_recording

    def recorded(self) -> Mode | None:
        """The mode that does the same and records: what a transform computes its function in."""
        return self if self.is_recording else self.inside(recorded(self.enclosing))

    def unwatched(self) -> Mode | None:
        """The mode for what leaves no history: as around this one, unless it changes how things are computed."""
        return None if self.enclosing is None else self.enclosing.unwatched()

    def without(self, level: Any) -> Mode | None:
        """This mode and those around it, without the mapping of ``level``: in it, examples are done one by one."""
        around = living(self.enclosing)
        return self.inside(None if around is None else around.without(level))  # type: ignore[no-any-return]

    def backward(self, proceed: Callable[[], Any], seeds: dict[Any, Any], targets: Any) -> Any:
        """Make a backward pass, by ``proceed()``, which frees nothing; the result are the gradients."""
        around = living(self.enclosing)
        return proceed() if around is None else around.backward(proceed, seeds, targets)

    def visiting(self) -> Callable[[Any, Any], Any] | None:
        """What takes the place of each rule in backward passes, as the ``visit`` of :func:`.graph.sweep`; or None."""
        around = living(self.enclosing)
        return None if around is None else around.visiting()

    def otherwise(self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any] | None:
        """What computes a composite that failed as it is written, from it, its arguments and keywords; or None."""
        around = living(self.enclosing)
        return None if around is None else around.otherwise(error, args, kwargs)

    def replaced(self, old: Any, new: Any) -> None:
        """Note that another node stands for one that was seen: ``checkpoint`` keeps the results of a part alone."""
        around = living(self.enclosing)
        if around is not None:
            around.replaced(old, new)

    def left(self, *error: Any) -> None:
        """What is to be done when its block was left: ``error`` is what ``__exit__`` is given."""

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
        """This mode with another one around it."""
        mode: Mode = object.__new__(type(self))
        vars(mode).update(vars(self))
        mode._original, mode.enclosing = self._original or self, enclosing
        return mode

    def outside(self) -> Any:
        """A context in which operations go to the mode around this one."""
        return entered(self.enclosing)

    @property
    def over(self) -> bool:
        """Whether the block was left, though nobody could say so."""
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
    """Turn the mode off that was entered, or the last one of this object where ``__exit__`` is called by hand."""
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
    """A mode without one of those in it: suspended generators may be closed in any order."""
    if mode is None or name is None or not _is_on(name):
        return mode
    if mode._name is name:
        return mode.enclosing
    return mode.inside(_without(name, mode.enclosing))  # type: ignore[no-any-return]
