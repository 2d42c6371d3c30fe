import numpy as np
import pytest

from autodiff import Tensor
from nn.metrics import accuracy, confusion_matrix, decide, f1, precision, recall

SCORES = np.array([0.9, 0.8, 0.4, 0.3, 0.6, 0.1])
LABELS = np.array([1, 0, 1, 0, 1, 0])
PREDICTED = np.array([0, 2, 1, 1, 2, 0, 3])
TRUE = np.array([0, 2, 2, 1, 2, 1, 0])


def test_decisions():
    assert decide(SCORES).tolist() == [1, 1, 0, 0, 1, 0]
    assert decide(SCORES, threshold=0.35).tolist() == [1, 1, 1, 0, 1, 0]
    assert decide(SCORES[:, None], threshold=0.9).tolist() == [1, 0, 0, 0, 0, 0]
    assert decide(np.array([[0.1, 0.7, 0.2], [3.0, -1.0, 2.0]])).tolist() == [1, 0]
    assert decide(PREDICTED).tolist() == PREDICTED.tolist()
    assert decide(np.array([True, False])).tolist() == [1, 0]
    assert decide(Tensor(SCORES)).tolist() == decide(SCORES).tolist()


def test_accuracy():
    assert accuracy(SCORES, LABELS) == 4 / 6
    assert accuracy(SCORES, LABELS, threshold=0.35) == 5 / 6
    assert accuracy(PREDICTED, TRUE) == 4 / 7
    assert accuracy(np.eye(4)[PREDICTED], TRUE) == 4 / 7
    assert accuracy(SCORES[:, None], LABELS[:, None].astype(float)) == 4 / 6
    assert type(accuracy(SCORES, LABELS)) is float


def test_confusion_matrix():
    expected = np.zeros((4, 4), dtype=int)
    for t, p in zip(TRUE, PREDICTED, strict=True):
        expected[t, p] += 1
    assert np.array_equal(confusion_matrix(PREDICTED, TRUE), expected)
    assert confusion_matrix(PREDICTED, TRUE, classes=5).shape == (5, 5)
    assert confusion_matrix(np.eye(6)[PREDICTED], TRUE).shape == (6, 6)
    assert confusion_matrix(np.zeros(2, int), np.zeros(2, int)).tolist() == [[2, 0], [0, 0]]


def test_binary_rates_move_with_the_threshold():
    for threshold, expected in ((0.5, (2 / 3, 2 / 3)), (0.35, (3 / 4, 1.0)), (0.9, (1.0, 1 / 3))):
        found = precision(SCORES, LABELS, threshold=threshold), recall(SCORES, LABELS, threshold=threshold)
        assert found == expected
    assert f1(SCORES, LABELS, threshold=0.9) == pytest.approx(2 * 1.0 * (1 / 3) / (4 / 3))


@pytest.mark.parametrize("rate", [precision, recall, f1])
def test_averages_over_classes(rate):
    def one(k):
        found, there = PREDICTED.tolist().count(k), TRUE.tolist().count(k)
        hits = list(zip(PREDICTED.tolist(), TRUE.tolist(), strict=True)).count((k, k))
        ratios = {"precision": (hits, found), "recall": (hits, there), "f1": (2 * hits, found + there)}
        above, below = ratios[rate.__name__]
        return above / below if below else 0.0

    each = np.array([one(k) for k in range(4)])
    frequency = np.bincount(TRUE, minlength=4) / len(TRUE)
    np.testing.assert_allclose(rate(PREDICTED, TRUE, average=None), each)
    assert rate(PREDICTED, TRUE, average="macro") == pytest.approx(each.mean())
    assert rate(PREDICTED, TRUE, average="weighted") == pytest.approx(each @ frequency)
    assert rate(PREDICTED, TRUE, average="micro") == pytest.approx(4 / 7)
    with pytest.raises(ValueError, match=f"{rate.__name__}: there are 4 classes; choose average='macro'"):
        rate(PREDICTED, TRUE)
    with pytest.raises(ValueError, match="average is 'mean'"):
        rate(PREDICTED, TRUE, average="mean")


def test_nothing_below_the_line():
    none = np.zeros(3)
    assert precision(none, np.array([1, 0, 1])) == 0.0
    assert precision(none, np.array([1, 0, 1]), zero_division=1.0) == 1.0
    assert recall(np.ones(2), np.array([0, 0])) == 0.0
    assert np.isnan(f1(none, np.zeros(3, int), zero_division=np.nan))
    # class 1 neither occurs nor was predicted, so the mean is over 0 and 2
    assert precision(np.array([0, 2]), np.array([0, 2]), average="macro") == 1.0


def test_wrong_input():
    with pytest.raises(ValueError, match=r"there are predictions for 6 examples, the target has shape \(5,\)"):
        accuracy(SCORES, LABELS[:5])
    with pytest.raises(ValueError, match="accuracy: there are no examples"):
        accuracy(np.zeros(0), np.zeros(0, int))
    with pytest.raises(TypeError, match="accuracy: the target is float64 with fractions"):
        accuracy(SCORES, SCORES)
    with pytest.raises(TypeError, match="recall: the target is <U1"):
        recall(SCORES[:2], np.array(["a", "b"]))
    with pytest.raises(ValueError, match="decide: a score is NaN"):
        decide(np.array([np.nan]))
    with pytest.raises(ValueError, match=r"predictions have shape \(2, 2, 2\)"):
        decide(np.zeros((2, 2, 2)))
    with pytest.raises(TypeError, match=r"predictions are int64 of shape \(2, 2\)"):
        decide(np.zeros((2, 2), int))
    with pytest.raises(ValueError, match="labels reach from 0 to 3; with 2 classes they must lie in 0 to 1"):
        confusion_matrix(PREDICTED, TRUE, classes=2)
    with pytest.raises(ValueError, match="labels reach from -2"):
        confusion_matrix(PREDICTED, -TRUE)


def test_logits_need_a_threshold():
    with pytest.raises(ValueError, match="threshold=0.0 for logits"):
        accuracy(np.array([-2.0, 3.0]), np.array([0, 1]))
    assert accuracy(np.array([-2.0, 0.1]), np.array([0, 1]), threshold=0.0) == 1.0


def test_nan_decides_nothing():
    with pytest.raises(ValueError, match="decide: threshold is nan; it must be a number"):
        accuracy(np.array([0.2, 0.8]), np.array([0, 1]), threshold=float("nan"))
    with pytest.raises(TypeError, match="accuracy: the target is float64 with fractions"):
        accuracy(np.array([0, 1]), np.array([np.nan, 1.0]))
