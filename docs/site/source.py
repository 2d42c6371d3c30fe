"""What Sphinx reads: the pages of this repository, each at its place on the site, with links that lead there.

On the site the pages of ``docs/`` stand at the top, ``docs/README.md`` is the first one, and what each of its sections
links to is a group of the navigation.  A README of another folder is the page above those that it links to.  A file
that is no page, and that a page links to, gets a page with its text.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from . import gallery, reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/**/*.md", "benchmarks/*.md", "examples/README.md", "notebooks/README.md", "notebooks/*.ipynb")
ALONE = ("CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md")
IMAGES = {".svg", ".png"}
CODE = re.compile(r"^(`{3,}).*?^\1\s*?$|(`+)(?!`)(?:.(?!\n\n))+?(?<!`)\2(?!`)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?P<before>\]\(|(?:src|srcset)=\")(?P<target>[^)\s\"]+)")
NAMED = re.compile(r"\[(?P<name>[^\]]*)\]\((?P<target>[^)\s#]+)")
FENCED = re.compile(r"^(`{3,}).*?^\1\s*?$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^# ", re.MULTILINE)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def pages() -> list[str]:
    """The pages of the repository, by their paths in it."""
    found = [path.relative_to(ROOT).as_posix() for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    return [*found, *(name for name in ALONE if (ROOT / name).exists())]


def place(path: str) -> str:
    """Where a file of the repository stands on the site."""
    folder, _, name = path.rpartition("/")
    if path in ("README.md", "docs/README.md"):
        return "index.md"
    if folder.partition("/")[0] == "docs" and name.endswith((".md", *IMAGES)):
        return path.removeprefix("docs/")
    if name == "README.md":
        return f"{folder}/index.md"
    if folder == "examples" and name.endswith(".py"):
        return f"{path[:-3]}.md"
    if name.endswith((".md", ".ipynb", *IMAGES)):
        return path if folder else path.lower()
    return f"source/{path}.md"


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The document with every part changed that is no code."""
    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [change(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, change(text[end:])])


def relinked(text: str, path: str, linked: set[str]) -> str:
    """The page with links to the places on the site; the files that it links to are added to ``linked``."""
    here = posixpath.dirname(place(path))

    def moved(match: re.Match[str]) -> str:
        target, hash_, anchor = match["target"].partition("#")
        if not target or ":" in target:
            return match[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        assert (ROOT / file).is_file(), f"{path} links to {target}, which is no file"
        linked.add(file)
        return f"{match['before']}{posixpath.relpath(place(file), here or '.')}{hash_}{anchor}"

    return outside_code(text, lambda part: LINK.sub(moved, part))


def links(text: str) -> dict[str, str]:
    """The pages that a page links to, each once, with the name that the first link has."""
    found: dict[str, str] = {}
    for match in NAMED.finditer(FENCED.sub("", text)):
        name, target = match["name"].replace("`", ""), match["target"]
        if target.endswith((".md", ".ipynb")) and ":" not in target:
            found.setdefault(target, name[:1].upper() + name[1:])
    return found


def navigation(names: dict[str, str], caption: str = "") -> str:
    """A group of the navigation, which the page itself does not show; a page without a name has its title."""
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    entries = [f"{name} <{target}>" if name else target for target, name in names.items()]
    return "\n".join(["", "```{toctree}", *options, "", *entries, "```", ""])


def grouped(text: str) -> str:
    """The first page, with what each section links to as a group of the navigation."""
    head, *sections = HEADING.split(text)
    taken: set[str] = set()
    parts = [head]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        names = {page: name for page, name in links(body).items() if page not in taken and page != "index.md"}
        taken |= set(names)
        parts.append(f"## {title}{body.rstrip()}\n{navigation(names, title) if names else ''}\n")
    return "".join(parts)


def above(text: str, path: str, own: list[str]) -> str:
    """The page of a folder, with the other pages of the folder under it in the navigation, as it links to them."""
    folder = posixpath.dirname(path)
    linked = {page: name for page, name in links(text).items() if "/" not in page and page != "index.md"}
    others = {posixpath.basename(page): "" for page in own if posixpath.dirname(page) == folder and page != path}
    return text + navigation(linked | others | linked)


def levelled(text: str) -> str:
    """The page with sections under its title, where its headings skip a level."""
    skips = not re.search(r"^## ", CODE.sub("", text), re.MULTILINE)
    return outside_code(text, lambda part: re.sub(r"^###", "##", part, flags=re.MULTILINE)) if skips else text


def notebook(text: str, path: str, linked: set[str]) -> str:
    """A notebook with the links of its prose changed."""
    document = json.loads(text)
    prose = [cell for cell in document["cells"] if cell["cell_type"] == "markdown"]
    for cell in prose:
        cell["source"] = relinked("".join(cell["source"]), path, linked)
    if any(TITLE.search(cell["source"]) for cell in prose[1:]):  # a page has one title: what else looks so is a section
        for cell in prose[1:]:
            cell["source"] = outside_code(cell["source"], lambda part: re.sub(r"^#", "##", part, flags=re.MULTILINE))
    return json.dumps(document)


def converted(path: str, own: list[str], linked: set[str]) -> str:
    """A page of the repository as Sphinx reads it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".ipynb"):
        return notebook(text, path, linked)
    text = relinked(text, path, linked)
    if path == "docs/README.md":
        return grouped(reference.announced(text))
    if path == "examples/README.md":
        text = gallery.shown(text)
    return levelled(above(text, path, own) if path.endswith("README.md") else text)


def listing(path: str) -> str:
    """A page with the text of a file: found by links, and not by the search."""
    text = (ROOT / path).read_text(encoding="utf-8")
    language = {".py": "python", ".c": "c", ".js": "javascript"}.get(Path(path).suffix, "text")
    return f"---\norphan: true\nnosearch: true\n---\n\n# {path}\n\n``````{language}\n{text.rstrip()}\n``````\n"


def write(folder: Path) -> None:
    """All that Sphinx reads, in an empty folder."""
    linked: set[str] = set()
    own = pages()
    files = {place(path): converted(path, own, linked) for path in own}
    files |= gallery.pages() | reference.pages()
    for path in sorted(linked - set(own)):
        if Path(path).suffix in IMAGES:
            _copy(ROOT / path, folder / place(path))
        elif place(path) not in files:
            files[place(path)] = listing(path)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    gallery.draw(folder / "examples")


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)
