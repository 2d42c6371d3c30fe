"""pullback check, as it is run from a shell."""

from __future__ import annotations

import textwrap

import pytest

from nn import cli

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
    ],
)
def test_what_cannot_be_used_takes_one_line(file, capsys, target, options, says):
    assert cli.main(["check", target.format(file=file), *options]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1
