"""The console script as a process of its own, and what one line of an error is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
QUICK = ["train", "--epochs", "2", "--hidden", "8", "--batch-size", "64"]


def command(*arguments):
    return [sys.executable, "-m", "nn.cli", *arguments]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TERM": "xterm"}


def process(*arguments, **options):
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment(), timeout=120, check=False, **options
    )


def one_line(text, *words):
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    assert text.startswith("pullback")
    assert "error: " in text
    assert "Traceback" not in text
    for word in words:
        assert word in text
