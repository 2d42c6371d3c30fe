"""What cannot be recorded, or run, is said in one sentence, with what to do."""

import copy
import pickle

import numpy as np
import pytest

import autodiff as ad
from autodiff import CaptureError, PathError, Tensor, capture

RNG = np.random.default_rng(0)


class Result:
    def __init__(self, value):
        self.value = value


@pytest.mark.parametrize(("f", "said"), [
    (lambda x: np.ones(3).__iadd__(x), "write y = np.add"),
    (lambda x: np.asarray(x), "Arguments are arrays already"),
    (lambda x: np.array([x[0], 1.0]), "a plain array was asked for"),
    (lambda x: np.arange(9.0)[x.astype(int) * x][0], "np.take"),
    (lambda x: x.flat, "use the np. functions"),
    (lambda x: x.tobytes(), "no program holds"),
    (lambda x: x.sum(out=np.zeros(())), "leave out= away"),
    (lambda x: np.clip(x, 0, 1, np.zeros(3)), "leave out= away"),
    (lambda x: RNG.random(out=np.zeros(3)), "draw a new array"),
    (lambda x: RNG.shuffle([1, 2]), "draw a new array"),
    (lambda x: RNG.shuffle(np.arange(3)), "draw a new array"),
    (lambda x: RNG.spawn(1), "spawn outside of the function"),
    (lambda x: RNG.bit_generator.state, "draw from the generator"),
    (lambda x: Result(x * 2), "returns a Result"),
    (lambda x: (v for v in x), "returns a generator"),
    (lambda x: map(abs, x), "returns a map"),
    (lambda x: capture(lambda y: y * 2, x), "capture the outer function"),
    (lambda x: capture(lambda y: y * 2, np.ones(3))(x), "call the function"),
    (lambda x: ad.grad(lambda y: np.sum(np.sqrt(y * 0) * y))(x) * np.nan, "NaN"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_recorded(f, said):
    with pytest.raises(CaptureError, match=said):
        capture(f, np.ones(3))
    assert type(RNG) is np.random.Generator


@pytest.mark.parametrize(("argument", "said"), [
    (Tensor(np.ones(3)), "pass its array"),
    (np.ones(3, object), "array of objects"),
    (np.ma.masked_array(np.ones(3)), "MaskedArray"),
    (np.ones((1, 3)).view(np.matrix), "matrix"),
])  # fmt: skip
def test_arguments_of_another_kind(argument, said):
    with pytest.raises(CaptureError, match=said):
        capture(lambda x: x * 2, argument)


@pytest.mark.parametrize("arguments", [
    (), (1, 2), ("a",), (None,), ([1.0, 2.0, 3.0],), (np.ones(4),), (np.ones(3, "f"),), (Tensor(np.ones(3)),),
    (np.ones(3, object),), (1.0,), (np.float64(1),), (np.ma.masked_array(np.ones(3)),), (np.ones(3) > 0,),
])  # fmt: skip
def test_a_program_takes_what_it_was_captured_for(arguments):
    program = capture(lambda x: x * 2, np.ones(3))
    with pytest.raises(ValueError, match="program"):
        program(*arguments)


def test_state_of_another_shape():
    kept = [np.ones(3)]
    program = capture(lambda x: x * kept[0], np.ones(3))
    kept[0] = np.ones(1)
    with pytest.raises(ValueError, match=r"kept\[0\] is now a ndarray of shape \(1,\).*capture it again"):
        program(np.ones(3))


def test_arrays_that_were_one():
    a = np.ones(3)
    kept = {"u": a, "v": a}
    program = capture(lambda x: x * kept["u"] * kept["v"], np.ones(3))
    kept["v"] = np.ones(3)
    with pytest.raises(ValueError, match="were one array"):
        program(np.ones(3))


def test_another_way_names_the_line():
    program = capture(lambda x: x * 2 if np.sum(x) > 0 else x * 3, np.ones(3))
    with pytest.raises(PathError, match=r"bool at .*test_errors\.py:\d+ gave True .* gives False"):
        program(-np.ones(3))


def test_copies():
    w = Tensor(np.ones(3))

    def f(x):
        w.data += x

    program = capture(f, np.ones(3))
    for copied in (copy.copy, copy.deepcopy):
        before = w.data.copy()
        copied(program)(np.ones(3))
        assert w.data.tolist() == (before + 1).tolist()
    with pytest.raises(TypeError, match="save its text"):
        pickle.dumps(program)


def test_a_function_that_raises():
    def f(x):
        return np.linalg.inv(x)

    program = capture(f, np.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        program(np.zeros((2, 2)))
    assert program(np.eye(2)).tolist() == np.eye(2).tolist()
