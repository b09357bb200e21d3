"""Numbers and names as compact bytes: columns of the raw record.

Whole numbers lie as distances from the smallest one in as few bytes as the largest distance needs,
all lowest bytes first, which compresses well. Prices that are whole at some power of ten are kept
as whole numbers; every value comes back bit for bit.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

_SCALES: Final = (1.0, 10.0, 100.0, 1e3, 1e4, 1e6, 1e8)
_RAW = 255
_EXACT = float(2**53)
"""Whole floats below this are all different numbers."""
_NO_NAN, _ALL_NAN, _SOME_NAN = range(3)
_AS_TEXT, _AS_CODES = range(2)
_CODES = re.compile(r"([^:]*:)([0-9A-Z]{1,12})")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_I64 = struct.Struct("<q")
_U32 = struct.Struct("<I")


class ColumnWriter:
    """Appends values and columns to one run of bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def bytes(self) -> bytes:
        """Return everything written so far."""
        return bytes(self._bytes)

    def byte(self, value: int) -> None:
        """Write a number from 0 to 255."""
        self._bytes.append(value)

    def number(self, value: int) -> None:
        """Write one whole number."""
        self._bytes += _I64.pack(value)

    def text(self, value: str) -> None:
        """Write a text."""
        coded = value.encode("utf-8", "surrogatepass")
        self._bytes += _U32.pack(len(coded)) + coded

    def ints(self, values: Ints, *, is_series: bool = False) -> None:
        """Write a column of whole numbers; a series is kept as its steps."""
        if not len(values):
            return
        first = int(values[0])
        if is_series:
            self.number(first)
            values = np.diff(values)
            if not len(values):
                return
        base = int(values.min())
        spread = int(values.max()) - base
        width = next(one for one in (0, 1, 2, 4, 8) if spread < 1 << 8 * one)
        self.byte(width)
        self.number(base)
        if width:
            # the distances wrap round in 64 bits like the values, so that they never overflow
            distances = (values.astype(np.uint64) - np.uint64(base & (1 << 64) - 1)).astype("<u8")
            planes = distances.view(np.uint8).reshape(-1, 8)[:, :width]
            self._bytes += planes.T.tobytes()

    def floats(
        self, values: Floats, near: Floats | None = None, *, is_series: bool = False
    ) -> None:
        """Write a column of floats, NaN among them; `near` are known ones that are much alike."""
        is_nan = np.isnan(values)
        if is_nan.all():
            self.byte(_ALL_NAN)
            return
        if is_nan.any():
            self.byte(_SOME_NAN)
            self._bytes += np.packbits(is_nan).tobytes()
            values, near = values[~is_nan], None if near is None else near[~is_nan]
        else:
            self.byte(_NO_NAN)
        power = _power(values)
        self.byte(power)
        if power == _RAW:
            self._bytes += values.astype("<f8").view(np.uint8).reshape(-1, 8).T.tobytes()
            return
        whole = np.rint(values * _SCALES[power]).astype(np.int64)
        self.ints(whole - _whole(near, power, len(whole)), is_series=is_series)

    def names(self, names: Sequence[str]) -> None:
        """Write a column of instrument ids; sorted ones of six digits take a byte or two each."""
        found = [_CODES.fullmatch(name) for name in names]
        forms = {(one[1], len(one[2])) if one else None for one in found}
        if len(forms) != 1 or None in forms:
            self.byte(_AS_TEXT)
            self.text("\n".join(names))
            return
        prefix, width = next(one for one in forms if one is not None)
        self.byte(_AS_CODES)
        self.text(prefix)
        self.byte(width)
        codes = [int(one[2], 36) for one in found if one is not None]
        self.ints(np.array(codes, dtype=np.int64), is_series=True)


