"""SciPy's functions under SciPy's names, with derivatives: write ``autodiff.scipy.linalg`` for ``scipy.linalg``.

They take arrays and Tensors, and give an array its values in SciPy.  A module is imported, and its functions enter the
table, when it is first used; ``import autodiff`` does not need SciPy.  The ufuncs of ``scipy.special`` need no mirror:
they take Tensors themselves.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import integrate as integrate
    from . import interpolate as interpolate
    from . import linalg as linalg
    from . import ndimage as ndimage
    from . import optimize as optimize
    from . import signal as signal
    from . import sparse as sparse
    from . import stats as stats

_modules = sorted(found.name for found in iter_modules(__path__) if found.ispkg)


def load() -> None:
    """Import every module, ``scipy.special`` too, so that the table holds all that it can.

    Raises ImportError without SciPy.
    """
    from ..ops import special

    special.load()
    modules()


def modules() -> list[ModuleType]:
    """Every module of the mirror, imported."""
    return [import_module(f"{__name__}.{name}") for name in _modules]


def __getattr__(name: str) -> Any:
    """A module, which is imported when it is first used."""
    if name in _modules:
        if find_spec("scipy") is None:
            raise ImportError(f"autodiff.scipy.{name} needs SciPy: pip install 'pullback[scipy]'")
        return import_module(f"{__name__}.{name}")
    from ..dialects import no_such_name

    raise no_such_name(f"module '{__name__}'", name)


def __dir__() -> list[str]:
    return [*globals(), *_modules]
