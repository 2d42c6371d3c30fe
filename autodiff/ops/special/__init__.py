"""Special functions of ``scipy.special``: error functions, gamma and beta functions, Bessel functions, entropies.

They are added to the table when a Tensor meets one of them for the first time.  Before that nothing is imported;
without SciPy nothing is missing.  Write ``scipy.special.erf(t)``: there is no wrapper.

``scipy.special.logsumexp``, ``softmax`` and ``log_softmax`` are not ufuncs.  They convert their argument to an array
before NumPy's protocols are asked, so a Tensor is refused.  The message says what to write: ``autodiff.logsumexp``; for
log_softmax, x - logsumexp(x, axis=-1, keepdims=True); for softmax, the exp of that.

There is no derivative with respect to the order (``jv``, ``iv``, ``kv``...) or the parameters of a hypergeometric
function: a Tensor that depends on a variable is refused there.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...primitive import lasting, supplier
from . import bessel, elementary, gamma

_loaded: list[str] = []


def load() -> None:
    """Register the functions of ``scipy.special``, once.  Raises ImportError without SciPy."""
    if not _loaded:
        from scipy import special  # type: ignore[import-untyped,unused-ignore]

        _loaded.append(special.__name__)
        with lasting():
            for family in (elementary, gamma, bessel):
                family.register(special)


@supplier
def _late(function: Any) -> None:
    """A ufunc that is not in the table; it may be one of SciPy's."""
    if isinstance(function, np.ufunc):
        special: Any = sys.modules.get("scipy.special")
        if special is None:
            return
        own = getattr(special, "_ufuncs", special)  # zeta's ufunc has its name there alone
        if any(getattr(module, function.__name__, None) is function for module in (special, own)):
            load()
