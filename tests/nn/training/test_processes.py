"""Training in several processes: equal to one process, gone on with, ended by the one that fails; run by mpiexec."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from nn import Dropout, Learner, Linear, Processes, ReLU, Sequential, cross_entropy, mse_loss, optim
from nn.training.processes import _is_unread, started

ROOT = Path(__file__).resolve().parents[3]
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
HEAD = """
import json, os, signal, sys, time
import numpy as np
import nn
from nn import *
processes = Processes(timeout=float(os.environ.get("LIMIT", "60")))
rank = processes.rank
rng = np.random.default_rng(0)
X = rng.normal(size=(53, 6)); Y = (X @ rng.normal(size=(6, 3))).argmax(1)

def learner(parallel=processes, *, width=16, rate=0.0, dtype=np.float64, norm=(), search=False,
            loss=cross_entropy, **options):
    model = Sequential(Linear(6, width, rng=0, dtype=dtype), *norm, ReLU(), Dropout(rate, rng=2),
                       Linear(width, 3, rng=1, dtype=dtype))
    # what is before BatchNorm has a bias without effect: of its gradient, which is rounding, Adam would make a step
    optimizer = optim.SGD(model.parameters(), lr=0.1) if norm else optim.Adam(model.parameters(), lr=0.01)
    if search:
        model = Linear(6, 3, rng=0, dtype=dtype)
        optimizer = optim.LBFGS(model.parameters(), max_iter=4, line_search_fn="strong_wolfe")
    return Learner(model, loss, optimizer, metrics=["accuracy"], parallel=parallel, **options)

def values(of):
    return np.concatenate([p.ravel() for p in of.model.state_dict().values()])
"""


def mpi(count, code, *arguments, cwd=None, **environment):
    """Run code in so many processes; the finished process."""
    around = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", **environment}
    program = [sys.executable, *(["-c", HEAD + textwrap.dedent(code)] if code else []), *arguments]
    command = [MPIEXEC, "-n", str(count), *program]
    return subprocess.run(command, cwd=cwd, env=around, capture_output=True, text=True, timeout=120)


EQUAL = """
found = {}
kinds = {"eager": {"jit": False}, "recorded": {"jit": True}, "read": {"jit": False},
         "clipped": {"clip_norm": 0.1, "accumulate": 2, "jit": False}, "searched": {"search": True}}

def norms():
    return BatchNorm1d(16, dtype=np.float64), Sequential(BatchNorm1d(16, track_running_stats=False, dtype=np.float64))


class Read:
    "The examples, and how many of them were asked for."
    count = 0
    def __len__(self):
        return 43
    def __getitem__(self, i):
        Read.count += 1
        return X[i], Y[i]

def fitted(of, name):
    if name == "searched":
        return of.fit(X, Y, 3, 53, validation_split=0.2, rng=3, progress=False).rows
    if name == "normalized":  # with a batch of 2 at the end
        data = DataLoader(X[:44], Y[:44], batch_size=6, rng=3)
        return of.fit(data, epochs=25, validation=(X[44:], Y[44:]), progress=False).rows
    if name != "read":
        return of.fit(X, Y, 25, 6, validation_split=0.2, rng=3, progress=False).rows
    return of.fit(DataLoader(Read(), batch_size=6, rng=3), epochs=25, validation=(X[43:], Y[43:]), progress=False).rows

for name in sys.argv[1:]:
    options = kinds.get(name, {})
    several, one = (learner(p, **options, norm=norms() if name == "normalized" else ()) for p in (processes, None))
    Read.count = 0
    rows = [fitted(several, name)]
    assert Read.count == (25 * 22 if name == "read" else 0)
    rows.append(fitted(one, name))
    columns = [c for c in rows[1][0] if c not in ("seconds", "rate")]
    found[name] = [float(np.abs(values(several) - values(one)).max()),
                   max(abs(a[c] - b[c]) for a, b in zip(*rows) for c in columns), len(rows[0])]
    assert len(set(processes.all(values(several).tobytes()))) == 1
