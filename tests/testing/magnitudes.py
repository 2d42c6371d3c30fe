"""Every entry of the table, with its right rule, at every magnitude: it must never be called wrong.  Names no op."""

from __future__ import annotations

import zlib

import numpy as np

from autodiff.primitive import Composite, registry
from autodiff.testing import gradcheck
from tests.differences import calls

SMALLEST, LARGEST = -8.0, 8.0
"""The decimal logarithms of the magnitudes."""


def entries():
    """Every entry of the table that has a derivative."""
    return [entry for entry in registry.values() if isinstance(entry, Composite) or not entry.flat]


def scaled(sample, rng, magnitude, dtype):
    """Numbers of this magnitude: on both sides of zero, or from the lower end of a domain that lies on one side."""
    low, high, _ = sample.domain
    x = rng.uniform(0.1, 1.0, sample.shape) * magnitude
    x = x * rng.choice([-1.0, 1.0], sample.shape) if low == -high else low + x
    x = np.asarray(x if sample.make is None else sample.make(x))
    return x.astype(np.result_type(dtype, np.complex64) if np.iscomplexobj(x) else dtype)


def case(name, made, dtype, seed):
    """One call of an entry and its arrays: the seed chooses which of its calls, how large the numbers are, and them."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    magnitude = 10.0 ** rng.uniform(SMALLEST, LARGEST)
    call = made[seed % len(made)]
    return call, [scaled(sample, rng, magnitude, dtype) for sample in call.samples], magnitude


def verdict(name, made, dtype, seed):
    """The verdict, the reason where there is one, and the magnitude; a function may refuse its arguments itself."""
    call, arrays, magnitude = case(name, made, dtype, seed)
    try:
        report = gradcheck(call, *arrays, rng=seed)
    except (np.linalg.LinAlgError, ValueError) as error:
        return "refused", str(error), magnitude
    return report.verdict, report.reason, magnitude


def verdicts(entry, dtype, seeds):
    """(seed, verdict, reason, magnitude) of each of the seeds."""
    made = calls(entry)
    return [(seed, *verdict(entry.name, made, dtype, seed)) for seed in seeds]
