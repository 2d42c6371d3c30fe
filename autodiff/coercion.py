"""What is said where a plain array is asked of a Tensor by a function that NumPy's protocols do not reach."""

from __future__ import annotations

import sys

_TAIL = "SciPy makes a plain array of its argument before NumPy's protocols are asked, so no gradient can flow; write "
INSTEAD = {
    "logsumexp": "autodiff.logsumexp(x, axis=axis), which has the same value",
    "softmax": "np.exp(x - autodiff.logsumexp(x, axis=axis, keepdims=True))",
    "log_softmax": "x - autodiff.logsumexp(x, axis=axis, keepdims=True)",
    "polygamma": "(-1) ** (n + 1) * math.factorial(n) * scipy.special.zeta(n + 1.0, x), or psi(x) for n = 0",
    "multigammaln": "the sum of scipy.special.gammaln(a - 0.5 * j) for j in range(d), plus d (d - 1) / 4 log(pi)",
}
"""Functions of ``scipy.special`` that are no ufuncs, and what to write in their place."""


def replacement() -> str | None:
    """The function of SciPy's that asks, and what to write instead; None if it is somebody else."""
    frame = sys._getframe(2)
    for _ in range(8):
        name = frame.f_code.co_name
        if name in INSTEAD and str(frame.f_globals.get("__name__")).startswith("scipy.special"):
            return f"{name}: {_TAIL}{INSTEAD[name]}"
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None
