"""The layout of a whole scene: the inside of a group is placed first, then the group as one box.

An arrow that leaves or enters an open group passes a port: a point on the lower or upper edge of the group, with a
position of its own in the layers inside.  So the arrow runs around boxes, and not across them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..picture.scene import Place, Scene
from .layered import Arrow, Layers, Point
from .layered import place as place_layers

PAD, HEADER, MARGIN, PORT = 12.0, 24.0, 16.0, 18.0
TITLE_ROOM = 18.0
"""What is not of the title itself in the least width of a group."""
Frame = tuple[float, float, float, float]  # left, top, width, height


@dataclass
class Layout:
    """Frames of boxes and groups, and the points of each arrow."""

    frames: dict[Place, Frame]
    arrows: list[tuple[Place, Place, list[Point]]]
    width: float
    height: float


@dataclass
class _Level:
    """One open group while it is placed: items and ports, and the arrows between them."""

    nodes: list[object] = field(default_factory=list)
    index: dict[object, int] = field(default_factory=dict)
    edges: dict[tuple[object, object, Place], int] = field(default_factory=dict)
    layers: Layers | None = None

    def add(self, node: object) -> int:
        if node not in self.index:
            self.index[node] = len(self.nodes)
            self.nodes.append(node)
        return self.index[node]


def layout(scene: Scene, size: Callable[[Place], tuple[float, float]]) -> Layout:
    """Place everything visible.

    ``size`` gives the width and the height of a box or a closed group, and the width of the title of an open group.
    """
    home: dict[Place, int] = {place: g for g, places in scene.inside.items() for place in places}
    levels = {g: _Level() for g in scene.inside}
    for g, places in scene.inside.items():
        for place in places:
            levels[g].add(place)
    pieces = []
    for source, target in scene.arrows:
        pieces.append((source, target, _pieces(home, levels, source, target)))
    sizes: dict[object, tuple[float, float]] = {}
    for g in reversed(list(scene.inside)):  # inner groups come later than those around them
        _place_level(g, levels, sizes, size)
    origins: dict[int, Point] = {0: (MARGIN - PAD, MARGIN - HEADER)}
    frames: dict[Place, Frame] = {}
    for g in scene.inside:
        left, top = origins[g]
        layers = levels[g].layers
        assert layers is not None
        for node, x, y in zip(levels[g].nodes, layers.x, layers.y, strict=True):
            if _is_port(node):
                continue
            width, height = sizes[node]
            frame = (left + PAD + x - width / 2, top + HEADER + y, width, height)
            assert isinstance(node, tuple)
            frames[node] = frame
            if node[0] == "group" and node[1] in scene.inside:
                origins[node[1]] = frame[:2]
    arrows = []
    for source, target, steps in pieces:
        points: list[Point] = []
        for g, k in steps:
            left, top = origins[g]
            layers = levels[g].layers
            assert layers is not None
            points += [(left + PAD + x, top + HEADER + y) for x, y in layers.routes[k]]
        arrows.append((source, target, _without_doubles(points)))
    whole = levels[0].layers
    assert whole is not None
    return Layout(frames, arrows, whole.width + 2 * MARGIN, whole.height + 2 * MARGIN)


def _is_port(node: object) -> bool:
    return isinstance(node, tuple) and node[0] in ("in", "out")


def _without_doubles(points: list[Point]) -> list[Point]:
    return [
        p for i, p in enumerate(points) if i == 0 or abs(p[0] - points[i - 1][0]) + abs(p[1] - points[i - 1][1]) > 0.01
    ]


def _around(home: dict[Place, int], place: Place) -> list[int]:
    """The open groups around an item, the innermost first."""
    g = home[place]
    chain = [g]
    while g:
        g = home["group", g]
        chain.append(g)
    return chain


def _pieces(home: dict[Place, int], levels: dict[int, _Level], source: Place, target: Place) -> list[tuple[int, int]]:
    """The parts of one arrow: an edge number in each open group that it passes."""
    out, into = _around(home, source), _around(home, target)
    while len(out) > 1 and len(into) > 1 and out[-2] == into[-2]:
        out.pop()
        into.pop()
    steps: list[tuple[int, int]] = []

    def step(g: int, a: object, b: object) -> None:
        level = levels[g]
        level.add(a)
        level.add(b)
        steps.append((g, level.edges.setdefault((a, b, source), len(level.edges))))

    a: object = source
    for g in out[:-1]:
        step(g, a, ("out", source))
        a = ("group", g)
    common = out[-1]
    entries: list[tuple[int, object]] = []
    b: object = target
    for g in into[:-1]:
        entries.append((g, b))
        b = ("group", g)
    step(common, a, b)
    for g, inner in reversed(entries):
        step(g, ("in", source), inner)
    return steps


def _place_level(
    g: int,
    levels: dict[int, _Level],
    sizes: dict[object, tuple[float, float]],
    size: Callable[[Place], tuple[float, float]],
) -> None:
    """Place one group after its inner groups."""
    level = levels[g]
    for node in level.nodes:
        if not _is_port(node) and node not in sizes:
            sizes[node] = size(node)  # type: ignore[arg-type]
    dimensions = [(1.0, 0.0) if _is_port(node) else sizes[node] for node in level.nodes]
    arrows: list[Arrow] = []
    for a, b, source in level.edges:
        leave = _offset(levels, sizes, a, ("out", source))
        arrive = _offset(levels, sizes, b, ("in", source))
        arrows.append((level.index[a], level.index[b], leave, arrive))
    first = {i for i, node in enumerate(level.nodes) if _is_port(node) and node[0] == "in"}  # type: ignore[index]
    last = {i for i, node in enumerate(level.nodes) if _is_port(node) and node[0] == "out"}  # type: ignore[index]
    least = size(("group", g))[0] if g else 0.0
    title = least - TITLE_ROOM if g else 0.0  # an arrow that comes in passes at its right
    layers = place_layers([w for w, _ in dimensions], [h for _, h in dimensions], arrows, first, last, title)
    opened = {("group", inner) for inner in levels}
    if layers.width + 2 * PAD < least:  # the title needs more room than what is inside
        more = least - 2 * PAD - layers.width
        layers.x = [x + more / 2 for x in layers.x]
        layers.routes = [[(x + more / 2, y) for x, y in route] for route in layers.routes]
        layers.width += more
    level.layers = layers
    _spread(level, {i for i, node in enumerate(level.nodes) if node in sizes and node not in opened}, dimensions)
    sizes["group", g] = (layers.width + 2 * PAD, layers.height + HEADER + PAD)
    _reach_edges(level, first, last, sizes["group", g][1])


def _spread(level: _Level, closed: set[int], dimensions: list[tuple[float, float]]) -> None:
    """Let arrows to one item arrive side by side, in their order."""
    layers = level.layers
    assert layers is not None
    arriving: dict[int, list[list[Point]]] = {}
    for k, (_, b, _) in enumerate(level.edges):
        if level.index[b] in closed:
            arriving.setdefault(level.index[b], []).append(layers.routes[k])
    for i, routes in arriving.items():
        routes.sort(key=lambda route: route[-2][0])
        step = min(PORT, (dimensions[i][0] - PORT) / max(len(routes) - 1, 1))
        for k, route in enumerate(routes):
            x, y = route[-1]
            route[-1] = (x + step * (k - (len(routes) - 1) / 2), y)


def _reach_edges(level: _Level, first: set[int], last: set[int], height: float) -> None:
    """Extend arrows at ports to the edge of the group, over title and padding."""
    layers = level.layers
    assert layers is not None
    for k, (a, b, _) in enumerate(level.edges):
        route = layers.routes[k]
        if level.index[a] in first:
            route.insert(0, (route[0][0], -HEADER))
        if level.index[b] in last:
            route.append((route[-1][0], height - HEADER))


def _offset(levels: dict[int, _Level], sizes: dict[object, tuple[float, float]], node: object, port: object) -> float:
    """Where an arrow meets an item, relative to its middle: at its port if the item is an open group."""
    if isinstance(node, tuple) and node[0] == "group" and node[1] in levels:
        inner = levels[node[1]]
        assert inner.layers is not None
        return inner.layers.x[inner.index[port]] + PAD - sizes[node][0] / 2
    return 0.0
