"""How Sphinx builds the site; ``python -m docs.site`` makes what it reads."""

import autodiff

project = "pullback"
author = "the pullback developers"
project_copyright = author
version = release = autodiff.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "docs.site.mathml",
    "docs.site.docstrings",
]
if tags.has("online"):  # type: ignore[name-defined]  # noqa: F821  (Sphinx defines it)
    extensions.append("sphinx.ext.intersphinx")
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
}

html_theme = "furo"
html_title = "pullback"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = "static/icon.svg"
html_copy_source = html_show_sourcelink = False
html_math_renderer = "mathml"
html_use_index = True
pygments_style, pygments_dark_style = "friendly", "monokai"

myst_enable_extensions = ["colon_fence", "dollarmath", "amsmath", "html_image"]
myst_heading_anchors = 6
nb_execution_mode = "off"
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_inherit_docstrings = False
suppress_warnings = ["ref.python"]  # two classes are called Program; the first is meant
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
add_module_names = False
copybutton_prompt_text, copybutton_prompt_is_regexp = r">>> |\.\.\. |\$ ", True
