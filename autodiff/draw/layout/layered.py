"""Placing the nodes of one acyclic graph in layers, after K. Sugiyama, S. Tagawa, M. Toda (1981).

1. Each node gets the layer below its lowest parent; a node without parents comes down to its first user.
2. An arrow over several layers gets a bend in each; all such arrows from one place share their bends.
3. Layers are sorted by the mean position of their neighbours, up and down a few times; the best order stays.
4. Positions are the least-squares fit to those of the neighbours that keeps the order and the distances.
   What only feeds one operation, a parameter, weighs little: the way of the data goes straight down.
5. Bends of one arrow are put above one another as far as what stands beside them leaves room.

``formats/page/layout.js`` is the same in the browser.  Every step is linear in nodes, bends and arrows, or n log n.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from math import inf

GAP_X, GAP_Y, GAP_PORT, BEND = 22.0, 34.0, 14.0, 10.0
SWEEPS = 6
Arrow = tuple[int, int, float, float]  # from, to, and where it leaves and arrives, from the middle of the node
Point = tuple[float, float]


@dataclass
class Layers:
    """The result: middles and tops of the nodes, the points of each arrow, the total size."""

    x: list[float]
    y: list[float]
    routes: list[list[Point]]
    width: float
    height: float


@dataclass
class _Work:
    """The graph while it is placed: the nodes and, after them, the bends."""

    rank: list[int]
    width: list[float]
    up: list[list[tuple[int, float, float]]] = field(default_factory=list)  # neighbour, its offset, own offset
    down: list[list[tuple[int, float, float]]] = field(default_factory=list)
    chains: list[list[int]] = field(default_factory=list)
    trunks: dict[tuple[int, float], list[int]] = field(default_factory=dict)  # all bends of the arrows from one place
    rows: list[list[int]] = field(default_factory=list)


def place(
    widths: list[float], heights: list[float], arrows: list[Arrow], first: set[int], last: set[int], title: float = 0.0
) -> Layers:
    """Place nodes of these sizes; ``first`` stay in the top layer and ``last`` in the bottom layer.

    The top layer keeps a ``title`` of this width free, at its left end.
    """
    rank = _ranks(len(widths), arrows, first, last)
    work = _with_bends(rank, widths, arrows)
    if title and first:
        _reserve(work, title)
    _order(work)
    x = _positions(work)
    _straighten(work, x)
    count = max(rank, default=-1) + 1
    tall = [0.0] * count
    for i, r in enumerate(rank):
        tall[r] = max(tall[r], heights[i])
    top = [0.0] * count
    for r in range(1, count):
        top[r] = top[r - 1] + tall[r - 1] + (GAP_Y if tall[r] and tall[r - 1] else GAP_PORT)
    parents = [0] * len(widths)
    for _, b, _, _ in arrows:
        parents[b] += 1
    y = [top[r] + (0.0 if parents[i] else tall[r] - heights[i]) for i, r in enumerate(rank)]
    left = min((v - w / 2 for v, w in zip(x, work.width, strict=True)), default=0.0)
    x = [v - left for v in x]
    routes = []
    for (a, b, leave, arrive), chain in zip(arrows, work.chains, strict=True):
        points = [(x[a] + leave, y[a] + heights[a]), (x[a] + leave, top[rank[a]] + tall[rank[a]])]
        for bend in chain:
            points += [(x[bend], top[work.rank[bend]]), (x[bend], top[work.rank[bend]] + tall[work.rank[bend]])]
        points += [(x[b] + arrive, top[rank[b]]), (x[b] + arrive, y[b])]
        routes.append([p for i, p in enumerate(points) if i == 0 or p != points[i - 1]])
    right = max((v + w / 2 for v, w in zip(x, work.width, strict=True)), default=0.0)
    return Layers(x[: len(widths)], y, routes, right, top[-1] + tall[-1] if count else 0.0)


def _ranks(n: int, arrows: list[Arrow], first: set[int], last: set[int]) -> list[int]:
    users: list[list[int]] = [[] for _ in range(n)]
    missing = [0] * n
    for a, b, _, _ in arrows:
        users[a].append(b)
        missing[b] += 1
    rank = [0 if i in first or not first else 1 for i in range(n)]
    order = [i for i in range(n) if not missing[i]]
    sources = {i for i in order if i not in first}
    for a in order:  # grows while it is walked
        for b in users[a]:
            rank[b] = max(rank[b], rank[a] + 1)
            missing[b] -= 1
            if not missing[b]:
                order.append(b)
    for i in reversed(order):  # what has no parents comes down to its first user
        if i in sources and users[i]:
            rank[i] = min(rank[b] for b in users[i]) - 1
    bottom = max((r for i, r in enumerate(rank) if i not in last), default=-1) + 1
    for i in last:
        rank[i] = bottom
    return rank


def _with_bends(rank: list[int], widths: list[float], arrows: list[Arrow]) -> _Work:
    n = len(widths)
    work = _Work(list(rank), list(widths))
    work.up = [[] for _ in range(n)]
    work.down = [[] for _ in range(n)]
    made: dict[tuple[int, float, int], int] = {}
    room = 8 * n + 2000
    spans = sorted(range(len(arrows)), key=lambda k: rank[arrows[k][1]] - rank[arrows[k][0]])
    chains: list[list[int]] = [[] for _ in arrows]
    for k in spans:
        a, b, leave, arrive = arrows[k]
        if len(made) + rank[b] - rank[a] > room:
            continue  # the longest arrows go straight where bends for all of them would take for ever
        here, offset = a, leave
        for r in range(rank[a] + 1, rank[b]):
            bend = made.get((a, leave, r))
            if bend is None:
                bend = made[a, leave, r] = len(work.rank)
                work.rank.append(r)
                work.width.append(BEND)
                work.up.append([(here, offset, 0.0)])
                work.down.append([])
                work.down[here].append((bend, 0.0, offset))
            chains[k].append(bend)
            here, offset = bend, 0.0
        work.down[here].append((b, arrive, offset))
        work.up[b].append((here, offset, arrive))
    work.chains = chains
    for (a, leave, _), bend in sorted(made.items(), key=lambda item: item[0]):
        work.trunks.setdefault((a, leave), []).append(bend)
    work.rows = [[] for _ in range(max(work.rank, default=-1) + 1)]
    for i, r in enumerate(work.rank):
        work.rows[r].append(i)
    return work


def _reserve(work: _Work, width: float) -> None:
    """Put a node without arrows before all others of the top layer; without arrows it stays there."""
    work.rows[0].insert(0, len(work.rank))
    work.rank.append(0)
    work.width.append(width)
    work.up.append([])
    work.down.append([])


def _order(work: _Work) -> None:
    """Sort each layer so that few arrows cross."""
    position = [0.0] * len(work.rank)
    _settle(work.rows, position)
    best, fewest = [list(row) for row in work.rows], _crossings(work, position)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        downward = sweep % 2 == 0
        for row in work.rows[1:] if downward else work.rows[-2::-1]:
            links = work.up if downward else work.down
            wish = {
                i: sum(position[j] for j, _, _ in links[i]) / len(links[i]) if links[i] else position[i] for i in row
            }
            row.sort(key=wish.__getitem__)
            for k, i in enumerate(row):
                position[i] = k
        count = _crossings(work, position)
        if count < fewest:
            best, fewest = [list(row) for row in work.rows], count
    work.rows = best


def _settle(rows: list[list[int]], position: list[float]) -> None:
    for row in rows:
        for k, i in enumerate(row):
            position[i] = k


def _crossings(work: _Work, position: list[float]) -> int:
    total = 0
    for row in work.rows:
        seen: list[float] = []
        for i in row:
            ends = [position[j] for j, _, _ in work.down[i]]
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return total


def _pull(work: _Work, i: int, j: int) -> float:
    """The weight between two neighbours: largest for bends, smallest for a parameter and its only user."""
    if work.width[i] == BEND and work.width[j] == BEND:
        return 6.0
    upper, lower = (i, j) if work.rank[i] < work.rank[j] else (j, i)
    if _is_leaf(work, upper) and not all(_is_leaf(work, k) for k, _, _ in work.up[lower]):
        return 0.1
    return 1.0


def _is_leaf(work: _Work, i: int) -> bool:
    return not work.up[i] and len(work.down[i]) == 1 and work.width[i] > BEND


def _positions(work: _Work) -> list[float]:
    n = len(work.rank)
    x = [0.0] * n
    for row in work.rows:
        at = 0.0
        for i in row:
            x[i] = at + work.width[i] / 2
            at += work.width[i] + GAP_X
        for i in row:
            x[i] -= (at - GAP_X) / 2
    up = [[(j, theirs - own, _pull(work, i, j)) for j, theirs, own in work.up[i]] for i in range(n)]
    down = [[(j, theirs - own, _pull(work, i, j)) for j, theirs, own in work.down[i]] for i in range(n)]
    for sweep in range(2 * SWEEPS):
        downward = sweep % 2 == 0
        for row in work.rows if downward else work.rows[::-1]:
            both = sweep >= SWEEPS
            wishes, weights = [], []
            for i in row:
                links = up[i] + down[i] if both else up[i] if downward else down[i]
                weight = total = 0.0
                for j, shift, pull in links:
                    weight += pull
                    total += pull * (x[j] + shift)
                wishes.append(total / weight if links else x[i])
                weights.append(weight if links else 0.01)
            _fit(row, wishes, weights, work.width, x)
    return x


def _fit(row: list[int], wishes: list[float], weights: list[float], width: list[float], x: list[float]) -> None:
    """The nearest positions to the wanted ones that keep order and distances: isotonic regression by pooling."""
    shift, at = [], 0.0
    for k, i in enumerate(row):
        if k:
            before = row[k - 1]
            gap = GAP_X if width[before] > BEND or width[i] > BEND else BEND
            at += (width[before] + width[i]) / 2 + gap
        shift.append(at)
    pools: list[list[float]] = []  # weight, weighted sum, how many
    for wish, weight, offset in zip(wishes, weights, shift, strict=True):
        pool = [weight, weight * (wish - offset), 1]
        while pools and pools[-1][1] * pool[0] >= pool[1] * pools[-1][0]:
            earlier = pools.pop()
            pool = [earlier[0] + pool[0], earlier[1] + pool[1], earlier[2] + pool[2]]
        pools.append(pool)
    k = 0
    for weight, total, count in pools:
        for _ in range(int(count)):
            x[row[k]] = total / weight + shift[k]
            k += 1


def _straighten(work: _Work, x: list[float]) -> None:
    """Align the bends of each arrow vertically, as many at a time as their neighbours allow."""
    place = {i: k for row in work.rows for k, i in enumerate(row)}
    for (a, leave), bends in work.trunks.items():
        start = x[a] + leave
        run: list[int] = []
        low, high = -inf, inf
        for bend in [*bends, -1]:
            here_low, here_high = _room(work, x, place, bend) if bend >= 0 else (inf, -inf)
            if max(low, here_low) > min(high, here_high):
                if run:
                    middle = sum(x[i] for i in run) / len(run)
                    wish = start if run[0] == bends[0] and low <= start <= high else middle
                    for i in run:
                        x[i] = min(max(wish, low), high)
                run, low, high = [], -inf, inf
            run.append(bend)
            low, high = max(low, here_low), min(high, here_high)


def _room(work: _Work, x: list[float], place: dict[int, int], i: int) -> tuple[float, float]:
    """The interval in which a bend may move without a change of the order."""
    row, k = work.rows[work.rank[i]], place[i]
    low, high = -inf, inf
    if k:
        low = x[row[k - 1]] + (work.width[row[k - 1]] + BEND) / 2 + _gap(work, row[k - 1])
    if k + 1 < len(row):
        high = x[row[k + 1]] - (work.width[row[k + 1]] + BEND) / 2 - _gap(work, row[k + 1])
    return (low, high) if low <= high else (x[i], x[i])


def _gap(work: _Work, i: int) -> float:
    return GAP_X if work.width[i] > BEND else BEND
