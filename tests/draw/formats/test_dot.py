"""DOT, read back by Graphviz."""

import pytest

from autodiff.draw import draw
from tests.draw.examples import edges_of_svg, example, labels_of_svg
from tests.draw.models import Transformer, tokens


def test_dot_is_read_by_graphviz_as_the_same_graph():
    drawing = draw(Transformer(1), tokens(), depth=3)
    pygraphviz = pytest.importorskip("pygraphviz")
    graph = pygraphviz.AGraph(string=drawing.dot())
    svg = drawing.svg()
    assert {str(n) for n in graph.nodes()} == set(labels_of_svg(svg))
    assert {f"{a} {b}" for a, b in graph.edges()} == edges_of_svg(svg)
    assert graph.get_node(graph.nodes()[0]).attr["label"].startswith("x")


def test_graphviz_gives_a_digraph_to_go_on_with():
    pytest.importorskip("graphviz")
    graph = example().graphviz()
    graph.node("mine")
    assert "mine" in graph.source
    assert "multiply" in graph.source
