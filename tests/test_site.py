"""The site is what the repository has: its pages and links, its docstrings, and nothing that another host must send.

That Sphinx builds it without a warning is tested by ``python -m docs.site``.
"""

from pathlib import Path

import pytest

from docs.site import docstrings, gallery, reference, source
from docs.site.requests import requests


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("README.md", "index.md"),
        ("docs/README.md", "index.md"),
        ("docs/nn.md", "nn.md"),
        ("docs/loss.svg", "loss.svg"),
        ("benchmarks/README.md", "benchmarks/index.md"),
        ("examples/gan.py", "examples/gan.md"),
        ("notebooks/01_ten_minutes.ipynb", "notebooks/01_ten_minutes.ipynb"),
        ("CHANGELOG.md", "changelog.md"),
        ("autodiff/graph.py", "source/autodiff/graph.py.md"),
    ],
)
def test_every_file_has_its_place(path, found):
    assert source.place(path) == found


def test_links_lead_to_the_places_of_files_and_code_stays():
    linked: set[str] = set()
    text = "[`a[i](b)`](nn.md#saving), ![](loss.svg)\n[gan](../examples/gan.py) [far](https://a.b) [here](#x)\n"
    text += "```python\nx = f[0](nn.md)\n```\n"
    found = source.relinked(text, "docs/checking.md", linked)
    assert found == text.replace("../examples/gan.py", "examples/gan.md")
    assert linked == {"docs/nn.md", "docs/loss.svg", "examples/gan.py"}
    assert "(../nn.md)" in source.relinked("[x](../docs/nn.md)", "benchmarks/README.md", linked)


def test_a_link_that_leads_nowhere_is_an_error():
    with pytest.raises(AssertionError, match="checking.md links to no_such.md"):
        source.relinked("[x](no_such.md)", "docs/checking.md", set())


def test_sections_are_groups_of_the_navigation():
    found = source.grouped(
        "# T\n\n## Reference\n\n- [`jit`, recorded](programs.md#jit): b\n- [x](a.py)\n\n## No\n\nend\n"
    )
    assert found.count("{toctree}") == 1
    assert ":caption: Reference\n\nJit, recorded <programs.md>\n```" in found


def test_a_page_that_skips_a_level_is_levelled():
    assert source.levelled("# a\n\n### b\n\n#### c\n") == "# a\n\n## b\n\n### c\n"
    assert source.levelled("# a\n\n## b\n\n### c\n") == "# a\n\n## b\n\n### c\n"


def test_every_page_of_docs_is_in_the_navigation():
    text = (source.ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.removeprefix("docs/") for page in source.pages() if page.startswith("docs/")}
    assert pages - set(source.links(text)) == {"README.md"}


def test_prose_of_docstrings_is_prose_and_examples_are_examples():
    lines = ["A * B of ``a * b``, |x| and x_.", "", "    y = a * b", "", ">>> 2 * 3", "6"]
    assert docstrings.prepared(lines) == [
        "A \\* B of ``a * b``, \\|x\\| and x\\_.", "", "::", "", "    y = a * b", "", ">>> 2 * 3", "6", "",
    ]  # fmt: skip


def test_defaults_of_signatures_have_names_and_no_addresses():
    text = "(a: Any = <class 'numpy.float32'>, f=<function f.<locals>.g at 0x7f0>, x=<object object at 0x7f>, n=1)"
    assert docstrings.named(text) == "(a: Any = float32, f=g, x=..., n=1)"
    assert docstrings.named("(f=<function A.<lambda>>)") == "(f=...)"


def test_every_example_has_a_picture_and_every_class_of_nn_a_chapter():
    assert gallery.names()
    chapters = reference.pages()
    assert "autoclass:: nn.Linear" in chapters["api/nn.layers.md"]
    assert "autoclass:: nn.MSELoss" in chapters["api/nn.losses.md"]
    assert "autofunction:: nn.save" in chapters["api/nn.training.md"]
    assert "autofunction:: autodiff.grad" in chapters["api/autodiff.md"]


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://a.b/c.js"></script>',
        "<img alt='x' src='//a.b/c.png'>",
        '<link rel="stylesheet" href="https://a.b/c.css">',
        "<style>@import url(https://a.b/c.css);</style>",
        "<p style='background: url(https://a.b/c.png)'>",
    ],
)
def test_a_request_to_another_host_is_found(text, tmp_path: Path):
    (tmp_path / "page.html").write_text(text)
    assert len(requests(tmp_path)) == 1


def test_a_link_is_no_request(tmp_path: Path):
    (tmp_path / "page.html").write_text('<a href="https://a.b">x</a><script src="c.js"></script><img src="d.png">')
    assert requests(tmp_path) == []
