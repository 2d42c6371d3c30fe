"""The interactive page as a file: whole, compact, and of any size."""

import re

from autodiff.draw import draw
from autodiff.draw.formats.page import compact, reduced
from autodiff.draw.picture.scene import scene
from tests.draw.examples import example
from tests.draw.models import Transformer, tokens


def test_a_page_of_a_very_large_model_holds_its_groups_closed():
    picture = draw(Transformer(3), tokens()).picture
    small = reduced(picture, most=30)
    assert len(small.boxes) < len(picture.boxes)
    assert any("this page holds" in fact for fact in small.facts)
    assert small.groups[0].operations == picture.groups[0].operations
    assert all(0 <= p < len(small.boxes) for b in small.boxes for p in b.parents)
    assert scene(small).items


def test_the_page_is_whole_and_asks_for_nothing():
    text = example().html()
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text)
    assert "@import" not in text
    assert "import(" not in text


def test_columns_of_the_page_fit_together():
    picture = draw(Transformer(2), tokens(), values=True, gradients=True).picture
    data = compact(picture)
    lengths = {
        len(data[k]) for k in ("kind", "label", "name", "type", "parents", "group", "line", "lines", "operation")
    }
    assert lengths == {len(picture.boxes)}
    assert len(data["groups"]) == len(picture.groups)
    assert all(0 < d <= i for i, row in enumerate(data["parents"]) for d in row)
    assert data["formulas"]["maximum"]["a"]
    assert data["formulas"]["divide"]["a"] == "g / b"
