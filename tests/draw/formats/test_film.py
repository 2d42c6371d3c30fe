"""The backward pass in steps."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.formats.film import steps
from autodiff.draw.picture.scene import scene
from tests.draw.models import Transformer, tokens


def film(drawing):
    return steps(drawing.picture, scene(drawing.picture))


def test_nobody_works_before_all_its_cotangents_are_there():
    x = Tensor(2.0)
    a = x * 3.0
    y = np.sin(a) * a + a
    drawing = draw(y)
    arrows = scene(drawing.picture).arrows
    done = []
    for step in film(drawing):
        assert all(target in done for source, target in arrows if source == step.item)
        done.append(step.item)
    assert len(done) == len(drawing.picture.boxes)
    captions = [step.caption for step in film(drawing)]
    assert any("a waits, 2 of 3 are there" in c for c in captions)
    assert any(c.startswith("a has added up 3 cotangents") for c in captions)
    assert captions[0].startswith("y starts with a cotangent of 1")
    assert captions[-1].endswith("this is its gradient")


def test_no_cotangent_flows_to_constants():
    drawing = draw(Transformer(1), tokens())
    seen = scene(drawing.picture)
    reached = {step.item for step in film(drawing)}
    assert not any(reached & {place} for place in seen.items if place[0] == "box"
                   and drawing.picture.boxes[place[1]].kind == "input")  # fmt: skip


def test_frames_are_documents_of_one_size():
    frames = draw(np.sin(Tensor(2.0) * 3.0)).frames()
    roots = [ElementTree.fromstring(frame) for frame in frames]
    assert len(frames) == 3
    assert len({(r.get("width"), r.get("height")) for r in roots}) == 1
