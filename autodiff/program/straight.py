"""A program as one function of straight code: it reads the places, makes the calls, and writes the places."""

from __future__ import annotations

import functools
import keyword
import linecache
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import writes
from .finishing import Finish
from .instruction import Value
from .lines import STATE, Lines
from .passes.buffers import planned
from .passes.memory import owners_of
from .places import Place
from .pool import Recycled
from .undoing import copied, put_back, written_late

if TYPE_CHECKING:
    from .program import Program

Array = Any
OTHERWISE = Ellipsis
"""What the function returns, and has done nothing, if arrays lie otherwise in memory than at the capture, or share it.

How arrays lie decides how those lie that are made of them, which buffers would change.
"""
_OWN = {
    "run",
    "inputs",
    "buffers",
    "idle",
    "made",
    "settle",
    "note",
    "mark",
    "marked",
    "before",
    "errors",
    "own",
    "copied",
    "put_back",
    "apart",
    "around",
    "i",
}


class Straight:
    """A function ``run(inputs)`` that gives the outputs, and leaves what is left in the places.

    ``settle`` is called with what is in the places that the program reads, if they, or those that it checks, hold
    something else than in the last run: it looks whether the program fits.  ``early`` are the positions of the given
    values that are written while a call may still fail: they are put back if one does.
    """

    def __init__(self, program: Program, settle: Callable[[tuple[Any, ...]], None], early: Sequence[int]) -> None:
        self._program = program
        self._plan = plan = planned(program)
        rooms = [f"r{i}" for i in range(len(plan.given))]
        seen = [f"s{i}" for i in range(len(program.reads))]
        self._writer = writer = Lines(plan, {*_OWN, *rooms, *seen})
        self._given = program.given_values
        self._names = [writer.target(value).text for value in self._given]
        self._early = [self._names[i] for i in early]
        writer.named |= dict(zip(plan.given, rooms, strict=True))
        self._recycled = {room: Recycled(buffer.made) for room, buffer in zip(rooms, plan.given.values(), strict=True)}
        self._known = writer.known
        self._known |= {writer.target(value).text: array for value, array in program.constants.items()}
        self._known |= {
            "settle": settle,
            "note": writes.note_all,
            "mark": writes.mark,
            "copied": copied,
            "put_back": put_back,
        }
        self._known |= {"idle": [], "made": lambda: [buffer.made() for buffer in plan.buffers]}
        self._known |= dict.fromkeys([*seen, "around"], self)  # which is in no place
        self._known["errors"] = STATE
        computed, changed = self._computed()
        before, after = [*self._before(), *computed], [*changed, *self._after()]
        lines = [*before, *after]
        self.text = "\n".join(["def run(inputs):", *[f"    {line}" for line in lines]]) + "\n"
        name = f"<program {program.name} {id(self):x}>"
        linecache.cache[name] = len(self.text), None, self.text.splitlines(keepends=True), name
        exec(compile(self.text, name, "exec"), self._known)
        self.run: Callable[[Sequence[Any]], Any] = self._known["run"]
        self.finish = Finish(self.run.__code__, after, len(before) + 2, self._known)
        """What is done after an exception in the part of a run that changes things."""

    def remember(self, found: Sequence[Any]) -> None:
        """Take what is in the places that are read for what fits."""
        self._known |= {f"s{i}": now for i, now in enumerate(found)}
        self._known["around"] = None if STATE is None else STATE.get()
        held = dict(zip([slot.value for slot in self._program.reads], found, strict=True))
        written = {v for i in self._program.instructions for v in i.writes if v.kind is np.ndarray and v in held}
        self._known["marked"] = writes.places_of(held[value] for value in written)
        pairs = {pair for block in self._plan.blocks for pair in block.apart}
        self._known["apart"] = not any(np.may_share_memory(*[held[value] for value in pair]) for pair in pairs)

    # -- before ----------------------------------------------------------------------------------------------

    def _before(self) -> list[str]:
        """What is read, and whether it is what it was."""
        program, count = self._program, len(self._program.inputs)
        names = self._names[count:]
        lines = [f"{', '.join(self._names[:count])}, = inputs"] * bool(count)
        lines += [f"{name} = {self._read(slot.places[0])}" for slot, name in zip(program.reads, names, strict=True)]
        same = self._same(names)
        if same:
            lines += [f"if not ({' and '.join(same)}):", f"    settle(({''.join(f'{name}, ' for name in names)}))"]
        arrays = [pair for pair in zip(self._names, self._given, strict=True) if pair[1].kind is np.ndarray]
        otherwise = [f"{name}.strides != {value.strides}" for name, value in arrays]
        otherwise += ["not apart"] * any(block.apart for block in self._plan.blocks)
        if otherwise:
            lines += [f"if {' or '.join(otherwise)}:", "    return ..."]
        if self._plan.buffers:
            lines += ["try:", "    buffers = idle.pop()", "except IndexError:", "    buffers = made()"]
            lines += [f"{''.join(f'b{buffer.number}, ' for buffer in self._plan.buffers)}= buffers"]
        return lines + [f"{room} = {self._writer.bound(r.take)}()" for room, r in self._recycled.items()]

    def _same(self, names: Sequence[str]) -> list[str]:
        """The conditions under which what is in the places fits without a closer look."""
        conditions = []
        for i, (slot, name) in enumerate(zip(self._program.reads, names, strict=True)):
            array = slot.value.kind is np.ndarray
            conditions.append(f"{name} is s{i}" if array else f"type({name}) is {self._writer.bound(slot.value.kind)}")
            if slot.initial is None:  # one object, in several places
                conditions += [f"{self._read(place)} is {name}" for place in slot.places[1:]]
        for slot in self._program.checks:
            if slot.places[0].read is np.geterr and STATE is not None:
                conditions.append("errors.get() is around")
                continue
            compared = "==" if slot.places[0].read is np.geterr else "is"
            conditions.append(f"{self._read(slot.places[0])} {compared} {self._writer.bound(slot.initial)}")
        return conditions

    def _read(self, place: Place) -> str:
        """An expression for what is in a place."""
        return self._slot(place.read, getattr, operator.getitem) or f"{self._writer.bound(place.read)}()"

    def _slot(self, way: Any, attribute: Any, item: Any) -> str:
        """An attribute or an item as one writes it, if a way that is made of one of these functions leads to it."""
        if isinstance(way, functools.partial) and not way.keywords and len(way.args) == 2:
            holder, name = way.args
            if way.func is attribute and name.isidentifier() and not keyword.iskeyword(name):
                return f"{self._writer.bound(holder)}.{name}"
            if way.func is item:
                return f"{self._writer.bound(holder)}[{self._writer.argument(name)}]"
        return ""

    # -- the calls -------------------------------------------------------------------------------------------

    def _computed(self) -> tuple[list[str], list[str]]:
        """The calls until none fails any more, and those after that; what was written is put back if one fails."""
        instructions, late = self._program.instructions, written_late(self._program)
        late = next((block.start for block in self._plan.blocks if block.start < late < block.stop), late)
        body = list(self._writer.body(instructions[:late]))
        rest = list(self._writer.body(instructions[late:], late))
        if not self._early:
            return body, rest
        return [
            *[f"before_{name} = copied({name})" for name in self._early],
            "try:",
            *[f"    {line}" for line in body or ["pass"]],
            "except BaseException:",
            *[f"    put_back({name}, before_{name})" for name in self._early],
            "    raise",
        ], rest

    # -- after -----------------------------------------------------------------------------------------------

    def _after(self) -> list[str]:
        """What is left in the places, and the outputs."""
        program, writer = self._program, self._writer
        lines = ["idle.append(buffers)"] * bool(self._plan.buffers)
        lines += [f"{writer.bound(r.give)}({room})" for room, r in self._recycled.items()]
        owners = owners_of(program.instructions)
        written = dict.fromkeys(v for i in program.instructions for v in i.writes if v.kind is np.ndarray)
        held = {slot.value for slot in program.reads}
        outside = [v for v in written if v not in held and not owners.get(v, {v}).isdisjoint(self._given)]
        if outside:
            lines.append(f"note(({''.join(f'{writer.named[v]}, ' for v in outside)}))")
        lines += ["mark(marked)"] * (not held.isdisjoint(written))
        for slot in program.writes:
            value = self._result(slot.value, owners)
            for place in slot.places:
                lines.append(self._write(place, value))
        return [*lines, f"return [{', '.join(self._result(o, owners) for o in program.outputs)}]"]

    def _result(self, result: Any, owners: dict[Value, set[Value]]) -> str:
        """An expression for a result; a copy of a constant."""
        if type(result) is not Value:
            return self._writer.bound(result)
        name = self._writer.named[result]
        if owners.get(result, {result}).isdisjoint(self._program.constants):
            return name
        constants = {id(array) for array in self._program.constants.values()}
        self._known["own"] = lambda array: array.copy() if id(array) in constants else array
        return f"own({name})"

    def _write(self, place: Place, value: str) -> str:
        """A statement that puts something into a place."""
        slot = self._slot(place.write, setattr, operator.setitem)
        return f"{slot} = {value}" if slot else f"{self._writer.bound(place.write)}({value})"
