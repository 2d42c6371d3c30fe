"""SVG, read back by a reader of XML."""

from tests.draw.examples import edges_of_svg, example, labels_of_svg


def test_svg_has_a_box_for_each_operation_and_an_arrow_for_each_argument():
    text = example().svg()
    labels = labels_of_svg(text)
    assert {key: lines[0] for key, lines in labels.items()} == {
        "b0": "w", "b1": "x", "b2": "multiply", "b3": "tanh", "b4": "sum"
    }  # fmt: skip
    assert labels["b0"][1:] == ["(2, 3) float64", "[1., 1., 1.]", "[1., 1., 1.]", "‖g‖ 1.03"]
    assert edges_of_svg(text) == {"b0 b2", "b1 b2", "b2 b3", "b3 b4"}


def test_svg_knows_light_and_dark():
    drawing = example()
    assert "prefers-color-scheme" in drawing.svg()
    assert "prefers-color-scheme" not in drawing.svg(scheme="light") + drawing.svg(scheme="dark")
    assert "#15181c" in drawing.svg(scheme="dark")
    assert "#15181c" not in drawing.svg(scheme="light")
