"""What is in sight, and the arrows between."""

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.picture.scene import scene


def test_an_array_that_is_taken_twice_is_said_to_be():
    x = Tensor(2.0)
    drawing = draw(x * x)
    assert scene(drawing.picture).times[("box", 0), ("box", 1)] == 2
    assert ">×2<" in drawing.svg()
    assert 'label="×2"' in drawing.dot()
    assert "-->|×2|" in drawing.mermaid()
    assert "x has added up 2 cotangents" in drawing.frames()[-1]
