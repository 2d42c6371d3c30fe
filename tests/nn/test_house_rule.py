"""No rule and no hand-written derivative stands in ``nn``: it is built from public names alone."""

import ast
import pathlib

import autodiff
import nn
from tests.blocks import of_each

SOURCES = sorted(pathlib.Path(nn.__file__).parent.rglob("*.py"))
MODULES = {"draw", "files", "testing"}
VERSION = "__version__"
REGISTERING = {"elementwise", "primitive", "composite", "gufunc"}


def offences(source):
    """What a source does that only autodiff itself may do."""
    found = []
    public = {*autodiff.__all__, *MODULES, VERSION}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "autodiff":
            inside = node.module.split(".")[1:2]
            if inside and inside[0] not in public:
                found.append(f"imports from {node.module}")
            if not inside:
                found += [f"imports {a.name}" for a in node.names if a.name not in public]
            found += [f"registers with {a.name}" for a in node.names if a.name in REGISTERING]
        elif isinstance(node, ast.Import):
            found += [f"imports {a.name}" for a in node.names if a.name.startswith("autodiff.")]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "autodiff":
            if node.attr in REGISTERING or node.attr not in public:
                found.append(f"uses autodiff.{node.attr}")
        elif isinstance(node, ast.Attribute) and node.attr in ("_node", "_value"):
            found.append(f"looks into a Tensor: .{node.attr}")
    return found


@of_each("path", SOURCES, size=64)
def test_nn_holds_no_rule(path):
    assert offences(path.read_text()) == []


def test_the_test_above_can_fail():
    for source in (
        "from autodiff import primitive", "from autodiff.primitive import elementwise", "import autodiff.graph",
        "import autodiff\nautodiff.elementwise(f, lambda g: g)", "t._value = 3", "from autodiff import backward",
    ):  # fmt: skip
        assert offences(source), source
    assert offences("from autodiff import Tensor, relu") == []
