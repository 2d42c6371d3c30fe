"""Named arrays in a file, in the safetensors format, which never executes code and which many frameworks read.

A file is eight bytes with the length of the header (little-endian), the header (JSON: for each name the type, the
shape and where its bytes begin and end), and the bytes of the arrays, little-endian and in C order, without gaps.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from autodiff import Tensor, files

__all__ = ["SafetensorsError", "load_file", "load_metadata", "save_file"]

_CODES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "uint16": "U16", "int16": "I16", "float16": "F16",
    "uint32": "U32", "int32": "I32", "float32": "F32",
    "uint64": "U64", "int64": "I64", "float64": "F64", "complex64": "C64",
}  # fmt: skip
_DTYPES = {code: np.dtype(name).newbyteorder("<") for name, code in _CODES.items()}
_LONGEST_HEADER = 100_000_000
_METADATA = "__metadata__"
_MOST_AXES = 64  # of an array of NumPy
_SHOWN = 60


class SafetensorsError(ValueError):
    """A file is not a valid safetensors file, or an array cannot be stored in one."""


# -- writing -----------------------------------------------------------------------------------------------------


def _storable(name: str, value: Any) -> np.ndarray[Any, Any]:
    """The array with the bytes for the file: C order, little-endian.  A copy only if needed."""
    if not isinstance(name, str):
        raise SafetensorsError(f"save_file: a name must be a string, got {name!r}")
    if name != name.encode(errors="replace").decode():
        raise SafetensorsError(f"save_file: the name {name!r} has a half of a surrogate pair, which UTF-8 cannot write")
    if name == _METADATA:
        raise SafetensorsError(f"save_file: the name '{_METADATA}' belongs to the format; use another")
    array = np.asarray(value.data if isinstance(value, Tensor) else value)
    if array.dtype.name not in _CODES:
        raise SafetensorsError(
            f"save_file: '{name}' is {array.dtype}, which the format does not have; it has {', '.join(_CODES)}"
        )
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _header(arrays: dict[str, np.ndarray[Any, Any]], metadata: Mapping[str, str] | None) -> bytes:
    header: dict[str, Any] = {}
    if metadata is not None:
        if not all(isinstance(k, str) and isinstance(v, str) for k, v in metadata.items()):
            raise SafetensorsError("save_file: metadata must map strings to strings; json.dumps makes a string of both")
        header[_METADATA] = dict(metadata)
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {"dtype": _CODES[array.dtype.name], "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # so that the data is aligned
    if len(text) > _LONGEST_HEADER:
        raise SafetensorsError(f"save_file: a header of {len(text):,} bytes; the format allows {_LONGEST_HEADER:,}")
    return len(text).to_bytes(8, "little") + text


def _instead_of_arrays(given: Any) -> str:
    what = "pass its state: model.state_dict()" if hasattr(given, "state_dict") else "write save_file(arrays, path)"
    return f"{type(given).__name__}; {what}"


def save_file(
    tensors: Mapping[str, Any], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> None:
    """Write arrays (or Tensors) by name, of any shape and memory layout, and strings about them.

    The file is written whole or not at all.  Raises SafetensorsError for a dtype that the format does not have.

    >>> import os, tempfile
    >>> import numpy as np
    >>> from nn.safetensors import load_file, save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     save_file({"weight": np.arange(6.0).reshape(2, 3).T}, path)
    ...     load_file(path)["weight"].tolist()
    [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    """
    if not isinstance(tensors, Mapping):
        raise SafetensorsError(f"save_file: expected arrays by name, got a {_instead_of_arrays(tensors)}")
    arrays = {name: _storable(name, value) for name, value in tensors.items()}
    # the widest types first, as the reference does: then each array is aligned to its own type
    arrays = dict(sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])))
    header = _header(arrays, metadata)
    files.write(path, header, *(array.reshape(-1).view(np.uint8).data for array in arrays.values()))


# -- reading -----------------------------------------------------------------------------------------------------


def _bad(path: str, what: str) -> NoReturn:
    raise SafetensorsError(f"{path}: not a valid safetensors file: {what}")


def _short(value: Any) -> str:
    """A text from a file for an error message, shortened: a damaged file may have a long one."""
    text = repr(value[:_SHOWN] if isinstance(value, list | str) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without equal names; the json module would silently keep the last of two."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f"the name {_short(name)} stands in it twice")
        result[name] = value
    return result


def _parse_header(file: Any, size: int, path: str) -> tuple[dict[str, Any], dict[str, str], int]:
    """The entries, the metadata, and where the data begins."""
    if size < 8:
        _bad(path, f"{size} bytes are too few")
    length = int.from_bytes(file.read(8), "little")
    if length > min(size - 8, _LONGEST_HEADER):
        _bad(path, f"its first eight bytes ask for a header of {length:,} bytes, and the file has {size:,}")
    text = file.read(length)
    try:
        header = json.loads(text.decode(), object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        _bad(path, f"its header is not JSON ({error})")
    if not isinstance(header, dict):
        _bad(path, "its header is not a JSON object")
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _bad(path, "its metadata is not a mapping from strings to strings")
    return header, metadata, 8 + length


def _is_size(value: Any) -> bool:
    return type(value) is int and value >= 0


def _entry(name: str, entry: Any, path: str) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """One entry of the header, checked by itself: type, shape, begin, end."""
    who = _short(name)
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        _bad(path, f"the entry of {who} must have dtype, shape and data_offsets")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or code not in _DTYPES:
        _bad(path, f"{who} has the type {_short(code)}, which NumPy does not have")
    if isinstance(shape, list) and len(shape) > _MOST_AXES:
        _bad(path, f"{who} has {len(shape):,} axes, and an array has at most {_MOST_AXES}")
    if not isinstance(shape, list) or not all(map(_is_size, shape)):
        _bad(path, f"{who} has the shape {_short(shape)}")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_size, offsets)):
        _bad(path, f"{who} has the offsets {_short(offsets)}")
    needed = math.prod(shape) * _DTYPES[code].itemsize
    if offsets[1] - offsets[0] != needed:
        _bad(path, f"{who} has shape {_short(shape)} of {code}, {needed:,} bytes, but the offsets {_short(offsets)}")
    if not needed:
        try:
            np.empty(shape, _DTYPES[code])
        except ValueError as error:  # a length beyond those that a machine can count
            _bad(path, f"{who} has the shape {_short(shape)} ({error})")
    return _DTYPES[code], tuple(shape), offsets[0], offsets[1]


def _read(path: str | os.PathLike[str], names: bool) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    where = os.fspath(path)
    with open(where, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header, metadata, start = _parse_header(file, size, where)
        entries = {name: _entry(name, entry, where) for name, entry in header.items()}
        end = 0
        for name, (_, _, first, last) in sorted(entries.items(), key=lambda item: item[1][2:]):
            if first != end:
                _bad(where, f"{_short(name)} begins at byte {first:,} of the data, where {end:,} was expected")
            end = last
        if start + end != size:
            _bad(where, f"its arrays take {end:,} bytes, and {size - start:,} are there; it was cut off or changed")
        contents = file.read(end) if names else b""
        if names and len(contents) < end:
            _bad(where, "it became shorter while it was read")
    arrays = {}
    for name, (dtype, shape, first, _) in entries.items() if names else ():
        flat = np.frombuffer(contents, dtype, math.prod(shape), first) if 0 not in shape else np.empty(0, dtype)
        arrays[name] = flat.reshape(shape).astype(dtype.newbyteorder("="))
    return arrays, metadata


class ArraysOfTorch(dict[str, np.ndarray[Any, Any]]):
    """Arrays by name of a file that says that it is PyTorch's, whose matrices are (out, in)."""

    is_of_torch = True


def load_file(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a file by name: new, writable, in the machine's byte order.

    Nothing in the file is trusted.  Raises SafetensorsError if it is cut off, changed or of another format, or has a
    dtype that NumPy does not have (bfloat16, 8-bit floats).  Arrays of a file that says that it is PyTorch's ("format":
    "pt" in its metadata) are for :func:`nn.from_torch`: ``load_state_dict`` refuses them.
    """
    arrays, metadata = _read(path, True)
    return ArraysOfTorch(arrays) if metadata.get("format") == "pt" else arrays


def load_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The strings that were stored with the arrays; the file is checked, its arrays are not read."""
    return _read(path, False)[1]
