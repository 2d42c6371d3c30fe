"""What was written in place between forward and backward is noticed, and what may be written is."""

from __future__ import annotations

import gc
import re
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import nn
from autodiff import GraphError, Tensor, checkpoint, grad, jacobian, jvp, no_grad, vjp, vmap, writes
from autodiff.testing import detect_anomaly
from nn.optimizer import Optimizer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "mutation.md"
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
            return y if transform is jacobian else np.sum(y)

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


def increment(t, m):
    m += 1.0


def refill(t, m):
    m[...] = np.random.default_rng(1).uniform(1.0, 2.0, m.shape)


def copy_to(t, m):
    np.copyto(m, 3.0)


def one_element(t, m):
    m[1, 3] = 9.0


WHOLE = {f.__name__: f for f in (increment, refill, copy_to)}


def outcome(save, write, layout, size):
    """ "right", "found" or "missed"."""
    m = array_of(layout, SIZES[size])
    right = save(m.copy(), lambda: None)
    t = Tensor(m)
    try:
        gradient = save(m, lambda: write(t, m))
    except GraphError as error:
        return "found" if re.search("changed in place|something else the second time", str(error)) else "refused"
    return "right" if np.allclose(gradient, right, rtol=1e-12, atol=0.0) else "missed"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("save", SAVED)
def test_whatever_is_written_through_us_is_found(save, size):
    for name, write in DOORS.items():
        for layout in LAYOUTS:
            assert outcome(SAVED[save], write, layout, size) in ("found", "right"), (name, layout)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("save", SAVED)
def test_so_is_what_the_user_fills_anew(save, size):
    for name, write in WHOLE.items():
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


def positions(index, write):
    p = Tensor(np.arange(8.0))
    return backward_of(np.sum(p[index] ** 2), p, write)


def labels(index, write):
    from autodiff import softmax_cross_entropy

    p = Tensor(np.ones((len(index), 8)))
    return backward_of(np.mean(softmax_cross_entropy(p, index)), p, write)


def taken(index, write):
    p = Tensor(np.arange(8.0))
    return backward_of(np.sum(np.take(p, index) ** 2), p, write)


def mixed_positions(index, write):
    p = Tensor(np.ones((8, 3)))
    return backward_of(np.sum(p[index, 1:] ** 2), p, write)


@pytest.mark.parametrize("length", [5, 3000])
@pytest.mark.parametrize("save", [positions, labels, taken, mixed_positions])
def test_positions_and_labels_are_watched(save, length):
    index = np.arange(length) % 7
    with pytest.raises(GraphError, match="changed in place"):
        save(index, lambda: np.add(index, 1, out=index))


def test_truth_values_are_watched():
    p, mask = Tensor(np.ones(4)), np.array([True, False, True, False])
    y = np.sum(p[mask] * 2.0) + np.sum(np.where(mask, p, 0.0))
    mask[...] = ~mask
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize("save", SAVED)
def test_what_is_not_written_is_not_found(save):
    for layout in LAYOUTS:
        m = array_of(layout, SIZES["large"])
        other, t = np.ones(SIZES["large"]), Tensor(np.ones(SIZES["large"]))

        def elsewhere():
            other.fill(2.0)  # noqa: B023
            t.data -= 1.0  # noqa: B023
            Tensor(m).data.sum()  # noqa: B023

        SAVED[save](m, elsewhere)


def test_interleaved_columns_are_different_memory():
    both = np.ones((6, 2))
    a, b = Tensor(both[:, 0]), Tensor(both[:, 1])
    y = np.sum(a * a)
    b.data -= 1.0
    y.backward()
    assert a.grad.tolist() == [2.0] * 6


