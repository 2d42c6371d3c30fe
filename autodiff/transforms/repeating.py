"""While loops: steps as long as a condition holds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..mode import current, is_recording
from .carries import Carry
from .checkpointing import checkpoint as checkpointed
from .conditions import chosen, many, one_truth
from .parts import Kept, Kind
from .rollers import TRIES, Roller, rollers
from .scanning import segment

_WHILE = Kind("while_loop")
TOO_MANY = "while_loop: the condition still holds after max_steps={} steps; allow more, or look at why it does not end"


class Repeat:
    """A loop as long as a condition holds."""

    def __init__(self, test: Callable[[Any], Any], body: Callable[[Any], Any], most: int | None) -> None:
        self.test, self.body, self.most = test, body, most

    def run(self, init: Any, checkpoint: Any, generators: list[Any]) -> Any:
        """The last value."""
        segment("while_loop", checkpoint, 0)
        call = functools.partial(self._whole, init, checkpoint, generators)
        return Kept().one_node(_WHILE, call, current()) if is_recording() else call()

    def _whole(self, init: Any, checkpoint: Any, generators: list[Any]) -> Any:
        carry = Carry("while_loop", "body_fun", init)
        if checkpoint is False or checkpoint is None:
            return self._some(carry, init, 0, None)[0]
        value, step, size, more = init, 0, 0, True
        while more:
            size = size + 1 if checkpoint is True else checkpoint
            some = checkpointed(functools.partial(self._some, carry), rng=generators)
            value, step, more = some(value, step, step + size)
        return value

    def _some(self, carry: Carry, value: Any, step: int, stop: int | None) -> Any:
        """Some of the steps: the value, how many steps were made, and whether it is to go on."""
        going: Any = None
        rolling = rollers[0] if rollers and stop is None else None
        marks: list[int] = []
        value = before = value if rolling is None else rolling.prepared(value)
        while stop is None or step < stop:
            if rolling is not None and step <= TRIES:
                marks.append(rolling.position())
                found = self._rolled(rolling, carry, before, value, step, slice(*marks[-2:])) if step else None
                if found is not None:
                    before, value, step = value, found.value, step + 1
                    if found.is_end:
                        return value, step, False
                    continue
            now = self._holds(value, step)
            several = many(now)
            if several is not None:  # examples, of which some are done
                going = now if going is None else np.logical_and(going, now)
                now = np.any(many(going))
            if not now:
                return value, step, False
            if self.most is not None and step >= self.most:
                raise RuntimeError(TOO_MANY.format(self.most))
            made = self._step(value, step, carry)
            before, value = value, made if several is None else chosen(going, made, value)
            step += 1
        return value, step, True

    def _rolled(self, rolling: Roller, carry: Carry, before: Any, value: Any, step: int, made: slice) -> Any:
        """The rest of the steps, recorded as a loop, or one of them; None, if nothing is done."""
        test, body = functools.partial(self._holds, step=step), functools.partial(self._step, step=step, carry=carry)
        most = None if self.most is None else (self.most - step, TOO_MANY.format(self.most))
        return rolling.repeated(test, body, before, value, made, most)

    def _holds(self, value: Any, step: int) -> Any:
        """The condition of a step."""
        try:
            return one_truth("while_loop", "cond_fun", self.test(value))
        except Exception as error:
            error.add_note(f"in the condition of step {step} of while_loop (counted from 0)")
            raise

    def _step(self, value: Any, step: int, carry: Carry) -> Any:
        """One step."""
        try:
            return carry.taken(self.body(value), step)
        except Exception as error:
            error.add_note(f"in step {step} of while_loop (counted from 0)")
            raise
