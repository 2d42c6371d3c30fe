"""``autodiff.scipy``: imported when it is used, complete in the table after ``load``, clear without SciPy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import autodiff
from autodiff import dispatch
from autodiff.primitive import Primitive, lasting, registry
from autodiff.primitive import late as late_entries


def run(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_neither_scipy_nor_its_mirror_is_imported_before_it_is_used():
    loaded = run("import autodiff, sys; autodiff.scipy; print(*sys.modules)")
    assert "autodiff.scipy" in loaded
    assert [name for name in loaded if name == "scipy" or name.startswith(("scipy.", "autodiff.scipy."))] == []


def test_without_scipy_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(autodiff.scipy, "find_spec", lambda name: None)
    monkeypatch.setattr(autodiff.scipy, "_modules", ["linalg_of_nobody"])
    with pytest.raises(
        ImportError, match=r"autodiff\.scipy\.linalg_of_nobody needs SciPy: pip install 'pullback\[scipy\]'"
    ):
        _ = autodiff.scipy.linalg_of_nobody


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"autodiff\.scipy"):
        _ = autodiff.scipy.statz


def test_what_the_library_registers_late_stays():
    def late(x):
        return x

    def early(x):
        return x

    with dispatch.restored():
        with lasting():
            autodiff.primitive(lambda g: g)(late)
        autodiff.primitive(lambda g: g)(early)
    entry = registry.get(late)
    assert isinstance(entry, Primitive)
    assert early not in registry
    late_entries.remove(entry)
    dispatch.leave(entry)
