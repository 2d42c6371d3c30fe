"""HIPS autograd's own tests on pullback: ``python -m benchmarks.autograd_suite FOLDER`` with its unpacked sources.

The sources are those of the package index: ``pip download --no-binary :all: --no-deps autograd``.  Their tests import
``autograd``, and find the shim of :mod:`.autograd_shim` under that name.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import autodiff
from autodiff import Tensor
from autodiff.testing import assert_gradcheck

from . import autograd_shim as shim

STATS = ("norm", "t", "chi2", "beta", "gamma", "poisson", "dirichlet", "multivariate_normal")
BY_ARGNUM = (
    "grad value_and_grad elementwise_grad holomorphic_grad deriv jacobian hessian "
    "make_hvp make_vjp make_jvp grad_and_aux"
)


class Mirror(ModuleType):
    """A module that has some names of its own, and all others of another module."""

    def __init__(self, name: str, of: Any, own: dict[str, Any]) -> None:
        super().__init__(name)
        self.__dict__.update(own)
        self._of = of
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._of, name)
        except AttributeError:
            if not self.__name__.startswith("autograd.scipy.stats."):
                raise
            import scipy.stats  # draws, which have no gradient

            return getattr(getattr(scipy.stats, self.__name__.rpartition(".")[2]), name)


def scipy_module(name: str) -> Any:
    """Our mirror of a module of SciPy, or SciPy's own where there is none, whose ufuncs take Tensors."""
    try:
        return importlib.import_module(f"autodiff.scipy.{name}")
    except ImportError:
        return importlib.import_module(f"scipy.{name}")


def install() -> None:
    """Put the shim in the place of ``autograd`` and its modules."""
    primitive = {"primitive": shim.Primitive}
    internals: dict[str, Any] = {"vspace": None, "primitive_vjps": {}}
    containers = {"list": list, "tuple": tuple, "dict": dict, "type": type, "isinstance": shim.isinstance_}
    by_argnum = {name: shim.named(getattr(shim, name)) for name in BY_ARGNUM.split()}
    rest = {name: getattr(shim, name) for name in ["make_ggnvp", "multigrad_dict", "grad_named"]}
    products = {
        "tensor_jacobian_product": shim.tensor_jacobian_product,
        "vector_jacobian_product": shim.tensor_jacobian_product,
        "hessian_tensor_product": shim.hessian_tensor_product,
        "hessian_vector_product": shim.hessian_tensor_product,
    }
    rules = {"defvjp": shim.defvjp, "defvjp_argnum": shim.defvjp_argnum, "defjvp": lambda *args, **kwargs: None}

    add("autograd", None, by_argnum | containers | rest | products | primitive | {"checkpoint": autodiff.checkpoint})
    add("autograd.numpy", np, numpy_names())
    add("autograd.numpy.random", np.random, {})
    add("autograd.numpy.linalg", np.linalg, linalg_names())
    add("autograd.numpy.fft", np.fft, {})
    add("autograd.builtins", None, containers)
    add("autograd.core", None, {"make_vjp": shim.make_vjp} | primitive | internals)
    add("autograd.tracer", None, {"isbox": lambda x: isinstance(x, Tensor)} | primitive)
    add("autograd.extend", None, rules | primitive)
    add("autograd.wrap_util", None, {"unary_to_nary": shim.named})
    add("autograd.util", None, {"quick_grad_check": lambda f, x, more=(): assert_gradcheck(lambda x: f(x, *more), x)})
    add("autograd.misc", None, {"flatten": shim.flatten, "const_graph": shim.const_graph})
    add("autograd.test_util", None, checks())
    add("autograd.scipy", None, {})
    functions = {name: getattr(shim, name) for name in ("logsumexp", "polygamma", "multigammaln")}
    add("autograd.scipy.special", scipy_module("special"), functions)
    for name in ("stats", "linalg", "integrate"):
        add(f"autograd.scipy.{name}", scipy_module(name), {})
    add("autograd.scipy.signal", scipy_module("signal"), {"convolve": shim.convolve})
    for name in STATS:
        add(f"autograd.scipy.stats.{name}", getattr(scipy_module("stats"), name, None), {})


def linalg_names() -> dict[str, Any]:
    return {
        "norm": shim.of_list(np.linalg.norm),
        "_dot": np.matmul,
        "T": lambda a: np.swapaxes(a, -1, -2),
    }


def numpy_names() -> dict[str, Any]:
    """What autograd's NumPy has beyond NumPy: functions of lists of Tensors, and one function of its own."""
    lists = {name: shim.of_list(getattr(np, name)) for name in ("mean", "std", "var")}
    return lists | {
        "array": shim.array,
        "append": lambda a, values, axis=None: np.append(shim.array(a), shim.array(values), axis),
        "r_": shim.Joined(np.concatenate),
        "c_": shim.Joined(np.column_stack),
        "int64": shim.int64,
        "make_diagonal": lambda d, axis1, axis2: d[..., None] * np.eye(d.shape[-1]),
    }


def checks() -> dict[str, Any]:
    """``autograd.test_util``."""
    import itertools

    check_grads = shim.named(shim.check_grads)

    def combo_check(fun: Any, *args: Any, **kwargs: Any) -> Any:
        def check(*choices: Any, **options: Any) -> None:
            pairs = [[(key, value) for value in values] for key, values in options.items()]
            for chosen in itertools.product(*choices):
                for picked in itertools.product(*pairs):
                    check_grads(fun, *args, **kwargs)(*chosen, **dict(picked))

        return check

    return {
        "check_grads": check_grads,
        "combo_check": combo_check,
        "check_equivalent": shim.check_equivalent,
        "scalar_close": shim.close,
    }


def add(name: str, of: Any, own: dict[str, Any]) -> None:
    """One module, also as a name of the one above it."""
    module = Mirror(name, of, own)
    sys.modules[name] = module
    above, _, last = name.rpartition(".")
    if above:
        sys.modules[above].__dict__[last] = module


def main(folder: str) -> int:
    """Run the tests; the exit status is pytest's."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", __spec__.name, "-p", "no:cacheprovider"]
    command += ["--tb=short", "-c", os.devnull, "--rootdir", folder, str(Path(folder) / "tests"), *sys.argv[2:]]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
else:
    install()
