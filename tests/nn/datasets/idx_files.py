"""Files in the IDX format, as they are and packed."""

import gzip
import struct


def idx(array, kind=8):
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_that_opens_to(size, shape, tmp_path):
    """A small gzip file whose header declares ``shape``, and which opens to ``size`` bytes."""
    path = tmp_path / "file.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape))
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    return path
