"""PNG files, read and written without any other package: W3C, "Portable Network Graphics" (second edition, 2003).

All colour types and depths, without interlacing (which nearly no program writes).  Checksums are compared, and what a
file declares is compared with what it holds.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np

from .idx import DamagedFileError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST = 100_000_000
"""So many pixels at most: a small file can declare any number."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}

Array = Any


class _Header(NamedTuple):
    width: int
    height: int
    depth: int
    colour: int


def read_png(name: str, contents: bytes) -> Array:
    """The image as float32 from 0 (black) to 1 (white): (height, width) of grey, or (height, width, 3) of colours.

    What is transparent becomes white.  ``name`` is that of the file in errors.  Raises DamagedFileError.
    """
    chunks = _chunks(name, contents)
    header = _header(name, chunks.get(b"IHDR", b""))
    channels = _CHANNELS[header.colour]
    stride = (header.width * channels * header.depth + 7) // 8
    size = header.height * (stride + 1)
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(chunks.get(b"IDAT", b""), size + 1)
    except zlib.error as error:
        raise DamagedFileError(f"{name}: the data of the PNG file is damaged ({error})") from None
    if len(data) != size:
        what = "more" if len(data) > size else f"{len(data):,} bytes"
        raise DamagedFileError(
            f"{name}: its data holds {what}, and {header.width} x {header.height} pixels are {size:,}"
        )
    lines = _unfiltered(name, data, header.height, stride, max(1, channels * header.depth // 8))
    samples = _samples(lines, header.depth)[:, : header.width * channels]
    return _colours(name, samples.reshape(header.height, header.width, channels), header, chunks)


def size_of_png(name: str, contents: bytes) -> tuple[int, int]:
    """The height and the width that a PNG file declares; its pixels are not read.  Raises DamagedFileError."""
    header = _header(name, _chunks(name, contents).get(b"IHDR", b""))
    return header.height, header.width


def png_of(pixels: Any) -> bytes:
    """A PNG file of numbers from 0 (black) to 1 (white): (height, width) of grey, or (height, width, 3) of colours.

    >>> read_png("a", png_of([[0.0, 0.2, 1.0]])).round(3).tolist()
    [[0.0, 0.20000000298023224, 1.0]]
    """
    values = np.clip(np.rint(np.asarray(pixels, float) * 255), 0, 255).astype(np.uint8)
    height, width = values.shape[:2]
    lines = np.zeros((height, 1 + values[0].size), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = values.reshape(height, -1)
    header = b"".join(side.to_bytes(4, "big") for side in (width, height)) + bytes([8, 2 * (values.ndim == 3), 0, 0, 0])
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks
    )


def _chunks(name: str, contents: bytes) -> dict[bytes, bytes]:
    """The contents by type; those of several chunks of one type one after the other."""
    found: dict[bytes, list[bytes]] = {}
    at = len(SIGNATURE)
    while b"IEND" not in found:
        length = int.from_bytes(contents[at : at + 4], "big")
        kind, data = contents[at + 4 : at + 8], contents[at + 8 : at + 8 + length]
        if len(contents) < at + 12 + length:
            raise DamagedFileError(f"{name}: the PNG file is cut off after {len(contents):,} bytes")
        if zlib.crc32(kind + data) != int.from_bytes(contents[at + 8 + length : at + 12 + length], "big"):
            raise DamagedFileError(f"{name}: the checksum at byte {at:,} of the PNG file is wrong; it was changed")
        found.setdefault(kind, []).append(data)
        at += 12 + length
    return {kind: b"".join(parts) for kind, parts in found.items()}


def _header(name: str, data: bytes) -> _Header:
    if len(data) != 13:
        raise DamagedFileError(f"{name}: the PNG file has no header")
    width, height = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    depth, colour, interlaced = data[8], data[9], data[12]
    if depth not in _DEPTHS.get(colour, ()):
        raise DamagedFileError(f"{name}: a PNG file of colour type {colour} and depth {depth}, which do not exist")
    if not 0 < width * height <= MOST:
        raise DamagedFileError(f"{name}: declares {width:,} x {height:,} pixels; at most {MOST:,} are read")
    if interlaced:
        raise DamagedFileError(f"{name}: an interlaced PNG file; save it without interlacing")
    return _Header(width, height, depth, colour)


def _unfiltered(name: str, data: bytes, height: int, stride: int, back: int) -> Array:
    """The bytes of the lines (height, stride), each of which was written as a difference to its surroundings."""
    table = np.frombuffer(data, np.uint8).reshape(height, stride + 1)
    lines = np.zeros((height + 1, stride), np.uint8)
    for row, (kind, coded) in enumerate(zip(table[:, 0].tolist(), table[:, 1:], strict=True), 1):
        above = lines[row - 1]
        if kind == 0:
            lines[row] = coded
        elif kind == 1:
            steps = np.zeros(-(-stride // back) * back, np.uint8)
            steps[:stride] = coded
            lines[row] = np.cumsum(steps.reshape(-1, back), axis=0, dtype=np.uint8).reshape(-1)[:stride]
        elif kind == 2:
            lines[row] = coded + above
        elif kind in (3, 4):
            lines[row] = np.frombuffer(_line(kind, coded.tobytes(), above.tobytes(), back), np.uint8)
        else:
            raise DamagedFileError(f"{name}: line {row} of the PNG file has the filter {kind}, which does not exist")
    return lines[1:]


def _line(kind: int, coded: bytes, above: bytes, back: int) -> bytes:
    """A line that was coded by the mean (3) or Paeth's choice (4) of the bytes to the left, above, and above left."""
    line = bytearray(back)
    above = bytes(back) + above
    for i, byte in enumerate(coded):
        left, up = line[i], above[i + back]
        if kind == 3:
            line.append((byte + (left + up) // 2) & 255)
            continue
        corner = above[i]
        to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        nearest = left if to_left <= to_up and to_left <= to_corner else up if to_up <= to_corner else corner
        line.append((byte + nearest) & 255)
    return bytes(line[back:])


def _samples(lines: Array, depth: int) -> Array:
    """The numbers in the bytes: one in two bytes, in each byte, or several in a byte."""
    if depth == 16:
        return lines.reshape(len(lines), -1, 2).astype(np.uint16) @ np.array([256, 1], np.uint16)
    if depth == 8:
        return lines
    bits = np.unpackbits(lines, axis=1).reshape(len(lines), -1, depth)
    return bits @ (1 << np.arange(depth)[::-1]).astype(np.uint8)


def _colours(name: str, samples: Array, header: _Header, chunks: dict[bytes, bytes]) -> Array:
    """Grey or colours from 0 to 1, on white."""
    largest = float(2**header.depth - 1)
    if header.colour == 3:
        palette = np.frombuffer(chunks.get(b"PLTE", b""), np.uint8)
        indices = samples[..., 0]
        if not palette.size or palette.size % 3 or indices.max() >= palette.size // 3:
            raise DamagedFileError(f"{name}: a pixel of the PNG file has a colour that is not in its palette")
        opacity = np.full(palette.size // 3, 255, np.uint8)
        given = np.frombuffer(chunks.get(b"tRNS", b""), np.uint8)[: len(opacity)]
        opacity[: len(given)] = given
        pixels, alpha = palette.reshape(-1, 3)[indices] / 255.0, opacity[indices][..., None] / 255.0
    elif header.colour in (4, 6):
        values = samples / largest
        pixels, alpha = values[..., :-1], values[..., -1:]
    else:
        pixels, alpha = samples / largest, 1.0 - _is_clear(name, samples, chunks.get(b"tRNS"))
    shown = np.asarray(pixels * alpha + (1.0 - alpha), np.float32)
    return shown[..., 0] if shown.shape[-1] == 1 else shown


def _is_clear(name: str, samples: Array, given: bytes | None) -> Array:
    """Where pixels without an alpha channel have the one grey, or colour, that the file says is transparent."""
    if given is None:
        return np.zeros((1, 1, 1))
    clear = np.frombuffer(given[: len(given) // 2 * 2], ">u2")
    if len(clear) != samples.shape[-1]:
        raise DamagedFileError(f"{name}: the transparent colour of the PNG file has {len(given)} bytes")
    return (samples == clear).all(axis=-1, keepdims=True)
