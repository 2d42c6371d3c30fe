"""The documentation is true: its code prints what it says, its tables are those of the code, its links lead on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.__main__ import page as written_again
from docs.__main__ import up_to_date
from docs.blocks import rewritten
from docs.site.source import CODE
from docs.tables import between, prose

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RIGHT = "```python\nx = 2\n```\n\n```python\nprint(x)\n```\n\n```text\n2\n```\n"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_shows_what_its_code_prints_and_draws(path):
    assert [file.name for file, text in written_again(path).items() if not up_to_date(file, text)] == []


def test_a_right_page_stays():
    assert rewritten(RIGHT, "page") == RIGHT


def test_a_wrong_output_is_written_again():
    assert rewritten(RIGHT.replace("text\n2", "text\n3"), "page") == RIGHT


def test_errors_of_rounding_are_not_compared():
    page = "```python\nprint(1.5e-12)\n```\n\n```text\n{}\n```\n"
    assert rewritten(page.format("2.5e-13"), "page") == page.format("2.5e-13")
    assert rewritten(page.format("2.5e-3"), "page") == page.format("1.5e-12")


@pytest.mark.parametrize(
    "wrong",
    [
        "```python\nprint(1 + 1)\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python raises=ValueError\n1 + 1\n```\n",
        "```python raises=ValueError\n1 / 0\n```\n",
        "```python\n1 / 0\n```\n",
    ],
)
def test_a_wrong_page_is_noticed(wrong):
    with pytest.raises((AssertionError, ZeroDivisionError)):
        rewritten(wrong, "page")


def test_prose_in_a_table_shows_code_and_references_as_they_are_written():
    assert prose("``a[i] | b`` of :func:`f_x`, a[i] | b_*") == r"`a[i] \| b` of `f_x`, a\[i\] \| b\_\*"


def test_a_table_is_written_between_its_own_markers():
    page = "<!-- begin a -->\n1\n<!-- end a -->\n<!-- begin b -->\n2\n<!-- end b -->\n"
    assert between(page, "b", "3\n") == page.replace("2", "3")
    with pytest.raises(AssertionError, match="no markers of c"):
        between(page, "c", "3")


def test_what_is_taken_from_the_code_is_up_to_date():
    # in a process of its own: other tests register functions in the table
    check = [sys.executable, "-m", "docs", "--check", "operations.md", "methods.pyi"]
    run = subprocess.run(check, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, f"{run.stdout}{run.stderr}; write it again with 'python -m docs'"


def test_the_design_says_where_every_module_lives():
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8").partition("## Where things live")[2]
    named = set(re.findall(r"`(?:autodiff/)?(\w+)(?:\.py|/)`", page))
    modules = {
        path.stem for path in (ROOT / "autodiff").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert {name for name in modules if not name.startswith("__")} <= named


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *PAGES[1:], *(ROOT / "benchmarks").rglob("*.md")]:
        text = CODE.sub("", page.read_text(encoding="utf-8"))
        for link, source in re.findall(r"\]\(([^)\s]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", text):
            target, _, anchor = (link or source).partition("#")
            if "://" in target:
                continue
            there = page.parent / target if target else page
            assert there.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(there), f"{page.name} links to {target}#{anchor}"
