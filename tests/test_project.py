"""What must be true of the project as a whole: what an import loads, what the packages need, what is public."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import autodiff
import nn
from tests.blocks import of_each

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("autodiff", "nn")
PUBLIC = (*PACKAGES, "autodiff.draw", "autodiff.testing", "nn.datasets")
"""The packages whose names users import."""
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
# the name to import, where it is not the name to install
IMPORTED_AS = {"ipython": "IPython", "pillow": "PIL", "scikit-learn": "sklearn", "tensorboardx": "tensorboardX"}


def loaded_by(package: str) -> set[str]:
    """The modules that importing a package adds to those of NumPy and its parts, in a new interpreter.

    NumPy itself imports ``inspect`` and ``zlib`` in new versions, not yet in 2.2.
    """
    numpy = "import inspect, numpy, numpy.fft, numpy.linalg, numpy.random, zlib"
    code = f"import sys; {numpy}; before = set(sys.modules); import {package}; print(*set(sys.modules) - before)"
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
print(template.written.cache_info().misses, *set(sys.modules) - before)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "1\n"


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


def test_the_readme_names_every_extra():
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Extras")[2]
    named = [name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(PROJECT["optional-dependencies"])


def test_the_only_dependency_is_numpy():
    assert requirements() == {"numpy"}


@of_each("path", SOURCES, size=64, label=lambda path: str(path.relative_to(ROOT)))
def test_every_import_is_a_declared_requirement(path):
    known = requirements("draw", "plot", "scipy", "test", "notebook") | set(PACKAGES) | set(sys.stdlib_module_names)
    assert imported(path) <= known | {"IPython"}  # present wherever a notebook runs


@of_each("path", sorted((ROOT / "tests").rglob("*.py")), size=64, label=lambda path: str(path.relative_to(ROOT)))
def test_every_import_of_a_test_is_in_the_test_extra(path):
    known = requirements("test") | set(PACKAGES) | set(sys.stdlib_module_names) | {"tests", "docs", "benchmarks"}
    assert imported(path) <= known


def from_elsewhere(path: Path) -> set[str]:
    """The names that a file takes from other packages."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def modules_of(package: str) -> Iterator[ModuleType]:
    """Every module of a package, but not those that run when they are imported."""
    module = importlib.import_module(package)
    yield module
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def forgotten(package: str) -> list[str]:
    """The public names of a package that its ``__all__`` lacks.

    They are what it binds, apart from its modules and from what is of other packages, and, wherever in the package
    they are defined, the classes that derive from a public one and that no other derives from: a layer is meant to be
    used as its base is, and a class between the two may be the package's own.
    """
    module = importlib.import_module(package)
    known = set(module.__all__) | from_elsewhere(Path(module.__file__))
    bound = {name for name, value in vars(module).items() if not isinstance(value, ModuleType)}
    bases = tuple(thing for thing in map(vars(module).get, module.__all__) if inspect.isclass(thing))
    parts = list(modules_of(package))
    listed = {name for part in parts for name in getattr(part, "__all__", ())}  # in one that knows who may use it
    derived = {
        name
        for part in parts
        for name, thing in vars(part).items()
        if inspect.isclass(thing) and thing.__module__ == part.__name__ and issubclass(thing, bases)
        if not any(heir.__module__.startswith(f"{package}.") for heir in thing.__subclasses__())
    }
    return sorted(name for name in (bound - known) | (derived - listed) if not name.startswith("_"))


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_those_in_all(package):
    module = importlib.import_module(package)
    assert sorted(set(module.__all__)) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert forgotten(package) == []


@pytest.mark.parametrize("package", PUBLIC)
@pytest.mark.parametrize("thing", [Path.cwd, Path, 1.5], ids=["function", "class", "constant"])
def test_a_forgotten_public_name_is_found(package, thing, monkeypatch):
    monkeypatch.setattr(importlib.import_module(package), "planted", thing, raising=False)
    assert forgotten(package) == ["planted"]


def test_a_forgotten_layer_is_found(monkeypatch):
    home = importlib.import_module(nn.Linear.__module__)
    planted = type("Planted", (nn.Module,), {"__module__": home.__name__})
    monkeypatch.setattr(home, "Planted", planted, raising=False)
    assert forgotten("nn") == ["Planted"]


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
