"""``pullback compare``: several runs side by side, on the terminal and on a page."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from autodiff import files

from ..io.run_folder import RESULT
from ..reports.history import History
from .command import USAGE, CommandError, said
from .compared import Compared, differences, table
from .comparison import MARK, write_comparison
from .runs import UNUSABLE, opened

EPILOG = """\
Each run is a line: what it measured on examples that it had not seen, its best epoch, and where its
options differ from those of the others. The page has the curves of all of them in one picture.

examples:
  pullback compare runs/digits-1 runs/digits-2
  pullback compare runs/* --output runs/all.html

exit codes: 0 done, 2 wrong usage, or a run that is of no use
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback compare``."""
    parser.epilog = EPILOG
    parser.add_argument("run_folders", metavar="RUN", nargs="+", help="the folders of two runs or more")
    parser.add_argument("--output", metavar="FILE", default="compare.html", help="the page (default: compare.html)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, and write no page")


def run(arguments: argparse.Namespace) -> int:
    """Print the runs side by side, and write the page."""
    runs = _read(arguments.run_folders)
    differing = differences(runs)
    if arguments.json:
        rows = {one.name: {**one.figures(), "options": {n: one.options().get(n) for n in differing}} for one in runs}
        print(json.dumps(rows, indent=1))
        return 0
    for line in table(runs, differing):
        print(line)
    path = Path(files.expanded(arguments.output))
    try:
        if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace")[:2000]:
            raise CommandError(f"--output: {path} is there, and no comparison; name another file", USAGE)
        write_comparison(path, runs, differing)
    except OSError as error:
        raise CommandError(said(error)) from error
    print(f"written to {path}")
    return 0


def _read(folders: list[str]) -> list[Compared]:
    """The runs with their histories, each by a name of its own.  Raises CommandError."""
    paths = [os.path.realpath(files.expanded(folder)) for folder in folders]
    if len(set(paths)) < 2 or len(set(paths)) < len(paths):
        raise CommandError(f"compare: needs two different runs or more, and got {' '.join(folders)}", USAGE)
    ends = [os.path.basename(path) for path in paths]
    names = ends if len(set(ends)) == len(ends) else folders
    found = []
    for name, folder in zip(names, folders, strict=True):
        one = opened(folder)
        try:
            history = History.load(one.folder / "history.json")
            result = one.folder / RESULT
            measured = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
        except FileNotFoundError:
            raise CommandError(
                f"{folder}: has no history yet; it is written when the training ends or is interrupted", UNUSABLE
            ) from None
        except (OSError, ValueError) as error:
            raise CommandError(said(error), UNUSABLE) from error
        if not len(history):
            raise CommandError(f"{folder}: not one epoch is done", UNUSABLE)
        found.append(Compared(name, one, history, measured))
    return found
