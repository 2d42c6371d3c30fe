"""Values, first and second derivatives of every operation beside JAX's, in double precision, on drawn inputs.

``python -m benchmarks.agreement [draws [names...]]`` draws that many calls of each entry of the table (60; or of those
named, and the other figures stay) from its examples and domains, and writes agreement.md and agreement.json.  Each call
is made in both libraries; compared are the outputs, the gradient of a weighted sum of them, and the gradient of a
weighted sum of that.  Operations that JAX does not have are compared with compositions of its functions, or with mpmath
at 30 digits.  JAX's side is compiled once for each shape of call, so that draws are cheap.
"""

from __future__ import annotations

import collections
import functools
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from autodiff import Tensor, grad
from autodiff.primitive import Composite, Primitive, Sample, registry
from autodiff.scipy import load
from autodiff.testing.strategies import Call, tensors

from .agreement_complex import complex_tables
from .agreement_references import FAULTS, chained, jax_function, mpmath_function
from .coverage import outputs
from .measuring import Table, version

Entry = Primitive | Composite
DRAWS = 60
RESULTS = Path(__file__).with_suffix(".json")
TOLERANCES = {"value": 1e-11, "first": 1e-9, "second": 1e-8}
SHAPES: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((3,),), ((2, 2),), ((),), ((0, 2),)],
    2: [((2, 3), (3,)), ((2, 1), (1, 3)), ((), ()), ((2, 0), (1,))],
    3: [((2, 3), (3,), ()), ((3,), (2, 1), (1,)), ((0,), (1,), ())],
}
"""What elementwise functions of one, two and three arguments are called with: all kinds of broadcasting."""


class Agreement:
    """How far one entry of the table is from its reference, at worst."""

    def __init__(self, name: str, against: str) -> None:
        self.name, self.against = name, against
        self.draws = self.refused = self.declined = self.not_finite = self.underived = 0
        self.worst = dict.fromkeys(TOLERANCES, 0.0)
        self.call = ""

    @property
    def agrees(self) -> bool:
        """Whether all three are there and within tolerance."""
        return not self.underived and all(self.worst[what] <= limit for what, limit in TOLERANCES.items())

    def as_dict(self) -> dict[str, Any]:
        """What is kept in the file of results."""
        return dict(vars(self))

    @classmethod
    def of_dict(cls, kept: dict[str, Any]) -> Agreement:
        """The same from the file."""
        found = cls(kept["name"], kept["against"])
        vars(found).update(kept)
        return found

    def note(self, call: Any, ours: Any, theirs: Any) -> None:
        """Take account of one draw."""
        self.draws += 1
        for what, a, b in zip(TOLERANCES, ours, theirs, strict=True):
            if b is None:
                self.underived += 1
                continue
            found = distance(a, b)
            if found is None:
                self.not_finite += 1
            elif found > self.worst[what]:
                self.worst[what] = found
                self.call = f"{what}: {call!r}" if found > TOLERANCES[what] else self.call


def distance(ours: Any, theirs: Any) -> float | None:
    """The largest difference, relative to the largest number or 1; None where the reference alone is not finite."""
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or (a.dtype.kind in "fc" and not np.all(np.isfinite(a))):
            return np.inf
        if not np.all(np.isfinite(b)):
            return None
        if a.size:
            a, b = (v.astype(np.result_type(v, float)) for v in (a, b))
            worst = max(worst, float(np.max(np.abs(a - b)) / max(1.0, float(np.max(np.abs(b))))))
    return worst


# -- one call in one library ------------------------------------------------------------------------------------------


def weighted(values: list[Any], space: Any) -> Any:
    """A weighted sum of the real and imaginary parts of every floating-point array."""
    total = space.zeros(())
    for k, value in enumerate(values):
        kind = np.dtype(getattr(value, "dtype", float)).kind
        if kind in "fc":
            size = int(np.prod(np.shape(value)))
            w = np.reshape(np.cos(1.0 + k + 1.7 * np.arange(size)), np.shape(value))
            parts = [value] if kind == "f" else [space.real(value), space.imag(value)]
            total = total + sum(space.sum(part * (w + 0.3 * i)) for i, part in enumerate(parts))
    return total


def derivatives(function: Callable[..., Any], arrays: list[Any], space: Any, gradient: Any, orders: int = 2) -> Any:
    """Outputs, gradient, and gradient of the weighted gradient; None in the place of those beyond ``orders``."""
    numbers = tuple(range(len(arrays)))
    first = gradient(lambda *variables: weighted(outputs(function(*variables)), space), numbers)
    second = gradient(lambda *variables: weighted(list(first(*variables)), space), numbers)
    return outputs(function(*arrays)), *[f(*arrays) if orders >= k else None for k, f in ((1, first), (2, second))]


