"""What a module calls private, no other one uses: by name, by attribute, or by asking whether it is there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.blocks import of_each

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for package in ("autodiff", "nn") for path in (ROOT / package).rglob("*.py"))
OF_A_TENSOR = {"_node", "_value"}
"""What the modules of autodiff, and no other, may see of a Tensor."""
OF_PYTHON = {"_replace", "_fields", "_asdict", "_make", "_getframe", "_is_gil_enabled", "_render_traceback_"}
OF_OTHERS = {"_NoValue", "_ufuncs", "_zeta", "_extobj_contextvar", "_make_extobj"}
"""NumPy's mark of what was not given, which its signatures show; a function of SciPy's that has no other name; what
np.errstate sets, where it is there."""
LOWER = {"arrays.py", "conversion.py", "structural.py"}
"""Modules that Tensor is made from, and so cannot import it."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name != "_"


def own_names(tree: ast.AST) -> set[str]:
    """The private names that a module defines: functions, variables, attributes, slots."""
    own: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "mode", "twin", "opened"):
                own.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # slots
            own.add(node.value)
    return own


def offences(source: str, *, inside: bool = True, lower: bool = False) -> list[str]:
    """The private names of others that a module uses; ``inside`` says whether it is one of autodiff."""
    tree = ast.parse(source)
    own = own_names(tree) | OF_PYTHON | OF_OTHERS | (OF_A_TENSOR if inside else set())
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [f"imports {a.name}" for a in node.names if is_private(a.name)]
        elif isinstance(node, ast.Attribute):
            mine = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if is_private(node.attr) and not mine and node.attr not in own:
                found.append(f"uses .{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            names = [a.value for a in node.args[1:2] if isinstance(a, ast.Constant)]
            found += [f"asks for {n}" for n in names if is_private(n) and n not in OF_PYTHON | OF_OTHERS and not lower]
            asked = ast.unparse(node.args[0])
            if asked in ("mode", "around", "enclosing") or asked.endswith(("current()", ".enclosing")):
                found.append(f"probes a mode: {ast.unparse(node)}")
            found += [f"probes for examples: {n}" for n in names if n in ("held", "level")]
    return found


@of_each("path", SOURCES, size=64, label=lambda path: str(path.relative_to(ROOT)))
def test_nobody_uses_what_is_private_to_another(path):
    source = path.read_text(encoding="utf-8")
    assert offences(source, inside=path.parts[len(ROOT.parts)] == "autodiff", lower=path.name in LOWER) == []


@pytest.mark.parametrize(
    "source",
    [
        "from ..tensor import _seed", "graph._sweep(order)", "node._edges", "getattr(t, '_value', t)",
        "hasattr(kind, '_node')", "getattr(mode, 'is_recording', True)", "getattr(current(), 'level', None)",
        "hasattr(mode.enclosing, 'visiting')", "hasattr(x, 'held')", "mode._state.get()",
    ],
)  # fmt: skip
def test_the_test_above_can_fail(source):
    assert offences(source) != []


def test_a_tensor_is_closed_to_other_packages():
    assert offences("t._value") == []
    assert offences("t._value", inside=False) != []
