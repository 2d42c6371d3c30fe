"""The console script: help, wrong usage, exit codes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

import nn
from nn import cli
from tests.nn.cli.running import command, environment, one_line, process

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")


def test_help_and_version(capsys):
    assert cli.main(["--help"]) == 0
    assert "train" in capsys.readouterr().out
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"pullback {nn.__version__}\n"
    assert cli.main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    for option in ("--data", "--data-path", "--epochs", "--batch-size", "--lr", "--hidden", "--optimizer", "--seed",
                   "--output", "--quiet", "examples:", "model.safetensors", "--resume", "--target",
                   "exit codes"):  # fmt: skip
        assert option in text
    assert all(len(line) <= 120 for line in text.splitlines())


USAGE = {
    "no command": ([], "arguments are required: COMMAND"),
    "an unknown command": (["fly"], "invalid choice: 'fly'"),
    "an unknown option": (["train", "--epoch-count", "3"], "unrecognized arguments: --epoch-count 3"),
    "no value": (["train", "--epochs"], "--epochs: expected one argument"),
    "zero epochs": (["train", "--epochs", "0"], "--epochs: '0' is not a whole number of at least 1"),
    "half an epoch": (["train", "--epochs", "0.5"], "'0.5' is not a whole number of at least 1"),
    "a batch of none": (["train", "--batch-size", "-3"], "--batch-size: '-3' is not a whole number"),
    "a negative rate": (["train", "--lr", "-1"], "--lr: '-1' is not a positive number"),
    "a rate of words": (["train", "--lr", "fast"], "--lr: 'fast' is not a positive number"),
    "an infinite rate": (["train", "--lr", "inf"], "--lr: 'inf' is not a positive number"),
    "wrong sizes": (["train", "--hidden", "64,,32"], "--hidden: '64,,32' is not a list of sizes"),
    "a negative seed": (["train", "--seed", "-1"], "--seed: '-1' is not a whole number of at least 0"),
    "dropping all": (["train", "--dropout", "1"], "--dropout: '1' is not a number from 0 to less than 1"),
    "an unknown dataset": (
        ["train", "--data", "cats"],
        "--data: there is no file cats; it is digits, mnist, sonnets, or a file",
    ),
    "an unknown optimizer": (["train", "--optimizer", "luck"], "--optimizer: invalid choice: 'luck'"),
    "a path for the digits": (["train", "--data-path", "x"], "--data-path goes with --data mnist"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage(case, capsys):
    arguments, message = USAGE[case]
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, message)
    assert not Path("runs").exists()


def test_a_process_ends_with_the_same_code():
    result = process("train", "--epochs", "none")
    assert result.returncode == 2
    one_line(result.stderr, "'none'")
    result = process("train", "--data", "mnist", "--data-path", "nowhere")
    assert result.returncode == 2
    one_line(result.stderr, "nowhere")


def test_a_reader_that_goes_away():
    with subprocess.Popen(
        command("train", "--epochs", "100000"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as running:
        running.stdout.readline()
        running.stdout.close()
        start = time.monotonic()
        err = running.stderr.read()
        assert running.wait(timeout=60) == 141
        assert time.monotonic() - start < 60
    assert err == b""


def test_every_command_can_be_configured():
    for name in cli.COMMANDS:
        assert name in cli.parser((name,)).format_help()


def test_the_module_is_the_console_script():
    arguments = [sys.executable, "-m", "nn", "train", "spare"]
    run = subprocess.run(arguments, capture_output=True, text=True, env=environment())
    assert run.returncode == 2
    assert run.stderr == "pullback train: error: unrecognized arguments: spare; see 'pullback train --help'\n"
