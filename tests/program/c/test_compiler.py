"""The compiler and the folder of what it made: one clear sentence for each thing that can go wrong."""

import ctypes
import os
import shlex
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from numpy.random import bit_generator

from autodiff import capture
from autodiff.program.c import compiler
from autodiff.program.c.compiler import CompileError, library
from tests.program.compiling import IS_THERE

TEXT = "double twice(double x) { return 2.0 * x; } /* %s */"


@pytest.fixture
def some_compiler(tmp_path, monkeypatch):
    if not IS_THERE:
        monkeypatch.setenv("CC", script(tmp_path / "copier", COPIER))


@pytest.fixture
def cache(tmp_path, monkeypatch, some_compiler):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiler, "_loaded", {})
    monkeypatch.setattr(compiler, "_failed", {})
    monkeypatch.setattr(compiler, "_warned", set())
    return tmp_path / "pullback" / "c"


COPIER = f"""
test "$1" = --version && exit 0
for text; do case "$text" in *.c) break;; esac; done
grep -q unknown_thing "$text" && echo "error: unknown_thing is not declared" >&2 && exit 1
while [ "$1" != -o ]; do shift; done
cp {bit_generator.__file__} "$2"
"""
"""What stands for a compiler where there is none: each text becomes a library of NumPy's, which can be loaded."""


def twice(lib):
    if not IS_THERE:
        return 42.0 if lib.PyInit_bit_generator else None
    lib.twice.restype, lib.twice.argtypes = ctypes.c_double, [ctypes.c_double]
    return lib.twice(21.0)


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_it_is_compiled_once_and_kept(cache, monkeypatch):
    assert twice(library(TEXT)) == 42.0
    kept = {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert sorted(os.path.splitext(name)[1] for name in kept) == [".c", ".so"]
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    monkeypatch.setattr(compiler, "_loaded", {})  # as in another process
    monkeypatch.setattr(compiler, "compiled", None)
    assert twice(library(TEXT)) == 42.0
    assert {path.name: path.stat().st_mtime_ns for path in cache.iterdir()} == kept


def test_a_broken_library_is_made_again(cache):
    library(TEXT)
    (path,) = cache.glob("*.so")
    path.unlink()
    path.write_bytes(b"half of a libra")
    compiler._loaded.clear()
    assert twice(library(TEXT)) == 42.0


def test_no_compiler(cache, monkeypatch):
    monkeypatch.setenv("PATH", str(cache))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compiler, "_zig", tuple)
    with pytest.raises(CompileError, match=r"no C compiler was found .*pip install pullback\[compile\]"):
        library(TEXT)


def test_a_compiler_that_fails_is_told_once(cache, tmp_path, monkeypatch):
    broken = script(tmp_path / "broken", 'test "$1" = --version && exit 0; echo "error: no space" >&2; exit 3')
    monkeypatch.setenv("CC", broken)
    program = capture(lambda x: 1.0 / (1.0 + np.exp(x)), np.zeros(3))
    with pytest.warns(RuntimeWarning, match="failed with code 3: error: no space; it runs in NumPy") as told:
        results = [program.compiled("c")(np.zeros(3)).tolist() for _ in range(2)]
    assert results == [[0.5] * 3] * 2
    assert len(told) == 1  # and not a second time
    assert list(cache.iterdir()) == []


def test_a_compiler_that_hangs_is_stopped_with_its_children(cache, tmp_path, monkeypatch):
    slow = script(tmp_path / "slow", f'test "$1" = --version && exit 0; (sleep 2; touch {tmp_path}/late) & wait')
    monkeypatch.setenv("CC", slow)
    monkeypatch.setattr(compiler, "SECONDS", 0.1)
    start = time.monotonic()
    with pytest.raises(CompileError, match="took more than 0 s and was stopped"):
        library(TEXT)
    assert time.monotonic() - start < 2.0
    assert not (tmp_path / "late").exists()


def test_a_compiler_that_does_not_know_the_processor(cache, tmp_path, monkeypatch):
    plain = script(
        tmp_path / "plain",
        'for a; do test "$a" = -march=native && exit 1; done; exec '
        + shlex.join(compiler.compiler().command)
        + ' "$@"',
    )
    monkeypatch.setenv("CC", plain)
    assert twice(library(TEXT)) == 42.0


def test_errors_of_the_text_are_shown(cache):
    with pytest.raises(CompileError, match="error: .*unknown_thing"):
        library("int f(void) { return unknown_thing; }")


def test_a_folder_that_others_may_enter_is_refused(cache):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    with pytest.raises(CompileError, match=r"is not used: others may enter it \(mode 777\)"):
        library(TEXT)


def test_a_folder_that_others_may_replace_is_refused(cache):
    cache.parent.mkdir()
    cache.parent.chmod(0o777)
    with pytest.raises(CompileError, match="is not used: everybody may replace it"):
        library(TEXT)


def test_a_link_in_the_place_of_the_folder_is_refused(cache, tmp_path):
    cache.parent.mkdir()
    cache.symlink_to(tmp_path)
    with pytest.raises(CompileError, match="is not used: it is a link or a file, not a folder"):
        library(TEXT)


def test_a_folder_of_another_user_is_refused(cache, monkeypatch):
    library(TEXT)
    compiler._loaded.clear()
    monkeypatch.setattr(os, "getuid", lambda: 4321)
    with pytest.raises(CompileError, match="is not used: it belongs to another user"):
        library(TEXT)


def test_a_library_that_somebody_else_put_there_is_not_loaded(cache, tmp_path):
    library(TEXT)
    (path,) = cache.glob("*.so")
    path.rename(tmp_path / "theirs.so")
    path.symlink_to(tmp_path / "theirs.so")
    compiler._loaded.clear()
    assert twice(library(TEXT)) == 42.0
    assert not path.is_symlink()


def test_a_folder_that_cannot_be_made(some_compiler, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(CompileError, match="cannot be made .*set XDG_CACHE_HOME"):
        library("int no_such_text;")


def test_a_folder_that_cannot_be_written(cache, monkeypatch):
    cache.mkdir(parents=True, mode=0o700)
    monkeypatch.setattr(os, "access", lambda path, mode: os.fspath(path) != str(cache))
    with pytest.raises(CompileError, match="cannot be written; set XDG_CACHE_HOME"):
        library(TEXT)


def test_two_processes_and_many_threads_at_once(cache):
    code = f"from autodiff.program.c.compiler import library; print(library({TEXT!r}) is not None)"
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    results = []
    threads = [threading.Thread(target=lambda: results.append(twice(library(TEXT)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [42.0] * 8
    assert [process.communicate()[0] for process in processes] == [b"True\n"] * 2
    assert len(list(cache.iterdir())) == 2
