"""No text breaks out of any format."""

import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from tests.draw.examples import NASTY, SVG, nasty


class Page(HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._in = [], {}, None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self._in = dict(attributes).get("id", "code") if tag == "script" else None

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in:
            self.scripts[self._in] = self.scripts.get(self._in, "") + data


@pytest.mark.parametrize("name", NASTY)
def test_no_text_breaks_out_of_a_format(name, tmp_path):
    drawing = nasty(name)
    root = ElementTree.fromstring(drawing.svg())
    assert {e.tag for e in root.iter()} <= {SVG + t for t in ("svg", "title", "style", "rect", "text", "g", "path")}
    page = Page(drawing.html())
    plain = Page(nasty("x").html())
    assert page.elements == plain.elements
    assert page.scripts["code"] == plain.scripts["code"]
    data = json.loads(page.scripts["data"])
    clean = name[:2000].encode("utf-8", "replace").decode()
    assert data["title"] == (clean or "graph")
    assert clean in data["strings"]
    whole = json.loads(drawing.json())
    assert whole["boxes"][0]["name"] == name
    for ending in (".svg", ".html", ".dot", ".json", ".mmd", ".txt"):
        written = drawing.save(tmp_path / f"g{ending}").read_text(encoding="utf-8")
        assert written
    if shutil.which("dot"):
        done = subprocess.run(
            ["dot", "-Tjson"], input=drawing.dot().encode("utf-8", "replace"), capture_output=True, check=True
        )
        assert len(json.loads(done.stdout)["objects"]) == 3
        assert not done.stderr
    assert "\x1b" not in str(drawing)
    assert len(str(drawing).splitlines()) == len(str(nasty("x")).splitlines())
