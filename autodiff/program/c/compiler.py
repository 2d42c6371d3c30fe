"""The text of a C program as a library that is loaded: compiled once by what the system has, and kept."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from typing import NamedTuple

from ... import files
from .folder import CompileError as CompileError
from .folder import folder, is_ours

FLAGS = ("-O3", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd", "-std=gnu11")
"""Never ``-ffast-math``: NaN, infinities and signed zeros survive."""
NATIVE = "-march=native"
SHARED = ("-shared",) if sys.platform == "win32" else ("-shared", "-fPIC")
SECONDS = 120.0
"""How long a compiler may take."""

_lock = threading.Lock()
_loaded: dict[str, ctypes.CDLL] = {}
_failed: dict[str, str] = {}
_warned: set[str] = set()


class Compiler(NamedTuple):
    """A compiler: its command, and what it says of itself."""

    command: tuple[str, ...]
    version: str


def compiler() -> Compiler:
    """The compiler of ``$CC``, else ``cc``, ``gcc``, ``clang``, else that of the package ziglang.

    Raises CompileError where there is none.
    """
    return _compiler(os.environ.get("CC", ""), os.environ.get("PATH", ""))


@functools.cache
def _compiler(chosen: str, path: str) -> Compiler:
    commands = [tuple(shlex.split(chosen))] if chosen else [("cc",), ("gcc",), ("clang",), _zig()]
    said = ""
    for command in commands:
        found = shutil.which(command[0], path=path) if command else None
        if found is None:
            continue
        try:
            run = _run([found, *command[1:], "--version"], 20.0)
        except CompileError as error:
            said = f"; {error}"
            continue
        if run.returncode == 0:
            return Compiler((found, *command[1:]), run.stdout)
        said = f"; {' '.join(command)} --version failed"
    where = f"the compiler $CC={chosen!r} is" if chosen else "cc, gcc and clang are"
    raise CompileError(
        f"no C compiler was found ({where} not there{said}); install one, or pip install pullback[compile]"
    )


def _zig() -> tuple[str, ...]:
    """The compiler that comes as a package."""
    from importlib.util import find_spec

    return (sys.executable, "-m", "ziglang", "cc") if find_spec("ziglang") else ()


def library(source: str, *, contract: bool = False) -> ctypes.CDLL:
    """The library that a text of C is compiled to; from the folder, if it was compiled before.

    ``contract`` lets the compiler round ``a * b + c`` once, which changes bits.  Raises CompileError with one sentence.
    """
    found = compiler()
    flags = (*FLAGS, NATIVE, f"-ffp-contract={'fast' if contract else 'off'}")
    key = hashlib.sha256("\0".join([source, *flags, *found.command, found.version, _processor()]).encode()).hexdigest()
    with _lock:
        if key in _failed:
            raise CompileError(_failed[key])
        known = _loaded.get(key)
        if known is None:
            path = os.path.join(folder(), key[:40])
            try:
                known = _loaded[key] = _made(source, found, flags, path)
            except CompileError as error:
                _failed[key] = str(error)
                raise
        return known


def warn(error: CompileError) -> None:
    """Say once why something is not done in C."""
    if str(error) not in _warned:
        _warned.add(str(error))
        warnings.warn(f"program: {error}; it runs in NumPy", RuntimeWarning, stacklevel=3)


@functools.cache
def _processor() -> str:
    """What code for this processor may use: another machine may share the folder."""
    words = [platform.machine(), sys.platform]
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            words += next(
                (" ".join(sorted(x.split())) for x in lines if x.startswith(("flags", "Features"))), ""
            ).split()
    except OSError:
        words += [platform.processor(), platform.node()]
    return " ".join(words)


def _made(source: str, found: Compiler, flags: tuple[str, ...], path: str) -> ctypes.CDLL:
    """Load what lies at the path; compile first if nothing does, or nothing that can be loaded."""
    ending = ".dll" if sys.platform == "win32" else ".so"
    if os.path.lexists(path + ending):
        if is_ours(path + ending):
            with contextlib.suppress(OSError):
                return ctypes.CDLL(path + ending)
        with contextlib.suppress(OSError):
            os.unlink(path + ending)
    draft = f"{path}.{os.urandom(6).hex()}"
    try:
        files.write(f"{draft}.c", source)
        compiled(found, [*flags, *SHARED, f"{draft}.c", "-o", draft + ending, "-lm"])
        os.replace(draft + ending, path + ending)
        os.replace(f"{draft}.c", f"{path}.c")  # to be read by whoever wonders
        return ctypes.CDLL(path + ending)
    except OSError as error:
        raise CompileError(f"the compiled program could not be kept or loaded ({error})") from None
    finally:
        for leftover in (f"{draft}.c", draft + ending):
            with contextlib.suppress(OSError):
                os.unlink(leftover)


def compiled(found: Compiler, arguments: list[str]) -> None:
    """Run the compiler; once more for a processor of no special kind, if it does not know this one."""
    run = _run([*found.command, *arguments], SECONDS)
    if run.returncode and NATIVE in arguments:
        run = _run([*found.command, *[a for a in arguments if a != NATIVE]], SECONDS)
    if run.returncode:
        said = next((line for line in run.stderr.splitlines() if "error: " in line), run.stderr.strip()[:200])
        raise CompileError(f"{' '.join(found.command)} failed with code {run.returncode}: {said[:300]}")


def _run(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command in a session of its own, which ends with it."""
    environment = {**os.environ, "LC_ALL": "C"}
    group = hasattr(os, "killpg")
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", env=environment, start_new_session=group,
        )  # fmt: skip
    except OSError as error:
        raise CompileError(f"{command[0]} cannot be run ({error})") from None
    try:
        out, said = process.communicate(timeout=seconds)
    except BaseException as error:
        with contextlib.suppress(OSError):
            if group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise CompileError(f"{command[0]} took more than {seconds:.0f} s and was stopped") from None
        raise
    return subprocess.CompletedProcess(command, process.returncode, out, said)