if rank == 0:
    print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("count", "kinds"),
    [
        (1, ["eager"]),
        (2, ["eager", "recorded", "read", "clipped", "searched"]),
        (3, ["recorded", "normalized"]),
        (4, ["eager"]),
    ],
)
def test_two_hundred_steps_are_those_of_one_process(count, kinds):
    """With a last batch of one example, a metric, validation, recorded steps, clipping, accumulation; and a DataLoader,
    of which each process reads its part."""
    run = mpi(count, EQUAL, *kinds)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert list(found) == kinds
    for name, (parameters, history, epochs) in found.items():
        assert parameters < 1e-13
        assert history < 1e-13
        assert epochs * 8 == (200 if name != "searched" else 3 * 8)  # 43 or 44 examples, in batches of 6


def test_it_goes_on_bit_for_bit_with_random_numbers_of_each_process(tmp_path):
    code = """
        path = sys.argv[1] + "/last.safetensors"

        class Stop(Callback):
            def on_step(self, run):
                run.stop = run.step == 11 and rank == 1

        whole = learner(rate=0.5); whole.fit(X, Y, 4, 12, rng=1, progress=False)
        first = learner(rate=0.5)
        first.fit(X, Y, 4, 12, rng=1, progress=False, callbacks=[Checkpoint(path, every=4), Stop()])
        second = learner(rate=0.5)
        history = second.fit(X, Y, 4, 12, rng=1, progress=False, resume=path, callbacks=[Checkpoint(path), Stop()])
        masks = processes.all(whole.model.layers[2].rng.random())
        if rank == 0:
            print(json.dumps([bool(np.array_equal(values(whole), values(second))), len(history),
                              float(np.abs(values(first) - values(second)).max()) > 0, len(set(masks))]))
    """
    run = mpi(2, code, str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [True, 4, True, 2]


ENDS = {
    "raises": ("if rank == 1: raise RuntimeError('no such thing')", "rank 1 of 2 failed: RuntimeError"),
    "is killed": ("if rank == 1: os.kill(os.getpid(), signal.SIGKILL)", "KILLED|Killed"),
    "stalls": ("if rank == 1: time.sleep(50)", "rank 0 of 2 has waited for 1 s for rank 1"),
}


def test_a_full_disk_ends_all_and_the_last_checkpoint_is_whole(tmp_path):
    code = """
        import resource

        class Full(Callback):
            def on_step(self, run):
                if run.step == 5 and rank == 0:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        path = sys.argv[1] + "/last.safetensors"
        learner().fit(X, Y, 9, 6, rng=0, progress=False, callbacks=[Full(), Checkpoint(path, every=2)])
    """
    run = mpi(2, code, str(tmp_path))
    assert run.returncode != 0
    path = tmp_path / "last.safetensors"
    assert f"OSError: [Errno 27] File too large: '{path}'\nrank 0 of 2 failed: OSError; all processes end" in run.stderr
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    model = Sequential(Linear(6, 16, dtype=np.float64), ReLU(), Dropout(0.0), Linear(16, 3, dtype=np.float64))
    learner = Learner(model, cross_entropy, optim.Adam(model.parameters(), lr=0.01), metrics=["accuracy"])
    steps = []
    learner.fit(
        np.ones((53, 6)), np.zeros(53, int), 1, 6, rng=0, resume=path, on_step=lambda step, loss: steps.append(step)
    )
    assert steps[0] == 5


WITHOUT = {
    "mpi4py": ({}, "sys.modules['mpi4py'] = None", "mpi4py is missing: pip install"),
    "a library": (
        {"MPI4PY_LIBMPI": "/none/libmpi.so"},
        "",
        r"mpi4py cannot load an MPI library \(.*none/libmpi.so.*pip install",
    ),
    "its mpiexec": ({"PMI_SIZE": "4", "PMI_RANK": "0"}, "", "mpi4py sees one of 4 processes"),
}


@pytest.mark.parametrize("what", WITHOUT)
def test_what_an_mpi_lacks_is_said_by_the_command_and_no_process_trains_by_itself(tmp_path, what):
    around, before, says = WITHOUT[what]
    code = f"import sys; {before or 'pass'}; from nn.cli import main; sys.exit(main(['train', '--epochs', '1']))"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PMI_SIZE": "2", **around}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1, run.stderr
    assert re.search(rf"error: mpiexec has started \d processes, but Processes: {says}", run.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ENDS)
def test_a_process_that_fails_ends_all_at_once(how):
    code, says = ENDS[how]
    start = time.monotonic()
    run = mpi(
        2,
        f"""
        class Bad(Callback):
            def on_step(self, run):
                if run.step == 3:
                    {code}
        learner().fit(X, Y, 1000, 6, rng=0, progress=False, callbacks=[Bad()])
        print("finished")
        """,
        LIMIT="1" if how == "stalls" else "60",
    )
    assert run.returncode != 0
    assert "finished" not in run.stdout
    assert any(word in run.stdout + run.stderr for word in says.split("|"))
    assert ("no such thing" in run.stderr) == (how == "raises")
    assert time.monotonic() - start < 45


def test_an_error_outside_of_fit_ends_all_too_and_so_do_processes_that_differ():
    code = """
        differing = [
            lambda: learner(width=16 + rank).fit(X, Y, 1),
            lambda: learner(loss=mse_loss if rank else cross_entropy).fit(X, Y, 1),
            lambda: learner(clip_norm=1.0 + rank).fit(X, Y, 1),
            lambda: learner().fit(X[: 50 + rank], Y[: 50 + rank], 1),
        ]
        processes.together = lambda *kinds: __import__("contextlib").nullcontext()  # to see all of them
        for one in differing:
            try:
                one()
            except ValueError as error:
                if rank == 0:
                    print(error, flush=True)
        processes.any(True)
        if rank == 1:
            raise KeyError("outside")
        processes.any(True)
    """
    run = mpi(2, code)
    assert run.returncode != 0
    lines = run.stdout.splitlines()
    for line, differ in zip(lines, ["the model:", "the code of the model:", "the limits:", "the data:"], strict=True):
        assert line.startswith(f"fit: the processes differ in {differ} rank 0 has")
    assert "KeyError: 'outside'\nrank 1 of 2 failed: KeyError; all processes end\n" in run.stderr


def test_an_end_waits_until_a_pipe_is_read_and_for_nothing_else(tmp_path):
    out, into = os.pipe()
    assert not _is_unread(into)
    os.write(into, b"text")
    assert _is_unread(into)
    os.read(out, 4)
    assert not _is_unread(into)
    os.close(out)
    os.close(into)
    with open(tmp_path / "file", "wb+") as file:
        file.write(b"text")
        file.seek(0)
        assert not _is_unread(file.fileno())
    assert not _is_unread(file_descriptor_of_none())


def file_descriptor_of_none():
    """A number that no open file has."""
    descriptor = os.dup(1)
    os.close(descriptor)
    return descriptor


def test_the_command_trains_once_and_writes_once(tmp_path):
    options = ["--epochs", "2", "--seed", "3", "--output", "run"]
    run = mpi(2, "", "-m", "nn", "train", *options, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("test accuracy") == 1
    assert "2 processes" in run.stdout
    assert json.loads((tmp_path / "run" / "result.json").read_text())["test_accuracy"] > 0.8
    again = mpi(2, "", "-m", "nn", "train", *options, cwd=tmp_path)
    assert again.returncode == 1
    assert "run is not empty" in again.stderr


class Several:
    """As a communicator of four processes, the third of which this is."""

    def Get_rank(self):
        return 2

    def Get_size(self):
        return 4

    Iallreduce = Abort = print


@pytest.fixture
def third(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    return Processes(Several())


@pytest.mark.parametrize(("count", "kept"), [(8, [4, 5]), (9, [4, 5]), (3, [1]), (2, []), (1, [])])
def test_parts_are_equal_but_for_one_example(third, count, kept):
    (x, y), counted = third.part((np.arange(count), {"a": np.arange(count)}))
    assert counted == len(kept)
    assert x.tolist() == (kept or [0])
    np.testing.assert_array_equal(x, y["a"])


@pytest.mark.parametrize(
    ("around", "count"),
    [({}, 1), ({"PMI_SIZE": "4", "MPI_LOCALNRANKS": "2"}, 4), ({"OMPI_COMM_WORLD_SIZE": "3"}, 3),
     ({"PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "8"}, 8)],
)  # fmt: skip
def test_how_many_were_started_is_said_for_all_machines(monkeypatch, around, count):
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "MPI_LOCALNRANKS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    assert started() == count


@pytest.mark.parametrize("wrong", [3, "mpi", object()])
def test_what_is_no_group_of_processes_is_refused(wrong):
    model = Linear(2, 1, rng=0)
    with pytest.raises(TypeError, match="parallel"):
        Learner(model, mse_loss, optim.SGD(model.parameters(), lr=0.1), parallel=wrong)
    with pytest.raises((TypeError, ValueError), match="Processes"):
        Processes(wrong) if wrong != 3 else Processes(timeout=-1)
