"""Files are written whole or not at all: by every writer, whatever interrupts it, and wherever."""

from __future__ import annotations

import ast
import errno
import gc
import itertools
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import nn
from autodiff import Tensor, files
from autodiff.draw import draw
from autodiff.draw.formats import painted
from autodiff.draw.formats.table import endings
from nn.io.run_folder import RunFolder
from nn.reports.history import History
from nn.reports.watch import Watch
from nn.safetensors import save_file
from tests.testing.seeds import in_turn

ROOT = Path(__file__).resolve().parents[1]
MODELS = [nn.Linear(2, 3, rng=n) for n in range(2)]
MODEL = MODELS[0]
X = np.ones((4, 2), np.float32)
DRAWINGS = [draw(lambda x, n=n: np.sum(x) ** n, X) for n in (2, 3)]
HISTORIES = [History([{"epoch": e + 1, "loss": 1 / (e + 1)} for e in range(epochs)]) for epochs in (2, 5)]


def run_folder(folder):
    run = object.__new__(RunFolder)  # one that may hold files of an earlier run
    run.path = Path(folder)
    return run


def watched(folder, version):
    watch = object.__new__(Watch)
    watch.__dict__.update(WATCHES[version].__dict__, path=folder / "training.html")
    watch.write(running=version == 0)


WRITERS = {
    "text": lambda folder, version: files.write(folder / "text", "something new" if version else "old"),
    "parameters": lambda folder, version: save_file({"w": np.full(3000, version), "b": Tensor(1.0)}, folder / "w"),
    "model": lambda folder, version: nn.save(folder / "model", MODELS[version], note=version),
    **{
        f"history{kind}": lambda folder, version, kind=kind: HISTORIES[version].save(folder / f"history{kind}")
        for kind in (".json", ".csv")
    },
    **{
        f"drawing{kind}": lambda folder, version, kind=kind: DRAWINGS[version].save(folder / f"drawing{kind}")
        for kind in endings()
    },
    "run: model": lambda folder, version: run_folder(folder).write_model(MODELS[version]),
    "run: options": lambda folder, version: run_folder(folder).write_run({"seed": version}),
    "run: history": lambda folder, version: run_folder(folder).write_history(HISTORIES[version]),
    "run: result": lambda folder, version: run_folder(folder).write_result({"test_accuracy": version}),
    "run: graph": lambda folder, version: run_folder(folder).write_graph(MODEL, X[: 2 + version]),
    "training page": watched,
}
"""Everything in both packages that writes files into a folder, in two versions."""
WATCHES = []


@pytest.fixture(autouse=True)
def _prepared(tmp_path_factory, monkeypatch):
    prepare(tmp_path_factory.mktemp("watch"), monkeypatch)


def prepare(folder, monkeypatch):
    """Reports to write, and images that differ by picture and not by time."""
    WATCHES[:] = [Watch(folder / f"{n}.html", MODEL, title=f"version {n}") for n in range(2)]
    for kind in ("png", "pdf"):
        monkeypatch.setattr(painted, kind, lambda picture, kind=kind: f"{kind} {id(picture)}".encode() * 100)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def versions(writer, folder):
    """What both versions leave in an empty folder, written in peace."""
    found = []
    for version in range(2):
        (folder / f"peace {version}").mkdir()
        WRITERS[writer](folder / f"peace {version}", version)
        found.append(contents(folder / f"peace {version}"))
    assert found[0] != found[1]
    assert found[0].keys() == found[1].keys()
    return found


def assert_old_or_new(found, before, after):
    """Each file is one of the two, and no other file is there."""
    assert found.keys() <= after.keys()
    assert [name for name in after if found.get(name) not in (before.get(name), after[name])] == []


@contextmanager
def raising_at(line, error):
    """Raise when so many lines of the module have been run; tells whether it came to that."""
    count = itertools.count()
    raised = []

    def trace(frame, event, argument):
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line" and not raised and next(count) == line:
            raised.append(frame.f_lineno)
            raise error
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield raised
    finally:
        sys.settrace(before)


# raised where a block is left, an exception keeps Python from closing the file at once
@pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")], ids=repr)
def test_an_exception_at_any_line_leaves_the_old_file_or_the_new_one(writer, error, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fstat)  # it would take most of the time
    old, new = versions(writer, tmp_path)
    lines = set()
    number = list(WRITERS).index(writer) + isinstance(error, OSError)
    for start, before in in_turn([("empty", {}), ("old", old)], number):
        folder = tmp_path / start
        folder.mkdir()
        for line in itertools.count():
            for path in folder.iterdir():
                path.unlink()
            for name, value in before.items():
                (folder / name).write_bytes(value)
            with raising_at(line, type(error)(*error.args)) as raised:
                try:
                    WRITERS[writer](folder, 1)
                except type(error):
                    assert raised
            assert_old_or_new(contents(folder), before, new)
            lines |= set(raised)
            if not raised:
                assert contents(folder) == new
                break
    assert len(lines) > 20
    gc.collect()


