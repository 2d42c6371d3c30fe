"""The graph in an exception: the operations before it, and the one that failed.

Nothing is recorded in advance.  The frames of a traceback still hold the arguments of the failed call, or the order of
the backward pass.  These hold the whole graph.
"""

from __future__ import annotations

import contextlib
import sys
from types import FrameType
from typing import Any

from ... import graph, recording
from ...graph import CONSTANT, Node
from ...primitive import Primitive
from ..drawing import Drawing
from ..picture.model import Group, Picture
from .names import Names, of_library
from .tracer import Record, Tracer, describe, line_of, tensors
from .traversal import keep_totals, read


def failed_node(primitive: Primitive) -> Node:
    """A node for the result that does not exist."""
    return Node.make(primitive, None, "", active=False)


def so_far(tracer: Tracer, names: Names, error: BaseException) -> Picture:
    """The picture of the operations of a traced call before its exception."""
    roots = list(tracer.of)
    failed = tracer.failed[0] if tracer.failed else None
    if failed is not None:
        failed.node = failed_node(failed.primitive)
        tracer.of[failed.node] = failed
        roots.append(failed.node)
    return _picture(roots, names, tracer.of, tracer.groups, failed.node if failed else None, error)


def _picture(
    roots: list[Node],
    names: Names,
    records: dict[Node, Record],
    groups: list[Group],
    failed: Node | None,
    error: BaseException,
) -> Picture:
    picture, position = read(roots, names, records, groups, tell_modules=len(groups) == 1)
    if failed is not None:
        box = picture.boxes[position[failed]]
        box.state, box.message, box.active = "failed", f"{type(error).__name__}: {error}", True
    for box in picture.boxes:
        box.forward = None
    picture.arrange()
    keep_totals(picture)
    begun, _, more = str(error).partition("\n")  # a longer text stands in the exception itself
    picture.facts.insert(0, f"FAILED: {type(error).__name__}: {begun}{' …' if more else ''}")
    return picture


def of_exception(error: BaseException, names: Names) -> Picture:
    """The picture of the operations before one that failed, or before a rule that failed, outside any drawing."""
    causes = _causes(error)
    for cause in causes:
        for frame in _frames(cause):
            if not of_library(frame):
                names.add_frame(frame)
    for find in (_of_operation, _of_function):
        for cause in causes:
            picture = find(cause, names, error)
            if picture is not None:
                return picture
    raise TypeError(
        f"draw: this {type(error).__name__} carries no graph: no operation on Tensors is in its traceback; "
        "call the function through draw(f, *args), and its exception will carry one"
    )


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and its causes, the latest first."""
    found = [error]
    for one in found:  # grows while it is walked
        inner = one.__cause__ or one.__context__
        if inner is not None and inner not in found:
            found.append(inner)
    return found


def _of_operation(error: BaseException, names: Names, shown: BaseException) -> Picture | None:
    """The picture of an operation of the engine that failed, or of a rule."""
    frames = _frames(error)
    node = getattr(error, "node", None) or getattr(getattr(error, "report", None), "node", None)
    if isinstance(node, Node):  # an anomaly, or a derivative that was found wrong
        return _picture([*_seeds(frames), node], names, {}, [Group("root", "")], node, shown)
    for frame in reversed(frames):
        values = frame.f_locals
        if frame.f_globals.get("__name__") == recording.__name__:  # written there, or generated
            primitive = values.get("primitive", frame.f_globals.get("primitive"))
            if isinstance(primitive, Primitive) and not _ARGUMENTS.isdisjoint(values):
                return _of_call(primitive, values, names, shown)
        if frame.f_code is graph.sweep.__code__ and isinstance(values.get("node"), Node):
            return _picture(list(values["seeds"]), names, {}, [Group("root", "")], values["node"], shown)
    return None


def _of_function(error: BaseException, names: Names, shown: BaseException) -> Picture | None:
    """The picture of the caller's innermost function that received Tensors, shown as the failed operation.

    A module that refuses the shape of its input fails before any operation.
    """
    for frame in reversed(_frames(error)):
        code, values = frame.f_code, frame.f_locals
        if of_library(frame) or not _is_public(frame):
            continue
        given = [values.get(name) for name in code.co_varnames[: code.co_argcount]]
        parents = [t._node for t in tensors(given) if t._node is not CONSTANT]
        if parents:
            owner = type(given[0]).__name__ if code.co_varnames[:1] == ("self",) else ""
            name = owner if owner and code.co_name in ("forward", "__call__") else code.co_name
            stand_in = Primitive(_nothing, _nothing, {}, name=name, parameters=())
            record = Record(stand_in, 0, line_of(frame))
            record.parents, record.arguments = parents, [""] * len(parents)
            record.node = failed_node(stand_in)
            return _picture([record.node], names, {record.node: record}, [Group("root", "")], record.node, shown)
        roots = [t._node for t in tensors(list(values.values())) if t._node is not CONSTANT]
        if roots:
            return _picture(roots, names, {}, [Group("root", "")], None, shown)
    return None


def _is_public(frame: FrameType) -> bool:
    """Whether a user may have called this function: it has no underscore, and ``__all__``, if there is one, has it."""
    code, exported = frame.f_code, frame.f_globals.get("__all__")
    if code.co_name.startswith("_") and code.co_name != "__call__":
        return False
    outermost = code.co_qualname.partition(".")[0]
    return exported is None or outermost in exported or not outermost.isidentifier()  # as a module or a lambda is


def _nothing() -> None:
    """The function that a stand-in for an operation has."""


def _seeds(frames: list[FrameType]) -> list[Node]:
    """The nodes at which a backward pass started, if the traceback has one."""
    for frame in reversed(frames):
        seeds = frame.f_locals.get("seeds")
        if isinstance(seeds, dict):
            return [node for node in seeds if isinstance(node, Node)]
    return []


_ARGUMENTS = {"a", "b", "x", "args"}
"""What the functions that are called name their arguments, and what they call does not."""


def _of_call(primitive: Primitive, values: dict[str, Any], names: Names, error: BaseException) -> Picture:
    """The picture of one call of an operation, from the local variables of the engine's function."""
    first = [values[name] for name in ("a", "b", "x") if name in values]
    args, kwargs = (*first, *values.get("args", ())), values.get("kwargs", {})
    record = Record(primitive, 0, "")
    record.parents, record.arguments, record.label = describe(primitive, args, kwargs)
    record.parents = [node for node in record.parents if node is not CONSTANT]
    record.node = failed_node(primitive)
    return _picture([record.node], names, {record.node: record}, [Group("root", "")], record.node, error)


def _frames(error: BaseException) -> list[FrameType]:
    """The frames of a traceback, the outermost first."""
    found = []
    traceback = error.__traceback__
    while traceback is not None:
        found.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return found


def carry(error: BaseException, picture: Picture) -> None:
    """Attach a drawing of ``picture`` to an exception, and mention it in the message."""
    if getattr(error, "drawing", None) is None:
        error.drawing = Drawing(picture)  # type: ignore[attr-defined]
        error.add_note("the graph up to here is in this exception: error.drawing.save('failure.html')")
        _show_under_cell(error)


def _show_under_cell(error: BaseException) -> None:
    """In a notebook, show the drawing above the traceback if the exception ends a cell."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is None:
        return
    shown: list[BaseException] = []

    def render() -> list[str]:  # IPython asks an exception for its own text, more than once
        with contextlib.suppress(Exception):
            if not shown:
                shown.append(error)
                sys.modules["IPython.display"].display(error.drawing)  # type: ignore[attr-defined]
        text: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        return text

    error._render_traceback_ = render  # type: ignore[attr-defined]
