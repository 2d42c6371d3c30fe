"""ctc_loss: the sum over all ways to say the labels, as PyTorch has it, to any order, and safe where there is none."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import nn
from autodiff import Tensor, grad, hvp, jit
from autodiff.testing import assert_gradcheck
from tests.nn.references.ctc import CTC, case

with np.load(Path(__file__).parent.parent / "references" / "ctc.npz") as file:
    PYTORCH = {name: file[name] for name in file.files}


def loss_of(case, logits, **more):
    given = case.targets, case.input_lengths, case.target_lengths
    return nn.ctc_loss(nn.log_softmax(logits, -1), *given, **case.options | more)


@pytest.mark.parametrize("name", CTC)
def test_losses_and_gradients_are_those_of_pytorch(name):
    logits = Tensor(CTC[name].logits())
    loss = loss_of(CTC[name], logits)
    np.sum(loss).backward()
    np.testing.assert_allclose(np.asarray(loss.data), PYTORCH[f"{name}/loss"], rtol=1e-12)
    np.testing.assert_allclose(logits.grad, PYTORCH[f"{name}/gradient"], rtol=1e-9, atol=1e-13)


def by_enumeration(log_probs, labels, blank):
    """The same for one example, from every single way."""
    times, classes = log_probs.shape
    total = 0.0
    for way in itertools.product(range(classes), repeat=times):
        if [k for k, _ in itertools.groupby(way) if k != blank] == list(labels):
            total = total + np.exp(np.sum(log_probs[np.arange(times), list(way)]))
    return -np.log(total)


@pytest.mark.parametrize(("labels", "blank"), [([1, 2], 0), ([1, 1], 0), ([], 0), ([0, 2, 0], 1)])
def test_every_way_is_counted_once_to_the_second_derivative(labels, blank):
    x = case((4, 3), labels, 4, 0).logits()
    v = np.sin(np.arange(12.0)).reshape(4, 3)

    def one(x):
        return nn.ctc_loss(x, np.array(labels, int), 4, len(labels), blank=blank, reduction="sum")

    def two(x):
        return by_enumeration(x, labels, blank)

    assert one(x) == pytest.approx(two(x), rel=1e-12)
    np.testing.assert_allclose(grad(one)(x), grad(two)(x), rtol=1e-9)
    np.testing.assert_allclose(hvp(one, (x,), (v,))[0], hvp(two, (x,), (v,))[0], rtol=1e-9, atol=1e-12)


def test_slopes_and_second_slopes_are_those_of_differences():
    assert_gradcheck(lambda x: loss_of(CTC["padded"], x), CTC["padded"].logits(), order=2)


def test_where_the_input_is_too_short_the_loss_is_infinite_and_its_gradient_zero():
    for zero, expected in ((False, np.inf), (True, 0.0)):
        logits = Tensor(CTC["too short"].logits())
        loss = loss_of(CTC["too short"], logits, zero_infinity=zero, reduction="none")
        np.sum(loss).backward()
        assert loss.data[:2].tolist() == [expected] * 2
        assert np.isfinite(loss.data[2])
        assert not np.any(logits.grad[:, :2])
        assert np.all(np.isfinite(logits.grad))


def test_a_probability_of_zero_closes_its_ways_and_nan_stays_nan():
    logits = CTC["padded"].logits()
    logits[2, 0, 1] = -np.inf
    x = Tensor(logits)
    loss = loss_of(CTC["padded"], x)
    loss.backward()
    assert np.isfinite(loss.data)
    assert np.all(np.isfinite(x.grad))
    logits[2, 0, 2] = np.nan
    assert np.isnan(loss_of(CTC["padded"], logits))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_dtype_is_kept(dtype):
    x = Tensor(CTC["repeated"].logits().astype(dtype))
    loss = loss_of(CTC["repeated"], x, reduction="mean")
    loss.backward()
    assert loss.dtype == x.grad.dtype == dtype
    expected = loss_of(CTC["repeated"], CTC["repeated"].logits(), reduction="mean")
    assert float(loss.data) == pytest.approx(float(expected), rel=100 * float(np.finfo(dtype).eps))


def test_recorded_with_labels_and_lengths_that_change():
    def step(x, targets, inputs, counts):
        x = Tensor(x)
        loss = nn.CTCLoss()(nn.log_softmax(x, -1), targets, inputs, counts)
        loss.backward()
        return loss.data, x.grad

    x = CTC["padded"].logits().astype(np.float32)
    recorded = jit(step)
    for targets, inputs, counts in (
        ([[1, 2], [3, 3], [4, 0]], [6, 6, 6], [2, 2, 1]), ([[4, 1], [1, 2], [2, 2]], [6, 6, 6], [1, 2, 2]),
        ([[4, 1], [1, 2], [2, 2]], [6, 3, 4], [1, 2, 2]), ([[2, 1], [2, 2], [1, 2]], [6, 5, 6], [2, 2, 2]),
    ):  # fmt: skip
        given = x, np.array(targets), np.array(inputs), np.array(counts)
        assert all(np.array_equal(a, b) for a, b in zip(recorded(*given), step(*given), strict=True))


def test_an_empty_batch_and_no_times():
    assert nn.ctc_loss(np.zeros((3, 0, 2)), np.zeros((0, 1), int), [], np.zeros(0, int), reduction="sum") == 0
    given = np.zeros((2, 1), int) + 1, np.zeros(2, int), np.array([0, 1])
    assert nn.ctc_loss(np.zeros((0, 2, 2)), *given, reduction="none").tolist() == [0, np.inf]


X, Y, N, M = np.zeros((4, 2, 3)), np.array([[1, 2], [2, 0]]), np.array([4, 4]), np.array([2, 1])


@pytest.mark.parametrize(
    ("given", "options", "error", "words"),
    [
        ((np.zeros((4, 2, 3), int), Y, N, M), {}, ValueError, "floating-point of shape (T, n, classes)"),
        ((np.zeros(4), Y, N, M), {}, ValueError, "shape (4,)"),
        (([[0.0]], Y, N, M), {}, TypeError, "must be an array"),
        ((X, Y, N, M), {"blank": 3}, IndexError, "there are 3 classes"),
        ((X, Y, N, M), {"blank": 0.5}, ValueError, "blank is 0.5; it must be an integer"),
        ((X, Y, N, M), {"reduction": "men"}, ValueError, "'men'"),
        ((X, Y, np.array([4, 5]), M), {}, ValueError, "input_lengths reach from 4 to 5"),
        ((X, Y, np.array([4, -1]), M), {}, ValueError, "from 0 to 4, the number of times"),
        ((X, Y, N, np.array([-2, 1])), {}, ValueError, "target_lengths reach from -2 to 1"),
        ((X, Y, N, np.array([2])), {}, ValueError, "give 2 integers, (2,)"),
        ((X, Y, N, np.array([2.0, 1.0])), {}, ValueError, "target_lengths are float64"),
        ((X, Y, N, np.array([3, 1])), {}, ValueError, "(2, 3), or one after the other (4,)"),
        ((X, np.array([1, 2]), N, M), {}, ValueError, "targets have shape (2,)"),
        ((X, Y * 1.0, N, M), {}, TypeError, "array of integers"),
        ((X, Tensor(Y * 1.0), N, M), {}, TypeError, "array of integers"),
        ((X, np.array([[1, 3], [2, 0]]), N, M), {}, IndexError, "0 to 2"),
        ((X, np.array([[1, 0], [2, 0]]), N, M), {}, ValueError, "holds 0, the blank"),
        ((X[:, :0], Y[:0], N[:0], M[:0]), {}, ValueError, "the batch is empty"),
    ],
)
def test_wrong_input_is_refused(given, options, error, words):
    with pytest.raises(error) as raised:
        nn.ctc_loss(*given, **options)
    assert words in str(raised.value)
    assert str(raised.value).startswith("ctc_loss: ")
