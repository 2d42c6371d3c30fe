"""The table of formats: one entry is all that a new format needs."""

import importlib

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.draw import draw
from autodiff.draw.formats import table
from autodiff.draw.formats.table import FORMATS, Format, endings
from docs.formats import formats


@pytest.fixture
def drawing():
    return draw(np.tanh(Tensor([1.0, 2.0])))


def test_no_ending_belongs_to_two_formats():
    assert len(set(endings())) == len(endings())
    assert all(ending.startswith(".") and ending == ending.lower() for ending in endings())


def test_a_new_entry_is_saved_listed_and_documented(drawing, monkeypatch, tmp_path):
    planted = Format((".new", ".newer"), "a planted format", lambda picture: f"{len(picture.boxes)} boxes")
    monkeypatch.setattr(table, "FORMATS", (*FORMATS, planted))
    monkeypatch.setattr("docs.formats.FORMATS", table.FORMATS)
    for name in ("graph.new", "graph.NEWER"):
        assert drawing.save(tmp_path / name).read_text() == "2 boxes"
    with pytest.raises(ValueError, match=r"cannot save as 'graph.old'; the ending must be one of .* \.new \.newer$"):
        drawing.save(tmp_path / "graph.old")
    assert "| `.new`, `.newer` | a planted format | nothing |" in formats().splitlines()


def test_a_format_that_lacks_a_package_says_what_to_install_and_what_needs_nothing(drawing, monkeypatch, tmp_path):
    def lacking(picture):
        raise ImportError("no such package")

    planted = Format((".new",), "a planted format", lacking, "Pictures: pip install pictures")
    monkeypatch.setattr(table, "FORMATS", (FORMATS[0], planted))
    with pytest.raises(ImportError, match=r"^draw: \.new needs Pictures: pip install pictures; \.svg need nothing$"):
        drawing.save(tmp_path / "graph.new")
    assert list(tmp_path.iterdir()) == []


def test_without_what_paints_images_say_what_to_install(drawing, monkeypatch, tmp_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    for ending, package, extra in ((".png", "resvg_py", "draw"), (".pdf", "pymupdf", "pdf")):
        words = rf"\{ending} needs {package}: pip install 'pullback\[{extra}\]'.* \.html "
        with pytest.raises(ImportError, match=words):
            drawing.save(tmp_path / f"g{ending}")
    with pytest.raises(ImportError, match="graphviz"):
        drawing.graphviz()
    assert drawing.save(tmp_path / "g.svg").stat().st_size > 1000
