"""The embedded digits."""

import hashlib
from importlib import resources

import numpy as np

from nn import datasets


def test_digits():
    images, labels = datasets.digits()
    assert images.shape == (1797, 64)
    assert images.dtype == np.float32
    assert labels.shape == (1797,)
    assert labels.dtype == np.int64
    assert images.min() == 0
    assert images.max() == 1
    assert set(np.unique(images * 16)) == set(range(17))  # all 17 levels of the file, exactly
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    square, again = datasets.digits(flat=False)
    assert square.shape == (1797, 8, 8)
    np.testing.assert_array_equal(square.reshape(1797, 64), images)
    np.testing.assert_array_equal(again, labels)


def test_digits_are_those_of_the_source():
    images, labels = datasets.digits()
    contents = (images * 16).astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    assert hashlib.sha256(contents).hexdigest() == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_digits_are_new_arrays_each_time():
    datasets.digits()[0][:] = 7
    assert datasets.digits()[0].max() == 1


def test_the_licence_stands_beside_the_data():
    text = resources.files("nn.datasets").joinpath("digits-LICENSE.txt").read_text(encoding="utf-8")
    for words in ("Alpaydin", "Kaynak", "UCI Machine Learning Repository", "CC BY 4.0", "Attribution 4.0 International",
                  "scikit-learn", "Changes"):  # fmt: skip
        assert words in text
