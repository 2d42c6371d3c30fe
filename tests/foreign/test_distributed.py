"""Dask's cluster: inputs that are kept there or cut anew, a worker that goes away in the middle, and a lost scheduler.

The cluster is in this process, a thread a worker; what is sent and scheduled is as with processes.
"""

from __future__ import annotations

import logging
import threading

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from distributed.client import FutureCancelledError

from autodiff import value_and_grad
from autodiff.scipy.optimize import minimize

PARTS, ROWS = 6, 50
OPTIONS = {"method": "L-BFGS-B", "options": {"maxiter": 2}}


def in_part(i):
    """What happens when a part is made; tests put something else here."""


def part(block_id):
    """Some rows, always the same for one number; looked up here by workers, and not sent to them."""
    in_part(block_id[0])
    return np.random.default_rng(block_id[0]).normal(size=(ROWS, 4))


def data():
    chunks = ((ROWS,) * PARTS, (4,))
    return da.map_blocks(part, chunks=chunks, dtype=float, meta=np.zeros((0, 0)))


def labels(x):
    return (x @ np.arange(4.0) > 0.5).astype(float)


def loss(w, x, y):
    z = x @ w
    return np.mean(np.logaddexp(0, z) - y * z) + 0.01 * np.sum(w * w)


def computed(x):
    """The value and the gradient for these rows."""
    return dask.compute(*value_and_grad(loss)(np.ones(4), x, labels(x)))


@pytest.fixture
def cluster():
    options = {"processes": False, "dashboard_address": None, "silence_logs": logging.CRITICAL}
    with dask.config.set({"distributed.comm.timeouts.connect": "2s", "distributed.admin.tick.limit": "1h"}):
        cluster = LocalCluster(n_workers=3, threads_per_worker=1, **options)
        client = Client(cluster)
        yield cluster
        client.close(timeout=1)
        cluster.close(timeout=5)


@pytest.fixture
def expected():
    x = data().compute(scheduler="sync")
    return value_and_grad(loss)(np.ones(4), x, labels(x))


def close(found, expected):
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12)


def once_in_part(monkeypatch, i, act):
    """Do something the first time that a part is made."""
    done = threading.Event()

    def hook(now):
        if now == i and not done.is_set():
            done.set()
            act()

    monkeypatch.setattr(f"{__name__}.in_part", hook)
    return done


def test_kept_and_recut_inputs(cluster, expected):
    kept = data().persist()
    for x in (data(), kept, kept.rechunk((70, 4)), kept.rechunk((ROWS, 2)), data().rechunk(-1)):
        close(computed(x), expected)


def test_a_worker_that_goes_away_changes_nothing(cluster, expected, monkeypatch):
    def end():
        worker = cluster.workers[0]
        cluster.loop.add_callback(lambda: worker.close(executor_wait=False, nanny=False, timeout=0))

    kept = data().persist()
    done = once_in_part(monkeypatch, 3, end)
    close(computed(data()), expected)
    assert done.is_set()
    close(computed(kept), expected)  # parts of it were on the worker


def test_a_search_on_the_cluster_is_that_on_one_machine(cluster):
    x = data()
    here = x.compute(scheduler="sync")
    found = minimize(loss, np.zeros(4), args=(x, labels(x)), **OPTIONS)
    wanted = minimize(loss, np.zeros(4), args=(here, labels(here)), **OPTIONS)
    assert found.nfev == wanted.nfev
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-10)


def test_a_lost_scheduler_is_an_error_that_says_so(cluster, monkeypatch):
    once_in_part(monkeypatch, 3, lambda: cluster.loop.add_callback(cluster.scheduler.close))
    x = data()
    with pytest.raises(FutureCancelledError, match="lost the connection to the scheduler"):
        minimize(loss, np.zeros(4), args=(x, labels(x)), **OPTIONS)
