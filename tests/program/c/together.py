"""Many programs in C by one call of the compiler, and how far two results are apart.

Without a compiler it is as documented: such a program is computed by NumPy.
"""

import re

import numpy as np

from autodiff import capture
from autodiff.program.c.compiler import library
from autodiff.program.c.fuse import Fusion, source_of
from autodiff.program.c.words import WORDS
from autodiff.program.naming import Names
from autodiff.program.passes import direct
from autodiff.program.replay import Replay
from autodiff.tree import flatten
from tests.program.compiling import IS_THERE


def in_c(functions, backend="c"):
    """For each function and its arguments: a program of it, and one that is the same in C."""
    names, pairs, known = Names(set(WORDS)), [], {}
    for function, arguments in functions:
        program = capture(function, *arguments)
        pairs.append((program, Fusion(direct(program), backend, names)))
    if not IS_THERE:
        return [(program, program.compiled("c")) for program, _ in pairs]
    regions = [region for _, fusion in pairs for region in fusion.regions]
    for region in regions:  # what many functions do alike is compiled once
        key = re.sub(rf"\b(call_)?{region.__name__}\b", "", region.text + region.entry)
        region.__name__ = known.setdefault(key, region).__name__
    made = library(source_of(list(known.values()))) if known else None
    for region in regions:
        region.bind(made)
    return [(program, ran(program, fusion)) for program, fusion in pairs]


def ran(program, fusion):
    """The program in C, as a function."""
    replay = Replay(direct(program))
    replay.fused = fusion.program.with_instructions(fusion.instructions)
    return lambda *args: program.nested(replay(program._given(args)))


def ulps(one, other, *, of=0.0):
    """The largest distance, in units in the last place of ``other``, or of ``of`` where that is larger."""
    ones, others = flatten(one)[0], flatten(other)[0]
    assert len(ones) == len(others)
    worst = 0.0
    for a, b in zip(ones, others, strict=True):
        assert type(a) is type(b)
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        lengths = zip(a.shape, a.strides, b.strides, strict=True)
        assert a.size == 0 or all(n == 1 or one == two for n, one, two in lengths)
        if a.dtype.kind not in "fc":
            assert a.tobytes() == b.tobytes()
        elif a.size:
            worst = max(worst, *[_distance(p, q, of) for p, q in ((a.real, b.real), (a.imag, b.imag))])
    return worst


def largest(value):
    """The largest number of all parts, or 1."""
    parts = [np.abs(p) for p in map(np.asarray, flatten(value)[0]) if p.dtype.kind in "fc"]
    return max([1.0, *[float(np.max(p, initial=0.0, where=np.isfinite(p))) for p in parts]])


def _distance(a, b, of):
    with np.errstate(all="ignore"):
        apart = np.abs(a - b) / np.spacing(np.maximum(np.abs(b), b.dtype.type(of)))
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, apart)
        return float(np.max(np.where(np.isfinite(a) != np.isfinite(b), np.inf, apart)))
