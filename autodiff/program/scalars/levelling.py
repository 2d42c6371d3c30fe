"""A program whose calls of numbers are made group by group: a short program, with regions among its instructions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..instruction import Instruction, Value
from ..slot import Slot
from .families import Given, Left, way_of
from .listing import Listing
from .operations import KINDS
from .region import Region, Source
from .regions import Regions

if TYPE_CHECKING:
    from ..program import Program

LEAST = 300
"""Calls of numbers from which it may pay."""
MOST = 100_000_000
"""Regions times numbers: what it takes to schedule them."""
MANY = 8
"""Places of one kind that are read, or written, at once."""


class Levelled(NamedTuple):
    """The short program; ``given`` are arrays behind its inputs, ``left`` the last ones of its outputs, by number."""

    program: Program
    given: list[Given]
    left: list[tuple[int, Left]]

    @property
    def regions(self) -> list[Region]:
        """The regions, in order."""
        return [i.function for i in self.program.instructions if isinstance(i.function, Region)]


def levelled(program: Program, long: int) -> Levelled | None:
    """The program with regions; None if that would not be faster, and the program has not more calls than ``long``."""
    if len(program.instructions) < LEAST:
        return None
    listing = Listing(program)
    if listing.calls < LEAST:
        return None
    regions = Regions(program, listing)
    if len(regions.places) * len(listing.codes) > MOST:
        return None
    return _Levelling(program, listing, regions).made(long)


class _Levelling:
    def __init__(self, program: Program, listing: Listing, regions: Regions) -> None:
        self.program, self.listing, self.regions = program, listing, regions
        self.count = len(regions.places)
        self.given, self.family = self._families()
        self.vectors = [Value((0,), np.dtype(np.float64), np.ndarray, strides=(8,)) for _ in range(self.count)]
        self.together: list[list[int]] = [[] for _ in range(self.count)]
        self.single: list[dict[Value, None]] = [{} for _ in range(self.count)]

    def made(self, long: int) -> Levelled | None:
        """The short program."""
        program = self.program
        left, writes = self._left()
        self._singles(writes)
        self._between()
        made = self._regions()
        pay = sum(len(region.members) for region in made if region.groups)
        if 2 * pay < sum(len(region.members) for region in made) and len(program.instructions) <= long:
            return None
        instructions: list[Instruction] = []
        places = self.regions.places
        for n, other in enumerate([*self.regions.others, None]):
            for region, place, vector in zip(made, places, self.vectors, strict=True):
                if place == n:
                    instructions.append(self._instruction(region, vector))
            if other is not None:
                instructions.append(other)
        outputs = [*program.outputs, *[self.vectors[region] for region in sorted({r for r, _ in left})]]
        numbers = {region: n for n, region in enumerate(sorted({r for r, _ in left}))}
        taken = {slot.value for family in self.given for slot in family.slots}
        short = type(program)(
            program.name, program.arguments, [*program.inputs, *[family.value for family in self.given]],
            [slot for slot in program.reads if slot.value not in taken], writes, program.constants, instructions,
            outputs, program.nested, program.checks, program.parameters,
        )  # fmt: skip
        return Levelled(short, self.given, [(numbers[region], family) for region, family in left])

    def _instruction(self, region: Region, vector: Value) -> Instruction:
        result = (*([vector] if region.together else []), *region.single)
        return Instruction(region, tuple(source.value for source in region.sources), {}, result or None)

    def _families(self) -> tuple[list[Given], dict[int, Given]]:
        """The places that are read at once, and by the cell of a number: with which others."""
        listing = self.listing
        cells = {value: cell for cell, value in listing.given.items()}
        alone = self.program.results | {v for other in self.regions.others for v in other.operands}
        groups: dict[Any, list[Slot]] = {}
        for slot in self.program.reads:
            kind = slot.value.kind
            number = kind in KINDS or (kind is np.ndarray and slot.value.dtype == np.float64)
            if number and slot.value in cells and slot.value not in alone and len(slot.places) == 1:
                groups.setdefault((kind, way_of(slot.places[0])), []).append(slot)
        given = [Given(slots) for slots in groups.values() if len(slots) >= MANY]
        return given, {cells[slot.value]: family for family in given for slot in family.slots}

    def _left(self) -> tuple[list[tuple[int, Left]], list[Slot]]:
        """The places that are written at once, each kind with its region; and the slots that are left for others."""
        groups: dict[Any, list[Slot]] = {}
        kept: list[Slot] = []
        for slot in self.program.writes:
            cell = self.regions.made(slot.value) if type(slot.value) is Value else None
            if cell is None or slot.value.kind not in KINDS or len({way_of(place) for place in slot.places}) > 1:
                kept.append(slot)
            else:
                key = (int(self.regions.of[cell]), slot.value.kind, way_of(slot.places[0]))
                groups.setdefault(key, []).append(slot)
        left = []
        for (region, kind, _), slots in groups.items():
            if len(slots) < MANY:
                kept += slots
                continue
            places, positions = [], []
            for slot in slots:
                for place in slot.places:
                    places.append(place)
                    positions.append(self._exported(region, self.listing.cells[slot.value]))
            left.append((region, Left(places, positions, kind)))
        return left, kept

    def _exported(self, region: int, cell: int) -> int:
        """The position of a cell in the array that a region gives."""
        self.together[region].append(cell)
        return len(self.together[region]) - 1

    def _singles(self, writes: Sequence[Slot]) -> None:
        """What others need one by one."""
        wanted = [v for other in self.regions.others for v in other.operands]
        wanted += [*self.program.outputs, *[slot.value for slot in writes]]
        for value in wanted:
            cell = self.regions.made(value) if type(value) is Value else None
            if cell is not None:
                self.single[int(self.regions.of[cell])][value] = None

    def _between(self) -> None:
        """What one region needs of an earlier one goes into the array of that."""
        of, listing = self.regions.of.tolist(), self.listing
        if self.count < 2:
            return
        there = [set(cells) for cells in self.together]
        for cell in range(len(of)):
            for part in listing.operands(cell):
                if of[cell] >= 0 and listing.codes[part] >= 0 and of[part] != of[cell] and part not in there[of[part]]:
                    there[of[part]].add(part)
                    self.together[of[part]].append(part)

    def _regions(self) -> list[Region]:
        """The regions with their sources, in order."""
        regions, listing = self.regions, self.listing
        checks: list[list[Any]] = [[] for _ in range(self.count)]
        for region, check in regions.checks():
            checks[region].append(check)
        members = [regions.members(region) for region in range(self.count)]
        found = []
        for region in range(self.count):
            asked = [cell for _, cell, _ in checks[region]] + [listing.cells[v] for v in self.single[region]]
            asked += self.together[region]
            sources = self._sources(self._outside(members[region], asked))
            single = list(self.single[region])
            found.append(Region(listing, members[region], sources, checks[region], self.together[region], single))
        return found

    def _outside(self, members: Any, asked: list[int]) -> list[int]:
        """The cells that a region needs and does not compute."""
        listing = self.listing
        parts = [*listing.table[2:, members], np.array(asked, int)]
        if listing.third:
            inside = members[np.isin(members, list(listing.third))].tolist()
            parts.append(np.array([listing.third[cell] for cell in inside], int))
        needed = np.zeros(len(listing.codes) + 1, bool)  # the last one for -1, which is none
        for cells in parts:
            needed[cells] = True
        needed[members] = needed[-1] = False
        found: list[int] = np.flatnonzero(needed).tolist()
        return found

    def _sources(self, outside: list[int]) -> list[Source]:
        """Where cells come from that a region does not compute: arrays first."""
        listing, of = self.listing, self.regions.of
        arrays: dict[Value, list[int]] = {}
        single: list[Source] = []
        for cell in outside:
            if listing.codes[cell] >= 0:
                region = int(of[cell])
                arrays[self.vectors[region]] = self.together[region]
            elif cell in self.family:
                family = self.family[cell]
                if family.value not in arrays:
                    arrays[family.value] = [listing.cells[slot.value] for slot in family.slots]
            elif cell in listing.given:
                single.append(Source(listing.given[cell], [cell]))
        return [*[Source(value, cells) for value, cells in arrays.items()], *single]
