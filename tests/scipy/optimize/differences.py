"""Derivatives by central differences, of functions whose solver converges to rounding."""

import numpy as np


def differences(f, p, step=1e-5):
    """df / dp of a function of one array: the output's axes first."""
    p = np.asarray(p, dtype=float)
    columns = []
    for n in range(p.size):
        e = np.zeros(p.size)
        e[n] = step
        e = e.reshape(p.shape)
        columns.append((np.asarray(f(p + e)) - np.asarray(f(p - e))) / (2 * step))
    return (
        np.moveaxis(
            np.reshape(columns, (*p.shape, *np.shape(columns[0]))), tuple(range(p.ndim)), tuple(range(-p.ndim, 0))
        )
        if p.ndim
        else columns[0]
    )
