from importlib import resources

import pytest

from nn import datasets


def test_the_sonnets_are_whole():
    text = datasets.sonnets()
    assert len(text) == 95_609
    assert len(set(text)) == 62
    headings = [line for line in text.splitlines() if line and set(line) <= set("IVXLC")]
    assert len(headings) == 154
    assert headings[-1] == "CLIV"


def test_their_source_and_licence_are_beside_them():
    text = resources.files("nn.datasets").joinpath("sonnets-LICENSE.txt").read_text(encoding="utf-8")
    for word in ("William Shakespeare", "public domain", "1609", "Gutenberg"):
        assert word in text


def test_a_text_file(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes("\ufeffé\r\nü\rz".encode())
    assert datasets.read_text(path) == "é\nü\nz"


@pytest.mark.parametrize(("contents", "words"), [(b"a\nb\xff", "byte 3 (line 2) is 0xff"), (b"a\0b", "is no text")])
def test_what_is_no_text(tmp_path, contents, words):
    path = tmp_path / "book.txt"
    path.write_bytes(contents)
    with pytest.raises(ValueError, match="book.txt") as raised:
        datasets.read_text(path)
    assert words in str(raised.value)
