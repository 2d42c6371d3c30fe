"""The embedded digits, and MNIST from files that are right, missing, damaged or others."""

import gzip
import hashlib
import os
import struct
import tracemalloc
from importlib import resources

import numpy as np
import pytest

from nn import datasets
from nn.datasets import DamagedFileError, nist, read_idx

# -- digits --------------------------------------------------------------------------------------------------------


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


# -- two half moons ------------------------------------------------------------------------------------------------


def test_moons_without_noise_are_half_circles():
    points, labels = datasets.moons(101, noise=0.0, rng=0)
    assert points.shape == (101, 2)
    assert points.dtype == np.float64
    assert labels.dtype == np.int64
    assert np.bincount(labels).tolist() == [50, 51]
    upper, lower = points[labels == 0], points[labels == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-14)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, rtol=1e-14)
    assert np.all(upper[:, 1] >= 0)
    assert np.all(lower[:, 1] <= 0.5)
    assert np.ptp(upper[:, 0]) > 1.8  # the angles fill the half circle
    assert np.ptp(lower[:, 0]) > 1.8


def test_moons_are_the_same_for_the_same_seed_and_noise_is_its_deviation():
    clean, _ = datasets.moons(4000, noise=0.0, rng=3)
    noisy, _ = datasets.moons(4000, noise=0.25, rng=3)
    np.testing.assert_array_equal(noisy, datasets.moons(4000, noise=0.25, rng=np.random.default_rng(3))[0])
    assert abs(np.std(noisy - clean) - 0.25) < 0.01
    assert datasets.moons(4, rng=0, dtype=np.float32)[0].dtype == np.float32


@pytest.mark.parametrize("n", [0, 1])
def test_moons_of_few_points(n):
    points, labels = datasets.moons(n, rng=0)
    assert points.shape == (n, 2)
    assert labels.shape == (n,)


@pytest.mark.parametrize(("n", "noise"), [(-1, 0.1), (4, -0.1), (4, np.nan)])
def test_moons_refuse_what_is_negative(n, noise):
    with pytest.raises(ValueError, match="moons: n is"):
        datasets.moons(n, noise=noise)


# -- the IDX format ------------------------------------------------------------------------------------------------


def idx(array, kind=8):
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("kind", "dtype"), [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
def test_every_type(kind, dtype, pack, tmp_path):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    (tmp_path / "file").write_bytes(pack(idx(array, kind)))
    read = read_idx(tmp_path / "file")
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


def test_an_empty_axis(tmp_path):
    (tmp_path / "file").write_bytes(idx(np.zeros((0, 28), np.uint8)))
    assert read_idx(tmp_path / "file").shape == (0, 28)


GOOD = idx(np.arange(6, dtype=np.uint8).reshape(2, 3))
DAMAGED = {
    "empty": (b"", "0 bytes are too few"),
    "text": (b"<html>not found</html>", "starts with 3c 68 74 6d, not with the magic number"),
    "an unknown type": (bytes([0, 0, 7, 1]) + GOOD[4:], "not with the magic number"),
    "cut off in the header": (GOOD[:7], "cut off within its header"),
    "cut off": (GOOD[:-1], "is cut off: 17 bytes, and its header"),
    "too long": (GOOD + b"x", "has something after its end: 19 bytes"),
    "a huge shape": (bytes([0, 0, 14, 3]) + b"\xff" * 12, "which no array can have"),
    "255 axes": (bytes([0, 0, 8, 255]) + bytes(3) + b"\1" + bytes(4 * 254), "255 axes, which no array can have"),
    "more elements than can be counted": (bytes([0, 0, 8, 3]) + bytes(4) + b"\xff" * 8, "which no array can have"),
    "a large shape": (bytes([0, 0, 14, 1]) + b"\xff" * 4, "is cut off: 8 bytes"),
    "gzip, a large shape": (gzip.compress(bytes([0, 0, 14, 1]) + b"\xff" * 4), " bytes of gzip, and its header"),
    "gzip, too long": (gzip.compress(GOOD + bytes(5000)), "something after its end: more than 18 bytes"),
    "gzip, cut off": (gzip.compress(GOOD)[:-9], "gzip file is cut off or damaged"),
    "gzip, changed": (gzip.compress(GOOD)[:-8] + bytes(8), "gzip file is cut off or damaged"),
    "gzip, garbage": (gzip.compress(GOOD)[:10] + b"\xff" * 20, "gzip file is cut off or damaged"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files(damage, tmp_path):
    contents, message = DAMAGED[damage]
    path = tmp_path / "file"
    path.write_bytes(contents)
    with pytest.raises(DamagedFileError) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def idx_that_opens_to(size, shape, tmp_path):
    """A small gzip file whose header declares ``shape``, and which opens to ``size`` bytes."""
    path = tmp_path / "file.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape))
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    return path


@pytest.mark.parametrize("shape", [(10,), (2**20, 7), (2**31, 2**31)])
def test_no_more_is_read_than_the_header_declares(shape, tmp_path):
    path = idx_that_opens_to(64 << 20, shape, tmp_path)
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    with pytest.raises(DamagedFileError, match="something after its end|is cut off"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * (min(np.prod(shape, dtype=float), 64 << 20) + (4 << 20))
    assert peak < 32 << 20


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


# -- MNIST ---------------------------------------------------------------------------------------------------------


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
