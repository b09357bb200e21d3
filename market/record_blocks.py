"""Blocks of the raw record's files: compressed, numbered, checksummed, found again after damage.

A file is nothing but blocks, one behind the other. A block is a head (mark, number within the file,
how many events of which times, length and checksum of what follows, checksum of the head itself)
and its events, compressed together. Reading goes on at the next good head after anything else.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.sessions import KST
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

MARK = b"\xf7ttrec1\n"
LEVEL = 6
"""Of zlib: lzma makes blocks of this size 5 % smaller in twenty times the time (docs/record.md)."""

_HEAD = struct.Struct("<8sIIqqII")
_CHECK = struct.Struct("<I")
HEAD_LENGTH = _HEAD.size + _CHECK.size
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Block:
    """A good block of a file: where it lies, and its encoded events of [first, last]."""

    offset: int
    length: int
    number: int
    first: datetime
    last: datetime
    events: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a file that could not be read, and in words what they held."""

    offset: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class _Head:
    number: int
    events: int
    first_ms: int
    last_ms: int
    length: int
    checksum: int

    @property
    def span(self) -> str:
        return f"{self.events} events of {_span(from_ms(self.first_ms), from_ms(self.last_ms))}"


def pack(number: int, events: Sequence[bytes], first: datetime, last: datetime) -> bytes:
    """Return a block of encoded events."""
    joined = b"".join(_LENGTH.pack(len(event)) + event for event in events)
    payload = zlib.compress(joined, LEVEL)
    sums = (len(payload), zlib.crc32(payload))
    head = _HEAD.pack(MARK, number, len(events), to_ms(first), to_ms(last), *sums)
    return head + _CHECK.pack(zlib.crc32(head)) + payload


def unpack(data: bytes) -> Iterator[Block | Damage]:
    """Yield the good blocks of a file's bytes and what lies between them, in order."""
    offset, is_told = 0, False
    before: Block | None = None
    while offset < len(data):
        newest = 0 if before is None else before.number
        found = _block(data, offset)
        if isinstance(found, Block) and found.number > newest:
            if found.number > newest + 1 and not is_told:
                yield Damage(offset, 0, _missing(newest + 1, found.number - 1, before, found))
            yield found
            offset, before, is_told = offset + found.length, found, False
        else:
            end = _next(data, offset, newest)
            yield Damage(offset, end - offset, _lost(data, offset, end, found))
            offset, is_told = end, True


def _head(data: bytes, offset: int) -> _Head | None:
    """Return the head at a place, None where there is no good one."""
    if data[offset : offset + len(MARK)] != MARK or offset + HEAD_LENGTH > len(data):
        return None
    (checksum,) = _CHECK.unpack_from(data, offset + _HEAD.size)
    if zlib.crc32(data[offset : offset + _HEAD.size]) != checksum:
        return None
    return _Head(*_HEAD.unpack_from(data, offset)[1:])


def _block(data: bytes, offset: int) -> Block | _Head | None:
    """Return the good block at a place, else its head where at least that is good."""
    head = _head(data, offset)
    if head is None:
        return None
    begin = offset + HEAD_LENGTH
    payload = data[begin : begin + head.length]
    if len(payload) < head.length or zlib.crc32(payload) != head.checksum:
        return head
    try:
        events = tuple(_split(zlib.decompress(payload)))
    except (zlib.error, struct.error):
        return head
    first, last = from_ms(head.first_ms), from_ms(head.last_ms)
    return Block(offset, HEAD_LENGTH + head.length, head.number, first, last, events)


def _split(joined: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(joined):
        (length,) = _LENGTH.unpack_from(joined, at)
        at += _LENGTH.size
        yield joined[at : at + length]
        at += length


def _next(data: bytes, offset: int, newest: int) -> int:
    """Return where the next good block begins that is not a copy of an earlier one."""
    at = data.find(MARK, offset + 1)
    while at >= 0:
        found = _block(data, at)
        if isinstance(found, Block) and found.number > newest:
            return at
        at = data.find(MARK, at + 1)
    return len(data)


def _lost(data: bytes, offset: int, end: int, found: Block | _Head | None) -> str:
    """Say what the bytes from `offset` to `end` held."""
    if isinstance(found, Block):
        return f"a copy of block {found.number}, which is left out"
    if found is None:
        return "bytes that are no block: their events are lost"
    if end == len(data) and offset + HEAD_LENGTH + found.length > len(data):
        return f"the last block is torn: {found.span} are lost"
    return f"block {found.number} is damaged: {found.span} are lost"


def _missing(first: int, last: int, before: Block | None, after: Block) -> str:
    """Say what lies between two good blocks that follow each other but not by number."""
    names = f"block {first} is" if first == last else f"blocks {first} to {last} are"
    if before is None:
        return f"{names} missing: what was recorded before {_clock(after.first)} is lost"
    return f"{names} missing: what was recorded in {_span(before.last, after.first)} is lost"


def _span(first: datetime, last: datetime) -> str:
    return f"{_clock(first)}-{_clock(last)}"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(KST):%H:%M:%S}"
