"""Mermaid: the same boxes and arrows."""

import re

from autodiff.draw import draw
from tests.draw.models import Transformer, tokens


def test_mermaid_has_the_same_boxes_and_arrows():
    lines = draw(Transformer(1), tokens(), depth=1).mermaid().splitlines()
    assert lines[0] == "flowchart TD"
    starts, ends = (
        sum(line.strip().startswith("subgraph") for line in lines),
        sum(line.strip() == "end" for line in lines),
    )
    assert starts == ends > 0
    forms = (
        r"flowchart TD", r'subgraph g\d+\["[^"<>]*"\]', r"end", r'[bg]\d+(\(\[|\[)"([^"<>]|<br>)*"(\]\)|\]):::\w+',
        r"[bg]\d+ (-->|-\.->) [bg]\d+", r"classDef \w+ [\w:#,]+",
    )  # fmt: skip
    for line in lines:
        assert re.fullmatch("|".join(forms), line.strip())
