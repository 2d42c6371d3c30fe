"""A property of many members, a block of them in one test: pytest takes longer for a test than most members do."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

SIZE = 16
SEED = 20240717
"""Of the fixture ``rng``."""

Test = Callable[..., None]


def label(value: Any) -> str:
    """The name of a member: its own, or its text."""
    return str(getattr(value, "name", value))


def of_each(argument: str, values: Iterable[Any], size: int = SIZE, label: Callable[[Any], str] = label) -> Any:
    """Call the test with each of the values as its ``argument``: in blocks, each of which is a test for pytest.

    The id of a block is the names of its members, so that ``-k`` finds them.  A failure names its member in a note; the
    others of the block are tried as well.  ``rng`` is a new one for each member.
    """
    every = list(values)
    blocks = [every[start : start + size] for start in range(0, len(every), size)]

    def decorate(test: Test) -> Any:
        @functools.wraps(test)
        def run(block: list[Any], **given: Any) -> None:
            failures: list[Exception] = []
            for value in block:
                if "rng" in given:
                    given["rng"] = np.random.default_rng(SEED)
                try:
                    test(**{argument: value}, **given)
                except pytest.fail.Exception as error:
                    error.add_note(f"{argument}: {label(value)}")
                    raise
                except Exception as error:
                    error.add_note(f"{argument}: {label(value)}")
                    failures.append(error)
            if len(failures) > 1:
                raise ExceptionGroup(f"{len(failures)} of {len(block)}", failures)
            for error in failures:
                raise error

        parameters = inspect.signature(test).parameters.values()
        names = ["block", *(p.name for p in parameters if p.name != argument)]
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        run.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
        return pytest.mark.parametrize("block", blocks, ids=[" ".join(map(label, block)) for block in blocks])(run)

    return decorate
