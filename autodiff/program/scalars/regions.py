"""Which calls of numbers are made together: as many as the other calls of the program allow.

The other calls stay in their order.  A call of numbers can be made at any place after those that it depends on, and
before those that need it; all that can be are made at the last place where one must be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..instruction import Guard, Instruction, Value
from .listing import Listing

if TYPE_CHECKING:
    from ..program import Program


class Regions:
    """The calls of numbers of a program, divided.

    ``others`` are the instructions that stay, and ``of`` says for each cell in which region it is computed, -1 for
    those that nobody needs and those that are given; region ``r`` comes before ``others[places[r]]``.  ``needed`` says
    for each cell whether it is used outside of the region.
    """

    def __init__(self, program: Program, listing: Listing) -> None:
        self.listing = listing
        cells = len(listing.codes)
        used = bytearray(cells)
        self.needed = bytearray(cells)
        self.others: list[Instruction] = []
        self.deadline: list[int] = []
        self._sweep(program, used)
        after, before = self._after(used), self._before(used)
        self._made = listing.table[0] >= 0
        asked = np.frombuffer(used, bool) & (self._made | np.frombuffer(self.needed, bool))
        self.places, self.of = _stabbed(np.array(after), np.array(before), asked)
        self._cross()

    def _sweep(self, program: Program, used: bytearray) -> None:
        """What is needed by the results, by checks and by writes, from the end to the beginning."""
        listing, cells = self.listing, self.listing.cells
        first, second, third = listing.first, listing.second, listing.third
        needed: set[Value] = set(program.results)
        for value in needed:
            self._need(value, used)
        for row in reversed(listing.rows):
            if type(row) is int:
                if used[row]:
                    used[first[row]] = True
                    if second[row] >= 0:
                        used[second[row]] = True
                        if row in third:
                            used[third[row]] = True
            elif type(row) is tuple:
                used[row[1]] = True
            elif (
                isinstance(row.function, Guard) or row.writes or not needed.isdisjoint(row.results)
                or any(value in cells and used[cells[value]] for value in row.results)
            ):  # fmt: skip
                self.others.append(row)
                for value in row.operands:
                    needed.add(value)
                    self._need(value, used)
        self.others.reverse()

    def _need(self, value: Value, used: bytearray) -> None:
        """Mark the cell of a value that a region has to give."""
        cell = self.made(value)
        if cell is not None:
            used[cell] = self.needed[cell] = True

    def made(self, value: Value) -> int | None:
        """The cell of a value, if the value is not simply there: given, or made by another instruction."""
        cell = self.listing.cells.get(value)
        return None if cell is None or self.listing.given.get(cell) is value else cell

    def _after(self, used: bytearray) -> list[int]:
        """For each cell: after how many of the other instructions it is known."""
        listing, operands = self.listing, self.listing.operands
        made = {value: n + 1 for n, row in enumerate(self.others) for value in row.results}
        if not made.keys() & listing.cells.keys():
            return [0] * len(used)
        after = [0] * len(used)
        for cell, value in listing.given.items():
            after[cell] = made.get(value, 0)
        for cell, code in enumerate(listing.codes):
            if code >= 0:
                after[cell] = max([after[part] for part in operands(cell)])
        return after

    def _before(self, used: bytearray) -> list[int]:
        """For each cell: before which of the other instructions it must be known."""
        operands, end = self.listing.operands, len(self.others)
        before = [end] * len(used)
        for n, row in reversed(list(enumerate(self.others))):
            for value in row.operands:
                cell = self.made(value)
                if cell is not None:
                    before[cell] = n
        if min(before, default=end) < end:
            for cell in range(len(used) - 1, -1, -1):
                if used[cell]:
                    mine = before[cell]
                    for part in operands(cell):
                        before[part] = min(before[part], mine)
        return before

    def _cross(self) -> None:
        """Mark what one region needs of another one."""
        if len(self.places) < 2:
            return
        of, needed = self.of.tolist(), self.needed
        for cell, region in enumerate(of):
            if region >= 0:
                for part in self.listing.operands(cell):
                    if of[part] != region:
                        needed[part] = True

    def members(self, region: int) -> Any:
        """The cells that are computed in a region, in the order of the program."""
        return np.flatnonzero((self.of == region) & self._made)

    def checks(self) -> Iterator[tuple[int, tuple[Guard, int, Value]]]:
        """The checks, each with the region at whose end it is made: where its number is known."""
        last = max(len(self.places) - 1, 0)
        for check in self.listing.checks:
            cell = check[1]
            region = last if self.of[cell] < 0 else int(self.of[cell])
            yield region, check


def _stabbed(after: Any, before: Any, used: Any) -> tuple[list[int], Any]:
    """The places of the regions, and the region of each cell."""
    order = np.flatnonzero(used)
    order = order[np.argsort(before[order], kind="stable")]
    places: list[int] = []
    last = -1
    ends, starts = np.unique(before[order], return_index=True)
    latest = np.maximum.reduceat(after[order], starts) if len(order) else ends
    for end, known in zip(ends.tolist(), latest.tolist(), strict=True):
        if known > last or not places:
            places.append(end)
            last = end
    of = np.where(used, np.searchsorted(places, after, side="left"), -1)
    return places, of
