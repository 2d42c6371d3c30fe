"""Imports have no circle: no module needs, over others, itself, in a package either."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("autodiff", "nn")

Modules = dict[str, ast.Module]
Graph = dict[str, set[str]]


def modules() -> Modules:
    """Every module of both packages by its name, that of a package without ``.__init__``."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    parsed = {path.relative_to(ROOT).with_suffix("").parts: ast.parse(path.read_bytes()) for path in paths}
    return {".".join(parts).removesuffix(".__init__"): tree for parts, tree in parsed.items()}


def statements(nodes: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a module, those inside of functions too, without those for type checkers alone."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from statements(node.orelse)
        elif not isinstance(node, ast.expr):
            yield from statements(ast.iter_child_nodes(node))


def imported(name: str, known: Modules, packages: set[str]) -> set[str]:
    """The modules that a module imports by name.

    ``from . import a`` imports the module ``a`` and not the package, where there is such a module.
    """
    found: set[str] = set()
    for node in statements(known[name].body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        above = name.split(".") if name in packages else name.split(".")[:-1]
        start = above[: len(above) - node.level + 1] if node.level else []
        base = ".".join([*start, *([node.module] if node.module else [])])
        parts = {f"{base}.{alias.name}" for alias in node.names}
        found |= {part for part in parts if part in known} | ({base} if not parts <= known.keys() else set())
    return found & known.keys() - {name}


def graph(known: Modules) -> Graph:
    """What each module imports of the others."""
    packages = {name.rpartition(".")[0] for name in known}
    return {name: imported(name, known, packages) for name in known}


def circle(graph: Graph) -> list[str]:
    """The modules of a circle of imports, the first of them again at the end; nothing if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


@pytest.fixture(scope="module")
def project():
    return graph(modules())


def test_no_module_imports_itself_over_others(project):
    assert circle(project) == []


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ("from .b import g", "from .a import f", True),
        ("from . import b", "from . import a", True),
        ("import planted.b", "import planted.a", True),
        ("def f():\n    from .b import g", "class G:\n    def g(self):\n        from planted.a import f", True),
        ("from .b import g", "from . import f", True),
        ("from .b import g", "from typing import Any", False),
        ("from .b import g", "if TYPE_CHECKING:\n    from .a import f", False),
        ("from .b import g", "if TYPE_CHECKING:\n    pass\nelse:\n    from .a import f", True),
    ],
)
def test_a_planted_circle_is_found(a, b, found):
    sources = {"planted": "from .a import f", "planted.a": a, "planted.b": b}
    assert bool(circle(graph({name: ast.parse(source) for name, source in sources.items()}))) == found


def test_a_planted_circle_is_found_among_the_modules_that_there_are(project):
    planted = project | {"autodiff.arrays": project["autodiff.arrays"] | {"autodiff.tensor"}}
    assert {"autodiff.arrays", "autodiff.tensor"} <= set(circle(planted))
