"""The structure of a graph in which every number is a node: sums of products, equal parts, parts of a sequence.

Three steps, each linear in the number of boxes:

1. Sums and products of many numbers become one group each, ``dot product of 16`` (:mod:`.reductions`).
2. Equal neighbours, and equal sequences of neighbours, become one group that is drawn once, again and again until
   nothing is equal any more: a layer, a head of attention (:mod:`.folding`).
3. A long sequence in which something comes again and again, with other lengths in between, is cut there: the
   positions of a text (:mod:`.parts`).

Numbers that no operation makes, weights and data, are put aside before, and to their users after (:mod:`.leaves`).
A few small gradients among many are nothing to point at (:mod:`.states`).
"""

from __future__ import annotations

from ..model import OPERATION, Picture
from .folding import fold
from .leaves import put_back, taken_out
from .parts import cut
from .reductions import gather_reductions
from .states import overlook

FEWEST = 40
"""A graph of fewer operations on numbers is read as it is."""


def is_of_scalars(picture: Picture) -> bool:
    """Whether this is a graph of numbers: most of its operations, and so many that they need an order."""
    operations = [box for box in picture.boxes if box.kind == OPERATION]
    scalars = sum(bool(box.shape == ()) for box in operations)
    return FEWEST <= scalars >= len(operations) / 2


def fold_scalars(picture: Picture) -> None:
    """Find the structure of a graph of numbers, and make groups of it."""
    leaves = taken_out(picture)
    gather_reductions(picture)
    fold(picture)
    cut(picture)
    put_back(picture, leaves)
    overlook(picture)
    picture.total()
