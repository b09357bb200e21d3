"""The size of a picture is read from its first bytes."""

from __future__ import annotations

import struct

import pytest

from sandbox.image_size import ImageSize, image_size


def png_start(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)


def jpeg_start(width: int, height: int) -> bytes:
    comment = b"\xff\xfe" + struct.pack(">H", 6) + b"text"
    return b"\xff\xd8" + comment + b"\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width)


def test_a_png_and_a_jpeg_are_measured() -> None:
    assert image_size(png_start(1080, 648)) == ImageSize(1080, 648, "image/png")
    assert image_size(jpeg_start(640, 480)) == ImageSize(640, 480, "image/jpeg")


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", png_start(0, 5), png_start(5, 5)[:20], jpeg_start(5, 5)[:-4]]
)
def test_anything_else_has_no_size(content: bytes) -> None:
    assert image_size(content) is None
