"""What is drawn for an annotation, and what cannot be drawn."""

from __future__ import annotations

import textwrap

import pytest

from nn import cli

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
