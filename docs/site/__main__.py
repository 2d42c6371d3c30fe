"""Build the documentation as a site: ``python -m docs.site [--online] [FOLDER]``; needs the extra ``docs``.

The pages are those of this repository, the reference is written from the docstrings, and the pictures of the gallery
are drawn.  A warning of Sphinx is an error: a link that leads nowhere, a docstring that cannot be read.  So is a page
that would ask another host for a script, a style, a font or a picture.  With ``--online`` the types of Python, NumPy
and SciPy are links to their documentation; that needs the network.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from . import source
from .requests import requests

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Build the site, and say where it is; 0 if all is well."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--online", action="store_true", help="link types of other libraries; needs the network")
    parser.add_argument("folder", nargs="?", default="build/site", help="where the site is written (build/site)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        read = Path(folder) / "source"
        read.mkdir()
        source.write(read)
        arguments = ["--fail-on-warning", "--quiet", "--jobs", str(min(os.cpu_count() or 1, 4)), "-c", str(HERE)]
        tags = ["-t", "online"] if options.online else []
        doctrees = ["-d", str(Path(folder) / "doctrees")]
        code = sphinx(["-b", "html", *arguments, *tags, *doctrees, str(read), options.folder])
    asked = requests(Path(options.folder)) if code == 0 else []
    for line in asked:
        print(f"asks another host: {line}", file=sys.stderr)
    if code == 0 and not asked:
        print(f"{options.folder}/index.html")
    return int(code or bool(asked))


if __name__ == "__main__":
    sys.exit(main())
