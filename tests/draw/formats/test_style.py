"""Colours: told apart with any colour vision, and legible, on light and on dark pages."""

import itertools

import numpy as np
import pytest

from autodiff.draw import draw
from autodiff.draw.formats.style import KINDS, STATES
from tests.draw.models import Transformer, tokens

# What is seen without one kind of cone, on linear RGB: G. Machado, M. Oliveira, L. Fernandes (2009), severity 1.
VISION = {
    "all": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


COLOURS = KINDS | {state: colour for state, (_, colour) in STATES.items() if state not in ("failed", "guilty")}


OF_GRADIENTS, OF_CHANGES = {"nan", "inf", "dead", "vanishing", "exploding"}, {"added", "removed", "changed"}


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b*, in which a distance of 2.3 is just seen."""
    x, y, z = np.cbrt(np.clip(TO_XYZ @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883], 216 / 24389, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(a, b):
    """The contrast of two colours as WCAG 2 defines it, from 1 to 21."""
    high, low = sorted((linear(c) @ TO_XYZ[1] for c in (a, b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("dark", [False, True])
def test_colours_that_stand_beside_each_other_are_told_apart(vision, dark):
    def seen(colour):
        return [lab(np.array(VISION[vision]) @ linear(c)) for c in (colour[2:] if dark else colour[:2])]

    for a, b in itertools.combinations(COLOURS, 2):
        if (a in OF_GRADIENTS and b in OF_CHANGES) or (a in OF_CHANGES and b in OF_GRADIENTS):
            continue  # a comparison has states of its own
        distance = np.hypot(*[np.linalg.norm(p - q) for p, q in zip(seen(COLOURS[a]), seen(COLOURS[b]), strict=True)])
        assert distance > 9, (a, b)


@pytest.mark.parametrize("name", COLOURS)
def test_text_is_legible_on_every_colour(name):
    colour = COLOURS[name]
    assert contrast("#1a1a1a", colour.fill) > 7
    assert contrast("#eceff2", colour.dark_fill) > 7
    assert contrast("#5a5a5a", colour.fill) > 4.5
    assert contrast("#a9b1ba", colour.dark_fill) > 4.5


def test_names_are_read_inside_their_modules():
    svg = draw(Transformer(1), tokens(), depth=5).svg()
    assert ">query: Linear · 20 parameters<" in svg
    assert ">gain<" in svg
    assert "<title>blocks.0.norm.gain | " in svg  # what the pointer shows is the whole path


def test_long_options_have_a_line_of_their_own():
    box = draw(lambda x: np.mean(x, axis=1, keepdims=True), np.ones((2, 2)))
    assert ">output = mean<" in box.svg()
    assert ">(axis=1, keepdims=True)<" in box.svg()
