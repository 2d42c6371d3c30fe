"""Every layer: equal to PyTorch to second order, recorded bit for bit, copied, saved, and in one dtype."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import nn
from autodiff import Tensor, capture
from tests.nn.references.cases import CASES, inputs
from tests.nn.references.compare import computed, made, outputs
from tests.program.agreement import assert_same, leaves

with np.load(Path(__file__).parent.parent / "references" / "pytorch.npz") as file:
    PYTORCH = {name: file[name] for name in file.files}
NAMES = pytest.mark.parametrize("name", CASES)


@NAMES
def test_values_and_derivatives_of_two_orders(name):
    found = computed(CASES[name])
    expected = {key.partition("/")[2]: a for key, a in PYTORCH.items() if key.partition("/")[0] == name}
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        assert found[key].shape == array.shape, key
        np.testing.assert_allclose(found[key], array, rtol=1e-9, atol=1e-10, err_msg=key)


def stepping(module, case):
    """A function of the inputs that are numbers: the outputs, the loss, and gradients of everything."""

    def step(*values):
        variables = [Tensor(v) for v in values]
        rest = iter(variables)
        given = [next(rest) if a.dtype.kind == "f" else a for a in inputs(case)]
        for parameter in module.parameters():
            parameter.grad = None
        found = outputs(module(*given, **case.call))
        loss = sum(np.sum(o * o) for o in found)
        if isinstance(loss, Tensor):
            loss.backward()
        return [o.data if isinstance(o, Tensor) else o for o in found], loss, [v.grad for v in variables]

    return step


@NAMES
def test_recorded_bit_for_bit(name):
    case = CASES[name]
    one, two = made(case, np.float32), made(case, np.float32)
    values = [a.astype(np.float32) for a in inputs(case) if a.dtype.kind == "f"]
    function, twin = stepping(one, case), stepping(two, case)
    assert_same(function(*values), twin(*values))
    program = capture(twin, *values)
    function(*values)
    for factor in (1.0, 0.5):
        moved = [v * np.float32(factor) for v in values]
        assert_same(function(*moved), program(*moved))
        assert_same([p.grad for p in one.parameters()], [p.grad for p in two.parameters()])
        assert_same(one.state_dict(), two.state_dict())
    assert all(a.dtype == np.float32 for a in leaves(program(*values)) if a.dtype.kind == "f")


@NAMES
def test_copies_state_text_and_dtype(name):
    case = CASES[name]
    module = made(case, np.float32)
    given = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in inputs(case)]
    other = copy.deepcopy(module)
    third = pickle.loads(pickle.dumps(module))
    third.load_state_dict(module.state_dict())
    expected = outputs(module(*given, **case.call))
    for twin in (other, third):
        assert_same(outputs(twin(*given, **case.call)), expected)
    assert all(o.dtype == np.float32 for o in expected)
    assert repr(module) == repr(other)
    assert type(module).__name__ in repr(module)
    text = module.extra_repr()
    assert eval(f"nn.{type(module).__name__}({text})", {"nn": nn}).extra_repr() == text
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in inputs(case)]
    if list(module.parameters()):
        assert all(o.dtype == np.float32 for o in outputs(module(*wide, **case.call)))


def test_the_file_has_these_cases_and_no_others():
    assert {key.partition("/")[0] for key in PYTORCH} == set(CASES)
