"""Tsitouras' method of order 5, which SciPy does not have, with SciPy's choice of steps.

Source: C. Tsitouras, "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption" (2011).
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import RK45


def _product(factor: float, *roots: float) -> list[float]:
    """The coefficients of factor * x^2 (x - r_1) (x - r_2), of x, x^2, x^3, x^4."""
    one, two = roots
    return [0.0, factor * one * two, -factor * (one + two), factor]


class Tsit5(RK45):  # type: ignore[misc]  # SciPy is not typed
    """An explicit method of order 5 with an estimate of its error of order 4, as a solver of SciPy's.

    Its error constants are smaller than those of RK45; inside of a step there is a polynomial of order 4.

    >>> import scipy.integrate
    >>> from autodiff.scipy.integrate import Tsit5
    >>> found = scipy.integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), [1.0], Tsit5, rtol=1e-9, atol=1e-12)
    >>> round(float(found.y[0, -1]), 9)
    0.367879441
    """

    C = np.array([0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0])
    A = np.array(
        [
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [0.161, 0.0, 0.0, 0.0, 0.0],
            [-0.008480655492356989, 0.335480655492357, 0.0, 0.0, 0.0],
            [2.8971530571054935, -6.359448489975075, 4.3622954328695815, 0.0, 0.0],
            [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525, 0.0],
            [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
        ]
    )
    B = np.array(
        [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774]
    )
    E = np.array(
        [
            -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629,
            0.5823571654525552, -0.45808210592918697, 0.015151515151515152,
        ]
    )  # fmt: skip
    P = np.array(
        [
            [1.0, -2.763706197274826, 2.9132554618219126, -1.0530884977290216],
            [0.0, 0.1017 * 1.2949852507374631, 0.1017 * -2.1966568338249754, 0.1017],
            [0.0, 2.4906272856512528 * 1.57803468208092486, 2.4906272856512528 * -2.38535645472061657,
             2.4906272856512528],
            _product(-16.548102889244902, 1.21712927295533244, 0.61620406037800089),
            _product(47.37952196281928, 1.203071208372362603, 0.658047292653547382),
            _product(-34.87065786149661, 1.2, 2.0 / 3.0),
            _product(2.5, 1.0, 0.6),
        ]
    )  # fmt: skip
