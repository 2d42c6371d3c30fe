"""Equal parts of a graph of numbers, folded level by level."""

from __future__ import annotations

from functools import partial

from ..model import OPERATION, REDUCTION, Picture
from ..repeats import LONGEST_PERIOD, WORTH, Child, Signatures, alike, repeat_of, runs, with_runs_folded

ROUNDS = 8
"""A fold may make neighbours equal: so often it is looked again."""
SHORT = 6
"""A sum of so many terms is read as it is."""
ACTIVATIONS = ("relu", "tanh", "sigmoid", "maximum")
Use = tuple[int, int, int]
"""The box that uses another, what kind of thing that is, and as which argument."""
Place = tuple[frozenset[int], frozenset[tuple[int, int]]]


def fold(picture: Picture) -> None:
    """Fold equal neighbours in every group: single ones first, then sequences, as long as there are any."""
    signatures = Signatures(picture)
    uses: list[list[Use]] = [[] for _ in picture.boxes]
    for i, box in enumerate(picture.boxes):
        around = picture.groups[box.group]
        whole = around.kind == REDUCTION
        kind = signatures.groups[box.group] if whole else -1 - signatures.boxes[i]
        is_term = whole and box.operation == picture.boxes[around.result].operation  # one is like the other
        for k, p in enumerate(box.parents):
            uses[p].append((i, kind, 0 if is_term else k))
    for g in picture.preorder():
        group = picture.groups[g]
        if group.kind == REDUCTION:
            if len(group.children) > 2 * SHORT:
                _Fold(picture, signatures, uses, g).once(LONGEST_PERIOD)
            continue
        for _ in range(ROUNDS):
            before = len(group.children)
            for longest in (1, LONGEST_PERIOD):
                _Fold(picture, signatures, uses, g).once(longest)
            if len(group.children) == before:
                break


class _Fold:
    """One look at the children of a group."""

    def __init__(self, picture: Picture, signatures: Signatures, uses: list[list[Use]], g: int) -> None:
        self.picture = picture
        self.signatures = signatures
        self.uses = uses
        self.g = g
        self.around = {g}
        while g > 0:
            g = picture.groups[g].parent
            self.around.add(g)
        self._seen_from_here: dict[int, int] = {}

    def once(self, longest: int) -> None:
        """Fold every run of equal sequences that are not longer than this."""
        group = self.picture.groups[self.g]
        children = group.children
        found = runs([self.signatures.of(child) for child in children], 2, longest)
        group.children = with_runs_folded(children, found, self._folded)

    def _folded(self, blocks: list[list[Child]]) -> list[Child]:
        """These blocks, the neighbours among them that belong together in one group."""
        result: list[Child] = []
        members = [[b for child in block for b in self.picture.members(child)] for block in blocks]
        places = [self._place(inside) for inside in members]
        start = 0
        while start < len(blocks):
            follows = partial(self._follows, members, places)
            end = start + 1
            kind = follows(start, end) if end < len(blocks) else ""
            while end < len(blocks) and kind and follows(end - 1, end) == kind:
                if not alike(self.picture, members[start], members[end]):
                    break
                end += 1
            saved = (end - start - 1) * len(members[start])
            if end - start > 1 and saved >= WORTH:
                result.append(self._repeat(blocks[start:end]))
            else:
                result.extend(child for block in blocks[start:end] for child in block)
            start = end
        return result

    def _repeat(self, blocks: list[list[Child]]) -> Child:
        """One group around equal blocks, with a signature, and the name of what everybody knows."""
        picture = self.picture
        what, made = repeat_of(picture, self.g, blocks)
        self.signatures.note(picture, made)
        if len(blocks[0]) == 2:
            (kind, i), (last, k) = blocks[0]
            sums = kind == "group" and "dot product" in picture.groups[i].title
            if sums and last == "box" and picture.boxes[k].operation in ACTIVATIONS:
                picture.groups[made].name = f"neuron: {picture.groups[made].name}"
        return what, made

    def _place(self, inside: list[int]) -> Place:
        """What kinds of things a block uses, and what kinds of things use it."""
        boxes, own = self.picture.boxes, set(inside)
        sources = {
            self._kind_of(p) for i in inside for p in boxes[i].parents if p not in own and boxes[p].kind == OPERATION
        }
        ends = {(kind, argument) for i in inside for user, kind, argument in self.uses[i] if user not in own}
        return frozenset(sources), frozenset(ends)

    def _kind_of(self, i: int) -> int:
        """The signature of what a box is in, as it is seen from the group that is folded."""
        group = self.picture.boxes[i].group
        if group in self.around:
            return self.signatures.boxes[i]
        if group not in self._seen_from_here:
            top = group
            while self.picture.groups[top].parent not in self.around:
                top = self.picture.groups[top].parent
            self._seen_from_here[group] = -1 - self.signatures.groups[top]
        return self._seen_from_here[group]

    def _follows(self, members: list[list[int]], places: list[Place], a: int, b: int) -> str:
        """The relation of two neighbours: one uses the other, or both use the same things for the same."""
        before = set(members[a])
        if any(p in before for i in members[b] for p in self.picture.boxes[i].parents):
            return "chain"
        return "fan" if places[a] == places[b] else ""
