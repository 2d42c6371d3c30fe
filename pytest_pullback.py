"""The pytest plugin: a function marked ``@gradient_property`` is a test; with ``--gradients`` annotated functions are.

pytest loads this module at its start, in every project of the environment.  So it stands outside of autodiff, whose
import loads NumPy, and imports autodiff when there is a gradient to check.
"""

from __future__ import annotations

import importlib.util
import inspect
import textwrap
from collections.abc import Generator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

NOT_IMPORTED = ("conftest.py", "setup.py", "__main__.py")
"""Files that do something when they are imported."""
OBSTACLES = pytest.StashKey[dict[str, str]]()
"""Why functions are not checked, by node id."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("pullback").addoption(
        "--gradients",
        action="store_true",
        help="check the gradient of every function, in the files named or found, whose annotations say what to draw",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[OBSTACLES] = {}
    if config.getoption("--gradients") and importlib.util.find_spec("hypothesis") is None:
        raise pytest.UsageError("--gradients: Hypothesis draws the inputs, and is missing; pip install hypothesis")


class Source(pytest.Module):
    """A file that holds functions with gradients, and no tests by pytest's names."""


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, Any, Any]:
    """With ``--gradients``, also the Python files that pytest does not collect by itself."""
    found = yield
    if not parent.config.getoption("--gradients") or file_path.suffix != ".py" or file_path.name in NOT_IMPORTED:
        return found
    # a collector of examples in docstrings is a Module too, and collects nothing else
    if not any(isinstance(c, pytest.Module) and type(c).__name__ != "DoctestModule" for c in found):
        found.append(Source.from_parent(parent, path=file_path))
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, name: str, obj: object) -> Any:
    """Leave a marked function to pytest; make an item of one that ``--gradients`` finds."""
    claim = claim_of(obj)
    if claim is not None:  # the parameters that pytest fills are those of parametrize
        function: Any = obj
        if isinstance(obj, staticmethod):  # does not show the attributes of its function, of which pytest needs this
            function = obj.__func__
            obj.__test__ = True  # type: ignore[attr-defined]
        function.__signature__ = claim.signature(parametrized(collector, function))
        return None
    if not collector.config.getoption("--gradients"):
        return None
    nothing: Any = [] if isinstance(collector, Source) else None
    if not (isinstance(obj, FunctionType) and isinstance(collector, pytest.Module)):
        return nothing
    is_own = obj.__module__ == collector.obj.__name__ and obj.__name__ == name
    is_test = not isinstance(collector, Source) and collector.istestfunction(obj, name)
    if not is_own or is_test or hasattr(obj, "_pytestfixturefunction"):  # of pytest before 8.4
        return nothing
    return found_item(collector, name, obj) or nothing


def found_item(collector: pytest.Module, name: str, function: FunctionType) -> pytest.Function | None:
    """An item for a function whose arguments can be drawn, or that the command line names."""
    from autodiff.testing.inputs import obstacle
    from autodiff.testing.property import GradientProperty, test_of

    reason = obstacle(function)
    if not inspect.signature(function).parameters:
        return None
    if reason and not is_named(collector, name):
        collector.config.stash[OBSTACLES][f"{collector.nodeid}::{name}"] = reason
        return None
    claim = GradientProperty(function, lenient=True)
    found: pytest.Function = pytest.Function.from_parent(collector, name=name, callobj=test_of(claim))
    return found


def is_named(collector: pytest.Module, name: str) -> bool:
    """Whether an argument of the command line is ``file.py::name``."""
    arguments = [argument.partition("::") for argument in collector.config.args]
    return any(rest == name and Path(file).name == collector.path.name for file, _, rest in arguments)


def claim_of(obj: object) -> Any:
    """The GradientProperty of a marked function or method; None for anything else."""
    function = getattr(obj, "__func__", obj) if inspect.ismethod(obj) or isinstance(obj, staticmethod) else obj
    return vars(function).get("gradient_property") if isinstance(function, FunctionType) else None


def parametrized(collector: pytest.Collector, function: object) -> set[str]:
    """The names of arguments that ``pytest.mark.parametrize`` gives, at the function or around it."""
    marks = [*getattr(function, "pytestmark", []), *collector.iter_markers("parametrize")]
    names: set[str] = set()
    for mark in marks:
        if mark.name == "parametrize":
            given = mark.kwargs.get("argnames", mark.args[0] if mark.args else ())
            names |= {n.strip() for n in given.split(",")} if isinstance(given, str) else set(given)
    return names


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Check the gradient; parametrized arguments are not drawn."""
    claim = claim_of(pyfuncitem.obj)
    if claim is None:
        return None
    held = [pyfuncitem.obj.__self__] if claim.is_method else []
    names = inspect.signature(pyfuncitem.obj).parameters
    claim.check(*held, **{name: pyfuncitem.funcargs[name] for name in names})
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, Any]:
    """The report of the check is the text of the failure; ``--tb=long`` and ``--full-trace`` show the traceback."""
    report = yield
    if not report.failed or claim_of(getattr(item, "obj", None)) is None:
        return report
    if item.config.getoption("tbstyle") not in ("auto", "short") or item.config.getoption("fulltrace"):
        return report
    from autodiff.testing import GradientError
    from autodiff.testing.inputs import InputError

    error = call.excinfo.value
    if isinstance(error, GradientError | InputError):
        text = failure_text(error)
        plain = AssertionError(text).with_traceback(call.excinfo.tb)
        report.longrepr = pytest.ExceptionInfo.from_exception(plain).getrepr(style="value")
        if report.longrepr.reprcrash is not None:
            report.longrepr.reprcrash.message = text.splitlines()[0]  # the line of the summary
    return report


def failure_text(error: Any) -> str:
    """What went wrong, the code that shows it, and the input as Hypothesis writes it."""
    text = str(error)
    if code := getattr(getattr(error, "report", None), "code", ""):  # nobody can print an attribute of a report here
        text = text.replace("reproduce with: print(report.code)", "reproduce with:\n" + textwrap.indent(code, "    "))
    return "\n".join([text, *getattr(error, "__notes__", [])])


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Why functions are not checked: with ``-v``, or if none is."""
    obstacles = config.stash[OBSTACLES]
    if config.get_verbosity() < 1 and any(claim_of(getattr(item, "obj", None)) for item in items):
        return []
    return [f"no gradient is checked of {place}: {reason}" for place, reason in obstacles.items()]
