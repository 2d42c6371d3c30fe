"""Both type checkers accept what a user may write and refuse what he may not, line by line."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from docs.blocks import BLOCK
from tests.testing.seeds import in_turn

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "typing"
GOOD = sorted(FOLDER.glob("good_*.py"))
BAD = sorted(FOLDER.glob("bad_*.py"))
PAGE = ROOT / "docs" / "typing.md"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True)


def mypy(paths: list[Path], cache: Path) -> tuple[int, set[tuple[str, int]]]:
    """The exit status, and the file and line of every error."""
    done = run("mypy", "--config-file=", "--strict", f"--cache-dir={cache}", *map(str, paths))
    found = re.findall(r"^(.+?):(\d+): error: ", done.stdout, re.MULTILINE)
    assert found or done.returncode == 0, done.stdout + done.stderr
    return done.returncode, {(Path(path).name, int(line)) for path, line in found}


def pyright(paths: list[Path], _: Path) -> tuple[int, set[tuple[str, int]]]:
    """The exit status, and the file and line of every error."""
    done = run("pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, paths))
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(paths), done.stdout + done.stderr
    errors = [entry for entry in report["generalDiagnostics"] if entry["severity"] == "error"]
    return done.returncode, {(Path(e["file"]).name, e["range"]["start"]["line"] + 1) for e in errors}


def marked(paths: list[Path]) -> set[tuple[str, int]]:
    """The lines that a checker must refuse."""
    lines = [(path.name, i, text) for path in paths for i, text in enumerate(path.read_text().splitlines(), 1)]
    return {(name, i) for name, i, text in lines if text.endswith("# error")}


@pytest.fixture
def page(tmp_path):
    """The code on the page about types, as one file."""
    blocks = list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))
    assert all(block["code"].endswith("# error\n") for block in blocks if block["raises"])
    path = tmp_path / "page.py"
    path.write_text("\n".join(block["code"] for block in blocks), encoding="utf-8")
    return path


@pytest.fixture
def kept(request, tmp_path):
    """A folder that stays until the next run, if pytest keeps any: what mypy found in NumPy's stubs."""
    cache = getattr(request.config, "cache", None)
    return tmp_path if cache is None else cache.mkdir("mypy")


@pytest.mark.parametrize("checker", [mypy, pyright], ids=lambda checker: checker.__name__)
def test_a_checker_refuses_the_marked_lines_and_no_other(checker, kept, page):
    status, found = checker([*BAD, *GOOD, page], kept)
    assert sorted(found) == sorted(marked([*BAD, page]))  # none in those that are good
    assert status == 1


def class_of(kind: typing.Any) -> type:
    """The class behind a generic type, and behind the name of one: NumPy's NDArray is such a name since 2.5."""
    kind = typing.get_origin(kind) or kind
    return class_of(kind.__value__) if hasattr(kind, "__value__") else kind


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_what_the_checkers_accept_runs_and_has_the_types_that_they_infer(path, monkeypatch):
    """Only then does it say anything that they accept it."""
    inferred = []
    monkeypatch.setattr(typing, "assert_type", lambda value, kind: inferred.append((value, kind)))
    exec(compile(path.read_text(), path.name, "exec"), {"__name__": path.stem})
    classes = [(value, class_of(kind)) for value, kind in inferred if kind is not typing.Any]
    assert classes
    assert [(value, kind) for value, kind in classes if not isinstance(value, kind)] == []


def public_names(*modules: str) -> set[str]:
    """What the modules export, where it is exported and where it is written."""
    names = set()
    for module in map(importlib.import_module, modules):
        for name in module.__all__:
            thing = getattr(module, name)
            names |= {f"{module.__name__}.{name}", f"{getattr(thing, '__module__', module.__name__)}.{name}"}
            if inspect.ismodule(thing):
                names |= {f"{thing.__name__}.{inner}" for inner in vars(thing) if not inner.startswith("_")}
    return names


@pytest.mark.parametrize(
    "modules", in_turn([("nn",), ("autodiff", "autodiff.testing", "autodiff.draw")], 0), ids=lambda modules: modules[0]
)
def test_every_public_name_has_a_type_that_all_checkers_agree_on(modules):
    """A deep run, as among the checks of ``.ci/run``, looks at both packages."""
    done = run(
        "pyright", "--pythonpath", sys.executable, "--verifytypes", modules[0], "--ignoreexternal", "--outputjson"
    )
    symbols = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    public = public_names(*modules)
    classes = {s["name"] for s in symbols if s["category"] == "class"} & public
    judged = [s for s in symbols if s["name"] in public or s["name"].rpartition(".")[0] in classes]
    assert len(judged) > 100
    assert {s["name"] for s in judged if not s["isTypeKnown"]} == set()
