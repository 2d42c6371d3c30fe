"""``pullback evaluate``: how good a trained model is on other data with answers."""

from __future__ import annotations

import argparse
import json

from .command import CommandError, said
from .runs import UNUSABLE, opened

EPILOG = """\
The data has the same form as that of the training: digits, mnist or images (.npz) with labels, a table
(.csv) with the target column, a text. It is measured beside a guess that does not look at the inputs.

examples:
  pullback evaluate runs/houses-1 --data other.csv
  pullback evaluate runs/mnist-1 --data mnist --data-path ~/mnist
  pullback evaluate runs/sonnets-1 --data book.txt

exit codes: 0 done, 2 a run or data that is of no use
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback evaluate``."""
    parser.epilog = EPILOG
    parser.add_argument("run_folder", metavar="RUN", help="the folder of a run")
    parser.add_argument("--data", required=True, metavar="DATA", help="a file, or digits, mnist, sonnets")
    parser.add_argument("--data-path", metavar="DIR", help="the folder with MNIST's files")
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure the model on the data."""
    found = opened(arguments.run_folder)
    try:
        examples = found.kind.examples(arguments.data, arguments.data_path)
    except (OSError, ValueError) as error:
        raise CommandError(said(error), UNUSABLE) from error
    measured = found.kind.measure(found.learner(), examples)
    if arguments.json:
        print(json.dumps(measured.result, indent=1))
        return 0
    for line in (*measured.lines, measured.baseline):
        print(line)
    print(measured.summary)
    return 0
