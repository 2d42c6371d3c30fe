"""The function ``draw``: it captures a graph, and reduces the picture to the parts that were asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..dialects import DRAWINGS, answering
from ..graph import Node
from ..tensor import Tensor
from .capture.call import of_call
from .capture.failure import of_exception
from .capture.graph import of_graph, of_node
from .capture.names import Names, caller, is_module
from .capture.options import Options, marks
from .drawing import Drawing
from .picture.model import Box, Picture
from .picture.selection import between, keep_only, without

Hidden = str | Sequence[str] | Callable[[Box], bool]


@answering(DRAWINGS)
def draw(
    subject: Any, *args: Any, depth: int | None = None, focus: Any = None, hide: Hidden = (), max_nodes: int = 200,
    values: bool = False, gradients: bool = False, memory: bool = False, times: bool = False, backward: bool = False,
    constants: bool = False, names: Any = None, mark: Any = None, title: str = "",
) -> Drawing:  # fmt: skip
    """Draw a computation graph: ``draw(output)``, ``draw(model, x)`` or ``draw(f, *args)``; or ``draw(program)``.

    ``output`` is a Tensor, or a nesting of Tensors; a program is what ``capture`` returns, or a function of ``jit``.
    A call shows more than a finished graph: modules and functions as groups, options, lines of code, every value.  The
    arguments of a function become variables, those of a module inputs.  ``draw(exception)`` draws the operations
    before one that failed.

    ====================  ==============================================================================
    ``depth``             how many levels of groups are open; as many as are easy to read by default
    ``focus``             ``(start, end)``: only what lies between, given by name or as Tensors
    ``hide``              operations or kinds ("variable", "input") to leave out, or a function of a box
    ``max_nodes``         above this, the middle becomes one box "… n more"
    ``values``            values: small arrays whole, large ones as min … mean … max
    ``gradients``         what arrives at each operation in the backward pass, which is made for it
    ``memory``            bytes kept alive for the backward pass
    ``times``             time of each operation, forward and backward
    ``backward``          the operations of the backward pass too
    ``constants``         arrays that are no variables as boxes: indices, labels, data that a function finds outside
    ``names``             ``{name: tensor or module}``; the caller's variables are found anyway
    ``mark``              Tensors to mark as wrong, ``{tensor: message}``, or a report of ``check_graph``
    ====================  ==============================================================================

    Raises TypeError for any other argument, and GraphError if no variable is involved.  An exception of the call is
    raised again, with the graph so far in its ``.drawing``.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> from autodiff.draw import draw
    >>> w = Tensor([1.0, 2.0])
    >>> print(draw(np.sum(w * 3.0)))
    graph
      2 operations, 1 variable with 2 elements, longest path 2
    w   variable        (2,) float64
    %1  multiply(w, 3)  (2,) float64
    %2  sum(%1)         () float64
    """
    if isinstance(subject, Drawing):
        return subject
    _check_limits(depth, max_nodes)
    found = Names()
    _given_names(found, names)
    frame = caller()
    options = Options(values, gradients, memory, times, backward, constants, marks(mark))
    picture = _take(subject, args, found, frame, options)
    picture.title = title or picture.title
    if hide and not any(box.state == "failed" for box in picture.boxes):
        picture = without(picture, _hidden(hide))
    if focus is not None:
        picture = _focused(picture, focus, found)
    return Drawing(picture, depth=depth, max_nodes=max_nodes)


def _check_limits(depth: Any, max_nodes: Any) -> None:
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int)):
        raise TypeError(f"draw: depth is {depth!r}; give a number of levels, or None for as many as are easy to read")
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int):
        raise TypeError(f"draw: max_nodes is {max_nodes!r}; give a number of boxes")


def _take(subject: Any, args: tuple[Any, ...], found: Names, frame: Any, options: Options) -> Picture:
    if isinstance(subject, BaseException):
        drawing = getattr(subject, "drawing", None)
        if isinstance(drawing, Drawing):
            return drawing.picture
        return of_exception(subject, found)
    if isinstance(subject, Tensor | list | tuple | dict):
        if args:
            raise TypeError(
                "draw: a finished graph takes no arguments; write draw(output), or draw(f, *args) for a call"
            )
        if options.constants:
            raise ValueError(
                "draw: a finished graph does not know which arrays it took; draw(f, *args, constants=True) does"
            )
        if frame is not None:
            found.add_frame(frame)
        return of_graph(subject, found, options)
    if _is_program(subject) and not (args and hasattr(subject, "programs")):
        return _of_program(subject, args, options)
    node = getattr(subject, "node", None)
    if isinstance(node, Node) and not args:
        return of_node(node, found, Options(marks=marks(subject)))
    if not callable(subject):
        raise TypeError(
            f"draw: got {type(subject).__name__}; give a Tensor, a nesting of Tensors, a function or module with its "
            "arguments, or an exception"
        )
    if is_module(subject) and not args:
        raise TypeError(f"draw: a module is drawn while it works: draw({type(subject).__name__.lower()}, x)")
    return of_call(subject, args, found, options, frame)


def _is_program(subject: Any) -> bool:
    """Whether this is a program, or a function that keeps some."""
    kinds = sys.modules.get("autodiff.program")
    return kinds is not None and isinstance(subject, kinds.Program | kinds.Jit)


def _of_program(subject: Any, args: tuple[Any, ...], options: Options) -> Picture:
    """The picture of a program; of a function that keeps some, of the last one that was recorded."""
    from .capture.program import of_program

    if args:
        raise TypeError("draw: a program is drawn without arguments, draw(program); draw(f, *args) draws a call of f")
    if replace(options, constants=False) != Options():
        raise ValueError(
            "draw: a program has no values, gradients or times of its own, and its backward pass and memory are drawn "
            "anyway; draw(f, *args, values=True) shows those of a call"
        )
    programs = getattr(subject, "programs", (subject,))
    if not programs:
        raise ValueError(
            f"draw: {subject.__name__} has recorded no program yet; call it first, or draw(capture(f, *args))"
        )
    return of_program(programs[-1], constants=options.constants)


def _given_names(found: Names, names: Any) -> None:
    if names is None:
        return
    if isinstance(names, dict):
        found.add_all(names)
    elif is_module(names):
        found.add_module("", names)
    else:
        raise TypeError(f"draw: names must be {{name: tensor or module}} or a module, got {type(names).__name__}")


def _hidden(hide: Hidden) -> Callable[[Box], bool]:
    if callable(hide):
        return hide
    if not isinstance(hide, Iterable):
        raise TypeError(f"draw: hide is {hide!r}; give names of operations or kinds, or a function of a box")
    chosen = {hide} if isinstance(hide, str) else set(hide)
    return lambda box: box.operation in chosen or box.kind in chosen or (bool(box.name) and box.name in chosen)


def _focused(picture: Picture, focus: Any, found: Names) -> Picture:
    if not (isinstance(focus, tuple) and len(focus) == 2):
        raise TypeError("draw: focus is a pair (start, end) of names or Tensors")
    ends = []
    for part in focus:
        name = found.of.get(part._node) if isinstance(part, Tensor) else part
        chosen = [
            i for i, box in enumerate(picture.boxes)
            if name is not None and (name in (box.name, box.operation) or _inside(picture, box.group, name))
        ]  # fmt: skip
        if not chosen:
            known = ", ".join(sorted({b.name for b in picture.boxes if b.name})[:8])
            raise ValueError(f"draw: focus: nothing is called {part!r} here; names are: {known or '(none)'}")
        ends.append(set(chosen))
    kept = between(picture, ends[0], ends[1])
    if not any(kept):
        raise ValueError(f"draw: focus: no path leads from {focus[0]!r} to {focus[1]!r}")
    result = keep_only(picture, kept, bridge=False)
    result.facts.append(
        f"only what lies between {focus[0]} and {focus[1]}; {len(kept) - sum(kept):,} boxes are left out"
    )
    return result


def _inside(picture: Picture, g: int, name: Any) -> bool:
    while g > 0:
        if picture.groups[g].name == name:
            return True
        g = picture.groups[g].parent
    return False
