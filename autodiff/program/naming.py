"""The names of values: those of the user's variables."""

from __future__ import annotations

import dis
import itertools
import keyword
import re
from collections import Counter
from collections.abc import Callable
from types import CodeType, FrameType
from typing import TypeVar

Found = TypeVar("Found")


def once_for_each(find: Callable[[CodeType], Found]) -> Callable[[CodeType], Found]:
    """A function of code that looks into each once; it is known by its identity, for its hash takes long."""
    known: dict[int, tuple[CodeType, Found]] = {}

    def found(code: CodeType) -> Found:
        entry = known.get(id(code))
        if entry is None:
            entry = known[id(code)] = code, find(code)
        return entry[1]

    return found


RETURNED = "return"
"""In the place of a variable: who called the function decides."""


@once_for_each
def _stores(code: CodeType) -> dict[int, str]:
    """By the offset of an instruction: the variable that its result is bound to by the next one, or RETURNED."""
    found: dict[int, str] = {}
    for one, then in itertools.pairwise(i for i in dis.get_instructions(code) if i.opname != "CACHE"):
        name = None
        if then.opname == "RETURN_VALUE":
            name = RETURNED
        elif then.opname.startswith("STORE_") and then.opname not in ("STORE_SUBSCR", "STORE_SLICE"):
            name = then.argval[0] if isinstance(then.argval, tuple) else then.argval
        if isinstance(name, str):  # while a function of Python is called, Python 3.11 is at the end of the caches
            found |= dict.fromkeys(range(one.offset, then.offset, 2), name)
    return found


def stored_name(frame: FrameType) -> str:
    """The variable that the call which is being made in a frame is assigned to; empty if it is part of a larger one.

    RETURNED if the function returns it.
    """
    return _stores(frame.f_code).get(frame.f_lasti, "")


def short_names(paths: list[str]) -> list[str]:
    """The shortest ends of paths that tell them apart, as names.

    >>> short_names(["model.layers[0].weight", "model.layers[2].weight", "optimizer.betas[0]", "optimizer.lr"])
    ['layers_0_weight', 'layers_2_weight', 'betas_0', 'lr']
    """
    parts = [[word.strip("_") or "t" for word in re.findall(r"\w+", path)] or ["t"] for path in paths]
    lengths = [next((n for n in range(1, len(p) + 1) if not p[-n].isdigit()), len(p)) for p in parts]
    for _ in range(max(map(len, parts), default=0)):
        names = ["_".join(p[-n:]) for p, n in zip(parts, lengths, strict=True)]
        counts = Counter(names)
        several = [i for i, name in enumerate(names) if counts[name] > 1 and lengths[i] < len(parts[i])]
        if not several:
            break
        for i in several:
            lengths[i] += 1
            while lengths[i] < len(parts[i]) and parts[i][-lengths[i]].isdigit():
                lengths[i] += 1
    return ["_".join(p[-n:]) for p, n in zip(parts, lengths, strict=True)]


class Names:
    """Different names, that no word of Python's and none of ``taken`` has."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)
        self._next: dict[str, int] = {}

    def fresh(self, wanted: str) -> str:
        """The wanted name, or the first of it with a number that is free."""
        wanted = re.sub(r"\W+", "_", wanted).strip("_") or "t"
        if wanted[0].isdigit():
            wanted = f"t{wanted}"
        if keyword.iskeyword(wanted):
            wanted += "_"
        name = wanted
        while name in self._taken:
            number = self._next[wanted] = self._next.get(wanted, 1) + 1
            name = f"{wanted}_{number}" if wanted[-1].isdigit() else f"{wanted}{number}"
        self._taken.add(name)
        return name

    def exact(self, wanted: str) -> str:
        """The wanted name as it stands, or with a number if it is taken."""
        name, number = wanted, 2
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._taken
