"""The state of a function while it is captured: recorded arrays in the places that it reaches, and back again."""

from __future__ import annotations

import functools
import random
from collections import deque
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from ..examples import Examples
from ..graph import Node
from .drawing import RecordedGenerator
from .instruction import EMPTY, Value, same
from .places import Place, Reach, Stream, look
from .reach import reached, state_of
from .recorded import CaptureError, PassingError, Recorded
from .recording import Recording
from .slot import Slot

_NUMBERS = (int, float, complex, np.generic)
_PLAIN = (type(None), bool, int, float, complex, str, np.generic)
NO_VALUE = Value((), None, type(None))


class State:
    """A context in which what a function reaches is recorded.

    ``inputs`` are the slots that it read, ``outputs`` those that it has written, with what it left there; ``checks``
    those that were empty when it looked, and must be so again.
    """

    def __init__(self, roots: list[tuple[str, Any]], recording: Recording, reach: Reach) -> None:
        self.recording = recording
        self._roots = roots
        self._slots: list[tuple[Slot, Any, Any]] = []  # with the original and what stands for it
        self._known: set[str] = set()
        self._watch = Watch()
        self._kept: list[tuple[Any, int]] = []
        self.reach = reach
        self._hidden: Any = None
        self._views: dict[int, Any] = {}
        self.inputs: list[Slot] = []
        self.outputs: list[Slot] = []
        self.checks: list[Slot] = []

    def __enter__(self) -> Self:
        try:
            self._enter()
        except BaseException:
            self._watch.end()
            for slot, original, _ in self._slots:
                for place in slot.places:
                    place.write(original)
            raise
        return self

    def _enter(self) -> None:
        reach = self.reach
        self._kept = [(cache, cache.cache_info().misses) for cache in reach.caches]
        self._hidden = _hidden_states()
        for path, tensor in reach.computed:
            if tensor._node.active or isinstance(tensor._value, Examples):
                raise CaptureError(
                    f"capture: {path} is a Tensor that was computed outside of the function; a program computes on "
                    "arrays and variables: compute it inside, or pass it as an argument"
                )
        known: dict[int, tuple[Slot, Any, Any]] = {}
        for place in reach.places:
            original = place.read()
            self._known.add(place.path)
            if isinstance(original, Recorded | RecordedGenerator) and original.recording is self.recording:
                continue  # the same cell, or the same global, of two functions
            entry = known.get(id(original)) if not isinstance(original, _NUMBERS) else None
            if entry is None:
                stand_in = self._recorded(original, place.name)
                if stand_in is None:
                    if original is None and place.node is not None:
                        self._watch.begin(place)
                    continue
                number = original if isinstance(original, _NUMBERS) else None
                entry = Slot(stand_in.value, [], number), original, stand_in
                self.recording.fixed.add(stand_in.value)
                known[id(original)] = entry
                self._slots.append(entry)
            entry[0].places.append(place)
            place.write(entry[2])

    def _recorded(self, original: Any, name: str) -> Any:
        """What stands for an object while the function runs; None for what is left alone."""
        if isinstance(original, np.random.Generator):
            return RecordedGenerator(original, self.recording, name)
        if type(original) is np.ndarray or isinstance(original, np.generic | int | float | complex):
            return self.recording.new(original, name)
        if original is None or isinstance(original, np.ndarray):
            return None
        raise CaptureError(
            f"capture: {name} holds a {type(original).__module__}.{type(original).__name__}; a program computes on "
            "NumPy's arrays"
        )

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.recording.end()
        filled, wrong = self._watch.end(), []
        for slot, original, stand_in in self._slots:
            for place in slot.places:
                now = place.now
                if now is stand_in:
                    place.write(original)
                elif not self._leave(place, now):
                    wrong.append((place.path, "an array", now))
            self.inputs.append(slot)
        reach = reached(self._roots)
        for place in reach.places:  # slots that were empty before: gradients, an optimizer's first means
            if isinstance(place.now, Recorded | RecordedGenerator):
                self._leave(place, place.now)
                filled += [place] * (place.path not in self._known)
            elif place.path not in self._known and place.now is not None:
                self._leave(place, place.now)
                filled.append(place)
        for path, tensor in reach.computed:
            if type(tensor._value) is Recorded:
                tensor._value = tensor._value.held
                wrong.append((path, "something else", tensor))
        filled_caches = [cache for cache, misses in self._kept if cache.cache_info().misses != misses]
        for cache in filled_caches:  # with recorded arrays
            cache.cache_clear()
        self.checks = [Slot(NO_VALUE, [p._replace(read=functools.partial(_emptiness, p))], EMPTY) for p in filled]
        if error is None and filled_caches:
            raise PassingError(
                f"capture: {filled_caches[0].__name__} keeps results (lru_cache), and has made a new one; call the "
                "function once before it is captured"
            )
        if error is None:
            self._complain(wrong, reach.plain)

    def _leave(self, place: Place, left: Any) -> bool:
        """Put what the function has left in a place there, as itself; whether a program can leave it there, too."""
        value = left
        if type(left) is Recorded:
            value, held = left.value, left.held
            if isinstance(held, np.ndarray) and type(held) is not np.ndarray:  # one array for all places that share it
                held = self._views.setdefault(id(held), held.view(np.ndarray))
            place.write(held)
        elif isinstance(left, RecordedGenerator):
            value = left.value
            place.write(left.held)
        elif type(left) is np.ndarray and left.dtype.kind in "fciub":
            value = self.recording.constant(left).value
        elif not isinstance(left, _PLAIN):
            return False
        self.outputs.append(Slot(value, [place]))
        return True

    def _complain(self, wrong: list[tuple[str, Any, Any]], plain: dict[str, Any]) -> None:
        """Raise CaptureError if the function has left something that a program would not leave."""
        drawn = "np.random or in random" if _hidden_states() != self._hidden else ""
        for path, now in plain.items():
            if path in self._known:  # a number of a tuple that two places shared, and each has its own now
                continue
            before = self.reach.plain.get(path, EMPTY)
            if before is not now and not same(before, now):
                if isinstance(now, Stream):
                    drawn = path
                else:
                    wrong.append((path, repr(before), now))
        wrong += [(path, f"a {type(before).__name__}", now) for path, before, now in _replaced(self.reach)]
        for path, before, left in wrong:
            raise CaptureError(
                f"capture: {path} was {before:.60} before the function ran, and is {_said(left)} after it; a program "
                "changes arrays only: keep there an array, as np.array(0.0) is one of a number, and write it in place"
            )
        if drawn:
            raise CaptureError(
                f"capture: the function draws from the generator of the old kind in {drawn}; draw from one that it "
                "holds, rng = np.random.default_rng(), which a program draws from again"
            )


