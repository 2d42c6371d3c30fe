"""``pullback serve`` as a process of its own: requests, the end, wrong usage; and its page in a browser."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import cli
from tests.draw.browser.conftest import browser, screenshot  # noqa: F401
from tests.nn.cli.running import command, environment, one_line


class Server:
    """A process that serves, and its address."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            command("serve", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        self.url = re.search(r"http://\S+", self.process.stdout.readline())[0]
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def predict(self, body, path="predict"):
        with urllib.request.urlopen(self.url + path, json.dumps(body).encode(), timeout=30) as answer:
            return json.load(answer)


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture
def digits(digits_run):
    return str(digits_run)


def test_a_server_answers_and_ends(digits, capsys):
    images, labels = nn.datasets.digits()
    with Server(digits, "--port", "0") as server:
        found = server.predict({"instances": images[:50].tolist()})["predictions"]
        assert np.mean([one["label"] == str(label) for one, label in zip(found, labels, strict=False)]) > 0.8
        with pytest.raises(urllib.error.HTTPError) as raised:
            server.predict({"instances": [[0]]})
        assert raised.value.code == 400
        assert "(8, 8)" in json.load(raised.value)["error"]
        assert cli.main(["serve", digits, "--port", str(server.port)]) == 1
        one_line(capsys.readouterr().err, f"--port {server.port}: Address already in use; --port 0 takes a free port")
        # what is under way at the end is answered
        body = json.dumps({"instances": [[0] * 64]}).encode()
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:10])
        while "waiting_requests 1\n" not in urllib.request.urlopen(server.url + "metrics").read().decode():
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        while is_open(server.port):  # until nothing new is taken
            time.sleep(0.02)
        connection.send(body[10:])
        answer = connection.getresponse()
        assert answer.status == 200
        assert len(json.load(answer)["predictions"]) == 1
        connection.close()
        assert server.process.communicate(timeout=60) == ("", "")
        assert server.process.returncode == 0


USAGE = {
    "no run": (["nowhere"], 2, "nowhere does not exist"),
    "a port": (["RUN", "--port", "65536"], 2, "'65536' is no port"),
    "an address": (["RUN", "--host", "192.0.2.1"], 1, "--host 192.0.2.1 --port 8000"),
    "a name": (["RUN", "--host", "no host"], 1, "--host no host"),
    "a batch": (["RUN", "--batch", "0"], 2, "--batch: '0' is not a whole number"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage(digits, case, capsys):
    arguments, code, words = USAGE[case]
    assert cli.main(["serve", *[digits if argument == "RUN" else argument for argument in arguments]]) == code
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, words)


def test_a_text_is_not_served(digits, tmp_path, capsys):
    kept = {"model": "lstm", "vocabulary": "ab", "context": 4, "baselines": None}
    described = {**json.loads((Path(digits) / "run.json").read_text()), "kind": "text", "prepared": kept}
    (tmp_path / "run.json").write_text(json.dumps(described))
    assert cli.main(["serve", str(tmp_path)]) == 2
    one_line(capsys.readouterr().err, "learned a text", "'pullback generate'")


def test_the_extra_is_named(digits, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("nn.cli.serving.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    assert cli.main(["serve", digits]) == 2
    one_line(capsys.readouterr().err, "pip install 'pullback[serve]'")


def test_a_digit_is_drawn(digits, browser, screenshot):  # noqa: F811
    with Server(digits, "--port", "0") as server:
        for width, dark in [(390, True), (1000, False)]:
            browser.open(server.url, width=width, height=1000, dark=dark)
            x, y = browser.middle("#pad")
            browser.drag(x - 60, y - 90, x + 60, y - 90)
            browser.drag(x + 60, y - 90, x - 20, y + 90)
            browser.wait("document.querySelector('.best') !== null")
            screenshot(str(width))
            assert browser.evaluate("document.querySelector('.best').textContent") in "0123456789"
            assert browser.evaluate("document.documentElement.scrollWidth") <= width
            assert browser.console == []
            assert all(url.startswith((server.url, "data:")) for url in browser.requests)
            browser.evaluate("document.querySelector('button').click()")
            assert browser.evaluate("document.querySelector('.best') === null")
        server.process.send_signal(signal.SIGINT)
        server.process.communicate(timeout=60)
        assert server.process.returncode == 0
