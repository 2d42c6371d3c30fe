"""The code blocks of a document: run them, and say what they print.

A block marked ``python`` is executed, block after block in one namespace; the ``text`` block right behind it, if there
is one, is what it prints, to the letter but for errors of rounding.  A block with ``>>>`` prompts is checked as in a
docstring.  A block marked ``python raises=Name`` must raise that exception, and the text block behind it, if there is
one, is its message.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import linecache
import re

BLOCK = re.compile(
    r"^```python(?: raises=(?P<raises>\w+))?\n(?P<code>.*?)^```$(?P<gap>\s*)(?:^```text\n(?P<text>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
ROUNDING = re.compile(r"\d(?:\.\d+)?e-1\d")
"""A number below 1e-9: an error of rounding, which differs from one processor to the next."""


def _run_prompts(code: str, namespace: dict[str, object], place: str) -> None:
    example = doctest.DocTestParser().get_doctest(code, namespace, place, place, 0)
    example.globs = namespace  # the parser takes a copy, and the next block must see what this one defined
    report = io.StringIO()
    failures, _ = doctest.DocTestRunner().run(example, out=report.write, clear_globs=False)
    assert not failures, report.getvalue()


def _printed(code: str, raises: str | None, namespace: dict[str, object], place: str) -> str:
    """What a block without prompts prints, or the error that it must raise."""
    printed = io.StringIO()
    error = None
    linecache.cache[place] = len(code), None, code.splitlines(keepends=True), place  # as a notebook does
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, place, "exec"), namespace)
        except Exception as raised:
            if type(raised).__name__ != raises:
                raise
            error = raised
    assert (error is None) == (raises is None), f"{place}: did not raise {raises}"
    return printed.getvalue() if error is None else f"{raises}: {error}\n"


def same(printed: str, written: str) -> bool:
    """Whether two outputs are equal but for errors of rounding."""
    return ROUNDING.sub("~", printed) == ROUNDING.sub("~", written)


def rewritten(text: str, name: str) -> str:
    """The document with the output that its blocks print now; those that differ by rounding alone stay as they are."""
    namespace: dict[str, object] = {"__name__": "__main__"}

    def run(match: re.Match[str]) -> str:
        code, written = match["code"], match["text"]
        place = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
        if code.lstrip().startswith(">>>"):
            _run_prompts(code, namespace, place)
            return match[0]
        printed = _printed(code, match["raises"], namespace, place)
        if written is None:
            assert match["raises"] or not printed, f"{place}: prints\n{printed}\nand the document shows nothing"
            return match[0]
        return match[0] if same(printed, written) else match[0].replace(f"```text\n{written}", f"```text\n{printed}")

    return BLOCK.sub(run, text)
