"""Measuring what happens in a process of its own: its memory, its time, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")


def _status(line: str) -> int:
    """One of the kernel's figures about this process, in bytes."""
    found = re.search(rf"^{line}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    assert found is not None, f"{STATUS} has no line {line}"
    return int(found[1]) * 1024


def resident() -> int:
    """The memory that this process holds now, in bytes."""
    return _status("VmRSS")


def peak_resident() -> int:
    """The most memory that this process has held since :func:`forget_peak`, in bytes."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Begin anew to look for the peak."""
    Path("/proc/self/clear_refs").write_text("5")


def ask(module: str, *arguments: str, limit: float = 120.0, **environment: str) -> dict[str, Any]:
    """Run ``python -m module arguments`` and read the JSON that it prints; ``{"failed": how}`` if there is none."""
    command = [sys.executable, "-m", module, *arguments]
    around = {**os.environ, **environment}
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=around)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {limit:.0f} s"}
    if run.returncode < 0:
        return {"failed": f"the interpreter died (signal {-run.returncode})"}
    if run.returncode:
        last = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit status {run.returncode}"
        return {"failed": last.split(":")[0]}
    answer: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answer
