"""Groups in groups: no boxes overlap, arrows point down."""

import xml.etree.ElementTree as ElementTree

import pytest

from autodiff.draw import draw
from tests.draw.examples import SVG, edges_of_svg
from tests.draw.models import Transformer, tokens


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
