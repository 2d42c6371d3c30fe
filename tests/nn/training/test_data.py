import numpy as np
import pytest

from autodiff import Tensor
from nn.data import batches, train_test_split

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


def test_batches_in_order_are_views():
    found = list(batches(X, Y, 4))
    assert [x.shape for x, _ in found] == [(4, 2), (4, 2), (2, 2)]
    assert np.array_equal(np.concatenate([y for _, y in found]), Y)
    assert all(np.shares_memory(x, X) for x, _ in found)


def test_shuffled_batches_keep_what_belongs_together():
    every = batches(X, Y, batch_size=3, rng=0)
    first, second = list(every), list(every)
    for epoch in (first, second):
        assert sorted(np.concatenate([y for _, y in epoch]).tolist()) == Y.tolist()
        assert all(np.array_equal(x[:, 0], 2.0 * y) for x, y in epoch)
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))  # a new order each time
    again = list(batches(X, Y, 3, rng=np.random.default_rng(0)))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, again, strict=True))


def test_lengths_and_the_last_batch():
    assert len(batches(X, Y, 4)) == 3
    assert len(batches(X, Y, 4, drop_last=True)) == 2
    assert [len(y) for _, y in batches(X, Y, 4, drop_last=True)] == [4, 4]
    assert len(batches(X, Y, 5)) == 2
    assert [x.shape for x in batches(X, batch_size=100)] == [(10, 2)]
    assert len(next(iter(batches(X, Y, Y, 4)))) == 3
    assert repr(batches(X, Y, 4, rng=0)) == "DataLoader((10, 2), (10,); 3 batches of 4, shuffled)"


def test_shuffle_says_otherwise():
    rng = np.random.default_rng(0)
    assert np.array_equal(np.concatenate(list(batches(Y, batch_size=3, rng=rng, shuffle=False))), Y)
    assert sorted(np.concatenate(list(batches(Y, batch_size=3, shuffle=True))).tolist()) == Y.tolist()


def test_wrong_batches():
    with pytest.raises(ValueError, match="batches: batch_size is 0; it must be an integer of at least 1"):
        batches(X, Y, 0)
    with pytest.raises(ValueError, match="batches: batch_size is None"):
        batches(X, Y)
    with pytest.raises(ValueError, match=r"batches: batch_size is 2\.0"):
        batches(X, Y, batch_size=2.0)
    with pytest.raises(ValueError, match="batches: the arrays have 10, 3 examples"):
        batches(X, Y[:3], 2)
    with pytest.raises(ValueError, match=r"batches: there are no examples \(shapes \(0, 2\), \(0,\)\)"):
        batches(X[:0], Y[:0], 2)
    with pytest.raises(TypeError, match="batches: argument 0 is a Tensor; examples are data"):
        batches(Tensor(X), Y, 2)
    with pytest.raises(ValueError, match="batches: there are no arrays"):
        batches(batch_size=2)
    with pytest.raises(ValueError, match="batches: argument 1 is a single value"):
        batches(X, np.float64(2.0), batch_size=2)
    with pytest.raises(ValueError, match="10 examples make no batch of 11, and drop_last leaves out the rest"):
        batches(X, Y, 11, drop_last=True)


def test_split():
    X_train, X_test, Y_train, Y_test = train_test_split(X, Y, test_size=0.3, rng=0)
    assert (len(Y_train), len(Y_test)) == (7, 3)
    assert sorted([*Y_train, *Y_test]) == Y.tolist()
    assert np.array_equal(X_train[:, 0], 2.0 * Y_train)
    assert np.array_equal(X_test[:, 0], 2.0 * Y_test)
    again = train_test_split(X, Y, test_size=0.3, rng=0)
    assert all(np.array_equal(a, b) for a, b in zip((X_train, X_test, Y_train, Y_test), again, strict=True))
    assert len(train_test_split(Y, test_size=4, rng=0)[1]) == 4
    assert len(train_test_split(Y, rng=0)[1]) == 3  # a quarter, rounded up
    assert not np.shares_memory(X_train, X)


@pytest.mark.parametrize("seed", range(20))
def test_a_stratified_split_keeps_proportions(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, 40, size=rng.integers(2, 8))
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    total = len(labels)
    testing = int(rng.integers(len(counts), total - len(counts) + 1))
    train, test = train_test_split(np.arange(total), test_size=testing, rng=rng, stratify=labels)
    assert len(test) == testing
    assert sorted([*train, *test]) == list(range(total))
    found = np.bincount(labels[test], minlength=len(counts))
    assert (found >= 1).all()
    assert (found < counts).all()
    shares = counts * testing / total
    inside = (shares >= 1) & (shares <= counts - 1)
    if inside.all():  # nobody needed to be lifted to one example: within rounding of the exact share
        assert (np.abs(found - shares) < 1).all()


def test_classes_may_be_names():
    names = np.array(["cat", "dog"] * 10)
    _, test = train_test_split(names, test_size=0.5, rng=0, stratify=names)
    assert sorted(test.tolist()) == ["cat"] * 5 + ["dog"] * 5


def test_wrong_splits():
    for size in (0.0, 1.0, -0.5, 1.5):
        with pytest.raises(ValueError, match=rf"test_size is {size}; a fraction must lie between 0 and 1"):
            train_test_split(X, Y, test_size=size)
    with pytest.raises(ValueError, match="test_size 10 of 10 examples puts 10 into the test and 0 into training"):
        train_test_split(X, Y, test_size=10)
    with pytest.raises(ValueError, match="train_test_split: class 3 has one example"):
        train_test_split(X, stratify=np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 3]))
    with pytest.raises(ValueError, match="1 for testing and 9 for training, but there are 2 classes"):
        train_test_split(X, test_size=1, stratify=Y % 2)
    with pytest.raises(ValueError, match=r"stratify has shape \(3,\); one class an example is \(10,\)"):
        train_test_split(X, stratify=Y[:3])
    with pytest.raises(ValueError, match="the arrays have 10, 9 examples"):
        train_test_split(X, Y[:9])


@pytest.mark.parametrize("size", ["a", True, None])
def test_a_test_size_is_a_number(size):
    with pytest.raises(TypeError, match="train_test_split: test_size is .* it is a fraction, or a number of examples"):
        train_test_split(np.zeros(4), test_size=size)
