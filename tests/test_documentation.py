"""The code in the documentation runs, and prints what the documentation says that it prints.

A block marked ``python`` is executed, block after block in one namespace; the ``text`` block right behind it, if there
is one, is what it prints, to the letter.  A block with ``>>>`` prompts is checked as in a docstring.  A block marked
``python raises=Name`` must raise that exception, and the text block behind it, if there is one, is its message.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: raises=(\w+))?\n(.*?)^```$(?:\s*^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def check_prompts(code: str, namespace: dict[str, object], name: str, line: int) -> None:
    example = doctest.DocTestParser().get_doctest(code, namespace, name, name, line)
    example.globs = namespace  # the parser takes a copy, and the next block must see what this one defined
    report = io.StringIO()
    failures, _ = doctest.DocTestRunner().run(example, out=report.write, clear_globs=False)
    assert not failures, report.getvalue()


def printed_by(code: str, raises: str | None, namespace: dict[str, object], place: str) -> str:
    """What a block without prompts prints, or the error that it must raise."""
    printed = io.StringIO()
    error = None
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, place, "exec"), namespace)
        except Exception as raised:
            if type(raised).__name__ != raises:
                raise
            error = raised
    assert (error is None) == (raises is None), f"{place}: did not raise {raises}"
    return printed.getvalue() if error is None else f"{raises}: {error}\n"


def check_document(text: str, name: str) -> int:
    """Run every block of a document; how many there were."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    blocks = 0
    for match in BLOCK.finditer(text):
        language, raises, code, expected = match.groups()
        if language != "python":
            continue
        blocks += 1
        line = text.count("\n", 0, match.start()) + 1
        place = f"{name}:{line}"
        if code.lstrip().startswith(">>>"):
            check_prompts(code, namespace, place, line)
            continue
        printed = printed_by(code, raises, namespace, place)
        if expected is not None:
            assert printed == expected, f"{place}: prints\n{printed}\nand the document says\n{expected}"
        elif raises is None:
            assert not printed, f"{place}: prints\n{printed}\nand the document shows nothing"
    return blocks


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_in_the_documentation_prints_what_it_says(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_document(path.read_text(encoding="utf-8"), path.name)


@pytest.mark.parametrize(
    "wrong",
    [
        "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n",
        "```python\nprint(1 + 1)\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python raises=ValueError\n1 + 1\n```\n",
        "```python raises=ValueError\n1 / 0\n```\n",
    ],
)
def test_a_wrong_document_is_noticed(wrong):
    with pytest.raises((AssertionError, ZeroDivisionError)):
        check_document(wrong, "wrong.md")


def test_a_right_document_passes():
    assert check_document("```python\nx = 2\n```\n\n```python\nprint(x)\n```\n\n```text\n2\n```\n", "right.md") == 2


def test_what_the_documentation_takes_from_the_code_is_up_to_date():
    # in a process of its own: other tests register functions in the table
    run = subprocess.run([sys.executable, "-m", "docs", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, f"{run.stdout}{run.stderr}; write it again with 'python -m docs'"
