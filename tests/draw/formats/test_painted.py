"""PNG and PDF show the layout of the SVG."""

import io
import re

import numpy as np
import pymupdf
from PIL import Image

from autodiff.draw.formats.painted import SCALE
from tests.draw.examples import example


def size_of_svg(text):
    return np.array([float(n) for n in re.search(r'width="(\d+)" height="(\d+)"', text).groups()])


def test_an_image_has_the_size_and_the_colours_of_the_svg(tmp_path):
    drawing = example()
    image = Image.open(io.BytesIO(drawing.save(tmp_path / "g.png").read_bytes())).convert("RGB")
    assert np.abs(np.array(image.size) - SCALE * size_of_svg(drawing.svg())).max() <= SCALE
    pixels = np.asarray(image)
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert np.any(np.all(pixels == (0xEE, 0xF2, 0xF7), axis=-1))


def test_a_document_has_the_texts_of_the_svg_where_they_are(tmp_path):
    drawing = example()
    with pymupdf.open(drawing.save(tmp_path / "g.pdf")) as document:
        (page,) = document
        words = {word[4]: word[:2] for word in page.get_text("words")}
        size = np.array(page.rect[2:])
    text = drawing.svg()
    assert {"tanh", "multiply", "sum"} <= set(words)
    assert words["multiply"][1] < words["tanh"][1] < words["sum"][1]
    assert np.abs(size / size_of_svg(text) - size[0] / size_of_svg(text)[0]).max() < 0.01