def test_what_no_wanted_rule_saved_may_be_written():
    w, m = Tensor(np.ones(3)), np.ones(3)
    _, pull = vjp(lambda p: np.sum(p * w), m)
    m += 1.0  # only the rule of w asks for it
    assert np.array_equal(numbers(pull(1.0)[0]), np.ones(3))


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
        "your own array, filled again as a whole": refill,
        "your own array, some elements": one_element,
        "`t.data = new`": assigned,
    }
    rows = dict(re.findall(r"^\| (.*?) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    for way, write in ways.items():
        plain = [outcome(constant, write, "in order", size) for size in SIZES]
        with detect_anomaly():
            looked_at = outcome(constant, write, "in order", "large")
        assert rows[way] == " | ".join([*plain, looked_at])


# -- what watching holds ------------------------------------------------------------------------------------------


def test_nothing_grows_while_arrays_are_replaced():
    gc.collect()
    for _ in range(5000):
        w = Tensor(np.ones(3))
        w.data -= 1.0
        view = Tensor(np.ones((3, 2))[1:])
        view.data -= 1.0
    assert len(writes._places) + len(writes._outlived) < 5000


def test_a_view_that_is_gone_still_counts_while_its_memory_lives():
    m = np.ones(5)
    p = Tensor(np.ones(5))
    y = np.sum(p * m)
    for _ in range(100):  # others take the identities of those that are gone
        Tensor(m[:3]).data = m[:3]
        view = Tensor(m[:3])
        view.data -= 1.0
        del view
        other = [Tensor(np.ones(2)) for _ in range(20)]
        for t in other:
            t.data -= 1.0
    with pytest.raises(GraphError, match="through a variable"):
        y.backward()


def test_an_identity_that_is_used_again_is_another_array():
    for _ in range(200):
        w = Tensor(np.ones(3))
        w.data -= 0.5
        w = Tensor(np.ones(3))
        y = np.sum(w * w)
        w = None
        gone = Tensor(np.ones(3))
        gone.data -= 0.5
        y.backward()


def test_no_print_outlives_its_graph():
    w = Tensor(np.ones((50, 50)))
    for _ in range(3):
        y = np.sum(w * w * np.ones((50, 50)))
        assert writes.sampled
        y.backward()
        assert not writes.sampled
    y = np.sum(w * w)
    del y
    assert not writes.sampled


def test_many_parameters_are_looked_up_in_no_time():
    # a write after each operation, so that every backward pass has to look closely
    many = [Tensor(np.ones(2)) for _ in range(2000)]
    memory = np.ones((2000, 2))
    many += [Tensor(row) for row in memory]
    looked = 0
    original = writes._Place.is_in

    def counted(self, array):
        nonlocal looked
        looked += 1
        return original(self, array)

    y = np.sum(np.stack(many) ** 2)
    free = [Tensor(np.ones(2)) for _ in range(2000)]
    for t in free:
        t.data -= 1.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writes._Place, "is_in", counted)
        y.backward()
    assert looked < 100
    for t in many:
        t.data -= 1.0


def test_writes_in_many_threads_are_all_known():
    variables = [Tensor(np.ones(3)) for _ in range(40)]
    graphs = [np.sum(v * v) for v in variables]

    def write(v):
        for _ in range(200):
            v.data -= 0.0

    threads = [threading.Thread(target=write, args=(v,)) for v in variables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writes.latest() == max(place.time for place in writes._places.values())
    for y in graphs:
        with pytest.raises(GraphError, match="through a variable"):
            y.backward()


@pytest.mark.parametrize("m", [np.ones((0, 3)), np.array(2.0), np.broadcast_to(np.ones(3), (10**6, 3))])
def test_empty_single_and_repeated_elements(m):
    p = Tensor(np.ones(m.shape))
    y = np.sum(p * m)
    assert backward_of(y, p, lambda: Tensor(np.ones(3)).data).shape == m.shape


# -- what may be written ------------------------------------------------------------------------------------------


def test_a_new_array_instead_leaves_the_graph_right():
    w = Tensor(np.ones(3))
    y = np.sum(w * w)
    w.data = w.data - 0.5
    y.backward()
    assert w.grad.tolist() == [2.0] * 3


def test_an_update_after_backward_is_what_training_does():
    w = Tensor(np.ones(3))
    for _ in range(3):
        w.grad = None
        np.sum(w * w).backward()
        w.data -= 0.25 * w.grad
    np.testing.assert_allclose(w.data, 0.125)


def test_a_gradient_that_is_scaled_in_place_is_found_where_it_was_saved():
    w, p = Tensor(np.ones((40, 40))), Tensor(np.ones((40, 40)))
    np.sum(w * w).backward()
    y = np.sum(p * w.grad)
    w.grad *= 0.5
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_results_cannot_be_written_into():
    y = Tensor(np.ones(3)) * 2.0
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5.0
    with pytest.raises(GraphError, match="only a variable"):
        y.data = np.zeros(3)


def test_looking_at_a_result_leaves_its_variable_writeable():
    w = Tensor(np.ones(3))
    assert np.real(w).data.tolist() == [1.0] * 3
    w.data -= 1.0
    assert w.data.tolist() == [0.0] * 3


def test_a_scalar_variable_is_updated_in_every_way_of_writing_it():
    w = Tensor(1.0)
    w.data -= 0.25
    w.data[...] = w.data * 2
    assert (w * 1.0).item() == 1.5
    np.multiply(w.data, 2.0, out=w.data)
    assert w.item() == 3.0
    c = np.array(2.0)
    y = w * c
    c[...] = 5.0
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()
