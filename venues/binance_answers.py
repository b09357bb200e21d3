"""What answers of Binance mean beside their content: error codes, weights, and how long to rest."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"
HIGHEST_USE = 0.9
"""From this share of a minute's weight on nothing more is asked before the next minute."""
SHORTEST_BAN_SECONDS = 120.0

_BANNED_UNTIL = re.compile(rb"banned until (\d{13})")


def error_code(body: bytes) -> int | None:
    """Return the code of an error's body (`{"code": -1121, "msg": ...}`), None without one."""
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    code = answer.get("code") if isinstance(answer, dict) else None
    return code if isinstance(code, int) else None


def rest_seconds(answer: httpx.Response, weight_a_minute: int) -> float | None:
    """Return for how many seconds Binance is to be left alone after an answer, None if it is not.

    After 418 until the ban ends; after 429, and where a minute's weight is nearly used, until the
    next minute begins.
    """
    now = _date(answer)
    if answer.status_code == 418:
        return _ban_seconds(answer.content, now)
    used = answer.headers.get(WEIGHT_HEADER, "")
    is_full = used.isdigit() and int(used) >= HIGHEST_USE * weight_a_minute
    if answer.status_code == 429 or is_full:
        return 60.0 if now is None else 60.0 - now.second
    return None


def _ban_seconds(body: bytes, now: datetime | None) -> float:
    until = _BANNED_UNTIL.search(body)
    if until is None or now is None:
        return SHORTEST_BAN_SECONDS
    return max(0.0, int(until[1]) / 1000 - now.timestamp())


def _date(answer: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
