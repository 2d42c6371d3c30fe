"""Arrays as pictures in a page."""

import io

import numpy as np
import pytest
from PIL import Image

from nn.datasets.png import png_of
from nn.reports.pictures import attention_map, gallery, signed


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 70, 3)[:2], (4, 6, 3)])
def test_a_png_file_is_what_another_program_reads(shape):
    pixels = np.random.default_rng(0).random(shape)
    with Image.open(io.BytesIO(png_of(pixels))) as image:
        assert image.mode == ("RGB" if len(shape) == 3 else "L")
        np.testing.assert_array_equal(np.asarray(image), np.rint(pixels * 255))


def test_numbers_beyond_black_and_white_are_cut_off():
    with Image.open(io.BytesIO(png_of([[-1.0, 2.0]]))) as image:
        assert np.asarray(image).tolist() == [[0, 255]]


def test_signs_have_colours():
    assert signed(np.zeros((2, 2))).min() == 1.0
    below, above = signed([[-3.0, 3.0]])[0]
    assert below[2] > below[0]
    assert above[0] > above[2]


def test_captions_are_escaped():
    assert "<b>" not in gallery([(np.zeros((2, 2)), '<b>"')]) + attention_map(np.eye(2), "<b", '<b>"')
