"""The folder of a run."""

from pathlib import Path

from nn import cli
from tests.nn.cli.running import QUICK


def test_runs_are_numbered_and_never_overwritten(capsys):
    Path("runs/digits-7").mkdir(parents=True)
    Path("runs/digits-old").mkdir()
    for number in (8, 9):
        assert cli.main([*QUICK, "--quiet"]) == 0
        assert f"written to runs/digits-{number}" in capsys.readouterr().out
    assert cli.main([*QUICK, "--output", "runs/digits-8"]) == 1
    assert "runs/digits-8 is not empty" in capsys.readouterr().err
