"""Special functions of ``scipy.special``: error functions, gamma and beta functions, Bessel functions, entropies.

Their rows join the table the first time that one of them meets a Tensor; nothing is imported before, and without SciPy
nothing is missing.  Write ``scipy.special.erf(t)``: there is no wrapper.

``scipy.special.logsumexp``, ``softmax`` and ``log_softmax`` are no ufuncs.  They make an array of what they are given
before NumPy's protocols are asked, so they refuse a Tensor, and say what to write: ``autodiff.logsumexp`` and, with it,
log_softmax as x - logsumexp(x, axis=-1, keepdims=True), and softmax as exp of that.

With respect to their order (``jv``, ``iv``, ``kv``...) or shape parameter (``gammainc``, ``betainc``) functions are not
differentiated: a Tensor that leads to a variable is refused there.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...primitive import late, registry, supplier
from . import bessel, elementary, gamma

_loaded: list[str] = []


def load() -> None:
    """Register the functions of ``scipy.special``, once.  Raises ImportError without SciPy."""
    if not _loaded:
        from scipy import special  # type: ignore[import-untyped,unused-ignore]

        _loaded.append(special.__name__)
        before = len(registry)
        for family in (elementary, gamma, bessel):
            family.register(special)
        late.extend([*registry.values()][before:])


@supplier
def _late(function: Any) -> None:
    """A ufunc that the table does not have: it may be one of SciPy's."""
    if isinstance(function, np.ufunc):
        special = sys.modules.get("scipy.special")
        if special is not None and getattr(special, function.__name__, None) is function:
            load()
