"""Run every notebook from its first cell to its last: ``python -m notebooks [--write] [name ...]``.

A notebook that raises, or that was committed without its outputs, fails.  ``--write`` puts the new outputs into the
files; without it nothing in the checkout changes.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

FOLDER = Path(__file__).parent
SECONDS_PER_CELL = 300
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def client(notebook: nbformat.NotebookNode, folder: str, sockets: str) -> NotebookClient:
    """What runs a notebook in ``folder``, and reaches its kernel without the network where the system can."""
    runner = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        coalesce_streams=True,  # what a cell prints is one text, however the pieces arrive
        resources={"metadata": {"path": folder}},
    )
    manager = runner.create_kernel_manager()
    if os.name == "posix":
        manager.transport, manager.ip = "ipc", os.path.join(sockets, "kernel")
    return runner


def execute(path: Path, *, write: bool) -> str | None:
    """Run one notebook in a folder of its own; what went wrong, or None."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    bare = not write and not any(cell.outputs for cell in cells)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as sockets:
        try:
            client(notebook, folder, sockets).execute()
        except CellExecutionError as error:
            return COLOUR.sub("", str(error))
    if bare:
        return "committed without outputs: run 'python -m notebooks --write' and commit the result"
    if write:
        for cell in cells:  # times of execution would change the file at every run
            cell.metadata.pop("execution", None)
        nbformat.write(notebook, path)
    return None


def main() -> int:
    """Run the named notebooks, or all; the number of those that failed."""
    parser = argparse.ArgumentParser(prog="python -m notebooks", description=__doc__)
    parser.add_argument("names", nargs="*", help="notebooks to run (default: all)")
    parser.add_argument("--write", action="store_true", help="put the outputs into the files")
    options = parser.parse_args()
    # the kernels import the checkout
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")]))
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    # matrices this small gain nothing from threads, which on a busy machine wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    paths = sorted(FOLDER.glob("*.ipynb"))
    known = {path.stem: path for path in paths}
    unknown = [name for name in options.names if Path(name).stem not in known]
    if unknown:
        print(f"no such notebook: {', '.join(unknown)}; there are {', '.join(known) or 'none'}", file=sys.stderr)
        return 2
    chosen = [known[Path(name).stem] for name in options.names] or paths
    if not chosen:
        print("there is no notebook yet")
    failures = 0
    for path in chosen:
        start = time.perf_counter()
        wrong = execute(path, write=options.write)
        print(f"{path.name}: {'ok' if wrong is None else 'FAILED'}, {time.perf_counter() - start:.1f} s", flush=True)
        if wrong is not None:
            failures += 1
            print(wrong, file=sys.stderr)
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
