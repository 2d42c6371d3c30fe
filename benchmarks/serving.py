"""``pullback serve`` under load: requests a second and latency with and without batching, beside the forward pass.

The load comes from this process, over the loopback interface alone: so many clients, each of which sends its next
request when it has its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nn import datasets
from nn.cli.runs import opened

from .measuring import Table, number, print_tables, take_turns

SECONDS = 2.0
"""How long each load lasts; each is repeated, and the best taken."""
ROUNDS = 3
CLIENTS = (1, 16, 64)
MODELS = {"64-256-10": "256", "64-2048-2048-10": "2048,2048"}
WAYS = {
    "each by itself": ("--batch", "1", "--wait", "0"),
    "batches of what waits": ("--batch", "64", "--wait", "0"),
    "batches, 2 ms (default)": ("--batch", "64", "--wait", "2"),
}


class Server(NamedTuple):
    """The number of a process, and the port at which it answers."""

    process: int
    port: int


def trained(folder: str, hidden: str) -> str:
    """A run of one epoch on the digits: how fast it answers does not depend on how well."""
    path = os.path.join(folder, hidden.replace(",", "-"))
    command = [sys.executable, "-m", "nn.cli", "train", "--quiet", "--epochs", "1", "--hidden", hidden]
    subprocess.run([*command, "--output", path], check=True, stdout=subprocess.DEVNULL)
    return path


@contextlib.contextmanager
def served(run: str, options: tuple[str, ...]) -> Iterator[Server]:
    """A server of its own."""
    command = [sys.executable, "-m", "nn.cli", "serve", run, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r":(\d+)/", process.stdout.readline())
            assert found is not None
            yield Server(process.pid, int(found[1]))
        finally:
            process.terminate()


def request() -> bytes:
    """A request with one digit as JSON."""
    body = json.dumps({"instances": [datasets.digits()[0][0].tolist()]}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def client(port: int, message: bytes, end: float, took: list[float]) -> None:
    """One client: a connection, and one request after the other until the time is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (start := time.perf_counter()) < end:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = re.search(rb"content-length: (\d+)", head)
        assert length is not None
        await reader.readexactly(int(length[1]))
        took.append(time.perf_counter() - start)
    writer.close()
    await writer.wait_closed()


async def loaded(port: int, clients: int, seconds: float) -> list[float]:
    """The latencies under so many clients."""
    took: list[float] = []
    message, end = request(), time.perf_counter() + seconds
    await asyncio.gather(*(client(port, message, end, took) for _ in range(clients)))
    return took


async def counted(port: int) -> tuple[int, int]:
    """How many examples went through the model, and in how many passes, by what the server says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    found = re.findall(r"pass_examples_(?:sum|count) (\d+)", text)
    return int(found[0]), int(found[1])


def used(process: int) -> float:
    """The processor time of a process in seconds; NaN where the system does not tell it so."""
    try:
        with open(f"/proc/{process}/stat") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
    except OSError:
        return float("nan")
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Load(NamedTuple):
    """What one load found: requests a second, percentiles and processor time in ms, examples in a pass."""

    rate: float
    middle: float
    late: float
    processor: float
    together: float


def load(server: Server, clients: int) -> Load:
    """Put a server under load, and measure."""
    before, start = asyncio.run(counted(server.port)), used(server.process)
    took = np.array(asyncio.run(loaded(server.port, clients, SECONDS)))
    after, end = asyncio.run(counted(server.port)), used(server.process)
    middle, late = 1000 * np.percentile(took, [50, 99])
    together = (after[0] - before[0]) / (after[1] - before[1])
    return Load(len(took) / SECONDS, middle, late, 1000 * (end - start) / len(took), together)


def under_load(run: str) -> dict[tuple[str, int], Load]:
    """For each way and number of clients the round with the most answers."""
    found: dict[tuple[str, int], Load] = {}
    with contextlib.ExitStack() as stack:
        servers = {way: stack.enter_context(served(run, options)) for way, options in WAYS.items()}
        for server in servers.values():
            asyncio.run(loaded(server.port, 4, 0.5))
        for clients in CLIENTS:
            for _ in range(ROUNDS):
                for way, server in servers.items():
                    figures = load(server, clients)
                    found[way, clients] = max(figures, found.get((way, clients), figures))
    return found


def forward(run: str) -> list[list[str]]:
    """The forward pass alone, in this process."""
    learner, images = opened(run).learner(), datasets.digits()[0]
    timings = take_turns({f"{n}": lambda n=n: learner.predict(images[:n]) for n in (1, 16, 64)}, rounds=50)
    return [
        ["forward pass alone", f"{n} examples", number(int(n) / timing.best), number(1000 * timing.best), "", "", n]
        for n, timing in timings.items()
    ]


def tables() -> list[Table]:
    """A table for each model."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for name, hidden in MODELS.items():
            run = trained(folder, hidden)
            found, rows = under_load(run), forward(run)
            rows += [[way, f"{n} clients", *map(number, found[way, n])] for n in CLIENTS for way in WAYS]
            about = (
                "Predictions a second; milliseconds until half, and until 99 of 100 of the answers were there; the "
                "server's processor time for a request in ms; examples in a pass. The round with the most answers, of "
                f"{ROUNDS} of {SECONDS:g} seconds in alternation; the load comes from the same machine. One example a "
                "request, as JSON."
            )
            columns = ("way", "load", "a second", "p50 ms", "p99 ms", "processor ms", "in a pass")
            made.append(Table(f"Digits, network {name}", about, columns, rows))
    return made


if __name__ == "__main__":
    print_tables(tables)
