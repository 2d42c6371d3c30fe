"""Every format, read back with a reader of that format; and texts that would break out of it."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.formats.page import compact
from tests.draw.models import Transformer, tokens

SVG = "{http://www.w3.org/2000/svg}"
NASTY = [
    'a "quoted" name', "<script>alert(1)</script>", "R&D &amp; 'more'", "two\nlines", "back\\slash \\n \\",
    "größe 形状 🙂",     "]]> --> </style> </title>", "x" * 10_000,
    "\x00\x1b[31m\u2028", "lone \ud800", "", "{|}[<>]#;", "</script>", "${x}`",
]  # fmt: skip


def example():
    w, x = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
    return draw(np.sum(np.tanh(w * x)), values=True, gradients=True, memory=True)


def nasty(name):
    x = Tensor(1.0)
    drawing = draw(np.sin(x) * 2.0, names={name: x}, title=name)
    drawing.picture.boxes[1].message = drawing.picture.boxes[1].line = name
    drawing.picture.facts.append(name)
    return drawing


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


def edges_of_svg(text):
    root = ElementTree.fromstring(text)
    return {e.get("data-ends") for e in root.iter(f"{SVG}g") if e.get("class") == "edge"}


def labels_of_svg(text):
    root = ElementTree.fromstring(text)
    return {
        g.get("id"): [t.text for t in g.findall(f"{SVG}text")]
        for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("node")
    }  # fmt: skip


def test_svg_has_a_box_for_each_operation_and_an_arrow_for_each_argument():
    text = example().svg()
    labels = labels_of_svg(text)
    assert {key: lines[0] for key, lines in labels.items()} == {
        "b0": "w", "b1": "x", "b2": "multiply", "b3": "tanh", "b4": "sum"
    }  # fmt: skip
    assert labels["b0"][1:] == ["(2, 3) float64", "[[1., 1., 1.], [1., 1., 1.]]", "‖g‖ 1.03"]
    assert edges_of_svg(text) == {"b0 b2", "b1 b2", "b2 b3", "b3 b4"}


def frames(text):
    root = ElementTree.fromstring(text)
    found = {}
    for g in root.iter(f"{SVG}g"):
        rects = [r for r in g.findall(f"{SVG}rect") if (r.get("class") or "").startswith("box")]
        if g.get("id") and rects:
            found[g.get("id")] = tuple(float(rects[0].get(k)) for k in ("x", "y", "width", "height"))
    return found


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_boxes_do_not_overlap_and_arrows_point_down(depth):
    text = draw(Transformer(2), tokens(), depth=depth, max_nodes=500).svg()
    places = list(frames(text).values())
    for i, (x, y, w, h) in enumerate(places):
        for u, v, p, q in places[:i]:
            assert x + w <= u or u + p <= x or y + h <= v or v + q <= y
    where = frames(text)
    for ends in edges_of_svg(text):
        a, b = ends.split()
        assert where[a][1] + where[a][3] < where[b][1]


def test_svg_knows_light_and_dark():
    drawing = example()
    assert "prefers-color-scheme" in drawing.svg()
    assert "prefers-color-scheme" not in drawing.svg(scheme="light") + drawing.svg(scheme="dark")
    assert "#15181c" in drawing.svg(scheme="dark")
    assert "#15181c" not in drawing.svg(scheme="light")


def test_dot_is_read_by_graphviz_as_the_same_graph():
    drawing = draw(Transformer(1), tokens(), depth=3)
    pygraphviz = pytest.importorskip("pygraphviz")
    graph = pygraphviz.AGraph(string=drawing.dot())
    svg = drawing.svg()
    assert {str(n) for n in graph.nodes()} == set(labels_of_svg(svg))
    assert {f"{a} {b}" for a, b in graph.edges()} == edges_of_svg(svg)
    assert graph.get_node(graph.nodes()[0]).attr["label"].startswith("x")


def test_json_holds_everything():
    drawing = example()
    data = json.loads(drawing.json())
    assert [b["operation"] for b in data["boxes"]] == ["", "", "multiply", "tanh", "sum"]
    assert data["boxes"][2]["parents"] == [0, 1]
    assert data["boxes"][2]["arguments"] == ["a", "b"]
    assert data["boxes"][0]["value"]["mean"] == 1.0
    assert data["boxes"][3]["kept_bytes"] > 48


def test_json_is_strict_where_numbers_are_not_finite():
    with np.errstate(all="ignore"):
        drawing = draw(lambda x: np.log(x) * 2.0, np.zeros(3), values=True, gradients=True)
    assert "NaN" not in re.sub(r'"[^"]*"', "", drawing.json())
    assert json.loads(drawing.json())["boxes"][1]["state"] == "inf"


def test_mermaid_has_the_same_boxes_and_arrows():
    lines = draw(Transformer(1), tokens(), depth=1).mermaid().splitlines()
    assert lines[0] == "flowchart TD"
    starts, ends = (
        sum(line.strip().startswith("subgraph") for line in lines),
        sum(line.strip() == "end" for line in lines),
    )
    assert starts == ends > 0
    forms = (
        r"flowchart TD", r'subgraph g\d+\["[^"<>]*"\]', r"end", r'[bg]\d+(\(\[|\[)"([^"<>]|<br>)*"(\]\)|\]):::\w+',
        r"[bg]\d+ (-->|-\.->) [bg]\d+", r"classDef \w+ [\w:#,]+",
    )  # fmt: skip
    for line in lines:
        assert re.fullmatch("|".join(forms), line.strip())


def test_text_names_what_each_operation_takes():
    lines = str(example()).splitlines()
    assert [re.split(r"\s{2,}", line)[:2] for line in lines[-5:]] == [
        ["w", "variable"], ["x", "variable"], ["%1", "multiply(w, x)"], ["%2", "tanh(%1)"], ["%3", "sum(%2)"]
    ]  # fmt: skip


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


def test_the_page_is_whole_and_asks_for_nothing():
    text = example().html()
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text)
    assert "@import" not in text
    assert "import(" not in text


def test_columns_of_the_page_fit_together():
    picture = draw(Transformer(2), tokens(), values=True, gradients=True).picture
    data = compact(picture)
    lengths = {
        len(data[k]) for k in ("kind", "label", "name", "type", "parents", "group", "line", "lines", "operation")
    }
    assert lengths == {len(picture.boxes)}
    assert len(data["groups"]) == len(picture.groups)
    assert all(0 < d <= i for i, row in enumerate(data["parents"]) for d in row)
    assert data["formulas"]["maximum"]["a"]
    assert data["formulas"]["divide"]["a"] == "g / b"


def test_a_notebook_gets_all_forms_and_never_an_exception(monkeypatch):
    drawing = example()
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
    assert bundle["text/html"].startswith("<iframe")
    assert bundle["text/html"].count("<") == 2
    assert set(drawing.static._repr_mimebundle_()) == {"text/plain", "image/svg+xml"}
    monkeypatch.setattr("autodiff.draw.formats.svg.svg", lambda *a, **k: 1 / 0)
    monkeypatch.setattr("autodiff.draw.formats.text.text", lambda *a, **k: 1 / 0)
    broken = drawing._repr_mimebundle_()
    assert "ZeroDivisionError" in broken["text/plain"]
    assert "text/html" in broken


@pytest.mark.parametrize(("ending", "start"), [(".png", b"\x89PNG"), (".pdf", b"%PDF")])
@pytest.mark.parametrize("program", [True, False])
def test_images_come_from_dot_or_from_pip(ending, start, program, monkeypatch, tmp_path):
    if not program:
        pytest.importorskip("pygraphviz")
        monkeypatch.setattr(shutil, "which", lambda name: None)
    elif not shutil.which("dot"):
        pytest.skip("the program dot is not installed; the same is tested with pygraphviz")
    assert example().save(tmp_path / f"g{ending}").read_bytes().startswith(start)


def test_graphviz_gives_a_digraph_to_go_on_with():
    pytest.importorskip("graphviz")
    graph = example().graphviz()
    graph.node("mine")
    assert "mine" in graph.source
    assert "multiply" in graph.source
