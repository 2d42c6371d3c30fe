"""Areas under ROC curves, and the best k; expected values are those of scikit-learn 1.9, or a count of pairs."""

import numpy as np
import pytest

from autodiff import Tensor
from nn.metrics import auc, top_k

SCORES = np.array([0.25, 0.5, 0.5, 0.75, 0.5, 0.25, 0.0])
LABELS = np.array([0, 1, 0, 1, 1, 1, 0])
WEIGHTS = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0])


def pairs(scores, labels, weights):
    above = total = 0.0
    for s, w in zip(scores[labels == 1], weights[labels == 1], strict=True):
        for t, v in zip(scores[labels == 0], weights[labels == 0], strict=True):
            above += w * v * ((s > t) + (s == t) / 2)
            total += w * v
    return above / total


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_area_is_a_count_of_pairs(weights):
    expected = pairs(SCORES, LABELS, np.ones(7) if weights is None else weights)
    assert auc(SCORES, LABELS, weights=weights) == pytest.approx(expected, rel=1e-14)
    for given in (SCORES[:, None], np.exp(SCORES), Tensor(SCORES * 4 - 100), SCORES.astype(np.float16)):
        assert auc(given, LABELS, weights=weights) == pytest.approx(expected, rel=1e-14)
    assert auc(-SCORES, LABELS[:, None].astype(float), weights=weights) == pytest.approx(1 - expected, rel=1e-14)


def test_known_areas():
    assert auc(SCORES, LABELS) == pytest.approx(9.5 / 12, rel=1e-15)  # roc_auc_score
    assert auc(np.array([0.2, 0.8]), np.array([0, 1])) == 1.0
    assert auc(np.zeros(4), np.array([0, 1, 1, 0])) == 0.5
    assert np.isnan(auc(np.array([0.2, 0.8]), np.array([1, 1])))
    assert np.isnan(auc(np.eye(3), np.array([0, 1, 1])))


def test_scores_of_two_classes_are_probabilities_or_logits():
    small = np.array([1e-20, 1e-18, 1e-19])  # 1 - p cannot tell them apart
    assert auc(np.stack([1 - small, small], axis=1), np.array([0, 1, 0])) == 1.0
    logits = np.array([[5.0, 4.0], [0.0, 1.0]])  # the second is more of class 1, though its logit is smaller
    assert auc(logits, np.array([0, 1])) == 1.0


def test_several_classes_each_against_the_rest():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(30, 4)), np.arange(30) % 4
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.mean([pairs(p[:, k], (labels == k).astype(int), np.ones(30)) for k in range(4)])
    assert auc(logits, labels) == pytest.approx(expected, rel=1e-12)
    assert auc(p, labels) == pytest.approx(expected, rel=1e-12)


def test_the_best_k_with_ties():
    scores = np.array([[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]])
    labels = np.array([0, 1, 2, 2])
    assert [top_k(scores, labels, k) for k in (1, 2, 3)] == [0.5, 0.75, 1.0]  # the example of scikit-learn
    ties = np.zeros((3, 3))
    assert [top_k(ties, np.arange(3), k) for k in (1, 2)] == [1 / 3, 2 / 3]
    assert top_k(ties[:1], np.array([2]), 1) == 1.0
    assert top_k(ties, np.arange(3), 1, weights=np.array([1.0, 1.0, 2.0])) == 0.5


@pytest.mark.parametrize(
    ("metric", "scores", "labels", "error", "message"),
    [
        (auc, SCORES, LABELS[:3], ValueError, r"auc: the predictions have shape \(7,\) and the target \(3,\)"),
        (auc, SCORES, LABELS + 1, ValueError, "auc: labels reach to 2, but there is one score an example"),
        (auc, SCORES, LABELS - 1, ValueError, "labels reach from -1 to 0"),
        (auc, SCORES, LABELS + 0.5, TypeError, "auc: the target is float64 with fractions"),
        (auc, SCORES * np.nan, LABELS, ValueError, "a score is NaN"),
        (auc, SCORES[:0], LABELS[:0], ValueError, "there are no examples"),
        (auc, 1.0, 1, ValueError, r"have shape \(\)"),
        (auc, LABELS.astype(str), LABELS, TypeError, "scores are <U21"),
        (top_k, SCORES, LABELS, ValueError, "top_k: there is one score an example"),
        (top_k, np.eye(3), np.arange(3), ValueError, "top_k: k is 5, and there are 3 classes"),
        (top_k, np.eye(3), np.array([0, 1, 3]), ValueError, "labels reach from 0 to 3; there are scores of 3 classes"),
    ],
)
def test_wrong_scores(metric, scores, labels, error, message):
    with pytest.raises(error, match=message):
        metric(scores, labels)
