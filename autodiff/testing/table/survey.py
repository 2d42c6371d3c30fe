"""survey: the properties of a registered function, found by trying.

An entry declares only where to try: its domain, examples, kinks and errors.  The survey finds how many orders of
derivatives agree with differences, which dtypes keep their precision, whether complex numbers and ``vmap`` work, and
how many wrong calls raise an error that names the function.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...primitive import Primitive
from ...tensor import Tensor
from ...transforms import BatchingError, vmap
from ..verdict.gradcheck import gradcheck
from .samples import Entry, Template, calls, entry_of, error_calls, kink_calls, mutations

Array = Any
ORDERS = 3
"""How many orders are tried by default."""
WRONG = (TypeError, ValueError, IndexError, NotImplementedError, ArithmeticError, AttributeError)


class Survey(NamedTuple):
    """The properties of a function.  ``faults`` are properties that are wrong; a right function has none."""

    name: str
    arguments: tuple[str, ...]
    domain: str
    orders: int
    dtypes: tuple[str, ...]
    complex: bool
    mapped: bool
    kinks: tuple[str, ...]
    refused: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.name}: differentiated by {', '.join(self.arguments) or 'nothing (the derivative is zero)'}",
            f"  domain   {self.domain}",
            f"  orders   {self.orders or 'none'}",
            f"  dtypes   {', '.join(self.dtypes)}{', complex' if self.complex else ''}",
            f"  vmap     {'yes' if self.mapped else 'no'}",
            f"  kinks    {'; '.join(self.kinks) or 'none known'}",
            f"  errors   {self.refused} wrong calls refused, by name",
        ]
        return "\n".join(lines + [f"  fault    {fault}" for fault in self.faults])


def survey(function: Any, *, orders: int = ORDERS) -> Survey:
    """Try a registered function: orders, dtypes, complex numbers, vmap, kinks, wrong calls.

    ``orders`` is how many orders of derivatives are tried: each costs several times what the one before does.
    Raises KeyError for a function that is not registered.

    >>> import numpy as np
    >>> from autodiff.testing import survey
    >>> found = survey(np.absolute)
    >>> found.orders, found.kinks, found.faults
    (3, ('x: 0 in [-1, 1]',), ())
    """
    entry = entry_of(function)
    faults: list[str] = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # NumPy warns of what is wrong on purpose
        return Survey(
            entry.name,
            arguments_of(entry),
            domain_of(entry),
            0 if _is_flat(entry) else _orders(entry, orders, faults),
            _dtypes(entry, faults),
            _takes_complex(entry, faults),
            _is_mapped(entry, faults),
            () if _is_flat(entry) else _kinks(entry, faults),
            _refused(entry, faults),
            tuple(faults),
        )


def _is_flat(entry: Entry) -> bool:
    return isinstance(entry, Primitive) and entry.flat


def arguments_of(entry: Entry) -> tuple[str, ...]:
    """The arguments whose derivative is not zero everywhere; for a composite, those that examples fill."""
    if isinstance(entry, Primitive):
        return tuple(entry.parameters[i] for i, rule in entry.rules.items() if rule is not None)
    names = _parameters(entry)
    return tuple(names[i] for i in sorted({min(p, len(names) - 1) for call in calls(entry) for p in call.positions}))


def _parameters(entry: Entry) -> list[str]:
    """The names of the positional parameters, the variadic one last."""
    if isinstance(entry, Primitive):
        return list(entry.parameters)
    found = inspect.signature(inspect.unwrap(entry.call)).parameters.values()
    return [p.name for p in found if p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD)]


def domain_of(entry: Entry) -> str:
    """The domain of the trials: intervals without kinks, or the number of calls."""
    domains = entry.domain if isinstance(entry, Primitive) else ()
    if not domains:
        return f"{len(entry.examples)} call{'s'[: len(entry.examples) != 1]}"
    texts = [
        f"({d.low:g}, {d.high:g})" + (f" without {', '.join(f'{k:g}' for k in d.kinks)}" if d.kinks else "")
        for d in domains
    ]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


def _results(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def main_call(entry: Entry) -> Template:
    """The smallest call with an array of several elements, or the first with arrays that are not empty."""
    found = [c for c in calls(entry) if c.samples and all(0 not in s.shape for s in c.samples)]
    if not found:
        raise ValueError(f"{entry.name}: has no example with arrays; give examples= when registering")
    sizes = [sum(int(np.prod(s.shape)) for s in call.samples) for call in found]
    several = [n for n, call in enumerate(found) if any(s.shape and max(s.shape) > 1 for s in call.samples)]
    return found[min(several, key=sizes.__getitem__)] if several else found[0]


# -- right calls ---------------------------------------------------------------------------------------------------


def _orders(entry: Entry, highest: int, faults: list[str]) -> int:
    """How many orders of derivatives agree with differences, up to the highest to try."""
    call = main_call(entry)
    arrays = call.arrays(np.random.default_rng(0))
    for most in range(highest, 0, -1):
        try:
            report = gradcheck(call, *arrays, order=most)  # of each order up to this, or the first that is not correct
        except TypeError:  # the rule left NumPy: it cannot be recorded
            continue
        if report.verdict == "wrong":
            faults.append(f"order {report.order}: {report.reason}")
        return most if report.correct else report.order - 1
    return 0


def _gradients(results: list[Any], variables: list[Tensor]) -> list[Any]:
    """The gradients of the sum of all outputs."""
    parts = [r for r in results if isinstance(r, Tensor) and r._node.active]
    if parts:
        total: Any = sum(np.sum(np.real(r)) for r in parts)
        total.backward()
    return [v.grad for v in variables if v.grad is not None]


def _dtypes(entry: Entry, faults: list[str]) -> tuple[str, ...]:
    """The dtypes in which values are those of NumPy, and gradients have the dtype of their argument."""
    kept = []
    call = main_call(entry)
    for dtype in (np.float16, np.float32, np.float64):
        name = np.dtype(dtype).name
        arrays = call.arrays(np.random.default_rng(0), dtype)
        try:
            expected = _results(call.with_call(entry.function)(*arrays))
        except (TypeError, RuntimeError):  # NumPy, or SciPy, does not compute this in half precision
            continue
        variables = [Tensor(a) for a in arrays]
        results = _results(call(*variables))
        found, wanted = [r.dtype for r in results], [np.asarray(e).dtype for e in expected]
        gradients = [g.dtype for g in _gradients(results, variables)]
        if found != wanted:
            faults.append(f"{name}: results are {found}, NumPy's are {wanted}")
            continue
        if any(g not in {a.dtype for a in arrays} for g in gradients):
            faults.append(f"{name}: gradients are {gradients}")
            continue
        kept.append(name)
    return tuple(kept)


def _takes_complex(entry: Entry, faults: list[str]) -> bool:
    """Whether the gradient of complex arguments is right; False if NumPy or the rule refuses them."""
    call = main_call(entry)
    if _is_flat(entry):
        return False
    rng = np.random.default_rng(0)
    arrays = [a + 1j * b * 0.25 for a, b in zip(call.arrays(rng), call.arrays(rng), strict=True)]
    try:
        report = gradcheck(call, *arrays)
    except (*WRONG, RuntimeError):
        return False
    if report.verdict == "wrong":
        faults.append(f"complex: {report.reason}")
    return report.correct


def _is_mapped(entry: Entry, faults: list[str]) -> bool:
    """Whether vmap equals a loop."""
    call = main_call(entry)
    rng = np.random.default_rng(0)
    examples = [call.arrays(rng) for _ in range(2)]
    try:
        found = _results(vmap(call)(*[np.stack(arrays) for arrays in zip(*examples, strict=True)]))
        alone = [_results(call(*[Tensor(a) for a in arrays])) for arrays in examples]
    except (BatchingError, TypeError):
        return False
    for number, part in enumerate(found):
        expected = np.stack([_plain(results[number]) for results in alone])
        if not np.allclose(_plain(part), expected, rtol=1e-7, atol=1e-9, equal_nan=True):
            faults.append("vmap: differs from a loop")
            return False
    return True


def _plain(value: Any) -> Array:
    return np.asarray(value.data if isinstance(value, Tensor) else value)


class _Weighted:
    """The outputs of a call as one number, with weights 1, 2, 3..., so that it has the kinks of all of them."""

    def __init__(self, call: Template) -> None:
        self.call = call

    def __call__(self, *arrays: Any) -> Any:
        total: Any = 0.0
        for part in _results(self.call(*arrays)):
            total = total + np.sum(part * np.arange(1.0, np.size(part) + 1).reshape(np.shape(part)).astype(part.dtype))
        return total


def _kinks(entry: Entry, faults: list[str]) -> tuple[str, ...]:
    """The gradient at each kink, with the slopes to both sides; or that there is no slope."""
    found: list[str] = []
    for number, call in enumerate(kink_calls(entry)):
        report = gradcheck(_Weighted(call), *call.arrays(np.random.default_rng(0)))
        is_declared = number < len(entry.kinks)
        if report.verdict == "wrong" or (is_declared and not (report.correct and report.kinks)):
            faults.append(f"kink {call.args}: {report.verdict}: {report.reason or 'the function is smooth there'}")
        names = [_parameters(entry)[position] for position in call.positions]
        texts = [_readable(kink, names) for kink in report.kinks]
        found += texts or ["smooth" if report.correct else "no slope"]
    return tuple(dict.fromkeys(found))


def _readable(kink: str, names: list[str]) -> str:
    """args[0][1]: 0 in [0, 1]  ->  x: 0 in [0, 1]"""
    place, _, value = kink.partition(": ")
    return f"{names[int(place[5 : place.index(']')])]}: {value}"


# -- wrong calls ---------------------------------------------------------------------------------------------------


def _attempt(call: Template, lift: Callable[[Any], Any]) -> Any:
    """The result of a call, or the exception that it raises."""
    try:
        arrays = call.arrays(np.random.default_rng(0))
    except Exception:  # make= does not take this shape
        return None
    try:
        return call(*[lift(a) for a in arrays])
    except Exception as error:
        return error


def _is_named(entry: Entry, error: Exception) -> bool:
    """Whether the message names the operation."""
    names = {entry.name, getattr(entry.function, "__name__", entry.name)}
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error)) for name in names)


def _refused(entry: Entry, faults: list[str]) -> int:
    """The number of wrong calls that are refused by name.  Calls that NumPy accepts must be right, or refused."""
    count = 0
    for what, call in mutations(entry):
        expected = _attempt(call.with_call(entry.function), lambda a: a)
        found = _attempt(call, Tensor)
        if expected is None or found is None:
            continue
        if isinstance(found, Exception):
            count += 1
            if not isinstance(found, WRONG):
                faults.append(f"{what}: {type(found).__name__}: {found}")
            elif not _is_named(entry, found):
                faults.append(f"{what}: the error does not name {entry.name}: {type(found).__name__}: {found}")
        elif isinstance(expected, Exception):
            faults.append(f"{what}: accepted, though NumPy says {type(expected).__name__}: {expected}")
        elif not _same(found, expected):
            faults.append(f"{what}: another result than NumPy's")
    for call in error_calls(entry):
        found = _attempt(call, Tensor)
        if not (isinstance(found, WRONG) and _is_named(entry, found)):
            faults.append(f"{call.args}: should be refused by name, and is not: {found!r}")
        count += 1
    return count


def _same(found: Any, expected: Any) -> bool:
    mine, theirs = [_plain(r) for r in _results(found)], [np.asarray(r) for r in _results(expected)]
    if [m.shape for m in mine] != [t.shape for t in theirs]:
        return False
    numbers = all(a.dtype.kind in "fciub" for a in (*mine, *theirs))
    return all(
        np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True) if numbers else bool(np.all(a == b))
        for a, b in zip(mine, theirs, strict=True)
    )
