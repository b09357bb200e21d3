"""Reading fields of KIS: every number is text, days and hours are Korean, signs have codes."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from market.errors import SourceChanged
from venues.polite_http import fragment

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

SIGNS = {"1": 1, "2": 1, "3": 0, "4": -1, "5": -1}
"""Upper limit, up, unchanged, lower limit, down."""
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


def rows(answer: Mapping[str, Any], name: str, what: str) -> list[Row]:
    """Return the rows under a name; a single one may stand without its list."""
    found = answer.get(name)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        shown = fragment(orjson.dumps(found)) if name in answer else "no such field"
        raise SourceChanged(f"kis {what}: expected rows in '{name}', got {shown}")
    return found


def number(row: Row, name: str, what: str) -> float:
    """Return a number that has to be there."""
    value = row.get(name)
    text = value.strip() if isinstance(value, str) else ""
    found = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(found):
        odd(row, name, "a number", what)
    return found


def optional(row: Row, name: str, what: str) -> float | None:
    """Return a number, None where it is blank or left out."""
    value = row.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return number(row, name, what)


def price(row: Row, name: str, what: str) -> float | None:
    """Return an optional price; zero stands for none."""
    return optional(row, name, what) or None


def signed(row: Row, name: str, sign: str, what: str) -> float:
    """Return a change with the sign of its code, whether or not it carries one itself."""
    code = row.get(sign)
    if not isinstance(code, str) or code not in SIGNS:
        odd(row, sign, "a sign code from 1 to 5", what)
    return SIGNS[code] * abs(number(row, name, what))


def text(row: Row, name: str, what: str) -> str:
    """Return a text that has to be there, without the blanks it is padded with."""
    value = row.get(name)
    if not isinstance(value, str):
        odd(row, name, "text", what)
    return value.strip()


def moment(row: Row, day: str, hour: str, what: str) -> datetime:
    """Return the time of a YYYYMMDD and an HHMMSS field (KST)."""
    written = f"{row.get(day)}T{row.get(hour)}"
    if re.fullmatch(r"\d{8}T\d{6}", written) is None:
        odd(row, hour, "HHMMSS beside a YYYYMMDD", what)
    try:
        # Korea keeps no summer time
        return datetime.fromisoformat(f"{written}+09:00").astimezone(UTC)
    except ValueError:
        odd(row, hour, "a time that exists", what)


def calendar_day(row: Row, name: str, what: str) -> date:
    """Return the day of a YYYYMMDD field."""
    value = row.get(name)
    if not isinstance(value, str) or re.fullmatch(r"\d{8}", value) is None:
        odd(row, name, "YYYYMMDD", what)
    try:
        return date.fromisoformat(value)
    except ValueError:
        odd(row, name, "a day that exists", what)


def odd(row: Row, name: str, expected: str, what: str) -> NoReturn:
    """Raise SourceChanged that shows the odd field."""
    got = f"{name}: {orjson.dumps(row[name]).decode()}" if name in row else f"no {name}"
    raise SourceChanged(f"kis {what}: {name} is not {expected}; got {fragment(got)}")
