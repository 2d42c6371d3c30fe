"""How many threads matrix products use: one where more would wait for each other, and what the user says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nn.training import threads

ROOT = Path(__file__).resolve().parents[3]


def run(code, **variables):
    """What a new process prints, in which the user set these variables alone."""
    environment = {k: v for k, v in os.environ.items() if k not in threads.VARIABLES}
    arguments = [sys.executable, "-c", code]
    result = subprocess.run(
        arguments, capture_output=True, text=True, check=True, env={**environment, "PYTHONPATH": str(ROOT), **variables}
    )
    return result.stdout.split()


CODE = """
from nn.training import threads
before = threads.count()
for size in (1, threads.LARGE - 1, threads.LARGE):
    with threads.chosen(size) as number:
        print(number, threads.count())
try:
    with threads.chosen(1):
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print(threads.count() - before)
"""


def test_the_number_is_known_here_and_is_that_of_the_variable():
    """NumPy's own wheels have OpenBLAS in them, which obeys."""
    assert run("from nn.training import threads; print(threads.count())", OPENBLAS_NUM_THREADS="1") == ["1"]
    two = run("from nn.training import threads; print(threads.count())", OPENBLAS_NUM_THREADS="2")
    assert two == [str(min(2, os.cpu_count()))]


def test_small_products_use_one_thread_and_afterwards_all_is_as_it_was():
    [every] = run("from nn.training import threads; print(threads.count())")
    assert run(CODE) == ["1", "1", "1", "1", every, every, "0"]


@pytest.mark.parametrize("variable", threads.VARIABLES)
def test_what_the_user_says_stands(variable):
    code = f"from nn.training import threads; threads._control().set(2); {CODE.strip()}"
    code = code.replace("; from nn.training import threads\n", "\n")
    assert run(code, **{variable: "2"}) == ["2"] * 6 + ["0"]


def test_a_library_that_nobody_knows(monkeypatch):
    monkeypatch.setattr(threads, "_control", lambda: None)
    with threads.chosen(1) as number:
        assert number is None
    assert threads.count() is None
    assert threads.described(None) == "as many threads as NumPy's library takes"


def test_products_are_right_whatever_their_number():
    a = np.random.default_rng(0).normal(size=(300, 300))
    with threads.chosen(300**3):
        one = a @ a
    np.testing.assert_allclose(one, a @ a, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("said", "number"), [({}, 1), ({"OMP_NUM_THREADS": "2"}, min(2, os.cpu_count()))])
def test_a_run_says_how_many_it_used(said, number, tmp_path):
    code = "import sys; from nn import cli; sys.exit(cli.main(sys.argv[1:]))"
    arguments = ["train", "--epochs", "1", "--hidden", "8", "--output", str(tmp_path)]
    environment = {k: v for k, v in os.environ.items() if k not in threads.VARIABLES}
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True,
        env={**environment, "PYTHONPATH": str(ROOT), **said},
    )  # fmt: skip
    words = "1 thread (" if number == 1 else f"{number} threads ("
    assert f"matrix products: {words}OPENBLAS_NUM_THREADS" in result.stdout
    assert json.loads((tmp_path / "result.json").read_text())["blas_threads"] == number
