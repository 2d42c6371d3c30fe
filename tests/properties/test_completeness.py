"""Nothing is missing from the table: what NumPy has, what is public, and what graphs are made of is in it.

What must be there is read off NumPy's namespaces, the library's public names, the methods of Tensor and the graphs of
other entries; of SciPy's functions, from the list that is promised here.  So an entry that is removed is missed, by
name, in one place.
"""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

import autodiff
from autodiff import Tensor, grad
from autodiff.graph import topological_order
from autodiff.outputs import ITEM, UNSTACK
from autodiff.primitive import Primitive, refusals, registry
from autodiff.protocol import ANSWERED
from autodiff.scipy import load, modules
from autodiff.testing.table.samples import calls
from benchmarks.coverage_calls import NOT_OF_ARRAYS, REASONS

load()
ENTRIES = dict(registry)
SCIPY = """
    airy beta betainc betaincc betaincinv betaln binom boxcox boxcox1p cbrt chdtr chdtrc cosm1 dawsn digamma
    ellipe ellipk ellipkm1 entr erf erfc erfcinv erfcx erfi erfinv exp1 exp10 exp2 expi expit expm1 expn exprel
    fresnel gamma gammainc gammaincc gammainccinv gammaincinv gammaln gammasgn huber hyp0f1 hyp1f1 hyp2f1 i0 i0e
    i1 i1e iv ive j0 j1 jn jv k0 k0e k1 k1e kl_div kn kv kve log1p log_expit log_ndtr loggamma logit ndtr ndtri
    ndtri_exp owens_t poch powm1 pseudo_huber psi rel_entr rgamma round shichi sici spence stdtr xlog1py xlogy
    y0 y1 yn yv
"""


def of_numpy():
    """The callables of NumPy that take real arrays, by identity: np.true_divide is np.divide."""
    for space in (np, np.linalg, np.fft, np.emath):
        for name in dir(space):
            function = getattr(space, name)
            if name.startswith("_") or not callable(function) or inspect.isclass(function):
                continue
            if name == "trapz":  # before NumPy 2.4 there is one, that calls np.trapezoid
                continue
            if name not in NOT_OF_ARRAYS and name not in REASONS and function not in ANSWERED | refusals.keys():
                yield function, f"{space.__name__}.{name}"
    yield np.lib.stride_tricks.sliding_window_view, "numpy.lib.stride_tricks.sliding_window_view"


def of_scipy():
    """The functions of SciPy that are promised."""
    from scipy import special as functions

    for name in SCIPY.split():
        yield getattr(functions, name), f"scipy.special.{name}"


def of_autodiff():
    """The operations among the public names and among the methods of Tensor."""
    known = {function: function for function in ENTRIES} | {entry.call: f for f, entry in ENTRIES.items()}
    public = {f"autodiff.{name}": getattr(autodiff, name) for name in autodiff.__all__}
    public |= {f"{m.__name__}.{name}": getattr(m, name) for m in modules() for name in getattr(m, "__all__", ())}
    methods = {f"Tensor.{name}": method for name, method in vars(Tensor).items()}
    for name, value in (public | methods).items():
        call = value.entry.call if hasattr(value, "entry") else value
        if inspect.isfunction(call) and call in known:
            yield known[call], name


def parts(entry):
    """The operations in the graphs of an entry's calls, forward and backward."""
    found = set()
    for call in calls(entry):
        variables = [Tensor(a) for a in call.arrays(np.random.default_rng(0))]
        try:
            results = call(*variables)
            results = [r for r in (results if isinstance(results, tuple | list) else [results]) if r._node.active]
            nodes = topological_order([r._node for r in results])
            for result in results:
                total = np.sum(np.real(result))
                total.backward(create_graph=True)
            nodes += topological_order([v.grad._node for v in variables if v.grad is not None])
        except TypeError:  # made for integers
            continue
        found |= {node.primitive for node in nodes if node.primitive is not None}
    return found


def of_graphs():
    """For each entry, the operations that its graphs are made of."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        made = {function: parts(entry) for function, entry in ENTRIES.items()}
    x = Tensor(2.0)
    second = grad(grad(lambda x: x**3))(x)
    made[grad] = {node.primitive for node in topological_order([second._node, x.astype(int)._node])} - {None}
    return made


@pytest.fixture(scope="module")
def graphs():
    return of_graphs()


def missing(table, graphs):
    """What is asked for and not in the table, by name."""
    asked = {**dict(of_numpy()), **dict(of_scipy()), **dict(of_autodiff())}
    for function, made in graphs.items():
        if function is grad or function in table:
            asked |= {p.function: f"{p.name}, in a graph" for p in made if p not in (ITEM, UNSTACK)}
    return {name for function, name in asked.items() if function not in table}


def test_the_table_is_complete(graphs):
    assert missing(registry, graphs) == set()


def test_each_entry_would_be_missed(graphs):
    overlooked = []
    for function, entry in ENTRIES.items():
        without = {f: e for f, e in ENTRIES.items() if f is not function}
        if len(missing(without, graphs)) != 1:
            overlooked.append((entry.name, missing(without, graphs)))
    assert overlooked == []


def test_an_unknown_name_of_numpy_would_be_missed(monkeypatch, graphs):
    monkeypatch.setattr(np, "brand_new", lambda a: a, raising=False)
    assert missing(registry, graphs) == {"numpy.brand_new"}


def test_every_entry_is_a_primitive_or_has_parts(graphs):
    for function, entry in ENTRIES.items():
        assert isinstance(entry, Primitive) or graphs[function], entry.name
