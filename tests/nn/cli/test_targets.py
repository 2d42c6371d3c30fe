"""Targets and shapes, which check and draw take alike."""

from __future__ import annotations

import sys

import pytest

from nn import cli

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
