"""How writes are noticed: what is watched, what that holds, and what may be written."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

from autodiff import GraphError, Tensor, mark_written, softmax_cross_entropy, vjp, writes


def backward_of(result, variable, write):
    write()
    result.backward()
    return variable.grad


def positions(index, write):
    p = Tensor(np.arange(8.0))
    return backward_of(np.sum(p[index] ** 2), p, write)


def labels(index, write):
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


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_what_is_said_to_be_written_is_known(dtype):
    p, array = Tensor(np.ones(40_000)), np.zeros(40_000, dtype)
    loss, other = np.sum(np.where(array, p, p * 2.0) * array), np.sum(p * np.ones(40_000, dtype))
    array[::2][-3] = 1  # no sample has it
    mark_written(array[::2])  # a view of it
    other.backward()
    with pytest.raises(GraphError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("wrong", [1.0, [1.0], Tensor(1.0), np.float64(1.0)], ids=lambda wrong: type(wrong).__name__)
def test_only_an_array_can_be_said_to_be_written(wrong):
    with pytest.raises(TypeError, match="mark_written: got a .*pass the array that was written"):
        mark_written(wrong)


# -- what watching holds ------------------------------------------------------------------------------------------


def test_nothing_grows_while_arrays_are_replaced():
    gc.collect()
    before = len(writes._places) + len(writes._outlived)  # of other tests
    for _ in range(5000):
        w = Tensor(np.ones(3))
        w.data -= 1.0
        view = Tensor(np.ones((3, 2))[1:])
        view.data -= 1.0
    assert len(writes._places) + len(writes._outlived) - before < 5000


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
        v = Tensor(np.ones(3))
        y = np.sum(w * w * v)
        w = None
        gone = Tensor(np.ones(3))
        gone.data -= 0.5
        y.backward()
        assert v.grad.tolist() == [1.0, 1.0, 1.0]


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
    assert np.array_equal(pull(1.0)[0].data, np.ones(3))


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


def test_places_are_marked_as_long_as_the_arrays_live():
    arrays = [np.ones(3), np.ones((2, 2))[1]]
    places = writes.places_of(arrays)
    assert all(place.array() is array for place, array in zip(places, arrays, strict=True))
    w = Tensor(arrays[0])
    y = np.sum(w * w)
    writes.mark(places)
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()
