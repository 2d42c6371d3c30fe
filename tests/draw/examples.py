"""What several tests of drawing look at: examples, and ways to look at a picture."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.picture.scene import scene


def sight(drawing):
    return len(scene(drawing.picture).items)


SVG = "{http://www.w3.org/2000/svg}"


def example():
    w, x = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
    return draw(np.sum(np.tanh(w * x)), values=True, gradients=True, memory=True)


def edges_of_svg(text):
    root = ElementTree.fromstring(text)
    return {e.get("data-ends") for e in root.iter(f"{SVG}g") if e.get("class") == "edge"}


def labels_of_svg(text):
    root = ElementTree.fromstring(text)
    return {
        g.get("id"): [t.text for t in g.findall(f"{SVG}text")]
        for g in root.iter(f"{SVG}g") if (g.get("class") or "").startswith("node")
    }  # fmt: skip


def boxes(drawing):
    return {box.name or box.label: box for box in drawing.picture.boxes}


NASTY = [
    'a "quoted" name', "<script>alert(1)</script>", "R&D &amp; 'more'", "two\nlines", "back\\slash \\n \\",
    "größe 形状 🙂",     "]]> --> </style> </title>", "x" * 10_000,
    "\x00\x1b[31m\u2028", "lone \ud800", "", "{|}[<>]#;", "</script>", "${x}`",
]  # fmt: skip


def nasty(name):
    x = Tensor(1.0)
    drawing = draw(np.sin(x) * 2.0, names={name: x}, title=name)
    drawing.picture.boxes[1].message = drawing.picture.boxes[1].line = name
    drawing.picture.facts.append(name)
    return drawing
