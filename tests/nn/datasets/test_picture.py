"""Pictures: our PNG reader beside Pillow's, damaged files, and what makes a digit like those of a dataset."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from nn.datasets import DamagedFileError, digits, read_image
from nn.datasets.picture import centred, extent, ink_of, resized
from nn.datasets.png import SIGNATURE, read_png

RNG = np.random.default_rng(0)


def encoded(picture, **options):
    stream = io.BytesIO()
    picture.save(stream, "png", **options)
    return stream.getvalue()


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png(width, height, depth, colour, rows, *, interlaced=0, palette=b"", clear=b""):
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, interlaced])
    parts = chunk(b"IHDR", header) + (chunk(b"PLTE", palette) if palette else b"")
    parts += chunk(b"tRNS", clear) if clear else b""
    return SIGNATURE + parts + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16"])
def test_as_pillow_reads_it(mode):
    smooth = np.add.outer(np.arange(9) * 7, np.arange(13) * 5).astype(np.uint8)  # so that all filters are chosen
    noisy = np.stack([smooth, smooth.T.copy().reshape(9, 13), RNG.integers(0, 255, (9, 13), np.uint8)], -1)
    picture = Image.fromarray(noisy).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        values = RNG.integers(0, 65535, (9, 13)).astype(np.uint16)
        picture, wanted = Image.fromarray(values), values / 65535
    elif mode in ("RGBA", "LA"):
        picture.putalpha(Image.fromarray(RNG.integers(0, 255, (9, 13), np.uint8)))
        both = np.asarray(picture.convert("RGBA"), float) / 255
        wanted = both[..., :3] * both[..., 3:] + 1 - both[..., 3:]
    else:
        wanted = np.asarray(picture.convert("L" if mode in "L1" else "RGB"), float) / 255
    found = read_png("a.png", encoded(picture))
    if mode == "LA":
        wanted = wanted[..., 0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("kind", range(5))
def test_each_filter(kind):
    rows = RNG.integers(0, 255, (4, 6), np.uint8)
    contents = png(6, 4, 8, 0, b"".join(bytes([kind]) + row.tobytes() for row in rows))
    with Image.open(io.BytesIO(contents)) as picture:
        wanted = np.asarray(picture)
    np.testing.assert_array_equal(np.round(read_png("a.png", contents) * 255), wanted)


@pytest.mark.parametrize("depth", [2, 4])
def test_several_pixels_in_a_byte(depth):
    contents = png(3, 2, depth, 0, bytes([0, 0b11100100, 0b10000000][: 1 + (3 * depth + 7) // 8]) * 2)
    found = read_png("a.png", contents)
    assert found.shape == (2, 3)
    assert found[0, 0] == (1.0 if depth == 2 else np.float32(14 / 15))


@pytest.mark.parametrize(
    ("depth", "colour", "rows", "clear"),
    [(8, 0, [0, 7, 0, 0, 0, 9], 0), (8, 2, [0, *[7] * 3, *[0] * 3, 0, *[0] * 3, 7, 0, 0], 0),
     (1, 0, [0, 64, 0, 192], 0), (16, 0, [0, 1, 0, 0, 1, 0, 0, 1, 1, 2], 1)],
)  # fmt: skip
def test_one_colour_is_transparent(depth, colour, rows, clear):
    contents = png(2, 2, depth, colour, bytes(rows), clear=clear.to_bytes(2, "big") * (3 if colour else 1))
    plain = read_png("a.png", png(2, 2, depth, colour, bytes(rows)))
    value = np.float32(clear / (2**depth - 1))
    is_clear = (plain == value).all(axis=-1, keepdims=True) if colour else plain == value
    assert is_clear.any()
    np.testing.assert_array_equal(read_png("a.png", contents), np.where(is_clear, 1, plain))


BAD = {
    "cut off": (png(2, 2, 8, 0, bytes(6))[:-9], "cut off"),
    "changed": (png(2, 2, 8, 0, bytes(6)).replace(b"IDAT", b"IDAX"), "checksum"),
    "too short": (png(2, 2, 8, 0, bytes(5)), "its data holds 5 bytes"),
    "too long": (png(2, 2, 8, 0, bytes(9)), "its data holds more"),
    "huge": (png(2**31, 2**31, 8, 0, bytes(6)), "at most"),
    "no colour type": (png(2, 2, 8, 1, bytes(6)), "colour type 1"),
    "no filter": (png(2, 2, 8, 0, bytes([9, 0, 0] * 2)), "filter 9"),
    "interlaced": (png(2, 2, 8, 0, bytes(6), interlaced=1), "interlac"),
    "no palette": (png(2, 2, 8, 3, bytes([0, 0, 5] * 2), palette=bytes(6)), "palette"),
    "no grey": (png(2, 2, 8, 0, bytes(6), clear=b"abc "), "transparent colour .* has 4 bytes"),
    "no header": (SIGNATURE + chunk(b"IEND", b""), "no header"),
}


@pytest.mark.parametrize("case", BAD)
def test_damaged_files(case):
    contents, words = BAD[case]
    with pytest.raises(DamagedFileError, match=words) as raised:
        read_png("a.png", contents)
    assert "a.png" in str(raised.value)


def test_other_formats_by_pillow(tmp_path):
    picture = Image.fromarray(np.full((4, 5), 200, np.uint8))
    picture.save(tmp_path / "a.jpg")
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg"), 200 / 255, atol=0.01)
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    with pytest.raises(DamagedFileError, match=r"b\.jpg"):
        read_image(tmp_path / "b.jpg")


def test_resizing_keeps_the_mean():
    picture = RNG.random((7, 11, 3))
    small = resized(picture, 3, 4)
    assert small.shape == (3, 4, 3)
    np.testing.assert_allclose(small.mean(axis=(0, 1)), picture.mean(axis=(0, 1)))


def test_a_photographed_digit_becomes_one_of_the_dataset():
    """Dark on light paper, larger, and anywhere: afterwards nearly the image that it was made of."""
    images, _ = digits(flat=False)
    for image in images[:5]:
        page = np.full((150, 120), 0.95)
        page[40:120, 10:90] -= 0.8 * np.kron(image, np.ones((10, 10)))
        found = centred(ink_of(page), 8, 8, extent(image))
        assert np.corrcoef(found.ravel(), image.ravel())[0, 1] > 0.9


def test_dark_paper_stays_dark():
    page = np.zeros((6, 6))
    page[2, 2] = 1
    assert ink_of(page)[2, 2] == 1
    assert ink_of(1 - page)[2, 2] == 1


def test_an_empty_picture():
    with pytest.raises(ValueError, match="is empty"):
        centred(ink_of(np.ones((4, 4))), 8, 8, 8)