@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_is_full_leaves_the_old_file(writer, tmp_path, monkeypatch):
    old, _ = versions(writer, tmp_path)
    folder = tmp_path / "full"
    folder.mkdir()
    for name, value in old.items():
        (folder / name).write_bytes(value)
    write = files.write

    def full(*args, **options):
        """Ten bytes go into a file, then writing fails."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            write(*args, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    monkeypatch.setattr(files, "write", full)
    with pytest.raises(OSError, match="File too large") as caught:
        WRITERS[writer](folder, 1)
    assert contents(folder) == old
    assert Path(caught.value.filename).parent == folder  # the error names the file
    assert Path(caught.value.filename).name in old


def kill_at_random(folder, times=60):
    """Write all files over and over in a process that is killed, and compare what it leaves."""
    (folder / "watch").mkdir()
    prepare(folder / "watch", pytest.MonkeyPatch())
    expected = {}
    for writer in WRITERS:
        (folder / writer).mkdir()
        expected[writer] = versions(writer, folder / writer)
    rng = np.random.default_rng()
    for _ in range(times):
        child = os.fork()
        if not child:
            order = [str(w) for w in rng.permutation(list(WRITERS))]
            for version, writer in itertools.product(itertools.cycle((1, 0)), order):
                WRITERS[writer](folder / writer, version)
        signal.sigtimedwait([], rng.uniform(0.0, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for writer, (old, new) in expected.items():
            found = {p.name: p.read_bytes() for p in (folder / writer).iterdir() if p.is_file()}
            finished = {name: value for name, value in found.items() if not name.endswith(files.ENDING)}
            assert all(name.startswith(".") for name in found.keys() - finished.keys())
            assert [name for name, value in finished.items() if value not in (old.get(name), new.get(name))] == []


def test_a_process_that_is_killed_leaves_whole_files(tmp_path):
    code = f"import pathlib; from tests import test_files; test_files.kill_at_random(pathlib.Path({str(tmp_path)!r}))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT, timeout=300
    )
    assert result.returncode == 0, result.stderr


def writing_calls(path):
    """The lines where a source opens a file to write, by itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        constants = [a.value for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)]
        modes = [c for c in constants if isinstance(c, str) and set(c) <= set("wxabt+r") and set(c) & set("wxa+")]
        if name in ("write_text", "write_bytes", "mkstemp", "savefig", "tofile", "savez") or (name == "open" and modes):
            yield node.lineno


def test_nothing_else_writes_files():
    sources = [path for package in ("autodiff", "nn") for path in (ROOT / package).rglob("*.py")]
    assert len(sources) > 100
    found = {str(path.relative_to(ROOT)): list(writing_calls(path)) for path in sources}
    assert [path for path, lines in found.items() if lines] == []


# -- the function itself -------------------------------------------------------------------------------------------


def test_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        files.write(tmp_path / "new", "text")
        (tmp_path / "open").write_text("")
        (tmp_path / "open").chmod(0o666)
        (tmp_path / "secret").write_text("")
        (tmp_path / "secret").chmod(0o600)
        for name in ("open", "secret"):
            files.write(tmp_path / name, b"text")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"new": 0o640, "open": 0o666, "secret": 0o600}


def test_a_protected_file_is_not_replaced(tmp_path, monkeypatch):
    # what the system answers to all but root, who may write to every file
    monkeypatch.setattr(os, "access", lambda path, how: bool(os.stat(path).st_mode & 0o200))
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o444)
    with pytest.raises(PermissionError, match="file"):
        files.write(tmp_path / "file", "new")
    assert contents(tmp_path) == {"file": b"old"}


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    files.write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "there") == {"file": b"new"}


def test_what_is_no_regular_file_is_written_directly(tmp_path):
    files.write(os.devnull, "text")
    assert not os.path.isfile(os.devnull)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    files.write(tmp_path / "pipe", "te", b"xt")
    assert os.read(reader, 10) == b"text"
    os.close(reader)


@pytest.mark.parametrize("name", ["no folder/file", ".", "x" * 256])
def test_errors_name_the_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="\\[Errno") as caught:
        files.write(name, "text")
    assert caught.value.filename == name
    assert ".part" not in str(caught.value)
    assert contents(tmp_path) == {}


def test_names_as_long_as_the_system_allows(tmp_path):
    files.write(tmp_path / ("x" * 255), "text")
    assert contents(tmp_path) == {"x" * 255: b"text"}


def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path):
    old, recent = (f".file.{digit * 12}{files.ENDING}" for digit in "0f")
    others = (".other.000000000000.part", ".file.backup.part")
    for name in (old, recent, *others):
        (tmp_path / name).write_text("")
    for name in (old, *others):
        os.utime(tmp_path / name, (0, 0))
    files.write(tmp_path / "file", "text")
    assert contents(tmp_path).keys() == {"file", recent, *others}


def test_text_that_utf8_cannot_write_leaves_the_old_file(tmp_path):
    files.write(tmp_path / "file", "old")
    with pytest.raises(UnicodeEncodeError):
        files.write(tmp_path / "file", "\ud800")
    files.write(tmp_path / "other", "\ud800", errors="replace")
    assert contents(tmp_path) == {"file": b"old", "other": b"?"}
