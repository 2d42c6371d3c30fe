"""A saved SVG is the same picture in viewers that know little of CSS: three of them paint it; pixels are compared."""

from __future__ import annotations

import io

import numpy as np
import pymupdf
import pytest
import pyvips
import resvg_py
from PIL import Image

import nn
from autodiff import Tensor, draw
from autodiff.draw.formats.style import KINDS
from autodiff.draw.formats.svg import COLOURS


def with_resvg(path):
    return bytes(resvg_py.svg_to_bytes(svg_path=str(path)))


def with_librsvg(path):
    return pyvips.Image.svgload(str(path)).write_to_buffer(".png")


def with_mupdf(path):
    with pymupdf.open(path) as document:
        return document[0].get_pixmap(dpi=72).tobytes("png")


VIEWERS = [with_resvg, with_librsvg, with_mupdf]


@pytest.fixture(scope="module", params=["auto", "light", "dark"])
def saved(request, tmp_path_factory):
    """A network with a loss, in frames and with the gradients of its parameters."""
    model = nn.Sequential(nn.Linear(6, 8, rng=0), nn.ReLU(), nn.Linear(8, 3, rng=1))
    loss = nn.cross_entropy(model(Tensor(np.ones((4, 6), np.float32))), np.array([0, 1, 2, 0]))
    loss.backward(retain_graph=True)
    path = tmp_path_factory.mktemp("viewers") / "graph.svg"
    path.write_text(draw(loss, gradients=True).svg(scheme=request.param), encoding="utf-8")
    return path, request.param == "dark"


def colour(text):
    return [int(text[i : i + 2], 16) for i in (1, 3, 5)]


def share(pixels, wanted, tolerance=6):
    """The part of the pixels that has a colour."""
    return float(np.mean(np.all(np.abs(pixels.astype(int) - colour(wanted)) <= tolerance, axis=-1)))


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.__name__)
def test_page_boxes_arrows_and_bars_have_their_colours(saved, viewer):
    path, dark = saved
    pixels = np.asarray(Image.open(io.BytesIO(viewer(path))).convert("RGB"))
    assert share(pixels, COLOURS["page"][dark]) > 0.3
    for kind in ("operation", "variable"):
        fill, border = KINDS[kind][2:] if dark else KINDS[kind][:2]
        assert share(pixels, fill) > 0.005
        assert share(pixels, border, 30) > 0.0001
    assert share(pixels, COLOURS["bar"][dark]) > 0.0005
    assert share(pixels, COLOURS["arrow"][dark], 30) > 0.0001
    assert share(pixels, "#000000", 2) < 0.001  # what has no colour is black


@pytest.mark.parametrize("viewer", [with_librsvg, with_mupdf], ids=lambda viewer: viewer.__name__)
def test_headings_over_frames_and_arrows_can_be_read(saved, viewer):
    """Letters of a heading have the colour of ink, which an outline painted over them would hide."""
    path, dark = saved
    pixels = np.asarray(Image.open(io.BytesIO(viewer(path))).convert("RGB"))
    without = path.with_suffix(".bare.svg")
    lines = path.read_text(encoding="utf-8").splitlines()
    without.write_text("\n".join(line for line in lines if 'class="halo"' not in line), encoding="utf-8")
    bare = np.asarray(Image.open(io.BytesIO(viewer(without))).convert("RGB"))
    ink = COLOURS["ink"][dark]
    assert len(lines) > 30
    assert share(pixels, ink, 60) > 1.05 * share(bare, ink, 60)
