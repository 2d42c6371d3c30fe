"""Every test asserts: one that only runs code would pass whatever that code computes."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blocks import of_each

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "tests").rglob("*.py"))
ASSERTING = {"raises", "warns", "fail"}
"""Functions of pytest that end a test which does not do what is said."""

Functions = dict[str, ast.FunctionDef]


def functions(tree: ast.AST) -> Functions:
    """The functions of a file by name, methods and inner ones too."""
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@functools.cache
def functions_of(path: Path) -> Functions:
    """Those of a file of helpers; none if there is no such file."""
    return functions(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else {}


def called(node: ast.AST) -> Iterator[str]:
    """The names of the functions that are called somewhere inside, and of the fixtures that are asked for."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield inner.func.attr if isinstance(inner.func, ast.Attribute) else getattr(inner.func, "id", "")
    if isinstance(node, ast.FunctionDef):
        yield from (argument.arg for argument in node.args.args)


def asserts(node: ast.AST, known: Functions, seen: frozenset[str] = frozenset()) -> bool:
    """Whether something is asserted here, or in a ``known`` function that is called."""
    names = set(called(node)) - seen
    if any(isinstance(inner, ast.Assert) for inner in ast.walk(node)):
        return True
    if any(name in ASSERTING or name.startswith("assert_") for name in names):
        return True
    return any(asserts(known[name], known, seen | names) for name in names if name in known)


def visible(tree: ast.Module, path: Path) -> Functions:
    """The functions that a file of tests can call: its own, those that it imports from tests, and fixtures."""
    found: Functions = {}
    for folder in path.parents:
        if folder.is_relative_to(ROOT):
            found = functions_of(folder / "conftest.py") | found
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            there = functions_of(ROOT / f"{node.module.replace('.', '/')}.py")
            found |= there | {a.asname: there[a.name] for a in node.names if a.asname and a.name in there}
    return found | functions(tree)


def empty(source: str, path: Path = ROOT / "tests" / "test_planted.py") -> list[str]:
    """The tests of a file that assert nothing."""
    tree = ast.parse(source)
    known = visible(tree, path)
    return [name for name, node in functions(tree).items() if name.startswith("test_") and not asserts(node, known)]


@of_each("path", FILES, size=64, label=lambda path: str(path.relative_to(ROOT)))
def test_every_test_asserts(path):
    assert empty(path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("f(1)", ["test_it"]),
        ("subprocess.run(['python', '-c', 'assert False'], check=True)", ["test_it"]),
        ("helper(helper)", ["test_it"]),
        ("assert f(1) == 2", []),
        ("np.testing.assert_allclose(f(1), 2)", []),
        ("with pytest.raises(TypeError): f(1)", []),
        ("checked(f(1))", []),
        ("outer(f(1))", []),
    ],
)
def test_one_that_does_not_is_found(body, found):
    helpers = (
        "def helper(x): helper(x)\n"
        "def checked(x): assert x\n"
        "def outer(x): checked(x)\n"
    )  # fmt: skip
    assert empty(f"{helpers}def test_it():\n    {body}\n") == found
