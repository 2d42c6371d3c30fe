"""Large arrays are computed some rows at a time, to the same bits."""

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Tensor, capture, jit
from autodiff.program.passes import blocks, direct
from autodiff.program.passes.buffers import planned
from autodiff.testing.table.samples import calls
from tests.blocks import of_each
from tests.program.test_replay import ENTRIES, pulled, same

ELEMENTWISE = [n for n, e in ENTRIES.items() if isinstance(e.function, np.ufunc) and e.function.signature is None]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Blocks of a few elements, so that all arrays are large."""
    monkeypatch.setattr(blocks, "CHUNK", 5)
    monkeypatch.setattr(blocks, "LEAST", 6)


def blocks_in(program):
    return planned(direct(program)).blocks


def chain(x):
    y = np.exp(x) * 2.0 - x
    return np.tanh(y) / (y * y + 1.0)


@pytest.mark.parametrize("shape", [(6,), (7,), (40,), (2, 3), (3, 2), (4, 5), (13, 4), (3, 2, 2), (6, 1)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex128])
def test_rows_of_all_shapes(shape, dtype):
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    program = capture(chain, x)
    assert len(blocks_in(program)) == 1
    for array in (x, x + 1):
        same(program(array), chain(array))


def over_what_it_views(x):
    a = np.exp(x)
    return (a + a.T) * x  # the sum must not be written over a, row by row


def over_what_was_viewed(x):
    a = np.exp(x)
    b = np.sin(a.T)  # reads columns; so the rows are not free yet
    c = np.cos(x) * 2.0
    return b * c + (np.tan(c) - b)


@pytest.mark.parametrize("f", [over_what_it_views, over_what_was_viewed])
def test_a_view_of_what_is_written_over(f):
    program = capture(f, np.ones((4, 4)))
    assert blocks_in(program)
    x = np.random.default_rng(0).normal(size=(4, 4))
    same(program(x), f(x))


def test_an_axis_that_is_too_short_is_not_cut():
    assert not blocks_in(capture(chain, np.ones((1, 6))))
    assert not blocks_in(capture(chain, np.ones((2, 6))))
    assert not blocks_in(capture(chain, np.ones((6, 0))))


@pytest.mark.parametrize("other", [(4,), (1, 4), (9, 1), (9, 4), (1, 1), ()])
def test_operands_that_are_broadcast(other):
    def f(x, z):
        b = np.sin(z)  # in a buffer, which is free after its last use, and needed for all rows
        return np.sqrt((x + b) ** 2 + x * z) - 1.0

    rng = np.random.default_rng(0)
    x, z = rng.uniform(1, 2, (9, 4)), np.asarray(rng.uniform(1, 2, other))
    program = capture(f, x, z)
    assert blocks_in(program)
    same(program(x, z), f(x, z))
    z = np.asarray(z * 0.5)
    same(program(x + 1, z), f(x + 1, z))


@of_each("name", ELEMENTWISE)
def test_every_ufunc_and_its_derivative(name):
    for call in calls(ENTRIES[name]):
        function = pulled(lambda *arrays, call=call: call(*arrays))
        arrays = call.arrays(np.random.default_rng(1))
        same(capture(function, *arrays)(*arrays), function(*arrays))


def train(optimizer, views):
    """A step on a net; ``views``: two of its parameters are one array."""
    weight = np.random.default_rng(0).normal(size=(12, 4))
    w, v = Tensor(weight), Tensor(weight[::-1] if views == "reversed" else weight[2:8] if views else weight.copy())
    optimizer = optimizer([w, v])

    def step(x):
        loss = np.mean((x @ w) ** 2) + np.sum(np.sin(v) * v)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.data, w.grad

    return step, lambda: (w.data, v.data, optimizer.state_dict()["state"])


@pytest.mark.parametrize("views", ["", "reversed", "shifted"])
@pytest.mark.parametrize(
    "make", [lambda p: nn.optim.SGD(p, lr=0.1), lambda p: nn.optim.Adam(p, lr=0.1, weight_decay=0.1)]
)
def test_parameters_written_in_place(make, views):
    step, state = train(make, views)
    twin, expected = train(make, views)
    step = jit(step)
    for seed in range(6):
        x = np.random.default_rng(seed).normal(size=(3, 12))
        same(step(x), twin(x))
        same([state()], [expected()])
    assert "instructions, 4 calls" in step.explain()


def test_parameters_that_come_to_share_memory():
    arrays = [np.ones((12, 4)), np.ones((12, 4))]
    w, v = map(Tensor, arrays)

    def step():
        w.data -= v.data
        w.data *= 0.5
        v.data += 2.0

    program = capture(step)
    assert blocks_in(program)
    program()
    assert w.data[0, 0] == -1.5
    base = np.arange(52.0).reshape(13, 4)
    w._value, v._value = base[1:], base[:-1]
    twin = base.copy()
    program()
    twin[1:] -= twin[:-1]
    twin[1:] *= 0.5
    twin[:-1] += 2.0
    same([base], [twin])


def test_what_is_used_in_a_block_alone_takes_room_for_a_few_rows():
    program = capture(lambda x: np.exp(np.sin(np.cos(x * 2.0) + 1.0) - 3.0), np.ones(100, np.float32))
    assert program.memory == (4 * 100 + 4 * blocks.CHUNK, 6 * 4 * 100)


def test_errors_of_floating_point_come_once_for_all_rows():
    program = capture(lambda x: np.log(x) + 1.0, np.ones(20))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
        program(np.r_[np.ones(19), 0.0])
    assert ad.grad(lambda x: np.sum(np.log(x)))(np.ones(2)).tolist() == [1.0, 1.0]
