"""Write the parts of the documentation that are generated from the code: ``python -m docs [--check] [page ...]``.

``operations.md`` is the table of primitives with the source of every rule.  ``checks.md`` has the results of trying
each of them.  A table in ``arrays.md`` says what works with Dask arrays, a table in ``drawing.md`` has the formats of
pictures, and one in ``nn.md`` the layers.  The README's measured tables are those of ``benchmarks/README.md``.  The
output of a code block is written after the block, and a picture that it saves is written into this folder.
With ``--check`` nothing is written, and the exit status says whether anything would change.  Then ``checks.md`` is only
searched for the row of each function, and the table in ``arrays.md`` is left out, because the tests compare these rows
when they try the functions: those of ``arrays.md`` in a deep run.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import inspect
import operator
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

import autodiff.scipy
from autodiff.primitive import Composite, Domain, Primitive, registry

from . import arrays, checks, stubs
from .blocks import rewritten
from .formats import formats
from .layers import layers
from .tables import between, cell, prose

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = ROOT / "docs" / "operations.md"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
PICTURE = re.compile(r"[\"(]docs/(\w+\.svg)[\")]")
MODULES = {
    "numpy": "np", "numpy.linalg": "np.linalg", "numpy.fft": "np.fft", "numpy.lib.scimath": "np.emath",
    "numpy.lib.stride_tricks": "np.lib.stride_tricks", "autodiff": "autodiff", "scipy.special": "scipy.special",
}  # fmt: skip
"""Where a user finds a function, and how the module is written."""
HEAD = """# Operations

Written by `python -m docs` from the table of primitives; do not edit.

Each of these functions takes a Tensor as it takes an array. The middle column is the source of the rules. `g` is the
cotangent of the output `y`. The arguments are `x`, or `a` and `b`, or have the names of the function's own parameters.
The engine sums the result of a rule over the axes that were broadcast. `0` means that the derivative is zero
everywhere: the call is recorded, and no gradient flows.
Below the rules is a description of the function, with the conventions that NumPy does not have. A function without a
rule is a composite, written with other functions. The right column says how the property tests call the function: with
values of an open interval without its kinks, or with a number of example calls.
"""


@functools.cache
def lambdas(path: str) -> list[ast.Lambda]:
    """Every lambda of a source file."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]


def formula(rule: FunctionType | None) -> str:
    """The source of a rule, without its parameters."""
    if rule is None:
        return "0"
    code = rule.__code__
    if rule.__name__ != "<lambda>":
        return f"{rule.__name__}({', '.join(inspect.signature(rule).parameters)})"
    # several lambdas may begin in one line; the positions of the instructions tell them apart
    places = {(line, column) for line, _, column, _ in code.co_positions() if line and column is not None}
    found = [
        node.body
        for node in lambdas(code.co_filename)
        if node.lineno == code.co_firstlineno
        and any(_holds(node.body, place) for place in places)
        and [argument.arg for argument in node.args.args] == list(code.co_varnames[: code.co_argcount])
    ]
    if len(found) != 1:
        raise LookupError(f"{len(found)} lambdas match the rule in line {code.co_firstlineno} of {code.co_filename}")
    return ast.unparse(found[0])


def _holds(body: ast.expr, place: tuple[int, int]) -> bool:
    return (body.lineno, body.col_offset) <= place < (body.end_lineno, body.end_col_offset)


def interval(domain: Domain) -> str:
    """The values that the tests take, as (low, high) without the kinks."""
    kinks = f" without {', '.join(f'{kink:g}' for kink in domain.kinks)}" if domain.kinks else ""
    return f"({domain.low:g}, {domain.high:g}){kinks}"


def spelled(entry: Primitive | Composite) -> str:
    """How a user writes the function."""
    for module, prefix in MODULES.items():
        for name in (getattr(entry.function, "__name__", entry.name), entry.name):
            found = getattr(sys.modules.get(module), name, None)
            if found is entry.function or (prefix == "autodiff" and found is entry.call):
                return f"`{prefix}.{name}`"
    for module in autodiff.scipy.modules():
        with contextlib.suppress(AttributeError):
            found = operator.attrgetter(entry.name)(module)
            if found in (entry.call, entry.function) or getattr(found, "entry", None) is entry:
                return f"`{module.__name__}.{entry.name}`"
    return f"`{entry.name}`, internal"


def home(entry: Primitive | Composite) -> str:
    """The source file that registers an entry."""
    rules = [] if isinstance(entry, Composite) else [rule for rule in entry.formulas.values() if rule is not None]
    for function in (*rules, getattr(entry, "forward", entry.call), entry.call):
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is not None and f"{ROOT / 'autodiff'}" in code.co_filename and "tensor.py" not in code.co_filename:
            return Path(code.co_filename).relative_to(ROOT).as_posix()
    return "autodiff/ops/elementwise.py"  # a ufunc without any rule


def meaning(entry: Primitive | Composite) -> str:
    """The first line of what the source says of an entry; nothing if it is NumPy's own docstring."""
    written = inspect.getdoc(entry.call if isinstance(entry, Composite) else entry.forward)
    theirs = isinstance(entry.function, np.ufunc) or entry.function.__module__.startswith("numpy")
    return "" if not written or (theirs and written == inspect.getdoc(entry.function)) else written.splitlines()[0]


