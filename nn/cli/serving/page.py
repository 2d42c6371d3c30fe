"""The page at ``/``, on which a trained model can be tried.  It asks nobody but the server that it came from."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib import resources
from typing import Any

from ...reports.page import filled


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """How a policy names a script or a style sheet that stands in the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_STYLE, _SCRIPT = _file("page.css"), _file("page.js")
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def page(form: dict[str, Any]) -> str:
    """The page for a model with this form."""
    data = json.dumps(form).replace("<", "\\u003c")  # a name cannot end the element
    parts = {"TITLE": escape(form["run"]), "STYLE": _STYLE, "SCRIPT": _SCRIPT, "FORM": data}
    return filled(_file("page.html"), parts)
