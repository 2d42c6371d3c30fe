"""What was written in place between forward and backward is noticed, and what may be written is."""

from __future__ import annotations

import functools
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest

import nn
from autodiff import GraphError, Tensor, checkpoint, grad, jacobian, jvp, no_grad, vjp, vmap
from autodiff.testing import detect_anomaly
from nn.training.optimizer import Optimizer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mutation.md"
SIZES = {"small": (4, 5), "large": (60, 70)}

# -- arrays: how they lie in memory ------------------------------------------------------------------------------


def mapped(shape):
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=float, mode="w+", shape=shape)


LAYOUTS = {
    "in order": np.empty,
    "transposed": lambda shape: np.empty(shape[::-1]).T,
    "sliced": lambda shape: np.empty((2 * shape[0], 3 * shape[1]))[::2, 1::3],
    "mapped from a file": mapped,
    "of a bytearray": lambda shape: np.frombuffer(bytearray(8 * shape[0] * shape[1])).reshape(shape),
}


def array_of(layout, shape):
    array = LAYOUTS[layout](shape)
    array[...] = np.random.default_rng(0).uniform(1.0, 2.0, shape)
    return array


# -- what saves an array: each calls ``write`` between the forward and the backward pass ---------------------------


def numbers(result):
    return result.data if isinstance(result, Tensor) else np.asarray(result)


def backward_of(result, variable, write, **options):
    write()
    result.backward(**options)
    return variable.grad


def constant(m, write):
    p = Tensor(np.ones(m.shape))
    return backward_of(np.sum(p * m), p, write)


def variable(m, write):
    w = Tensor(m)
    return backward_of(np.sum(w * w), w, write)


def unary(m, write):
    w = Tensor(m)
    return backward_of(np.sum(np.square(w)), w, write)


def two_saved(m, write):
    p = Tensor(np.ones(m.shape))
    return backward_of(np.sum(m**p), p, write)


def a_view(m, write):
    w = Tensor(m)
    return backward_of(np.sum(np.square(w.T[1:])), w, write)


def in_name_only(m, write):
    w = Tensor(m)
    return backward_of(np.sum(np.square(np.real(w))), w, write)


def vector_product(m, write):
    p = Tensor(np.ones(m.shape[1]))
    return backward_of(p @ m[1], p, write)


def operand(m, write):
    p = Tensor(np.ones(m.shape))
    return backward_of(np.einsum("ij,ij->", p, m), p, write)


def condition(m, write):
    p, mask = Tensor(np.ones(m.shape)), m[::2]
    return backward_of(np.sum(np.where(mask > 1.5, p[::2] * mask, 0.0)), p, write)


def data_of(m, write):
    p, w = Tensor(np.ones(m.shape)), Tensor(m)
    return backward_of(np.sum(p * w.data), p, write)


def unrecorded_view(m, write):
    p, w = Tensor(np.ones(m.shape)), Tensor(m)
    with no_grad():
        view = w[:, :]
    return backward_of(np.sum(p * view), p, write)


def checkpointed(m, write):
    w = Tensor(m)
    return backward_of(np.sum(checkpoint(lambda v: v * v * m)(w)), w, write)


def second_pass(m, write):
    w = Tensor(m)
    y = np.sum(w * w)
    y.backward(retain_graph=True)
    w.grad = None
    return backward_of(y, w, write)


def second_order(m, write):
    w = Tensor(m)
    return numbers(backward_of(np.sum(w * w * w), w, write, create_graph=True))


def pulled(m, write):
    w = Tensor(m)
    _, pull = vjp(lambda p: np.sum(p * w), np.ones(m.shape))
    write()
    return numbers(pull(1.0)[0])


def pulled_variable(m, write):
    _, pull = vjp(lambda p: np.sum(p * p), Tensor(m))
    write()
    return numbers(pull(1.0)[0])


def of_many(m, write):
    _, pull = vjp(lambda p: np.sum(vmap(lambda row: row * p)(m)), np.ones(m.shape[1]))
    write()
    return pull(1.0)[0]


def inside(transform):
    def run(m, write):
        def f(p):
            y = p * m
            write()
            if transform is jacobian:
                return y if y.size < 100 else y[1::20]  # the whole of a large one would have millions of elements
            return np.sum(y)

        p = np.ones(m.shape)
        return np.array(jvp(f, (p,), (p,))[1] if transform is jvp else transform(f)(p))

    return run


SAVED = {
    f.__name__: f
    for f in (constant, variable, unary, two_saved, a_view, in_name_only, vector_product, operand, condition, data_of,
              unrecorded_view, checkpointed, second_pass, second_order, pulled, pulled_variable, of_many)
} | {"inside grad": inside(grad), "inside jvp": inside(jvp), "inside jacobian": inside(jacobian)}  # fmt: skip


# -- how it is written -------------------------------------------------------------------------------------------


def stepping(kind):
    def write(t, m):
        t.grad = np.ones(m.shape)
        kind([t], lr=0.1).step()

    return write


def subtract(t, m):
    t.data -= 1.0


def part_of_data(t, m):
    t.data[0, 0] = 5.0


def all_of_data(t, m):
    t.data[...] = 5.0


def out(t, m):
    np.subtract(t.data, 1.0, out=t.data)


