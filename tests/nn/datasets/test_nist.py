"""MNIST from files that are right, missing, damaged or others."""

import gzip
import hashlib
import os

import numpy as np
import pytest

from nn import datasets
from nn.datasets import DamagedFileError, nist, read_idx
from tests.nn.datasets.idx_files import idx, idx_that_opens_to


def test_mnist_opens_nothing_that_is_larger_than_its_files(small, monkeypatch):
    (small / "train-images-idx3-ubyte").unlink()
    idx_that_opens_to(64 << 20, (64, 1 << 20), small).rename(small / "train-images-idx3-ubyte.gz")
    monkeypatch.setattr(datasets.idx, "_read_at_most", None)  # the header suffices
    with pytest.raises(DamagedFileError, match=r"train-images.*: is larger than any file of this dataset \(47,040,016"):
        datasets.mnist(small)


def test_a_home_folder_that_nobody_has(monkeypatch):
    monkeypatch.setenv("PULLBACK_MNIST", "~nouser/mnist")
    for path in (None, "~nouser/mnist"):
        with pytest.raises(FileNotFoundError, match="no home folder is known .*~nouser/mnist"):
            datasets.mnist(path)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with four small files in MNIST's form, taken for the published ones."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "mnist"
    folder.mkdir()
    contents, files = {}, {}
    for key, file in nist.FILES.items():
        n = 6 if key.startswith("train") else 4
        shape = (n, 28, 28) if file.axes == 3 else (n,)
        contents[file.name] = idx(rng.integers(0, 256 if file.axes == 3 else 10, shape).astype(np.uint8))
        files[key] = file._replace(md5=hashlib.md5(contents[file.name]).hexdigest())
        (folder / file.name).write_bytes(contents[file.name])
    monkeypatch.setattr(nist, "FILES", files)
    monkeypatch.delenv("PULLBACK_MNIST", raising=False)
    return folder


def test_mnist(small):
    (images, labels), (test_images, test_labels) = datasets.mnist(small)
    assert images.shape == (6, 784)
    assert test_images.shape == (4, 784)
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    raw = read_idx(small / "train-images-idx3-ubyte")
    np.testing.assert_array_equal(images.reshape(6, 28, 28), raw.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(test_labels, read_idx(small / "t10k-labels-idx1-ubyte"))
    assert datasets.mnist(small, flat=False)[0][0].shape == (6, 28, 28)


def test_packed_and_with_a_dot(small):
    expected = datasets.mnist(small)
    for path in list(small.iterdir()):
        (small / f"{path.name.replace('-idx', '.idx')}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    for (a, b), (c, d) in zip(datasets.mnist(small), expected, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)


def test_where_it_looks(small, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError):
        datasets.mnist()
    (tmp_path / "cache" / "pullback").mkdir(parents=True)
    os.rename(small, tmp_path / "cache" / "pullback" / "mnist")
    assert datasets.mnist()[0][0].shape == (6, 784)
    monkeypatch.setenv("PULLBACK_MNIST", str(tmp_path / "elsewhere"))
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        datasets.mnist()
    assert datasets.mnist(tmp_path / "cache" / "pullback" / "mnist")[1][0].shape == (4, 784)


def test_the_cache_folder_is_in_the_home(monkeypatch, tmp_path):
    monkeypatch.delenv("PULLBACK_MNIST", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert nist.folder() == tmp_path / ".cache" / "pullback" / "mnist"
    assert nist.folder("~/here") == tmp_path / "here"


def test_missing_files_are_named_and_how_to_get_them(small):
    (small / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        datasets.mnist(small)
    message = str(caught.value)
    assert message.startswith(f"mnist: t10k-labels-idx1-ubyte not found in {small}.")
    assert "train-images-idx3-ubyte not found" not in message
    assert "--data-path" in message
    assert "PULLBACK_MNIST" in message
    for file in nist.FILES.values():
        assert file.name in message
    assert "://" not in message


def test_a_changed_file(small):
    path = small / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0b")
    with pytest.raises(DamagedFileError, match="MD5 sum"):
        datasets.mnist(small)


def test_files_under_wrong_names(small):
    (small / "train-labels-idx1-ubyte").write_bytes((small / "train-images-idx3-ubyte").read_bytes())
    with pytest.raises(DamagedFileError, match="under a wrong name"):
        datasets.mnist(small)


def test_a_cut_file(small):
    path = small / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DamagedFileError, match="is cut off: 1,000 bytes"):
        datasets.mnist(small)
