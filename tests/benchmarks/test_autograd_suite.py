"""The shim under which HIPS autograd's own tests run: its names compute, and its check of gradients can fail."""

import subprocess
import sys

import numpy as np
import pytest

import autodiff
from benchmarks import autograd_shim as shim

SUITE = """
import autograd.numpy as np
import pytest
from autograd import elementwise_grad, grad, make_vjp
from autograd.misc import flatten
from autograd.scipy.special import logsumexp
from autograd.scipy.stats import norm
from autograd.test_util import check_grads

def test_right():
    check_grads(lambda x, y: np.sum(np.array([x, x * y])) + logsumexp(np.append(x, y)))(1.0, 2.0)
    assert grad(norm.logpdf, argnum=1)(1.5, 1.0, 2.0) == 0.125
    assert elementwise_grad(np.sin)(np.zeros(2)).tolist() == [1.0, 1.0]
    assert flatten({"b": 2.0, "a": np.ones(2)})[0].tolist() == [1.0, 1.0, 2.0]

def test_wrong():
    assert make_vjp(np.sin)(0.0)[0](1.0) == 2.0
"""


def test_tests_that_import_autograd_run_on_the_shim(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(SUITE)
    command = [sys.executable, "-m", "benchmarks.autograd_suite", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


def test_its_check_refuses_a_wrong_rule():
    shim.check_grads(np.sin, np.ones(2))
    wrong = autodiff.elementwise(lambda x: np.sin(x), lambda g, x: g * np.cos(x) * 1.01, name="wrong_sine")
    with pytest.raises(AssertionError, match="check of"):
        shim.check_grads(wrong, np.ones(2))


def test_a_constant_graph_takes_arguments_that_stay():
    f = shim.const_graph(lambda x, y, z: x + 2 * y * z, 1.0, z=3.0)
    assert [f(2.0), f(3.0), f(4.0)] == [13.0, 19.0, 25.0]