def by_pullback(call: Call) -> tuple[Any, Any, Any]:
    """The three of our own."""
    values, first, second = derivatives(chained(call, call.entry.call), call.arrays, np, grad)
    return [o.data if isinstance(o, Tensor) else o for o in values], first, second


class ByJax:
    """The three of JAX, compiled once for each shape of call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.compiled: dict[Any, Any] = {}

    def __call__(self, call: Call, shape_of_call: int) -> tuple[Any, Any, Any]:
        import jax
        import jax.numpy as jnp

        if shape_of_call not in self.compiled:
            function = chained(call, self.function)

            def all_of(orders: int, *arrays: Any) -> Any:
                by_jax = lambda f, numbers: jax.grad(f, argnums=numbers)  # noqa: E731
                return derivatives(function, list(arrays), jnp, by_jax, orders)

            try:
                compiled = jax.jit(functools.partial(all_of, 2)).lower(*call.arrays).compile()
            except NotImplementedError:  # it has no derivative
                compiled = functools.partial(all_of, 0)
            except Exception:  # a shape that depends on values cannot be compiled
                compiled = functools.partial(all_of, 2)
            self.compiled[shape_of_call] = compiled
        return self.compiled[shape_of_call](*call.arrays)  # type: ignore[no-any-return]


def by_mpmath(function: Any, call: Call) -> tuple[Any, Any, Any]:
    """The three from values at 30 digits and their difference quotients, element by element of the last argument."""
    import mpmath as mp

    orders = [a for a in call.args if not isinstance(a, Sample)]
    x = call.arrays[0]
    arrays = np.broadcast_arrays(*orders, x)
    values, slopes = [], [np.zeros(x.shape), np.zeros(x.shape)]
    for k, f in enumerate(function if isinstance(function, tuple) else (function,)):
        results = [np.zeros(arrays[0].shape) for _ in range(3)]
        with mp.workdps(30):
            for index in np.ndindex(arrays[0].shape):
                *fixed, at = (mp.mpf(float(a[index])) for a in arrays)
                for order, found in enumerate(results):
                    found[index] = float(mp.diff(lambda v, f=f, fixed=fixed: f(*fixed, v), at, order))
        w = np.reshape(np.cos(1.0 + k + 1.7 * np.arange(results[0].size)), results[0].shape)
        values.append(results[0])
        slopes = [total + _summed(w * r, x.shape) for total, r in zip(slopes, results[1:], strict=True)]
    w_x = np.reshape(np.cos(1.0 + 1.7 * np.arange(x.size)), x.shape)
    return values, [slopes[0]], [w_x * slopes[1]]


def _summed(values: Any, shape: tuple[int, ...]) -> Any:
    extra = tuple(range(values.ndim - len(shape)))
    return np.sum(values, axis=extra)


# -- all draws of all entries ------------------------------------------------------------------------------------------


def calls(entry: Entry) -> st.SearchStrategy[tuple[int, Call]]:
    """The number of a shape of call and such a call, with drawn values."""
    made: list[Any] = [(e.args, e.kwargs) for e in entry.examples]
    if isinstance(entry, Primitive) and entry.elementwise:
        shapes = SHAPES[len(entry.parameters)]
        made += [(tuple(Sample(s, d) for s, d in zip(each, entry.domain, strict=True)), {}) for each in shapes]

    @st.composite
    def call(draw: Any) -> tuple[int, Call]:
        number = draw(st.integers(0, len(made) - 1))
        args, kwargs = made[number]
        samples = _samples((*args, *kwargs.values()))
        arrays = [draw(tensors(s.shape, np.float64, s.domain, distinct=True)) for s in samples]
        arrays = [a if s.make is None else np.asarray(s.make(a)) for a, s in zip(arrays, samples, strict=True)]
        return number, Call(entry, args, kwargs, arrays)

    return call()


def _samples(args: Any) -> list[Sample]:
    return [s for a in args for s in (_samples(a) if isinstance(a, list) else [a]) if isinstance(s, Sample)]


def compared(entry: Entry, draws: int) -> Agreement:
    """The worst distances of one entry over the drawn calls."""
    function, exact = jax_function(entry), mpmath_function(entry.name)
    found = Agreement(entry.name, "mpmath" if exact else "JAX" if function else "")
    reference = None if function is None else ByJax(function)
    if not found.against:
        return found

    @seed(20240717)
    @settings(
        max_examples=draws, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(calls(entry))
    def run(drawn: tuple[int, Call]) -> None:
        number, call = drawn
        if not call.arrays:
            return
        try:
            ours = by_pullback(call)
        except np.linalg.LinAlgError as error:  # a degenerate matrix, refused by name
            found.declined += 1
            found.call = found.call or str(error)[:160]
            return
        try:
            theirs = by_mpmath(exact, call) if exact else reference(call, number)  # type: ignore[misc]
        except Exception as error:
            found.refused += 1
            found.call = found.call or f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
            return
        found.note(call, ours, theirs)

    run()
    return found


def entries() -> list[Entry]:
    """The differentiable entries of the table, SciPy's among them."""
    load()
    return [e for e in registry.values() if isinstance(e, Composite) or not e.flat]


