"""What must be true of the project as a whole: what an import loads, what the packages need, what is public."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import autodiff
import nn

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("autodiff", "nn")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
# the name to import, where it is not the name to install
IMPORTED_AS = {"ipython": "IPython"}


def loaded_by(package: str) -> set[str]:
    """The modules that importing a package adds to those of NumPy and its parts, in a new interpreter.

    NumPy itself imports ``inspect`` and ``zlib`` in new versions, not yet in 2.2.
    """
    numpy = "import numpy, numpy.fft, numpy.linalg, numpy.random"
    code = f"import sys, inspect, zlib; {numpy}; before = set(sys.modules); import {package}; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_autodiff_loads_numpy_and_itself():
    loaded = {name for name in loaded_by("autodiff") if name.split(".")[0] not in ("autodiff", "numpy")}
    loaded -= set(sys.builtin_module_names)  # which are part of the interpreter: there is nothing to load
    assert loaded <= {"__future__"}  # of the standard library, and small


def test_the_first_operation_imports_nothing_and_writes_one_callable():
    """NumPy's masked arrays, and the callables of other operations, wait until they are met."""
    code = """
import sys, autodiff, autodiff.template as template
before = set(sys.modules)
autodiff.Tensor(1.0) * 2.0
print(set(sys.modules) - before, template.written.cache_info().misses)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert run.stdout == "set() 1\n"


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_loads_no_other_third_party_package(package):
    loaded = {name.split(".")[0] for name in loaded_by(package)} - set(sys.stdlib_module_names)
    assert loaded - {"numpy"} == set(PACKAGES[: PACKAGES.index(package) + 1])  # parts of NumPy are loaded when used


@pytest.mark.parametrize("package", PACKAGES)
def test_types_are_shipped(package):
    assert (ROOT / package / "py.typed").is_file()


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.split(".")[0])
    return names


def requirements(*extras: str) -> set[str]:
    """The names of what the project asks for, with the extras that it includes."""
    found: set[str] = set()
    optional = PROJECT["optional-dependencies"]
    for requirement in [*PROJECT["dependencies"], *(r for extra in extras for r in optional[extra])]:
        name = re.match(r"[\w-]+", requirement)[0].lower()
        if name == "pullback":
            found |= requirements(*re.search(r"\[(.*)\]", requirement)[1].split(","))
        else:
            found.add(IMPORTED_AS.get(name, name))
    return found


def test_the_only_dependency_is_numpy():
    assert requirements() == {"numpy"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_import_is_a_declared_requirement(path):
    known = requirements("draw", "plot", "scipy", "test", "notebook") | set(PACKAGES) | set(sys.stdlib_module_names)
    assert imported(path) <= known | {"IPython"}  # present wherever a notebook runs


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_every_import_of_a_test_is_in_the_test_extra(path):
    known = requirements("test") | set(PACKAGES) | set(sys.stdlib_module_names) | {"tests", "docs", "benchmarks"}
    assert imported(path) <= known


def unlisted(module: ModuleType) -> set[str]:
    """The classes, functions and values with a public name that ``__all__`` leaves out; parts of a package aside."""
    public = {name for name, thing in vars(module).items() if name[0] != "_" and not isinstance(thing, ModuleType)}
    return public - {"TYPE_CHECKING"} - set(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_names_are_those_in_all(package):
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert unlisted(module) == set()


def test_a_name_that_all_forgets_is_found():
    module = ModuleType("package")
    module.__dict__.update(__all__=["grad"], grad=len, vjp=len, numpy=re, _private=len)
    assert unlisted(module) == {"vjp"}


def is_documented(thing: object, name: str) -> bool:
    """Whether a class or function says what it is.  An inherited text does not, nor the one that dataclasses make."""
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    return bool(text) and not text.startswith(f"{name}(")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_is_documented(package):
    module = importlib.import_module(package)
    things = {name: getattr(module, name) for name in module.__all__}
    things = {name: thing for name, thing in things.items() if inspect.isclass(thing) or inspect.isroutine(thing)}
    assert things
    assert [name for name, thing in things.items() if not is_documented(thing, name)] == []


def test_there_is_one_version():
    source = (ROOT / "autodiff" / "__init__.py").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "version" not in PROJECT  # the archives take it from the package
    assert f'\n__version__ = "{autodiff.__version__}"\n' in source  # which a checkout has that is not installed
    assert nn.__version__ == autodiff.__version__
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == autodiff.__version__
    assert re.search(r"^version: (\S+)", citation, re.MULTILINE)[1] == autodiff.__version__


def committed_text() -> list[Path]:
    """The text files that a clone holds, or all when there is no git here."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    paths = [ROOT / line for line in listed.stdout.splitlines()] or list(ROOT.rglob("*"))
    suffixes = {".py", ".md", ".toml", ".yml", ".yaml", ".cff", ".ipynb", ".svg", ".txt", ".html", ".js", ".css", ""}
    return [path for path in paths if path.suffix in suffixes and path.is_file()]


def test_nothing_committed_depends_on_one_machine():
    machine = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w+")
    for path in committed_text():
        if path.is_relative_to(ROOT / "tests"):  # there, such a path is an input
            continue
        assert not machine.search(path.read_text(encoding="utf-8")), path
