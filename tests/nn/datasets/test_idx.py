"""The IDX format: every type, and files that are damaged."""

import gzip
import tracemalloc

import numpy as np
import pytest

from nn.datasets import DamagedFileError, read_idx
from tests.nn.datasets.idx_files import idx, idx_that_opens_to


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