class ColumnReader:
    """Reads what a `ColumnWriter` wrote, in the same order; ValueError for anything else."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left."""
        return self._at == len(self._data)

    def byte(self) -> int:
        """Read a number from 0 to 255."""
        return self._take(1)[0]

    def number(self) -> int:
        """Read one whole number."""
        return int(_I64.unpack(self._take(8))[0])

    def text(self) -> str:
        """Read a text."""
        length = int(_U32.unpack(self._take(4))[0])
        return self._take(length).decode("utf-8", "surrogatepass")

    def ints(self, count: int, *, is_series: bool = False) -> Ints:
        """Read a column of whole numbers."""
        if not count:
            return np.zeros(0, dtype=np.int64)
        if is_series:
            first = np.array([self.number()], dtype=np.int64)
            return np.cumsum(np.concatenate([first, self.ints(count - 1)]), dtype=np.int64)
        width, base = self.byte(), self.number()
        if width not in {0, 1, 2, 4, 8}:
            raise ValueError(f"no column of {width} bytes a number")
        wide = np.zeros((count, 8), dtype=np.uint8)
        if width:
            planes = np.frombuffer(self._take(count * width), dtype=np.uint8)
            wide[:, :width] = planes.reshape(width, count).T
        distances = wide.reshape(-1).view("<u8").astype(np.uint64)
        return (distances + np.uint64(base & (1 << 64) - 1)).astype(np.int64)

    def floats(self, count: int, near: Floats | None = None, *, is_series: bool = False) -> Floats:
        """Read a column of floats, given the same `near` as when it was written."""
        kind = self.byte()
        values = np.full(count, np.nan)
        if kind == _ALL_NAN:
            return values
        is_there = np.ones(count, dtype=bool)
        if kind == _SOME_NAN:
            bits = np.frombuffer(self._take((count + 7) // 8), dtype=np.uint8)
            is_there = ~np.unpackbits(bits, count=count).astype(bool)
        known = int(is_there.sum())
        power = self.byte()
        if power == _RAW:
            planes = np.frombuffer(self._take(known * 8), dtype=np.uint8).reshape(8, known)
            values[is_there] = np.ascontiguousarray(planes.T).reshape(-1).view("<f8")
            return values
        if power >= len(_SCALES):
            raise ValueError(f"no column of scale {power}")
        whole = self.ints(known, is_series=is_series)
        whole = whole + _whole(None if near is None else near[is_there], power, known)
        values[is_there] = whole / _SCALES[power]
        return values

    def names(self, count: int) -> list[str]:
        """Read a column of instrument ids."""
        if self.byte() == _AS_TEXT:
            text = self.text()
            names = text.split("\n") if count else []
            if len(names) != count:
                raise ValueError(f"{len(names)} names in the place of {count}")
            return names
        prefix, width = self.text(), self.byte()
        return [prefix + _code(one, width) for one in self.ints(count, is_series=True).tolist()]

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise ValueError(f"{length} bytes wanted, {len(self._data) - self._at} are left")
        taken, self._at = self._data[self._at : end], end
        return taken


def _power(values: Floats) -> int:
    """Return the index of the smallest scale at which all values are whole, else `_RAW`."""
    with np.errstate(all="ignore"):
        for index, scale in enumerate(_SCALES):
            scaled = np.rint(values * scale)
            if not (np.abs(scaled) < _EXACT).all():
                return _RAW
            back = scaled.astype(np.int64) / scale
            if (back.view(np.int64) == values.view(np.int64)).all():
                return index
    return _RAW


def _whole(near: Floats | None, power: int, count: int) -> Ints:
    """Return the numbers that a column is told as distances from."""
    if near is None:
        return np.zeros(count, dtype=np.int64)
    with np.errstate(all="ignore"):
        scaled = np.rint(near * _SCALES[power])
        return np.where(np.abs(scaled) < _EXACT, scaled, 0.0).astype(np.int64)


def _code(number: int, width: int) -> str:
    code = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        code = _DIGITS[digit] + code
    return code
