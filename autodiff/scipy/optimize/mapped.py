"""SciPy's searches inside of ``vmap``: one for each example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...examples import Examples
from ...mode import current
from ...program.recorded import CaptureError
from ...tensor import value_of
from ...transforms import BatchingError
from ...tree import flatten

Tree = Any


def not_in_a_program(who: str) -> CaptureError:
    """The error where a program would need the steps of a search."""
    return CaptureError(
        f"{who}: a program does not hold the steps to a solution; call it outside of the recorded function"
    )


def refuse_examples(who: str, value: Any) -> None:
    """Raise for a value that differs between examples, or that a program around the search records."""
    array = value_of(value)
    if isinstance(array, Examples):
        if not array.many:
            raise not_in_a_program(who)
        raise NotImplementedError(f"{who}: inside of vmap, pass what differs between examples by args=")


def by_example(who: str, given: Tree, search: Callable[[Tree], Tree]) -> Tree | None:
    """``search(given)`` for each example if what is given differs between examples; None if it does not.

    What ``search`` returns is a nesting of arrays and Tensors, and so is the result, of examples.
    """
    leaves, unflatten = flatten(given)
    values = [value_of(leaf) for leaf in leaves]
    if not any(isinstance(value, Examples) for value in values):
        return None
    if not any(isinstance(value, Examples) and value.many for value in values):
        raise not_in_a_program(who)
    mode = current()
    loop = None if mode is None else mode.otherwise(BatchingError(who), tuple(leaves), {})
    if loop is None:
        raise BatchingError(f"{who}: there are no examples to search for; call it for each: [f(x) for x in xs]")
    made: list[Any] = []

    def one(*parts: Any) -> Any:
        found, build = flatten(search(unflatten(list(parts))))
        made[:] = [build]
        return tuple(found)

    one.__name__ = who
    results = loop(one, tuple(leaves), {})
    return made[0](list(results))
