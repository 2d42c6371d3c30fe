"""The safetensors format: round trips, the reference package's view of our files, and damaged files."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy as reference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from autodiff import Tensor
from nn.io.safetensors import _CODES, SafetensorsError, _without_repetition, load_file, load_metadata, save_file


def same(a, b):
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    assert a.tobytes() == b.tobytes()  # bit for bit, NaN included


def ours(dtype):
    return np.dtype(dtype).newbyteorder("=")


ARRAYS = {
    f"{name} {kind}": np.asarray(value).astype(name)
    for name in _CODES
    for kind, value in {
        "0-d": 1, "empty": np.zeros((3, 0, 2)), "matrix": np.arange(6).reshape(2, 3), "long": np.arange(300) % 100,
    }.items()
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_round_trip_and_the_reference_reads_it(name, tmp_path):
    path = tmp_path / "file"
    save_file({'é"\n': ARRAYS[name]}, path)
    same(load_file(path)['é"\n'], ARRAYS[name])
    same(reference.load_file(path)['é"\n'], ARRAYS[name])


def test_all_together_and_the_reference_writes_it(tmp_path):
    save_file(ARRAYS, tmp_path / "ours", {"epoch": "3", "ü": ""})
    reference.save_file(ARRAYS, tmp_path / "theirs", {"epoch": "3", "ü": ""})
    for path in (tmp_path / "ours", tmp_path / "theirs"):
        assert load_metadata(path) == {"epoch": "3", "ü": ""}
        loaded = load_file(path)
        assert loaded.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            same(loaded[name], array)
            assert loaded[name].flags.writeable
    for name, array in reference.load_file(tmp_path / "ours").items():
        same(array, ARRAYS[name])


LAYOUTS = {
    "transposed": lambda x: x.T,
    "every second": lambda x: x[::2, ::-1],
    "Fortran order": np.asfortranarray,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "big-endian, transposed": lambda x: x.astype(x.dtype.newbyteorder(">")).T,
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layouts(layout, tmp_path):
    given_array = LAYOUTS[layout](np.arange(12, dtype=np.float32).reshape(4, 3))
    save_file({"x": given_array}, tmp_path / "file")
    for loaded in (load_file(tmp_path / "file"), reference.load_file(tmp_path / "file")):
        same(loaded["x"], np.ascontiguousarray(given_array).astype(np.float32))


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=5),
        arrays_of.arrays(
            st.sampled_from([np.dtype(n) for n in _CODES]), arrays_of.array_shapes(min_dims=0, min_side=0, max_side=3)
        ),
        max_size=4,
    )
)
def test_any_names_and_arrays(tmp_path_factory, tensors):
    path = tmp_path_factory.mktemp("any") / "file"
    save_file(tensors, path)
    for loaded in (load_file(path), reference.load_file(path)):
        assert loaded.keys() == tensors.keys()
        for name, array in tensors.items():
            same(loaded[name], array)


def test_empty_and_tensor(tmp_path):
    save_file({}, tmp_path / "file")
    assert load_file(tmp_path / "file") == {}
    assert load_metadata(tmp_path / "file") == {}
    save_file({"w": Tensor([1.0, 2.0])}, tmp_path / "file")
    same(load_file(tmp_path / "file")["w"], np.array([1.0, 2.0]))


@pytest.mark.parametrize("value", [np.zeros(2, complex), np.array(["a"]), np.array([None]), np.zeros(1, np.longdouble)])
def test_a_type_the_format_lacks(value, tmp_path):
    with pytest.raises(SafetensorsError, match="save_file: 'x' is .*, which the format does not have"):
        save_file({"x": value}, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_wrong_names_and_metadata(tmp_path):
    with pytest.raises(SafetensorsError, match="belongs to the format"):
        save_file({"__metadata__": np.zeros(1)}, tmp_path / "file")
    with pytest.raises(SafetensorsError, match="must be a string, got 1"):
        save_file({1: np.zeros(1)}, tmp_path / "file")
    with pytest.raises(SafetensorsError, match="surrogate"):
        save_file({"\ud800": np.zeros(1)}, tmp_path / "file")
    with pytest.raises(SafetensorsError, match="strings to strings"):
        save_file({"x": np.zeros(1)}, tmp_path / "file", {"epoch": 3})


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    save_file({"x": np.zeros(3)}, path)

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        save_file({"x": np.ones(3)}, path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    same(load_file(path)["x"], np.zeros(3))


def test_permissions_follow_the_umask(tmp_path):
    code = "import os, numpy as np; os.umask(0o027); from nn.safetensors import save_file; save_file({}, 'f')"
    root = pathlib.Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": str(root)})
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640


def file_with(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def one(**changes):
    return {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


EIGHT = bytes(8)
DAMAGED = {
    "nothing at all": (b"", "0 bytes are too few"),
    "a huge header": (b"\xff" * 16, "ask for a header of 18,446,744,073,709,551,615 bytes"),
    "cut off in the header": (file_with(one(), EIGHT)[:30], "ask for a header"),
    "cut off in the data": (file_with(one(), EIGHT)[:-1], "take 8 bytes, and 7 are there"),
    "something after the end": (file_with(one(), EIGHT + b"x"), "take 8 bytes, and 9 are there"),
    "no JSON": (file_with(b"{]"), "not JSON"),
    "no UTF-8": (file_with(b"\xff\xfe"), "not JSON"),
    "nested beyond reason": (file_with(b"[" * 100_000), "not JSON"),
    "a list": (file_with([]), "not a JSON object"),
    "an entry that is a number": (file_with({"x": 3}), "must have dtype, shape and data_offsets"),
    "an unknown type": (file_with(one(dtype="BF16"), EIGHT), "the type 'BF16', which NumPy does not have"),
    "a type that is no string": (file_with(one(dtype=["F32"]), EIGHT), "has the type"),
    "a negative length": (file_with(one(shape=[-2]), EIGHT), "has the shape"),
    "a fractional length": (file_with(one(shape=[2.0]), EIGHT), "has the shape"),
    "a true length": (file_with(one(shape=[True]), EIGHT), "has the shape"),
    "offsets backwards": (file_with(one(data_offsets=[8, 0]), EIGHT), "but the offsets"),
    "negative offsets": (file_with(one(data_offsets=[-8, 0]), EIGHT), "has the offsets"),
    "three offsets": (file_with(one(data_offsets=[0, 4, 8]), EIGHT), "has the offsets"),
    "a shape that is too large": (file_with(one(shape=[2**40, 2**40]), EIGHT), "but the offsets"),
    "71 axes": (file_with(one(shape=[1] * 71, data_offsets=[0, 4]), bytes(4)), "71 axes, and an array has at most 64"),
    "a million axes": (file_with(one(shape=[2**62] * 1_000_000), EIGHT), "has 1,000,000 axes"),
    "a length beyond counting": (file_with(one(shape=[0, 2**70], data_offsets=[0, 0])), "has the shape [0, 11805"),
    "lengths beyond counting": (file_with(one(shape=[0, 2**62, 8], data_offsets=[0, 0])), "has the shape [0, 46116"),
    "a name that goes on": (file_with({"y" * 10**6: one(shape=[3])["x"]}, EIGHT), "12 bytes, but the offsets [0, 8]"),
    "a type that goes on": (file_with(one(dtype="F" * 10**6), EIGHT), "which NumPy does not have"),
    "a gap": (file_with(one(data_offsets=[4, 12]), bytes(12)), "begins at byte 4"),
    "an overlap": (file_with({**one(), "y": one(data_offsets=[4, 12])["x"]}, bytes(12)), "'y' begins at byte 4"),
    "a name twice": (
        file_with(b'{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[],'
                  b'"data_offsets":[0,4]}}', bytes(4)), "'x' stands in it twice"),
    "metadata of numbers": (file_with({"__metadata__": {"a": 1}}), "metadata"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files(damage, tmp_path):
    contents, message = DAMAGED[damage]
    path = tmp_path / "model.safetensors"
    path.write_bytes(contents)
    for load in (load_file, load_metadata):
        with pytest.raises(SafetensorsError) as caught:
            load(path)
        assert str(path) in str(caught.value)
        assert message in str(caught.value)
        assert len(str(caught.value)) < len(str(path)) + 300


def test_a_repeated_name_is_found_in_one_pass(tmp_path):
    """So many comparisons as there are names, not as there are pairs of them."""
    compared = 0

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    names = [*map(Name, range(20_000)), Name("last"), Name("last")]
    with pytest.raises(ValueError, match="'last' stands in it twice"):
        _without_repetition([(name, None) for name in names])
    assert compared < 2 * len(names)


@given(st.data())
def test_a_changed_byte_never_crashes(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("changed") / "file"
    save_file({"a": np.arange(3.0), "b": np.int8(1)}, path, {"k": "v"})
    contents = bytearray(path.read_bytes())
    contents[data.draw(st.integers(0, len(contents) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(contents)
    with contextlib.suppress(SafetensorsError):  # and no other error
        assert sum(array.nbytes for array in load_file(path).values()) == 3 * 8 + 1  # each byte of data belongs to one


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_file(tmp_path / "nothing")