def twice(t, m):
    t.data -= 1.0
    t.data = np.ones(m.shape)
    t.data -= 1.0


def assigned(t, m):
    t.data = t.data - 1.0


def reversed_in_place(t, m):
    t.data = t.data[::-1]
    t.data -= 1.0


def another(t, m):
    other = Tensor(m.T)
    other.data -= 1.0


def a_slice(t, m):
    other = Tensor(m[1:2])
    other.data *= 2.0


def view_without_history(t, m):
    with no_grad():
        view = t[1]
    view.data[1] = 7.0


def loaded(t, m):
    layer = nn.Linear(*m.shape, rng=0)
    layer.weight = t
    layer.load_state_dict({name: 2 * np.ones(np.shape(v)) for name, v in layer.state_dict().items()})


OPTIMIZERS = [c for c in vars(nn).values() if isinstance(c, type) and issubclass(c, Optimizer) and c is not Optimizer]
DOORS = {
    f.__name__: f
    for f in (subtract, part_of_data, all_of_data, out, twice, assigned, reversed_in_place, another, a_slice,
              view_without_history, loaded)
} | {c.__name__: stepping(c) for c in OPTIMIZERS}  # fmt: skip


def refill(t, m):
    m[...] = np.random.default_rng(1).uniform(1.0, 2.0, m.shape)


def one_element(t, m):
    m[1, 3] = 9.0


WHOLE = {"add": lambda t, m: np.add(m, 1.0, out=m), "refill": refill, "copyto": lambda t, m: np.copyto(m, 3.0)}


@functools.cache
def undisturbed(save, layout, size):
    return save(array_of(layout, SIZES[size]).copy(), lambda: None)


def outcome(save, write, layout, size):
    """ "right", "found" or "missed"."""
    m = array_of(layout, SIZES[size])
    right = undisturbed(save, layout, size)
    t = Tensor(m)
    try:
        gradient = save(m, lambda: write(t, m))
    except GraphError as error:
        return "found" if re.search("changed in place|something else the second time", str(error)) else "refused"
    return "right" if np.allclose(gradient, right, rtol=1e-12, atol=0.0) else "missed"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("save", SAVED)
@pytest.mark.parametrize("writes", [DOORS, WHOLE], ids=["through us", "by the user, the whole array"])
def test_what_is_written_is_found(writes, save, size):
    for name, write in writes.items():
        for layout in LAYOUTS:
            assert outcome(SAVED[save], write, layout, size) in ("found", "right"), (name, layout)


@pytest.mark.parametrize("save", SAVED)
def test_so_is_each_element_of_a_small_array(save):
    for layout in LAYOUTS:
        assert outcome(SAVED[save], one_element, layout, "small") in ("found", "right"), layout


@pytest.mark.parametrize("save", [constant, variable, unary, two_saved, operand, pulled])
def test_and_of_a_large_one_when_anomalies_are_looked_for(save):
    with detect_anomaly():
        assert outcome(save, one_element, "in order", "large") == "found"


@pytest.mark.parametrize("save", [constant, variable, pulled, of_many, second_order, SAVED["inside grad"]])
def test_the_writes_that_are_found_are_not_harmless(save):
    # without the watch the gradient would be wrong: the tests above could fail
    m = array_of("in order", SIZES["small"])
    changed = m + 1.0
    assert not np.array_equal(save(m, lambda: None), save(changed, lambda: None))


@pytest.mark.parametrize("save", SAVED)
def test_what_is_not_written_is_not_found(save):
    for layout in LAYOUTS:
        m = array_of(layout, SIZES["large"])
        other, t = np.ones(SIZES["large"]), Tensor(np.ones(SIZES["large"]))

        def elsewhere():
            other.fill(2.0)  # noqa: B023
            t.data -= 1.0  # noqa: B023
            Tensor(m).data.sum()  # noqa: B023

        assert np.array_equal(SAVED[save](m, elsewhere), SAVED[save](m, lambda: None))


# -- what the messages say ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (subtract, r"'multiply' saved an array of shape \(60, 70\).*through a variable .*t.data = t.data - step"),
        (part_of_data, r"'multiply' saved an array of shape \(60, 70\).*that t.data gave out"),
        (refill, r"'multiply' saved an array of shape \(60, 70\).*not through a variable.*pass a copy: array.copy\(\)"),
    ],
)
def test_the_message_says_what_was_written_how_and_what_to_do(write, says):
    for save in (constant, second_order):
        m = array_of("in order", SIZES["large"])
        with pytest.raises(GraphError, match=says):
            save(m, lambda: write(Tensor(m), m))  # noqa: B023


def test_the_page_says_what_is_found():
    ways = {
        "`t.data -= step`, `optimizer.step()`": subtract,
        "`t.data[i] = v`, `np.subtract(t.data, 1, out=t.data)`": part_of_data,
        "another Tensor, or a view, on the same memory": another,
        "your own array, all elements": refill,
        "your own array, some elements": one_element,
        "`t.data = new`": assigned,
    }
    rows = dict(re.findall(r"^\| (.*?) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    for way, write in ways.items():
        plain = [outcome(constant, write, "in order", size) for size in SIZES]
        with detect_anomaly():
            looked_at = outcome(constant, write, "in order", "large")
        assert rows[way] == " | ".join([*plain, looked_at])
