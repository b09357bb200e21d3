"""Reading Naver's JSON strictly: what is not as we know it is SourceChanged with the fragment."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any, NoReturn

import orjson

from market.errors import SourceChanged
from venues.polite_http import fragment

Row = dict[str, Any]

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_AMOUNT = re.compile(r"[+-]?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,6})(\.[0-9]{1,6})?")
_CODE_NAMES = ("itemCode", "itemcode", "cd")


def read_json(body: bytes) -> Any:
    """Return what a JSON answer holds; some are in EUC-KR whatever else they say."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return orjson.loads(body.decode("cp949").encode())
    except (UnicodeDecodeError, orjson.JSONDecodeError) as error:
        raise SourceChanged(f"naver: expected JSON, got {fragment(body)}") from error


def rows_in(what: str, rows: object, expected: str = "a list") -> list[Row]:
    """Return a list of objects, or raise with what was found in its place."""
    if not isinstance(rows, list):
        odd(what, expected, rows)
    for row in rows:
        if not isinstance(row, dict):
            odd(what, "objects", row)
    return rows


def text_of(row: Row, name: str) -> str:
    """Return a field that is a text with something in it."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        odd_field(row, name, "text")
    return value.strip()


def number(row: Row, name: str) -> float:
    """Return a number, also one that is written as text, as programs write it."""
    value = row.get(name)
    is_text = isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    found = float(row[name]) if is_text or is_number else math.nan
    if not math.isfinite(found):
        odd_field(row, name, "a number")
    return found


def optional(row: Row, name: str) -> float | None:
    """Return a number, None where it is null, empty or not there."""
    return None if row.get(name) in (None, "") else number(row, name)


def amount(row: Row, name: str) -> float | None:
    """Return a number as people write it (`+14,870`), None where a dash stands for it."""
    value = row.get(name)
    if value == "-":
        return None
    if not isinstance(value, str) or _AMOUNT.fullmatch(value) is None:
        odd_field(row, name, "an amount")
    return float(value.replace(",", ""))


def moment(row: Row, name: str, value: object = None) -> datetime:
    """Return the UTC time of YYYYMMDDHHMMSS in Korean time."""
    value = row.get(name) if value is None else value
    if not isinstance(value, str) or re.fullmatch(r"\d{14}", value, re.ASCII) is None:
        odd_field(row, name, "YYYYMMDDHHMMSS")
    try:
        # Korea keeps no summer time; strptime takes ten times as long, for 2,000 rows of a chart
        return datetime.fromisoformat(f"{value[:8]}T{value[8:]}+09:00").astimezone(UTC)
    except ValueError:
        odd_field(row, name, "a time that exists")


def day_of(row: Row, name: str) -> date:
    """Return the day of YYYYMMDD."""
    value = row.get(name)
    if not isinstance(value, str) or re.fullmatch(r"\d{8}", value, re.ASCII) is None:
        odd_field(row, name, "YYYYMMDD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        odd_field(row, name, "a day that exists")


def odd_field(row: Row, name: str, expected: str) -> NoReturn:
    """Raise SourceChanged for one field of a row."""
    got = f"{name}: {_shown(row[name])}" if name in row else f"no {name}"
    code = next((f" {row[one]}" for one in _CODE_NAMES if isinstance(row.get(one), str)), "")
    raise SourceChanged(f"naver{code}: {name} is not {expected}; got {fragment(got)}")


def odd(what: str, expected: str, got: object) -> NoReturn:
    """Raise SourceChanged for a whole answer or a part of it."""
    shown = got if isinstance(got, bytes | str) else _shown(got)
    raise SourceChanged(f"naver {what}: expected {expected}, got {fragment(shown)}")


def _shown(value: object) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
