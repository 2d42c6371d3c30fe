"""pullback check, as it is run from a shell."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from nn import cli

ROOT = Path(__file__).resolve().parents[3]

SOURCE = textwrap.dedent(
    """
    import numpy as np
    from autodiff import Tensor

    def right(w, x, scale: float, sign=1.0):
        return np.sum(np.tanh(w @ x)) * scale * sign

    def detached(x):
        return x * Tensor(x.data)

    def random(x):
        return x * np.random.default_rng().random()

    def raises(x):
        raise RuntimeError("two\\nlines")

    def positive(x):
        if np.any(x < 0):
            raise ValueError("x < 0")
        return np.sqrt(x)

    number = 3
    """
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model_to_check.py"
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize(
    ("name", "options", "code", "says"),
    [
        ("right", ["--shape", "w=2,3", "--shape", "x=3"], 0, "10 of 10 inputs: correct"),
        ("right", ["--shape", "w=2,3", "--shape", "x=3", "--dtype", "float32", "--order", "2"], 0, "correct"),
        ("detached", ["--shape", "x=3"], 1, "analytic"),
        ("random", ["--shape", "x=3"], 2, "not deterministic"),
        ("positive", ["--shape", "x="], 0, "it raised ValueError: x < 0"),
    ],
)
def test_the_exit_code_is_the_verdict(file, capsys, name, options, code, says):
    assert cli.main(["check", f"{file}::{name}", *options]) == code
    assert says in capsys.readouterr().out


def test_a_module_can_be_named(capsys):
    assert cli.main(["check", "autodiff:logsumexp", "--shape", "x=4"]) == 0


@pytest.mark.parametrize(
    ("target", "options", "says"),
    [
        ("{file}::absent", [], "has no 'absent'; it has"),
        ("{file}::number", [], "not a function"),
        ("{file}::right", [], "no shape is known for 'w'"),
        ("{file}::right", ["--shape", "w"], "write NAME=SHAPE"),
        ("{file}::right", ["--shape", "w=2", "--shape", "x=2", "--shape", "z=1"], "no parameter for --shape z"),
        ("{file}::right", ["--shape", "w=2", "--shape", "x=3"], "raised ValueError"),
        ("{file}::raises", ["--shape", "x=3"], "raised RuntimeError"),
        ("{file}.missing.py::f", [], "there is no file"),
        ("no_such_module:f", [], "cannot import no_such_module"),
        ("nothing", [], "is no target"),
        ("{file}::right", ["--examples", "0"], "at least 1"),
        ("{file}::right", ["--low", "3"], "must be less"),
        ("{file}::positive", ["--shape", "x=3", "--high", "inf"], "no such arguments can be drawn"),
        ("{file}::positive", ["--shape", "x=999999999999999"], "no such arguments can be drawn"),
    ],
)
def test_what_cannot_be_used_takes_one_line(file, capsys, target, options, says):
    assert cli.main(["check", target.format(file=file), *options]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "options", "code", "says"),
    [
        ("Small", ["--shape", "3,4"], 0, "Small with 10 parameters in evaluation mode, x (3, 4), scale = 2.0"),
        ("Small", ["--shape", "3,4"], 0, "10 of 10 inputs: correct"),
        ("Small", ["--shape", "x=3,4", "--shape", "scale=()"], 0, "x (3, 4), scale ()"),
        ("Detached", ["--shape", "3,4"], 1, "wrong: the gradient of Detached"),
        ("network", ["--shape", "3,4", "--dtype", "float32"], 0, "Sequential with 15 parameters"),
    ],
)
def test_a_module_or_its_class_is_checked_with_its_parameters(models, capsys, name, options, code, says):
    assert cli.main(["check", f"{models}::{name}", *options]) == code
    assert says in capsys.readouterr().out


def test_a_class_that_needs_arguments_is_refused(models, capsys):
    assert cli.main(["check", f"{models}::Needy", "--shape", "3,4"]) == 2
    assert "Needy() failed: TypeError" in capsys.readouterr().err


def process(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "nn.cli", "check", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "code", "says"),
    [
        ("{file}::right", 2, "no shape is known"),
        ("{folder}::f", 2, "is a directory"),
        ("{folder}/broken.py::f", 2, "SyntaxError"),
        ("{folder}/absent.py::f", 2, "there is no file"),
    ],
)
def test_as_a_process(file, target, code, says):
    (file.parent / "broken.py").write_text("def f(:\n")
    run = process(target.format(file=file, folder=file.parent))
    _, error = run.communicate(timeout=60)
    assert run.returncode == code
    assert says in error
    assert "Traceback" not in error


def test_ctrl_c_ends_it_quietly(tmp_path):
    path = tmp_path / "slow_to_check.py"
    path.write_text("import time\n\ndef slow(x: float):\n    time.sleep(60)\n    return x\n")
    run = process(f"{path}::slow")
    assert run.stdout.readline().endswith("x ()\n")  # the function is being called
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in error


def test_help_says_what_is_drawn_and_what_the_exit_codes_mean(capsys):
    assert cli.main(["check", "--help"]) == 0
    text = capsys.readouterr().out
    assert 'Annotated[np.ndarray, "3,n"]' in text
    assert "exit codes:" in text
    assert max(map(len, text.splitlines())) <= 100
