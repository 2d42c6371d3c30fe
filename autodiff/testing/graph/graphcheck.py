"""check_graph: the operation of a graph whose rule is wrong, and its line of code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...graph import CONSTANT, GraphError, Node, Walk, tick
from ...outputs import ITEM
from ...primitive import registry
from ...tensor import Tensor
from ...transforms.calling import recording
from ...transforms.checkpointing import reopened
from ...tree import flatten
from ..tracing.examples import Mapped, numbers
from ..verdict.gradcheck import gradcheck
from ..verdict.keywords import check_arguments, noted, refuse_keywords
from ..verdict.report import Report
from ..verdict.reproducer import expression
from .record import Record, Variable, record, records

_TEACH = (
    "check_graph: {} of the {} operations of this graph were not recorded with their inputs "
    "(a graph keeps only what its rules asked for).\n"
    "  instead of                     write\n"
    "  loss = f(x)                    with autodiff.testing.record():\n"
    "  check_graph(loss)                  loss = f(x)\n"
    "                                 check_graph(loss)          or: check_graph(f, x)"
)
OF_EXAMPLES = "done for many examples at once: the first of the indices counts them"


def check_graph(output: Any, *args: Any, rng: int | np.random.Generator | None = None, **unknown: Any) -> Report:
    """Check the rule of every operation of a graph at its values; name the first wrong one.

    ``output`` is a Tensor that was computed inside ``with record():``, or a function, which is called with ``args`` as
    variables.  The report names the operation, its number in the order of execution, and its line of code;
    ``report.node`` is its node.

    Raises GraphError if the graph was built without ``record``.

    >>> import numpy as np
    >>> from autodiff.testing import check_graph
    >>> check_graph(lambda x: np.sum(np.exp(x) * x), np.array([0.5, 1.0])).verdict
    'correct'
    """
    refuse_keywords("check_graph", unknown, "rng alone")
    start = 0
    if not isinstance(output, Tensor) and callable(output):
        start = tick()
        check_arguments("check_graph", output, args)
        with recording(), record(), noted("check_graph", output, args):
            leaves, unflatten = flatten(args)
            output = output(*unflatten([_variable(leaf) for leaf in leaves]))
    outputs = [leaf for leaf in flatten(output)[0] if isinstance(leaf, Tensor) and leaf._node.active]
    if not outputs:
        raise GraphError(
            "check_graph: no variable leads to this output; was it made under no_grad() or from arrays only?"
        )
    nodes = _operations([t._node for t in outputs], start)
    missing = [node for node in nodes if node not in records]
    if missing:
        raise GraphError(_TEACH.format(len(missing), len(nodes)))
    nodes.sort(key=lambda node: node.age)
    return _first_fault(nodes, rng)


def _variable(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return Tensor(leaf._value) if leaf._node is CONSTANT else leaf
    value = np.asarray(leaf) if isinstance(leaf, float) else leaf
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    return Tensor(value) if kind in ("f", "c") else leaf


def _operations(roots: list[Node], start: int) -> list[Node]:
    """The operations of these nodes since ``start``, and those inside checkpointed parts, computed again."""
    found: dict[Node, None] = {}
    for node in Walk(roots, set(), start).order:
        inside = reopened(node)
        if inside is not None:
            found.update(dict.fromkeys(_operations(inside, start)))
        elif node.primitive is not None and node.primitive is not ITEM:
            found[node] = None
    return list(found)


def _first_fault(nodes: list[Node], rng: Any) -> Report:
    evaluations = 0
    doubtful: Report | None = None
    kinks: list[str] = []
    for number, node in enumerate(nodes, 1):
        seen = records[node]
        report = _check_node(seen, rng)
        if report is None:
            continue
        evaluations += report.evaluations
        kinks += report.kinks
        if not report.correct and (doubtful is None or report.verdict == "wrong"):
            where = f"asked for at {seen.source}" if seen.source else "no source line is known"
            named = f"{seen.primitive.name} (operation {number} of {len(nodes)})"
            notes = [where, *[OF_EXAMPLES] * bool(report.index and _mapped(seen)), *report.notes]
            code = _reproducer(seen, report.seed)
            report = replace(report, function=named, notes=notes, node=node, code=code)
            if report.verdict == "wrong":
                return report
            doubtful = report
    if doubtful is not None:
        return doubtful
    return Report("correct", function=f"{len(nodes)} operations", evaluations=evaluations, kinks=kinks)


def _check_node(seen: Record, rng: Any) -> Report | None:
    """Check one operation alone; None for one that has no derivative by intention."""
    if seen.primitive.name == "stop_gradient":
        return None
    call, values = _local(seen)
    if not values or any(numbers(part).dtype.kind not in "fc" for part in _parts(call(*values))):
        return None
    return gradcheck(call, *values, rng=rng)


def _reproducer(seen: Record, seed: int) -> str:
    """Code that checks this one operation again, if its arguments can be written as text."""
    values: list[str | None] = []

    def text(value: Any) -> str | None:
        if isinstance(value, Variable) and value.active:
            values.append(expression(numbers(value.value)))
            return f"x{len(values) - 1}"
        if type(value) in (list, tuple):
            inside = [text(v) for v in value]
            ends = "[]" if type(value) is list else "()"
            return None if None in inside else f"{ends[0]}{', '.join(map(str, inside))},{ends[1]}"
        return expression(value.value if isinstance(value, Variable) else value)

    arguments = [text(a) for a in seen.args] + [f"{k}={t}" if (t := text(v)) else None for k, v in seen.kwargs.items()]
    name, module = seen.primitive.name, getattr(seen.primitive.function, "__module__", None) or ""
    lines = ["import numpy as np", "from autodiff.primitive import registry"]
    lines.append("from autodiff.testing import gradcheck")
    if module.split(".")[0] not in ("", "__main__", "numpy", "autodiff"):
        lines.append(f"import {module}  # registers {name}")
    namesakes = [entry for entry in registry.values() if entry.name == name]
    # counted from the last: a module that was loaded again has registered its own twice
    number = next((i - len(namesakes) for i, entry in enumerate(namesakes) if entry is seen.primitive), None)
    if number is None:
        lines.append(f"operation = operation  # put your {name} here: it is not in the table")
    else:
        lines.append(f"operation = [entry.call for entry in registry.values() if entry.name == {name!r}][{number}]")
    if _mapped(seen):
        lines[-1] += "  # it was done for many examples at once: report.node"
        return "\n".join(lines)
    if None in arguments or None in values:
        lines[-1] += "  # its arguments are too large to print: report.node"
        return "\n".join(lines)
    variables = ", ".join(f"x{i}" for i in range(len(values)))
    call = f"lambda {variables}: operation({', '.join(map(str, arguments))})"
    lines.append(f"print(gradcheck({call}, {', '.join(map(str, values))}, rng={seed}))")
    return "\n".join(lines)


def _parts(result: Any) -> list[Any]:
    return [leaf._value if isinstance(leaf, Tensor) else leaf for leaf in flatten(result)[0]]


def _local(seen: Record) -> tuple[Callable[..., Any], list[Any]]:
    """The operation as a function of the arguments that have gradients, and their values.

    An operation on many examples takes and returns arrays of all examples.
    """
    values: list[Any] = []
    mapped = _mapped(seen)

    def taken(value: Any) -> Any:
        if isinstance(value, Variable):
            if not value.active:
                return value.value
            values.append(mapped.stacked(value.value))
            return _Slot(len(values) - 1)
        return type(value)(map(taken, value)) if type(value) in (list, tuple) else value

    args = [taken(a) for a in seen.args]
    kwargs = {k: taken(v) for k, v in seen.kwargs.items()}

    def call(*arrays: Any) -> Any:
        def filled(value: Any) -> Any:
            if isinstance(value, _Slot):
                return mapped.enter(arrays[value.number])
            return type(value)(map(filled, value)) if type(value) in (list, tuple) else value

        return mapped.leave(seen.primitive.call(*map(filled, args), **{k: filled(v) for k, v in kwargs.items()}))

    call.__name__ = call.__qualname__ = seen.primitive.name
    _name_arguments(call, args, seen.primitive.parameters)
    return call, values


def _mapped(seen: Record) -> Mapped:
    """Functions into and out of the ``vmap`` levels of an operation; false if there was none."""
    return Mapped(seen.primitive, _values([*seen.args, *seen.kwargs.values()]))


def _values(args: Any) -> list[Any]:
    """The arguments of a recorded call, with values instead of Variables."""
    return [a.value if isinstance(a, Variable) else _values(a) if type(a) in (list, tuple) else a for a in args]


def _name_arguments(call: Callable[..., Any], args: list[Any], parameters: tuple[str, ...]) -> None:
    """Name the varied arguments as the operation does, if each is one array."""
    places = [i for i, arg in enumerate(args) if isinstance(arg, _Slot)]
    if places and places[-1] < len(parameters) and not any(type(arg) in (list, tuple) for arg in args):
        kind = inspect.Parameter.POSITIONAL_ONLY
        named = [inspect.Parameter(parameters[i], kind) for i in places]
        call.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]


class _Slot:
    """The place of an argument that is varied."""

    def __init__(self, number: int) -> None:
        self.number = number
