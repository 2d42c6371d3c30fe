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


MODELS = textwrap.dedent(
    """
    import numpy as np
    import nn
    from helper_of_models import doubled

    class Small(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(4, 2, rng=0)
            self.dropout = nn.Dropout(0.5)

        def forward(self, x, scale=2.0):
            import late_helper_of_models
            return np.tanh(self.dropout(self.inner(x))) * scale

    class Detached(Small):
        def forward(self, x):
            return x @ self.inner.weight.data * np.sum(self.inner.bias)

    class Needy(Small):
        def __init__(self, size):
            pass

    network = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh())

    def loss(w, x, *, power=2.0):
        return np.sum(doubled(w @ x) ** power)

    def scaled(*xs):
        return np.prod(np.stack(xs))
    """
)


@pytest.fixture
def models(tmp_path):
    (tmp_path / "helper_of_models.py").write_text("def doubled(x):\n    return 2 * x\n")
    (tmp_path / "late_helper_of_models.py").write_text("")
    path = tmp_path / "models_to_check.py"
    path.write_text(MODELS)
    yield path
    for name in ("helper_of_models", "late_helper_of_models", "models_to_check"):
        sys.modules.pop(name, None)


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


FORMS = [
    ["--shape", "2,3", "--shape", "3"],
    ["--shape", "(2,3)", "--shape", "x=3"],
    ["--shape", "3", "--shape", "w=2,3"],
    ["--shape", "w=(2,3)", "--shape", "x=(3)"],
    ["--shape=w= 2, 3", "--shape=x=3,"],
]
"""All of them say the same of ``loss(w, x)``."""


@pytest.mark.parametrize("options", FORMS)
def test_check_and_draw_take_the_same_forms_of_shapes(models, capsys, options):
    assert cli.main(["check", f"{models}::loss", "--examples", "1", *options]) == 0
    assert "w (2, 3), x (3,), power = 2.0" in capsys.readouterr().out
    assert cli.main(["draw", f"{models}::loss", *options]) == 0
    assert "(2,) float64" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--shape", "2,x"], "'2,x' is no shape; write NAME=SHAPE or SHAPE"),
        (["--shape", "w"], "'w' is no shape"),
        (["--shape", "=3"], "'=3' is no shape"),
        (["--shape", "x=-1"], "'x=-1' is no shape"),
        (["--shape", "2,3", "--shape", "3", "--shape", "4"], "no parameter for --shape (4,)"),
        (["--shape", "z=2"], "no parameter for --shape z; there are w, x"),
        (["--shape", "x=1", "--shape", "x=2"], "--shape x= is given twice"),
    ],
)
def test_and_refuse_the_same(models, capsys, options, says):
    for command in ("check", "draw"):
        assert cli.main([command, f"{models}::loss", *options]) == 2
        error = capsys.readouterr().err
        assert says in error
        assert len(error.splitlines()) == 1


@pytest.mark.parametrize("command", ["check", "draw"])
def test_python_finds_modules_where_it_did_before(models, command, monkeypatch):
    monkeypatch.chdir(models.parent)
    before, imported = list(sys.path), set(sys.modules)
    for target in (f"{models}::Small", "models_to_check:Small", f"{models}::absent", "absent_module:f"):
        cli.main([command, target, "--shape", "3,4"])
        assert sys.path == before
    cli.main([command, f"{models}::Small", "--shape", "3,4"])
    assert {name for name in set(sys.modules) - imported if name.startswith("models_to")} == {"models_to_check"}
    sys.modules.pop("models_to_check")  # it was imported by its name
    cli.main([command, f"{models}::Small", "--shape", "3,4"])
    assert "models_to_check" not in sys.modules


def test_draw_takes_any_number_of_shapes_where_check_wants_names(models, capsys):
    options = ["--shape", "2", "--shape", "2", "--shape", "2"]
    assert cli.main(["draw", f"{models}::scaled", *options]) == 0
    assert cli.main(["check", f"{models}::scaled", *options]) == 2
    assert "any number of arguments; wrap it" in capsys.readouterr().err


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
