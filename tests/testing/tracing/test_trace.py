"""Where an operation was asked for, in words."""

import sys
from types import SimpleNamespace

from autodiff.testing.tracing.trace import Source


def test_a_line_of_a_file():
    assert str(Source("model.py", 12)) == "model.py:12"


def test_a_line_of_a_notebook(monkeypatch):
    cells = {"a8f2.py": ("Cell", "In[3]")}
    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=cells.get))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert str(Source("a8f2.py", 12)) == "Cell In[3], line 12"
    assert str(Source("model.py", 12)) == "model.py:12"


def test_ipython_that_is_not_running(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert str(Source("model.py", 12)) == "model.py:12"
