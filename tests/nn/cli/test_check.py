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
        ("{file}::absent", [], "has no function 'absent'"),
        ("{file}::number", [], "not a function"),
        ("{file}::right", [], "no shape is known for 'w'"),
        ("{file}::right", ["--shape", "w"], "write NAME=SHAPE"),
        ("{file}::right", ["--shape", "w=2", "--shape", "x=2", "--shape", "z=1"], "no argument z"),
        ("{file}::right", ["--shape", "w=2", "--shape", "x=3"], "raised ValueError"),
        ("{file}::raises", ["--shape", "x=3"], "raised RuntimeError"),
        ("{file}.missing.py::f", [], "no such file"),
        ("no_such_module:f", [], "cannot be imported"),
        ("nothing", [], "names no function"),
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


ANNOTATED = textwrap.dedent(
    """
    from typing import Annotated
    import numpy as np
    import numpy.typing as npt

    def shaped(w: Annotated[np.ndarray, "3,n"], x: Annotated[np.ndarray, "n"], *, scale: float = 2.0, shift: float):
        assert w.shape == (3, 2) and x.shape == (2,) and scale == 2.0
        return np.sum(np.tanh(w @ x)) * scale + shift

    def nested(p: dict[str, Annotated[np.ndarray, "2"]], pair: tuple[float, float], many: list[float], n=3):
        return np.sum(p["a"] * p["b"]) * pair[0] * many[1] * n

    def documented(t: Annotated[float, "kelvin"], w: Annotated[np.ndarray, "weights", "3,n"]):
        return t * np.sum(w * w) if t > -1e9 else t

    def complex_number(z: complex):
        return np.abs(z) ** 2

    def narrow(x: npt.NDArray[np.float32]):
        return np.sin(x)

    def array(x: np.ndarray):
        return x

    def counts(n: int, x: float):
        return n * x

    def labels(x: npt.NDArray[np.int64]):
        return x

    def stranger(x: "Frobnicator"):
        return x

    def several(*xs):
        return 1.0

    def leaves(x: float):
        raise SystemExit(0)

    def prints(x: float):
        print("from the function")
        return x * x
    """
)


@pytest.fixture
def annotated(tmp_path):
    path = tmp_path / "annotated_to_check.py"
    path.write_text(ANNOTATED)
    return path


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("shaped", [], "w (3, 2), x (2,), scale = 2.0, shift ()"),
        ("nested", [], "p {a: (2,), b: (2,)}, pair ((), ()), many [(), ()], n = 3"),
        ("documented", [], "t (), w (3, 2)"),
        ("complex_number", [], "z () complex128"),
        ("narrow", ["--shape", "x=3"], "x (3,) float32"),
        ("shaped", ["--shape", "scale="], "scale ()"),
        ("prints", [], "from the function"),
    ],
)
def test_inputs_are_drawn_from_annotations(annotated, capsys, name, options, says):
    code = cli.main(["check", f"{annotated}::{name}", "--examples", "2", *options])
    assert says in capsys.readouterr().out
    assert code == (2 if options == ["--shape", "scale="] else 0)  # it asserts its default


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("array", [], "--shape x=3,4"),
        ("counts", [], "'n' is of type int, which has no gradient"),
        ("labels", ["--shape", "x=2"], "int64 has no gradient"),
        ("stranger", [], "of type Frobnicator"),
        ("several", ["--shape", "xs=2"], "any number of arguments"),
        ("leaves", [], "raised SystemExit"),
        ("array", ["--shape", "x=-1"], "write NAME=SHAPE"),
        ("array", ["--shape", "x=1", "--shape", "x=2"], "given twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_way_out(annotated, capsys, name, options, says):
    assert cli.main(["check", f"{annotated}::{name}", *options]) == 2
    assert says in capsys.readouterr().err


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
        ("{folder}/absent.py::f", 2, "no such file"),
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
