"""The pages for those who come from another library: what stands beside its names runs, and gives the same."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodiff import Tensor
from docs.blocks import BLOCK

DOCS = Path(__file__).resolve().parent.parent / "docs"
PEERS = {"jax": 30, "torch": 30, "micrograd": 6, "keras": 9}
"""The libraries, and how many of the rows on their page must give values that can be compared."""
PAGES = {"torch": "coming-from-pytorch.md"}
THEIRS = re.compile(r"^```py\n(?P<theirs>.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (?P<left>`.*) \| (?P<right>`.*) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
OWN = re.compile(r"\b(model|history|random|draw_dot|make_jaxpr)\b")
"""What begins with random numbers of the other library, or is a picture or a text: its values are its own."""


def page(peer: str) -> str:
    return (DOCS / PAGES.get(peer, f"coming-from-{peer}.md")).read_text(encoding="utf-8")


def run(code: str, namespace: dict[str, Any]) -> Any:
    """The value of an expression, or None after a statement."""
    try:
        expression = compile(code, code, "eval")
    except SyntaxError:
        exec(compile(code, code, "exec"), namespace)
        return None
    return eval(expression, namespace)


def numbers(value: Any) -> list[np.ndarray] | None:
    """The arrays in a value, in order; None if something in it is neither an array nor a number."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        parts = [numbers(part) for part in value]
        return None if None in parts else [array for part in parts for array in part or ()]
    if hasattr(value, "detach") and not isinstance(value, Tensor):
        value = value.detach()
    if type(value).__name__ in ("Tensor", "Value", "Variable") and isinstance(
        getattr(value, "data", None), np.ndarray | float
    ):
        value = value.data
    with contextlib.suppress(Exception):
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return [array]
    return None


def steps(text: str) -> Iterator[re.Match[str]]:
    """Blocks of code and rows of tables, in the order of the page."""
    found = [*BLOCK.finditer(text), *THEIRS.finditer(text)]
    rows = [row for row in ROW.finditer(text) if not any(block.start() < row.start() < block.end() for block in found)]
    yield from sorted([*found, *rows], key=lambda match: match.start())


def compared(peer: str, *, with_peer: bool) -> int:
    """Run a page; the number of rows whose values were compared."""
    ours: dict[str, Any] = {"__name__": "__main__"}
    theirs: dict[str, Any] = {"__name__": "__main__"}
    rows: list[tuple[str, Any]] = []
    for step in steps(page(peer)):
        parts = step.groupdict()
        if "theirs" in parts:
            if with_peer:
                run(parts["theirs"], theirs)
        elif "code" in parts:
            with contextlib.redirect_stdout(None):
                run(parts["code"], ours)
        else:
            values = [run(code, ours) for code in CODE.findall(parts["right"])]
            left = CODE.findall(parts["left"])[0]
            if OWN.search(left):
                if with_peer and peer != "jax" and "draw_dot" not in left:
                    run(left, theirs)
            elif values[0] is not None:
                rows.append((left, values[0]))
            elif with_peer:
                run(left, theirs)
    expected = evaluated(peer, [code for code, _ in rows], theirs) if with_peer else []
    return sum(same(value, got, code) for value, (code, got) in zip(expected, rows, strict=with_peer))


def evaluated(peer: str, codes: list[str], theirs: dict[str, Any]) -> list[Any]:
    """The values of the other library, in JAX by one compilation: operation by operation it takes seconds."""
    if peer != "jax":
        return [run(code, theirs) for code in codes]
    import jax

    return list(jax.jit(lambda: [run(code, theirs) for code in codes])())


def same(expected: Any, got: Any, row: str) -> bool:
    """Whether two values are arrays and numbers; these must be equal to rounding."""
    a, b = numbers(expected), numbers(got)
    if a is None or b is None:
        return False
    assert len(a) == len(b), row
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(right, left, rtol=1e-5, atol=1e-6, err_msg=row)
    return True


@pytest.mark.parametrize("peer", PEERS)
def test_what_stands_beside_the_names_runs_and_gives_the_same(peer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    installed = importlib.util.find_spec(peer) is not None
    around = contextlib.nullcontext()
    if peer == "jax":
        import jax

        around = jax.enable_x64(True)
    with around:
        count = compared(peer, with_peer=installed)
    assert not installed or count >= PEERS[peer], count


def test_every_row_of_a_page_is_run():
    for peer in PEERS:
        text = page(peer)
        rows = [
            line
            for line in text.splitlines()
            if line.startswith("| ") and not re.match(r"\| [A-Za-z]+ \| here \|", line)
        ]
        assert len([step for step in steps(text) if "left" in step.groupdict()]) == len(rows), peer


def test_a_row_that_is_wrong_is_found(monkeypatch):
    text = "```py\nx = 2.0\n```\n```python\nx = 2.0\n```\n| `x * 2` | `x * 3` |\n"
    monkeypatch.setattr("tests.test_coming_from.page", lambda peer: text)
    with pytest.raises(AssertionError, match=re.escape("x * 2")):
        compared("jax", with_peer=True)
    assert compared("jax", with_peer=False) == 0
