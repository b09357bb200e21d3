"""How large a picture is, from its first bytes."""

from __future__ import annotations

from dataclasses import dataclass

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Pixels, and what kind of file it is."""

    width: int
    height: int
    media_type: str


def image_size(content: bytes) -> ImageSize | None:
    """Return the size of a PNG or JPEG file; None where it is neither or damaged."""
    if content.startswith(PNG) and content[12:16] == b"IHDR" and len(content) >= 24:
        width, height = _number(content[16:20]), _number(content[20:24])
        return ImageSize(width, height, "image/png") if width and height else None
    return _jpeg_size(content) if content.startswith(JPEG) else None


def _jpeg_size(content: bytes) -> ImageSize | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        if content[at + 1] in _FRAMES:
            height, width = _number(content[at + 5 : at + 7]), _number(content[at + 7 : at + 9])
            return ImageSize(width, height, "image/jpeg") if width and height else None
        at += 2 + _number(content[at + 2 : at + 4])
    return None


def _number(content: bytes) -> int:
    return int.from_bytes(content, "big")
