"""The state of a function while it is captured: recorded arrays in the places that it reaches, and back again."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from .drawing import RecordedGenerator
from .reach import Place, reached
from .recorded import CaptureError, Recorded
from .recording import Recording
from .slot import Slot


class State:
    """A context in which what a function reaches is recorded.

    ``inputs`` are the slots that it read, ``outputs`` those that it has written, with what it left there.
    """

    def __init__(self, roots: list[tuple[str, Any]], recording: Recording) -> None:
        self.recording = recording
        self._roots = roots
        self._slots: list[tuple[Slot, Any, Any]] = []  # with the original and what stands for it
        self.inputs: list[Slot] = []
        self.outputs: list[Slot] = []

    def __enter__(self) -> Self:
        known: dict[int, tuple[Slot, Any, Any]] = {}
        self.reach = reached(self._roots)
        for place in self.reach.places:
            original = place.read()
            entry = known.get(id(original)) if not isinstance(original, int | float | complex) else None
            if entry is None:
                stand_in = self._recorded(original, place.name)
                if stand_in is None:
                    continue
                number = original if isinstance(original, int | float | complex) else None
                entry = Slot(stand_in.value, [], number), original, stand_in
                self.recording.fixed.add(stand_in.value)
                known[id(original)] = entry
                self._slots.append(entry)
            entry[0].places.append(place)
            place.write(entry[2])
        return self

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
        self.recording.closed = True
        for slot, original, stand_in in self._slots:
            kept = []
            for place in slot.places:
                now = place.read()
                if now is stand_in:
                    place.write(original)
                    kept.append(place)
                elif type(now) is Recorded:
                    self._leave(place, now)
                    kept.append(place)
                else:
                    kept.append(place)
            self.inputs.append(slot._replace(places=kept))
        for place in reached(self._roots).places:  # slots that were empty before: gradients, an optimizer's first means
            now = place.read()
            if type(now) is Recorded:
                self._leave(place, now)

    def _leave(self, place: Place, array: Recorded) -> None:
        """Put what the function has left in a place there, as itself."""
        held = array.held.view(np.ndarray) if isinstance(array.held, np.ndarray) else array.held
        place.write(held)
        self.outputs.append(Slot(array.value, [place]))
