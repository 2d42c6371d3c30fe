"""Long sequences cut into parts that are alike but for their lengths, such as the positions of a text."""

from __future__ import annotations

import itertools
import re
from collections import Counter

from ..model import PART, Group, Picture
from ..repeats import Child

LONG = 24
"""A sequence of fewer things is read as it is."""
FEWEST = 3
ALIKE = 0.5
"""So much of two neighbouring parts must be the same for a cut."""
_COUNTS = re.compile(r"[\d,]+| × .*$")


def cut(picture: Picture) -> None:
    """Cut the children of each long group at what stands at the end, or at the beginning, of each of its parts."""
    for g in picture.preorder():
        children = picture.groups[g].children
        if len(children) >= LONG:
            _make(picture, g, bounds([_word(picture, child) for child in children]))


def _word(picture: Picture, child: Child) -> str:
    """What a thing is, without how many."""
    what, i = child
    return _COUNTS.sub("", picture.boxes[i].operation if what == "box" else picture.groups[i].title)


def bounds(words: list[str]) -> list[int]:
    """Where the parts of a sequence begin, and where the last one ends: at the word that cuts it into the most alike.

    >>> bounds(["a", "b", "end", "a", "b", "b", "end", "a", "b", "end", "c"])
    [0, 3, 7, 10]
    """
    places: dict[str, list[int]] = {}
    for k, word in enumerate(words):
        places.setdefault(word, []).append(k)
    best: tuple[float, list[int]] = (ALIKE, [])
    for found in places.values():
        if FEWEST <= len(found) <= len(words) / 3:
            for cuts in ([0, *(k + 1 for k in found)], [*found, len(words)]):
                best = max(best, (_likeness(words, cuts), cuts), key=lambda pair: pair[0])
    return best[1]


def _likeness(words: list[str], cuts: list[int]) -> float:
    """How much neighbouring parts have in common, on average: 1 if all are the same and nothing else is there."""
    parts = [Counter(words[a:b]) for a, b in itertools.pairwise(cuts)]
    shares = [(a & b).total() / (a | b).total() for a, b in itertools.pairwise(parts)]
    return (cuts[-1] - cuts[0]) / len(words) * sum(shares) / len(shares)


def _make(picture: Picture, g: int, cuts: list[int]) -> None:
    """A group for each part."""
    if not cuts:
        return
    children = picture.groups[g].children
    result: list[Child] = []
    for k, (a, b) in enumerate(itertools.pairwise(cuts), 1):
        part = len(picture.groups)
        picture.groups.append(Group(PART, f"part {k} of {len(cuts) - 1}", "", g, children[a:b]))
        for what, i in children[a:b]:
            if what == "box":
                picture.boxes[i].group = part
            else:
                picture.groups[i].parent = part
        result.append(("group", part))
    picture.groups[g].children = [*children[: cuts[0]], *result, *children[cuts[-1] :]]
