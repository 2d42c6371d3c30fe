"""The console script ``pullback``, with one subcommand for each task.

A subcommand is a module with two functions, and a line in :data:`COMMANDS`:

``configure(parser)``
    adds its options to an :class:`argparse.ArgumentParser`;
``run(arguments)``
    does the work and returns the exit code; raises :class:`nn.cli.command.CommandError` for anything the user can mend.

Only the module of the given subcommand is imported.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from autodiff import __version__

from .command import FAILURE, INTERRUPTED, UNREAD, USAGE, CommandError

COMMANDS: dict[str, tuple[str, str]] = {
    "train": ("nn.cli.train", "train a network on images, a table or a text"),
    "predict": ("nn.cli.predict", "what a trained network says about a picture, an array or the rows of a table"),
    "serve": ("nn.cli.serve", "predictions over HTTP, and a page to try a trained network in the browser"),
    "evaluate": ("nn.cli.evaluate", "how good a trained network is on other data"),
    "compare": ("nn.cli.compare", "several runs side by side: results, options and curves"),
    "generate": ("nn.cli.generate", "let a network that learned a text write"),
    "draw": ("nn.cli.draw", "draw the computation graph of a function, a module or a Tensor"),
    "derive": ("nn.cli.derive", "print the gradient of a function, or of a module, as NumPy source"),
    "check": ("nn.cli.check", "check the gradient of a function or a module against slopes of its values"),
}
"""The subcommands: name -> (module, what it does in one line)."""


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: error: {message}; see '{self.prog} --help'\n")


def parser(asked: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the whole command line; subcommands that are not ``asked`` for have no options."""
    top = Parser(prog="pullback", description="Automatic differentiation on NumPy, and networks built on it.")
    top.add_argument("--version", action="version", version=f"pullback {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for name, (module, summary) in COMMANDS.items():
        formatter = argparse.RawDescriptionHelpFormatter
        command = commands.add_parser(name, help=summary, description=summary, formatter_class=formatter)
        if name in asked:
            implementation = importlib.import_module(module)
            implementation.configure(command)
            command.set_defaults(run=implementation.run)
    return top


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: the process's own) and return the exit code.

    0 is success, 1 a failure, 2 wrong usage, 130 an interruption by Ctrl-C, 141 an output that is not read any more.
    An error prints one line on stderr.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in given if not word.startswith("-")), "")
    try:
        arguments, unknown = parser((name,)).parse_known_args(given)
        if unknown:  # argparse would name the program here, and point to its help, not to that of the subcommand
            raise CommandError(f"unrecognized arguments: {' '.join(unknown)}; see 'pullback {name} --help'", code=USAGE)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except CommandError as error:
        print(f"pullback {name}: error: {_one_line(error)}", file=sys.stderr)
        return error.code
    except SystemExit as exit_:  # how argparse ends after --help or a mistake
        return exit_.code if isinstance(exit_.code, int) else FAILURE
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output has gone (a pager, head): nothing is left to say, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return UNREAD
