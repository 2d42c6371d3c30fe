"""``pullback serve``: the predictions of a trained model over HTTP, and a page to try it."""

from __future__ import annotations

import argparse

from . import options
from .command import USAGE, CommandError
from .runs import UNUSABLE, opened

EPILOG = """\
POST /predict takes what 'pullback predict' takes, and JSON; the type is said by Content-Type:
  application/json  {"instances": [...]}: images as lists of numbers; rows of a table as objects or lists
  text/csv          rows of a table with the names of its columns; an image a row
  application/x-npy an array
  image/png         a picture; other formats with pip install 'pullback[images]'
It answers {"predictions": [...]}, or {"error": "..."} with a status from 400. At / is a page to try the model,
at /model what it takes, at /health whether it runs, at /metrics counts and times for Prometheus.

examples:
  pullback serve runs/digits-1
  curl -H 'Content-Type: image/png' --data-binary @seven.png http://127.0.0.1:8000/predict
  pullback serve runs/houses-1 --host 0.0.0.0 --port 80 --batch 256

exit codes: 0 ended by SIGTERM or Ctrl-C, 1 the address cannot be used, 2 a run that is of no use, wrong usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``pullback serve``."""
    parser.epilog = EPILOG
    parser.add_argument("run_folder", metavar="RUN", help="the folder of a run")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1: this machine alone)")
    parser.add_argument("--port", type=options.port, default=8000, metavar="N", help="(8000); 0 takes a free one")
    parser.add_argument("--batch", type=options.whole, default=64, metavar="N",
                        help="examples that go through the model together (64); 1: each request by itself")  # fmt: skip
    parser.add_argument("--wait", type=options.not_negative, default=2.0, metavar="MS",
                        help="milliseconds that an example waits for others (2)")  # fmt: skip
    parser.add_argument("--queue", type=options.whole, default=100, metavar="N",
                        help="requests that are let in at once (100); more are answered with 503")  # fmt: skip
    parser.add_argument("--body", type=options.positive, default=4.0, metavar="MB",
                        help="the size of the largest request, in megabytes (4)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Serve until it is ended."""
    try:
        from .serving.application import Limits, Service
        from .serving.server import bound, is_local, serve
    except ModuleNotFoundError as error:
        raise CommandError(f"it needs {error.name}: pip install 'pullback[serve]'", USAGE) from error
    found = opened(arguments.run_folder)
    if found.kind.name == "text":
        raise CommandError(
            f"{found.folder} learned a text, of which there are no predictions; 'pullback generate' lets it write",
            UNUSABLE,
        )
    limits = Limits(arguments.batch, arguments.wait / 1000, arguments.queue, round(arguments.body * 1_000_000))
    service = Service(found, limits)
    with bound(arguments.host, arguments.port) as listening:
        host, port = listening.getsockname()[:2]
        print(
            f"{found.folder} answers at http://{f'[{host}]' if ':' in host else host}:{port}/ ; Ctrl-C ends it",
            flush=True,
        )
        if not is_local(host):
            print("other machines reach it, and nobody is asked for a password", flush=True)
        serve(service.application, listening)
    return 0
