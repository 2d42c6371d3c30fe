"""Requests to an ASGI application in this process, without a socket."""

import json
from typing import NamedTuple


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


async def ask(application, method, path, body=b"", kind=None, *, pieces=None, length=True):
    """One request; ``pieces`` are parts of a body, and None among them is a client that goes away."""
    path, _, query = path.partition("?")
    headers = [(b"host", b"test")]
    headers += [(b"content-type", kind.encode())] if kind else []
    headers += [(b"content-length", str(len(body)).encode())] if body and length else []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "headers": headers, "scheme": "http",
        "server": ("test", 80), "client": ("test", 1), "root_path": "",
    }  # fmt: skip
    coming = iter([body] if pieces is None else pieces)
    sent = []

    async def receive():
        piece = next(coming, b"")
        if piece is None:
            return {"type": "http.disconnect"}
        if callable(piece):
            piece = await piece()
        return {"type": "http.request", "body": piece, "more_body": pieces is not None and piece != b""}

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    start, *parts = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(part.get("body", b"") for part in parts))
