"""Sums, products and extremes of many numbers, written as one operation after the other."""

from __future__ import annotations

from ..model import OPERATION, REDUCTION, Group, Picture

LEAST = {"multiply": 4, "maximum": 3, "minimum": 3, "logaddexp": 3, "add": 3}
"""Operations that may be done in any order, each with the number of terms from which on it is one thing."""
NAMES = {
    "multiply": "product", "maximum": "maximum", "minimum": "minimum", "logaddexp": "logsumexp", "add": "sum"
}  # fmt: skip


def gather_reductions(picture: Picture) -> None:
    """Put each tree of equal operations into a group of its own, and what a sum adds up, if that is products.

    A tree is grown from its last operation: what only this one uses, and is the same operation, belongs to it.
    """
    uses, last = _uses(picture)
    roots = _roots(picture, uses, last)
    trees: dict[int, list[int]] = {}
    for i, root in enumerate(roots):
        if root >= 0:
            trees.setdefault(root, []).append(i)
    first = {name: k for k, name in enumerate(LEAST)}
    made: dict[int, int] = {}
    for root in sorted(trees, key=lambda i: (first[picture.boxes[i].operation], i)):
        _gather(picture, trees[root], root, uses, made)
    for parent in {picture.groups[g].parent for g in made.values()}:
        _replace(picture, parent, made)


def _uses(picture: Picture) -> tuple[list[int], list[int]]:
    """How often each box is used, as an output too, and its last user."""
    uses, last = [0] * len(picture.boxes), [-1] * len(picture.boxes)
    for i, box in enumerate(picture.boxes):
        for p in box.parents:
            uses[p] += 1
            last[p] = i
    for i in picture.outputs:
        uses[i] += 1
    return uses, last


def _roots(picture: Picture, uses: list[int], last: list[int]) -> list[int]:
    """The last operation of the tree that each box is in, or -1."""
    boxes = picture.boxes
    roots = [-1] * len(boxes)
    for i in reversed(range(len(boxes))):
        box = boxes[i]
        if box.kind != OPERATION or box.shape != () or box.operation not in LEAST:
            continue
        user = boxes[last[i]]
        inner = uses[i] == 1 and last[i] >= 0 and (user.operation, user.group) == (box.operation, box.group)
        roots[i] = roots[last[i]] if inner and roots[last[i]] >= 0 else i
    return roots


def _gather(picture: Picture, tree: list[int], root: int, uses: list[int], made: dict[int, int]) -> None:
    """One group for a tree, if it has enough terms."""
    boxes = picture.boxes
    inside = set(tree)
    operation, around = boxes[root].operation, boxes[root].group
    terms = [p for i in tree for p in boxes[i].parents if p not in inside]
    count = len(terms) + sum(len(boxes[i].parents) < 2 for i in tree)  # a constant is no parent
    products = [
        p for p in terms
        if operation == "add" and boxes[p].operation == "multiply" and uses[p] == 1
        and boxes[p].group == around and boxes[p].shape == ()
    ]  # fmt: skip
    if len(products) < 2 or 2 * len(products) < count:
        products = []
    if count < LEAST[operation] and not products:
        return
    name, members = _name(picture, operation, count, products), [*tree, *products]
    function = picture.groups[around]
    if function.kind == "function" and len(function.children) == len(members):
        function.kind, function.type, function.result = REDUCTION, name, root  # a function that does nothing else
        return
    made[root] = len(picture.groups)
    picture.groups.append(Group(REDUCTION, name, "", around, result=root))
    for i in members:
        boxes[i].group = made[root]


def _name(picture: Picture, operation: str, count: int, products: list[int]) -> str:
    if not products:
        return f"{NAMES[operation]} of {count:,}"
    squares = all(len(set(picture.boxes[p].parents)) == 1 == len(picture.boxes[p].parents) - 1 for p in products)
    text = f"sum of {len(products):,} squares" if squares else f"dot product of {len(products):,}"
    return text + (f", plus {count - len(products):,}" if count > len(products) else "")


def _replace(picture: Picture, parent: int, made: dict[int, int]) -> None:
    """Put the new groups into the children of the group around them, each where its last operation stood."""
    children, inside = picture.groups[parent].children, set(made.values())
    left = []
    for what, i in children:
        if what == "box" and picture.boxes[i].group in inside:
            picture.groups[picture.boxes[i].group].children.append((what, i))
            if i in made and made[i] == picture.boxes[i].group:
                left.append(("group", made[i]))
        else:
            left.append((what, i))
    picture.groups[parent].children = left
