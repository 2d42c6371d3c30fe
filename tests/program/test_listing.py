"""The text of a program as a reader sees it: names, what stands where, sections, and nothing that changes a bit."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import capture
from autodiff.program.naming import short_names
from tests.program.samples import normal, run, small_step
from tests.program.test_replay import same


def made_anew(array):
    """A function that makes an array of bytes: one that it held would be an argument of the program."""
    raw, kind, shape = array.tobytes(), array.dtype, array.shape
    return lambda: np.frombuffer(raw, kind).reshape(shape)


def test_the_gradient_of_a_layer_reads_as_by_hand():
    def loss(w, b, x, y):
        h = np.tanh(x @ w + b)
        return np.mean((h - y) ** 2)

    args = normal(3, 1), normal(1), normal(8, 3), normal(8, 1)
    function = ad.value_and_grad(loss, argnums=(0, 1))
    program = capture(function, *args)
    assert (
        str(program)
        == '''import numpy as np


def loss(w, b, x, y):
    """w: float64[3, 1]; b: float64[1]; x: float64[8, 3]; y: float64[8, 1]"""
    # -- forward --
    h = np.tanh(x @ w + b)
    # return np.mean((h - y) ** 2)
    t = h - y
    t2 = np.mean(t ** 2)
    # -- backward --
    with np.errstate(all="ignore"):
        t3 = 0.125 * (2 * t)
        # h = np.tanh(x @ w + b)
        t4 = t3 * (1.0 - h * h)
        d_b = np.sum(t4, axis=0)
        d_w = x.T @ t4
        assert not np.isnan(np.vdot(d_b, d_b))
        assert not np.isnan(np.vdot(d_w, d_w))
    return t2.item(), (d_w, d_b)
'''
    )
    same(run(program, *args), function(*args))


def test_what_functions_and_layers_return_has_the_name_of_the_variable_that_takes_it():
    def scaled(x):
        return 2.0 * np.tanh(x)

    def through(x):
        return scaled(x)

    class Doubling(nn.Module):
        def forward(self, x):
            return through(x)

    model = nn.Sequential(Doubling(), Doubling())

    def loss(x, factor):
        hidden = through(x)
        logits = model(hidden)
        half = through(hidden) + 1.0
        return np.sum(logits * logits * factor + half * hidden)

    slope = ad.value_and_grad(loss)
    text = capture(slope, normal(3), normal(3)).source()
    for line in ("hidden = 2.0 * t", "logits = 2.0 * t4", "half = t3 + 1.0", "d_logits = t6 + t6", "d_hidden = "):
        assert f"\n    {line}" in text or f"\n        {line}" in text
    assert not re.search(r"\b(logits|hidden|half)\d|return\d* =", text)


def test_a_gradient_has_the_name_of_the_variable_that_takes_it_and_a_check_of_it_has_none():
    gradient = ad.grad(lambda x: np.sum(x * x * x))

    def f(x):
        slope = gradient(x)
        return slope * 2.0

    assert "    assert not np.isnan(np.vdot(slope, slope))\n    return slope * 2.0\n" in capture(f, normal(3)).source()


def test_numbers_keep_the_names_of_all_their_variables():
    def f(x, y):
        a = x * y
        b = a * 2.0
        c = a * b + 1.0
        return c * a * b * c

    text = capture(f, 2.0, 3.0).source()
    assert all(line in text for line in ("a = x * y\n", "b = a * 2.0\n", "c = a * b + 1.0\n"))


def test_a_step_names_parameters_by_the_ends_of_their_paths():
    step, args = small_step(nn.Tanh())
    text = str(capture(step, *args))
    assert "def step(x, y, *, lr, layers_0_weight, layers_0_bias, layers_2_weight, layers_2_bias):\n" in text
    assert "    layers_0_weight: float32[3, 4], model.layers[0].weight\n" in text
    assert "    # -- update --\n    layers_0_weight -= d_layers_0_weight * lr\n" in text
    assert "        'model.layers[2].bias.grad': d_layers_2_bias,\n    }\n" in text


def test_the_shortest_ends_that_differ():
    assert short_names(["a.b", "c.b", "c.d[1]", "c.d[0]"]) == ["a_b", "c_b", "d_1", "d_0"]
    assert short_names(["x", "x"]) == ["x", "x"]
    assert short_names([]) == []


OPERATORS = [
    lambda x, y: (x - (y - x)) - (x + y),
    lambda x, y: -(x**2) + (-x) ** 2,
    lambda x, y: 2.0 ** -(x / (y * y)),
    lambda x, y: (x * y).T @ (x + y),
    lambda x, y: ((x < y) == (x > 0.0)) * -1.5 - -x,
    lambda x, y: abs(x - y) // 0.25 % 3.0,
    lambda x, y: (x + y)[1:, None] * (x @ y)[..., 0, :],
    lambda x, y: ~(x < 0) & (y < 0) | (x < y) ^ (y > 1),
    lambda x, y: (x**1 * 1.0) ** y**1 / 1.0,
    lambda x, y: x[:] * np.full((4, 4), 3.0) - np.ones((4, 4)) / y + np.moveaxis(x, 0, 0),
    lambda x, y: np.add.reduce(x) + np.maximum.reduce(y, axis=-1) * np.sum(x, (0,)) + np.transpose(y, None),
    lambda x, y: np.where(x < y, np.float64(0.5), x < 0) + np.zeros_like(x) + np.ones_like(y, shape=(4,)),
]


@pytest.mark.parametrize("function", OPERATORS)
def test_what_stands_inside_keeps_its_order_and_its_bits(function):
    args = normal(4, 4), normal(4, 4) * 0.5
    with np.errstate(all="ignore"):
        same(run(capture(function, *args), *args), function(*args))


def test_nothing_moves_over_a_write_that_it_may_see():
    buffer = np.zeros(3)

    def step(x):
        doubled = [buffer * 2.0, x * 2.0]
        buffer[:] = x
        x += 1.0
        return doubled[0] + doubled[1], np.sqrt(buffer) + x

    args = np.array([1.0, 4.0, 9.0]), np.array([1.0, 4.0, 9.0])
    program = capture(step, args[0].copy())
    here = np.zeros(3)
    result, _ = run(program, args[0], buffer=here), buffer.fill(0.0)
    same(result[0] if isinstance(result[-1], dict) else result, step(args[1]))
    same((here, args[0]), (buffer, args[1]))


@pytest.mark.parametrize(("constant", "text"), [
    (np.eye(3), "np.eye(3)"), (np.tri(4, 5), "np.tri(4, 5)"),
    (np.full((2, 2), 7, np.int32), "np.full((2, 2), 7, dtype=np.int32)"),
    (np.array([1.5, 2.0], np.float32), "np.array([1.5, 2.0], dtype=np.float32)"), (np.arange(5), "np.arange(5)"),
    (-np.zeros(3), "np.full(3, -0.0)"), (np.tri(3, dtype=bool), "np.tri(3, dtype=bool)"),
])  # fmt: skip
def test_constants_that_something_short_makes(constant, text):
    made = made_anew(constant)
    program = capture(lambda x: np.kron(x, made()), np.ones(()))
    assert f"    c = {text}\n" in str(program)
    same(run(program, np.array(2.0)), np.kron(np.array(2.0), constant))


def test_long_constants_stand_below_the_function():
    held = normal(9, 9)
    made = made_anew(held)
    program = capture(lambda x: x @ made(), np.ones((2, 9)))
    text = str(program)
    assert text.index("def program") < text.index("np.frombuffer")
    same(run(program, np.ones((2, 9))), np.ones((2, 9)) @ held)


def test_a_value_that_was_not_a_number_is_checked_as_such():
    program = capture(lambda x: x * 2.0 if float(x[0]) != 1.0 else x, np.array([np.nan, 1.0]))
    same(run(program, np.array([np.nan, 3.0])), np.array([np.nan, 6.0]))
    with pytest.raises(AssertionError):
        run(program, np.array([1.0, 3.0]))


def test_a_long_program_is_printed_as_a_summary(monkeypatch):
    def f(x):
        for _ in range(200):
            x = np.sin(x)
        return x

    program = capture(ad.grad(f), 2.0)
    assert str(program) == program.source()
    monkeypatch.setattr("autodiff.program.program.LONG", 300)
    text = str(program)
    assert "200 sin" in text
    assert f"{len(program.instructions):,} calls" in text
    assert " more\n" in text
    assert len(text.splitlines()) < 40
    assert program.source().count("\n") > 200


@dataclass
class Pair:
    one: object
    two: object


def test_arguments_that_are_taken_apart_and_results_with_names():
    program = capture(lambda pair, p: Pair(pair.one * p["w"], pair.two), Pair(np.ones(2), 3.0), {"w": 2.0})
    assert "def program(pair, p):\n" in str(program)
    result = run(program, Pair(np.arange(2.0), 5.0), {"w": 4.0})
    same((result.one, result.two), (np.array([0.0, 4.0]), 5.0))


def test_a_result_that_no_text_can_make_is_refused():
    program = capture(lambda x: (x, Path("a")), 1.0)
    assert "a PosixPath is nothing that a text can make" in str(program).replace("WindowsPath", "PosixPath")
    with pytest.raises(ValueError, match="return arrays and numbers"):
        program.source()


def test_a_number_that_was_written_is_none_of_those_that_are_known():
    def f(x):
        room = np.zeros_like(x, shape=())
        room += np.sum(x)
        return room[()].item(), np.zeros_like(x, shape=())[()].item()

    program = capture(f, np.ones(3))
    assert run(program, np.arange(3.0)) == (3.0, 0.0)
    assert str(program).endswith(".item(), 0.0\n")
