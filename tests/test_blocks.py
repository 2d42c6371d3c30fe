"""Tests in blocks: each member is tried, and what failed is named."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blocks import SEED, of_each


def blocks_of(test):
    (mark,) = [mark for mark in test.pytestmark if mark.name == "parametrize"]
    return mark.args[1], mark.kwargs["ids"]


@of_each("n", range(5), size=2)
def test_each_member_is_tried(n, rng):
    assert rng.random() == np.random.default_rng(SEED).random()


def test_all_are_in_a_block_and_in_its_id():
    assert blocks_of(test_each_member_is_tried) == ([[0, 1], [2, 3], [4]], ["0 1", "2 3", "4"])


def test_what_failed_is_named():
    tried = []

    @of_each("n", range(4))
    def odd(n):
        tried.append(n)
        assert n % 2, n

    with pytest.raises(ExceptionGroup, match="2 of 4") as caught:
        odd([0, 1, 2, 3])
    assert tried == [0, 1, 2, 3]
    assert [error.__notes__ for error in caught.value.exceptions] == [["n: 0"], ["n: 2"]]
    with pytest.raises(AssertionError) as caught:
        odd([1, 2])
    assert caught.value.__notes__ == ["n: 2"]

    @of_each("n", range(4))
    def failing(n):
        pytest.fail("no reason")

    with pytest.raises(pytest.fail.Exception) as caught:
        failing([1, 2])
    assert caught.value.__notes__ == ["n: 1"]


def test_a_skip_in_a_block_is_no_pass():
    @of_each("n", range(2))
    def skipping(n):
        pytest.skip("not here")

    with pytest.raises(pytest.skip.Exception):
        skipping([0, 1])
