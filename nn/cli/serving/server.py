"""The server: a socket that is bound before anything else, and an end that answers what is under way."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import uvicorn
from starlette.applications import Starlette

from ..command import CommandError

CONNECTIONS = 1000
"""So many connections at most are open; more are answered with 503."""
BACKLOG = 1024
"""So many connections may wait to be accepted."""
IDLE = 30
"""A connection without requests is closed after so many seconds."""
GRACE = 30
"""So many seconds has what is under way when the end is asked for."""


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; port 0 is one that is free.  Raises CommandError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # not socket.create_server, which leaves the protocol open: then asyncio does not send small parts at once
        listening = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere it would share a port that is taken
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"--host {host} --port {port}: {why}; --port 0 takes a free port") from None
    return listening


def is_local(host: str) -> bool:
    """Whether no other machine reaches this address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def serve(application: Starlette, listening: socket.socket) -> None:
    """Answer until SIGTERM or Ctrl-C; then nothing new is taken, and what is under way is answered."""
    config = uvicorn.Config(
        application, http="h11", ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
        limit_concurrency=CONNECTIONS, timeout_keep_alive=IDLE, timeout_graceful_shutdown=GRACE,
    )  # fmt: skip
    with _passed_on():
        uvicorn.Server(config).run(sockets=[listening])


@contextlib.contextmanager
def _passed_on() -> Iterator[None]:
    """uvicorn raises the signals that ended it again at its end, which here is that of the process, too."""
    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