class Watch:
    """Of variables without a gradient: whether it is looked at before it is set.

    Then a program must find no gradient, too; otherwise it does not matter what it finds.
    """

    def __init__(self) -> None:
        looked, written = self._looked, self._written = set[int](), set[int]()
        self._watched: list[tuple[Node, Place]] = []

        class Watched(Node):
            __slots__ = ()

            @property
            def grad(self) -> Any:
                if id(self) not in written:
                    looked.add(id(self))
                return _GRAD.__get__(self)

            @grad.setter
            def grad(self, value: Any) -> None:
                written.add(id(self))
                _GRAD.__set__(self, value)

        self._kind = Watched

    def begin(self, place: Place) -> None:
        """Watch the gradient in a place."""
        node: Any = place.node
        node.__class__ = self._kind
        self._watched.append((node, place))

    def end(self) -> list[Place]:
        """The places that were looked at first, and are filled now."""
        for node, _ in self._watched:
            node.__class__ = Node
        return [place for node, place in self._watched if id(node) in self._looked]


_GRAD: Any = vars(Node)["grad"]


def _replaced(before: Reach) -> Iterator[tuple[str, Any, Any]]:
    """The objects with arrays in them in whose place the function has put another one."""
    for path, container, contents, live, _ in before.kept:
        for key, child in contents.items():
            if key in live or isinstance(child, (*_PLAIN, tuple)):
                continue
            try:
                now = look(container, key)
            except (LookupError, ValueError, AttributeError):
                continue
            if now is not child and type(now) is not frozenset and reached([(path, now)]).places:
                yield f"{path}[{key!r}]" if isinstance(container, list | deque) else f"{path}.{key}", child, now


def _emptiness(place: Place) -> Any:
    """What is in a place that should be empty."""
    now = place.now
    return EMPTY if now is None else now


def _hidden_states() -> Any:
    """The states of the generators that are no objects of the user's."""
    now: Any = np.random.get_state()  # noqa: NPY002 - it is looked whether somebody draws from it
    return now[0], now[1].tobytes(), *now[2:], state_of(random)


def _said(thing: Any) -> str:
    if isinstance(thing, _PLAIN) or thing is EMPTY:
        return f"{thing!r:.60}"
    return f"a {type(thing).__name__}"