def rows(entry: Primitive | Composite) -> Iterator[str]:
    """One row for each argument that a derivative can flow to."""
    calls = f"{len(entry.examples)} call{'s'[: len(entry.examples) != 1]}"
    said = prose(meaning(entry))
    if isinstance(entry, Composite):
        yield f"| {spelled(entry)} | | {said or 'written with the others'} | {calls} |"
        return
    if entry.flat:
        yield f"| {spelled(entry)} | {', '.join(map(cell, entry.formulas))} | `0`{said and '<br>' + said} | |"
        return
    for i, (parameter, rule) in enumerate(entry.formulas.items()):
        tested = interval(entry.domain[i]) if entry.domain else calls if i == 0 else ""
        text = cell(formula(rule)) + (said and "<br>" + said if i == 0 else "")
        yield f"| {spelled(entry) if i == 0 else ''} | `{parameter}` | {text} | {tested} |"


def operations() -> str:
    """The page of all operations, one section for each source file."""
    families: dict[str, list[Any]] = {}
    for entry in registry.values():
        families.setdefault(home(entry), []).append(entry)
    primitives = sum(isinstance(entry, Primitive) for entry in registry.values())
    text = [HEAD, f"{primitives} primitives and {len(registry) - primitives} compositions of them.\n"]
    for path, entries in families.items():
        summary = inspect.cleandoc(ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or "")
        text.append(f"## [{path}](../{path})\n\n{summary.splitlines()[0].replace('``', '`')}\n")
        text.append("| function | argument | rule | tested on |\n|---|---|---|---|")
        text.append("\n".join(row for entry in entries for row in rows(entry)) + "\n")
    return "\n".join(text)


def readme(text: str) -> str:
    """The README with its measured tables brought up to date: of each section in the benchmarks the first."""
    for name in re.findall(r"<!-- begin (\w+) -->", text):
        before, *parts = measured(name).split("\n### ")
        text = between(text, name, "\n### ".join([before, *parts[:1]]).rstrip() + "\n")
    return text


def measured(name: str) -> str:
    """What a benchmark wrote: between its markers on the page of all, or on a page of its own."""
    folder = ROOT / "benchmarks"
    found = re.search(
        f"<!-- begin {name} -->(.*?)<!-- end {name} -->", (folder / "README.md").read_text("utf-8"), re.DOTALL
    )
    if found:
        return found[1]
    section = (folder / f"{name}.md").read_text(encoding="utf-8").split("`\n\n", 1)[1]
    return without_targets(section)


def without_targets(page: str) -> str:
    """Tables without the columns of medians and targets, which are read on the page of the benchmark."""
    lines = page.splitlines()
    for start, line in enumerate(lines):
        if line.startswith("|  |"):
            keep = [i for i, title in enumerate(line.split("|")) if not re.search("median|at least|at most", title)]
            for row in range(start, len(lines)):
                if not lines[row].startswith("|"):
                    break
                lines[row] = "|".join(lines[row].split("|")[i] for i in keep)
    return "\n".join(lines)


TABLES = {
    "README.md": readme,
    "drawing.md": lambda text: between(text, "formats", formats()),
    "nn.md": lambda text: between(text, "layers", layers()),
}
"""How the tables of a page are brought up to date."""


def page(path: Path, text: str | None = None) -> dict[Path, str]:
    """A page written by hand, with what its code prints now, and the pictures on it that its code saves."""
    if text is None:
        text = path.read_text(encoding="utf-8")
        if path.name in TABLES:
            text = TABLES[path.name](text)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        text = rewritten(text, path.name)
        saved = [Path(name) for name in PICTURE.findall(text) if Path(name).exists()]
        return {path: text} | {ROOT / "docs" / file.name: file.read_text(encoding="utf-8") for file in saved}


def makers(trying: bool) -> dict[Path, Callable[[], dict[Path, str]]]:
    """How to make every page that holds something from the code; what must be tried is only if ``trying``."""
    # first, because the code on the other pages registers functions of its own
    found: dict[Path, Callable[[], dict[Path, str]]] = {
        OPERATIONS: lambda: {OPERATIONS: operations()},
        stubs.FILE: lambda: {stubs.FILE: stubs.stub(spelled, meaning)},
    }
    if trying:
        found[checks.PAGE] = lambda: {checks.PAGE: checks.checks(spelled)}
        found[arrays.PAGE] = lambda: page(arrays.PAGE, arrays.page(spelled))
    pages = [path for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")) if path != checks.PAGE]
    return found | {path: functools.partial(page, path) for path in pages if path not in found}


def up_to_date(path: Path, text: str) -> bool:
    """Whether a file says this already.  A coordinate in a picture may be rounded to the other side."""
    if not path.exists():
        return False
    written = path.read_text(encoding="utf-8")
    if path.suffix != ".svg" or written == text:
        return written == text
    pairs = zip(NUMBER.findall(written), NUMBER.findall(text), strict=False)
    return NUMBER.sub("0", written) == NUMBER.sub("0", text) and all(abs(float(a) - float(b)) < 0.2 for a, b in pairs)


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    parser.add_argument("pages", nargs="*", help="names of files, as operations.md (default: all)")
    options = parser.parse_args()
    autodiff.scipy.load()  # all that can be in the table
    stale = [] if not options.check or checks.is_complete(spelled) else [checks.PAGE]
    known = makers(trying=not options.check)
    unknown = set(options.pages) - {path.name for path in known}
    if unknown:
        parser.error(f"no such page: {', '.join(sorted(unknown))}; there are {', '.join(path.name for path in known)}")
    written: dict[Path, str] = {}
    for path, make in known.items():
        if not options.pages or path.name in options.pages:
            written |= make()
    stale += [path for path, text in written.items() if not up_to_date(path, text)]
    for path in stale:
        print(f"{'out of date' if options.check else 'written'}: {path.relative_to(ROOT)}")
        if not options.check:
            path.write_text(written[path], encoding="utf-8")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
