"""The pytest plugin, as a project meets it: marked functions, --gradients, ids, options, the cost at the start."""

from __future__ import annotations

import os
import re
import textwrap
import tomllib
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parent.parent
settings.register_profile("few", max_examples=3, deadline=None, derandomize=True, database=None)

HEAD = """
    from typing import Annotated
    import numpy as np
    import pytest
    from autodiff import Tensor
    from autodiff.testing import gradient_property

    A = Annotated[np.ndarray, "3"]

    def detached(x):
        return x * Tensor(getattr(x, "data", x))
"""
MODEL = """
    def right(w: Annotated[np.ndarray, "2,n"], x: Annotated[np.ndarray, "n"], *, scale: float = 2.0):
        return np.sum(np.tanh(w @ x)) * scale

    def wrong(x: A, k: float):
        return np.sum(detached(x)) * (k * k + 1.0)

    def helper(x):
        return x
"""
PROFILES = """
    from hypothesis import settings
    settings.register_profile("one", max_examples=1, database=None)
    settings.register_profile("five", max_examples=5, database=None)
    settings.load_profile("one")
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A folder of a project that has the plugin, by its name or by an entry point.

    Of the environment's plugins those are loaded that are named: all of them would take most of the time.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    settings.register_profile("before", parent=settings())
    settings.load_profile("few")
    yield pytester
    settings.load_profile("before")


def write(project, **files):
    for name, source in files.items():
        (project.path / f"{name}.py").write_text(textwrap.dedent(HEAD) + textwrap.dedent(source))


def run(project, *options):
    return project.runpytest_inprocess("-p", "pytest_pullback", "-p", "no:cacheprovider", *options)


def run_apart(project, *options):
    return project.runpytest_subprocess("-p", "pytest_pullback", "-p", "no:cacheprovider", *options)


def collected(project, *options):
    """The node ids, without running."""
    return [line for line in run(project, "--collect-only", "-q", *options).outlines if "::" in line]


def test_marked_functions_are_tests_under_any_name(project):
    write(
        project,
        test_marked="""
            @gradient_property
            def layer(w: Annotated[np.ndarray, "2,3"], x: A):
                return np.tanh(w @ x)

            @gradient_property(order=2)
            def test_cube(x: A):
                return x ** 3

            @gradient_property((2,), max_examples=2)
            def broken(x):
                return detached(x)

            def test_a_marked_function_still_computes():
                assert layer(np.ones((2, 3)), np.zeros(3)).tolist() == [0.0, 0.0]
        """,
    )
    names = ["layer", "test_cube", "broken", "test_a_marked_function_still_computes"]
    assert collected(project) == [f"test_marked.py::{name}" for name in names]
    result = run(project)
    result.assert_outcomes(passed=3, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_gradients_checks_what_annotations_make_checkable(project):
    write(project, model=MODEL)
    assert collected(project, "--gradients", "model.py") == ["model.py::right", "model.py::wrong"]
    assert collected(project, "model.py") == []
    result = run(project, "--gradients", "model.py")
    result.assert_outcomes(passed=1, failed=1)
    assert run(project, "--gradients", "model.py::right").ret == pytest.ExitCode.OK
    assert collected(project, "--gradients", "model.py", "-k", "wrong") == ["model.py::wrong"]


def test_the_report_is_the_text_of_the_failure(project):
    write(project, model=MODEL)
    result = run(project, "--gradients", "model.py::wrong")
    text = result.stdout.str()
    assert "gradcheck: wrong: the gradient of wrong\n  reason " in text
    assert "    from model import wrong\n    print(gradcheck(wrong, " in text  # and not report.code, which nobody has
    assert re.search(r"wrong\(\n +x=array\(", text)  # Hypothesis's smallest input
    assert "Traceback" not in text
    assert "def wrong" not in text  # no source, no frames
    assert "FAILED model.py::wrong - gradcheck: wrong: the gradient of wrong" in text
    assert "property.py" in run(project, "--gradients", "--tb=long", "model.py::wrong").stdout.str()


def test_the_code_of_a_report_names_a_marked_function(project):
    write(project, test_code="@gradient_property\ndef broken(x: A):\n    return detached(x)\n")
    text = run(project).stdout.str()
    assert "from test_code import broken\n    print(gradcheck(broken, np.array(" in text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return x * np.random.default_rng().random()", "inconclusive: the gradient of f"),
        ("return np.zeros(0) * x[:0]", "nothing was compared"),
        ("raise KeyError('no such thing')", "no input could be checked: f raised"),
    ],
)
def test_what_cannot_be_told_fails_as_in_pullback_check(project, body, says):
    write(project, model=f"def f(x: A):\n    {body}\n")
    result = run(project, "--gradients", "model.py")
    result.assert_outcomes(failed=1)
    assert says in result.stdout.str()


def test_an_input_that_raises_is_passed_over_if_the_function_was_found_and_fails_a_marked_one(project):
    body = "def f(x: float):\n    if abs(x) > 3.0:\n        raise ValueError('not here')\n    return x * x\n"
    write(project, model=body, test_marked="@gradient_property(max_examples=50)\n" + body)
    run(project, "--gradients", "model.py").assert_outcomes(passed=1)
    result = run(project, "test_marked.py")
    result.assert_outcomes(failed=1)
    assert "ValueError: not here" in result.stdout.str()


def test_a_function_that_says_too_little_is_named_with_the_way_out(project):
    write(
        project,
        model=MODEL,
        bare="def f(x):\n    return x\n",
        test_bare="@gradient_property\ndef g(x):\n    return x\n",
    )
    assert "no gradient is checked" not in run(project, "--gradients", "model.py::right").stdout.str()
    text = run(project, "--gradients", "bare.py").stdout.str()
    assert "no gradient is checked of bare.py::f: no shape is known for 'x'; annotate it: Annotated[" in text
    for arguments in (["--gradients", "bare.py::f"], ["test_bare.py::g"]):  # whoever names it wants to know
        result = run(project, *arguments)
        result.assert_outcomes(failed=1)
        assert re.search(r"^gradient_property: [fg]: no shape is known for 'x'; annotate it", result.stdout.str(), re.M)
    assert run(project, "--gradients", "bare.py").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_parametrized_arguments_are_not_drawn(project):
    write(
        project,
        test_parameters="""
            @pytest.mark.parametrize("n", [1, 2])
            @gradient_property
            def above(x: A, n: int):
                return n * x

            @gradient_property
            @pytest.mark.parametrize(("n", "scale"), [(1, 0.5), (2, 0.5)])
            def below(n, x: A, scale: float):
                assert scale == 0.5
                return x if n == 1 else detached(x)

            @pytest.mark.xfail(strict=True)
            @gradient_property
            def expected(x: A):
                return detached(x)
        """,
    )
    ids = ["above[1]", "above[2]", "below[1-0.5]", "below[2-0.5]", "expected"]
    assert collected(project) == [f"test_parameters.py::{name}" for name in ids]
    result = run(project)
    result.assert_outcomes(passed=3, failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["FAILED test_parameters.py::below[[]2-0.5[]] - gradcheck: wrong*"])


def test_functions_of_a_class(project):
    write(
        project,
        test_held="""
            class TestHeld:
                factor = 2.0

                @gradient_property
                def method(self, x: A):
                    return self.factor * x

                @staticmethod
                @gradient_property
                def static(x: A):
                    return x * x

                @pytest.mark.parametrize("n", [3])
                @gradient_property
                def broken(self, x: A, n):
                    return detached(x) * n * self.factor
        """,
    )
    assert collected(project) == [f"test_held.py::TestHeld::{name}" for name in ("method", "static", "broken[3]")]
    run(project).assert_outcomes(passed=2, failed=1)


def test_nothing_is_collected_twice(project):
    write(
        project,
        model=MODEL,
        test_model="""
            from model import right, wrong

            @pytest.fixture
            def given(x: float = 1.0):
                return x

            @gradient_property
            def test_marked(x: A):
                return x

            @pytest.mark.parametrize("x", [1.0])
            def test_ordinary(x: float):
                assert x == 1.0

            def found(x: A):
                return x

            same = found
        """,
    )
    assert collected(project, "--gradients") == [
        "model.py::right", "model.py::wrong",
        "test_model.py::test_marked", "test_model.py::test_ordinary[1.0]", "test_model.py::found",
    ]  # fmt: skip
    assert collected(project, "--gradients", "--doctest-modules") == collected(project, "--gradients")
    run(project, "--gradients", "test_model.py").assert_outcomes(passed=3)


def test_files_that_do_something_when_imported_are_left_alone(project):
    write(project, setup="raise SystemExit(3)\n", model=MODEL)
    assert len(collected(project, "--gradients")) == 2


def test_a_module_that_cannot_be_imported_is_one_error(project):
    write(project, broken="import no_such_module\n", model=MODEL)
    result = run(project, "--gradients", ".")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "No module named 'no_such_module'" in result.stdout.str()


def test_fixtures_that_are_used_everywhere_hold_for_gradients(project):
    write(project, model=MODEL)
    project.makeconftest("import pytest\n@pytest.fixture(autouse=True)\ndef seen(): print('prepared')\n")
    assert "prepared" in run(project, "--gradients", "-s", "model.py::right").stdout.str()


def test_with_several_processes(project):
    project.makeconftest(PROFILES)
    write(project, model=MODEL)
    result = run_apart(project, "-p", "xdist", "-n", "2", "--gradients", "model.py")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED model.py::wrong - gradcheck: wrong: the gradient of wrong"])


def test_profile_and_seed_of_hypothesis(project, monkeypatch):
    monkeypatch.delenv("CI", raising=False)  # there Hypothesis draws the same whatever the seed
    write(project, model="def f(x: float):\n    print('drawn', repr(x))\n    return x\n")

    project.makeconftest(PROFILES)

    def drawn(*options):
        result = run_apart(project, "-p", "hypothesispytest", "--gradients", "model.py", "-s", *options)
        result.assert_outcomes(passed=1)
        return set(re.findall(r"drawn Tensor\((.*),", result.stdout.str()))

    five = drawn("--hypothesis-profile=five", "--hypothesis-seed=1")
    assert len(five) > 2  # the profile that conftest.py loads draws one
    assert drawn("--hypothesis-profile=five", "--hypothesis-seed=1") == five
    assert drawn("--hypothesis-profile=five", "--hypothesis-seed=2") != five


def test_the_example_of_the_documentation(project):
    """Its output, but for numbers and for how Hypothesis names the input."""
    page = (ROOT / "docs" / "checking.md").read_text(encoding="utf-8")
    source, shown = re.search(r"Here is `physics.py`.*?```python\n(.*?)```\s*```console\n(.*?)```", page, re.S).groups()
    (project.path / "physics.py").write_text(source)
    text = run(project, "--gradients", "physics.py").stdout.str()

    def lines(text):
        text = re.sub(r"^(Failing test case|Falsifying example): ", "", text, flags=re.M)
        return [re.sub(r"-?\d[\d.]*(e-\d+)?", "#", line).rstrip() for line in text.splitlines()]

    wanted = [line for line in lines(shown) if line != "..." and not line.startswith("$")]
    assert [line for line in wanted if line not in lines(text)] == []


def test_a_run_without_gradients_loads_neither_numpy_nor_autodiff(project):
    project.makepyfile("import sys\ndef test(): assert not {'numpy', 'autodiff', 'hypothesis'} & set(sys.modules)\n")
    run_apart(project).assert_outcomes(passed=1)


def test_without_hypothesis_there_is_an_error_that_says_what_to_install(project):
    (project.path / "hidden.py").write_text("import sys\nsys.modules['hypothesis'] = None\n")
    write(project, model=MODEL, test_marked="@gradient_property\ndef f(x: A):\n    return x\n")
    hidden = ("-p", "hidden")
    result = run_apart(project, *hidden, "--gradients", "model.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--gradients: Hypothesis draws the inputs, and is missing; pip install hypothesis" in result.stderr.str()
    result = run_apart(project, *hidden)
    result.assert_outcomes(errors=1)
    assert (
        "gradient_property: Hypothesis draws the inputs, and is missing; pip install hypothesis" in result.stdout.str()
    )
    project.makepyfile(test_other="def test(): pass\n")
    run_apart(project, *hidden, "test_other.py").assert_outcomes(passed=1)


def test_the_entry_point_is_loaded_once(project, monkeypatch):
    """By the entry point alone, and with -p beside it, as in a source tree where pullback is installed too."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["pytest11"]
    assert points == {"pytest_pullback": "pytest_pullback"}
    installed = project.path / "installed-0.1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: installed\nVersion: 0.1\n")
    (installed / "entry_points.txt").write_text("[pytest11]\npytest_pullback = pytest_pullback\n")
    write(project, model=MODEL)
    project.makeconftest(PROFILES)
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    run_apart(project, "--gradients", "model.py::right").assert_outcomes(passed=1)
    by_itself = project.runpytest_subprocess("-p", "no:cacheprovider", "--gradients", "model.py::right")
    by_itself.assert_outcomes(passed=1)