def measured(draws: int = DRAWS, names: tuple[str, ...] = ()) -> list[Agreement]:
    """Every entry of the table, those not named as they were measured before."""
    import jax

    jax.config.update("jax_enable_x64", True)
    kept = json.loads(RESULTS.read_text()) if names and RESULTS.exists() else {}
    times: collections.Counter[str] = collections.Counter()
    all_found = {}
    for entry in entries():
        times[entry.name] += 1
        key = f"{entry.name} {times[entry.name]}"  # np.i0 and scipy.special.i0 have one name
        if names and entry.name not in names and key in kept:
            all_found[key] = Agreement.of_dict(kept[key])
            continue
        start = time.perf_counter()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            all_found[key] = compared(entry, draws)
        print(f"{entry.name}: {time.perf_counter() - start:.1f} s", file=sys.stderr)
        RESULTS.write_text(json.dumps({k: f.as_dict() for k, f in all_found.items()}, indent=0) + "\n")
    return list(all_found.values())


def report(all_found: list[Agreement]) -> str:
    """The page: the totals, what differs and why, complex numbers, and a row for each operation."""
    tables = [_summary(all_found), _differing(all_found), *complex_tables(), _each(all_found)]
    page = "\n".join(str(table) for table in tables)
    return f"# Agreement with JAX, mpmath and PyTorch\n\n`python -m benchmarks.agreement`\n\n{page}"


def _summary(all_found: list[Agreement]) -> Table:
    tried = [f for f in all_found if f.draws]
    agreeing = [f for f in tried if f.agrees]
    sources = collections.Counter(f.against for f in tried)
    about = (
        f"{len(tried)} operations, {sum(f.draws for f in tried):,} calls drawn by Hypothesis: "
        f"{sources['JAX']} beside JAX {version('jax')} in double precision, {sources['mpmath']} that JAX does not have "
        f"beside mpmath {version('mpmath')} at 30 digits. A difference is the largest one, relative to the largest "
        f"number of a result or to 1. {len(agreeing)} agree in value, first and second derivative; "
        f"{len(tried) - len(agreeing)} do not, in the next table with the reason."
    )
    rows = [
        [what, f"{limit:.0e}", f"{max((f.worst[what] for f in agreeing), default=0.0):.1e}"]
        for what, limit in TOLERANCES.items()
    ]
    return Table("Agreement", about, ["", "tolerance", "largest difference"], rows)


def _differing(all_found: list[Agreement]) -> Table:
    rows = []
    for f in all_found:
        if not f.draws or not f.agrees or f.not_finite or f.underived:
            figures = [f"{f.worst[w]:.0e}" for w in TOLERANCES] if f.draws else ["", "", ""]
            rows.append([f"`{f.name}`", *figures, FAULTS.get(f.name, "**not traced**"), f"`{f.call[:160]}`"])
    about = "Traced one by one: who is right was decided with mpmath, or with the definition."
    return Table("What differs, or cannot be compared", about, ["operation", *TOLERANCES, "reason", "call"], rows)


def _each(all_found: list[Agreement]) -> Table:
    rows = []
    for f in all_found:
        remarks = [f"{f.refused} calls refused by {f.against}"] if f.refused else []
        remarks += [f"{f.against} has no derivative"] if f.underived else []
        remarks += [f"{f.declined} degenerate matrices refused by pullback"] if f.declined else []
        remarks += [f"{f.not_finite} results of {f.against} not finite, ours are"] if f.not_finite else []
        figures = [f"{f.worst[w]:.0e}" for w in TOLERANCES]
        rows.append([f"`{f.name}`", f.against or "nobody", str(f.draws), *figures, "; ".join(remarks)])
    return Table("Operation by operation", "", ["operation", "beside", "draws", *TOLERANCES, "remark"], rows)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    RESULTS.with_suffix(".md").write_text(report(measured(count, tuple(sys.argv[2:]))))
