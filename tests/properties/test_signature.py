"""What inspect.signature says of a method is what the method takes, and what the stub tells a type checker."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import pydoc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autodiff
from autodiff import Tensor
from autodiff.convention import Signature
from autodiff.primitive import registry
from tests.blocks import of_each

ROOT = Path(__file__).resolve().parents[2]
STUB = ast.parse((ROOT / "autodiff" / "methods.pyi").read_text(encoding="utf-8"))
MADE = {
    name: value for name, value in vars(Tensor).items() if isinstance(getattr(value, "__signature__", None), Signature)
}
"""What the table added to Tensor."""
METHODS = [entry for entry in registry.values() if entry.method in MADE and entry.examples]


def declared(tree: ast.AST) -> dict[str, ast.FunctionDef]:
    """The functions of a class by name."""
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_sum_has_numpys_signature():
    text = "axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True"
    assert str(inspect.signature(Tensor.sum)) == f"(self, {text})"
    assert str(inspect.signature(Tensor(1.0).sum)) == f"({text})"


def test_help_begins_with_the_signature():
    _, text = pydoc.plain(pydoc.render_doc(Tensor.std)).split("\n\n", 1)
    text = "".join(text.split())  # new versions of Python break it into lines
    assert text.startswith("std(self,axis=None,dtype=None,out=None,ddof=0,keepdims=False,*,where=True")


def test_a_function_of_ours_keeps_the_signature_that_it_was_written_with():
    assert list(inspect.signature(autodiff.logsumexp).parameters) == ["x", "axis", "keepdims"]
    assert list(inspect.signature(autodiff.relu).parameters) == ["x"]


@of_each("name", MADE, size=64)
def test_every_method_has_one(name):
    first, *others = inspect.signature(MADE[name]).parameters.values()
    assert first.default is inspect.Parameter.empty
    assert all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in others)
    with pytest.raises(TypeError):
        inspect.signature(MADE[name]).bind(Tensor(1.0), axs=0)


@of_each("entry", METHODS, label=lambda entry: entry.method)
def test_what_the_table_calls_it_with_fits(entry):
    for call in entry.examples:
        bound = inspect.signature(MADE[entry.method]).bind(*call.args, **call.kwargs)
        first, *_ = bound.arguments.values()
        assert first is [*call.args, *call.kwargs.values()][0]
        assert all(bound.arguments[name] is value for name, value in call.kwargs.items())


@of_each("name", [name for name in MADE if not name.startswith("__")], size=64)
def test_parameters_stand_at_numpys_places(name):
    function = MADE[name].__signature__.entry.function
    if isinstance(function, np.ufunc) or not function.__module__.startswith("numpy") or name == "where":
        return  # NumPy has no names there
    try:
        theirs = list(inspect.signature(function).parameters)
    except ValueError:  # before NumPy 2.4, some in C do not tell
        return
    mine = inspect.signature(MADE[name]).parameters.values()
    positional = [p.name for p in mine if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert positional[1:] == theirs[1 : len(positional)]


@pytest.mark.parametrize("call", [lambda t: t.sum(0, None, None, True), lambda t: t.max(0, None, True)])
def test_a_place_that_only_keeps_the_order_takes_numpys_default(call):
    assert call(Tensor(np.ones((2, 3)))).shape == (1, 3)


def test_a_users_operation_keeps_its_signature():
    @autodiff.primitive(lambda g: 2 * g)
    def twice(x, *, how="plainly"):
        return 2 * x

    assert str(inspect.signature(twice)) == "(x, *, how='plainly')"


@pytest.mark.parametrize(
    "remake", [copy.copy, copy.deepcopy, lambda s: s.replace(), lambda s: pickle.loads(pickle.dumps(s))]
)
def test_it_is_like_any_signature(remake):
    found = inspect.signature(Tensor.argsort)
    assert remake(found) == found
    assert hash(remake(Signature.of(found.entry))) == hash(found)
    with pytest.raises(AttributeError):
        _ = found.nothing


def test_an_import_works_none_of_them_out():
    code = """
import inspect, autodiff
slots = [vars(inspect.Signature)[name] for name in inspect.Signature.__slots__]
found = [vars(method)["__signature__"] for method in vars(autodiff.Tensor).values() if "__signature__" in dir(method)]
known = 0
for signature in found:
    for slot in slots:
        try:
            slot.__get__(signature)
            known += 1
        except AttributeError:
            pass
print(len(found), known)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    count, known = map(int, run.stdout.split())
    assert count > 100
    assert known == 0


def test_the_stub_knows_every_name_of_a_tensor_and_no_other():
    mine = {"_", "alias", "limit"}  # the engine's own
    names = {name for name in MADE if name not in mine} | {f"__r{name[2:]}" for name in MADE if name[:2] == "__"}
    names &= set(vars(Tensor))
    assert set(declared(STUB)) - {"__array__"} == names | {"at"}


@of_each("name", [name for name in declared(STUB) if name in MADE and not name.startswith("__")], size=64)
def test_the_stub_has_the_parameters_of_the_signature(name):
    arguments = declared(STUB)[name].args
    found = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    assert found[1:] == list(inspect.signature(MADE[name]).parameters)[1:]


def test_any_number_of_arguments_stays_any_number():
    assert str(inspect.signature(registry[np.gradient].call)) == "(f, *varargs, axis=None, edge_order=1)"
