"""The graph that an exception carries: what was computed before, and the operation that failed.

Nothing is noted while all goes well.  The frames of a traceback still hold the arguments of the call that failed, or
the order of the backward pass, and with them the whole graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FrameType
from typing import Any

from .. import graph, recording
from ..graph import CONSTANT, Node, tick
from ..primitive import Primitive
from .naming import Names, of_library
from .picture import Group, Picture
from .reading import keep_totals, read
from .watching import Record, Watch, describe


def failed_node(primitive: Primitive) -> Node:
    """A node in the place of the result that there is not."""
    node = Node()
    node.primitive, node.edges, node.note, node.active = primitive, (), None, False
    node.shape, node.dtype, node.age = None, "", tick()  # type: ignore[assignment]
    return node


def so_far(watch: Watch, names: Names, error: BaseException) -> Picture:
    """The picture of the operations of a watched call that were done before an exception."""
    roots = list(watch.of)
    failed = watch.failed
    if failed is not None:
        failed.node = failed_node(failed.primitive)
        watch.of[failed.node] = failed
        roots.append(failed.node)
    return _picture(roots, names, watch.of, watch.groups, failed.node if failed else None, error)


def _picture(
    roots: list[Node],
    names: Names,
    records: dict[Node, Record],
    groups: list[Group],
    failed: Node | None,
    error: BaseException,
) -> Picture:
    picture, position = read(roots, names, records, groups)
    if failed is not None:
        box = picture.boxes[position[failed]]
        box.state, box.message, box.active = "failed", f"{type(error).__name__}: {error}", True
    for box in picture.boxes:
        box.forward = None
    picture.arrange()
    keep_totals(picture)
    picture.facts.insert(0, f"FAILED: {type(error).__name__}: {error}")
    return picture


def of_exception(error: BaseException, names: Names) -> Picture:
    """The picture of what led to an operation, or to a rule, that failed outside of any drawing."""
    frames = list(_frames(error))
    for frame in frames:
        if not of_library(frame):
            names.add_frame(frame)
    node = getattr(error, "node", None) or getattr(getattr(error, "report", None), "node", None)
    if isinstance(node, Node):  # an anomaly, or a derivative that was found wrong
        return _picture([*_seeds(frames), node], names, {}, [Group("root", "")], node, error)
    for frame in reversed(frames):
        values = frame.f_locals
        if frame.f_globals is recording.__dict__ and isinstance(values.get("primitive"), Primitive):
            return _of_call(values, names, error)
        if frame.f_code is graph._sweep.__code__ and isinstance(values.get("node"), Node):
            return _picture(list(values["seeds"]), names, {}, [Group("root", "")], values["node"], error)
    raise TypeError(
        f"draw: this {type(error).__name__} carries no graph: no operation on Tensors is in its traceback; "
        "call the function through draw(f, *args), and its exception will carry one"
    )


def _seeds(frames: list[FrameType]) -> list[Node]:
    """The nodes that a backward pass started from, if the traceback leads through one."""
    for frame in reversed(frames):
        seeds = frame.f_locals.get("seeds")
        if isinstance(seeds, dict):
            return [node for node in seeds if isinstance(node, Node)]
    return []


def _of_call(values: dict[str, Any], names: Names, error: BaseException) -> Picture:
    """The picture of one call of an operation, from the variables of the engine's function that made it."""
    primitive = values["primitive"]
    first = [values[name] for name in ("a", "b", "x") if name in values]
    args, kwargs = (*first, *values.get("args", ())), values.get("kwargs", {})
    record = Record(primitive, 0, "")
    record.parents, record.arguments, record.label = describe(primitive, args, kwargs)
    record.parents = [node for node in record.parents if node is not CONSTANT]
    record.node = failed_node(primitive)
    return _picture([record.node], names, {record.node: record}, [Group("root", "")], record.node, error)


def _frames(error: BaseException) -> Iterator[FrameType]:
    """The frames of a traceback, the outermost first."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def carry(error: BaseException, picture: Picture) -> None:
    """Attach a drawing of ``picture`` to an exception, and say so in its text."""
    from .drawing import Drawing

    if getattr(error, "drawing", None) is None:
        error.drawing = Drawing(picture)  # type: ignore[attr-defined]
        error.add_note("the graph up to here is in this exception: error.drawing.save('failure.html')")
