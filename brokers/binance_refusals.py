"""What Binance's refusals mean: not executed and why, not now, or nobody knows.

Codes and texts as documented (developers.binance.com, "Error Codes" of spot and of USDⓈ-M futures,
and "HTTP Return Codes", 2026-09).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from market.errors import OrderError, OrderRejected, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

CLOCK = -1021
ABSENT = -2013
ARCHIVED = -2026
"""Spot's word for what ended without a trade more than 90 days ago."""
NOTHING_TO_CANCEL = -2011
TRIGGERS_AT_ONCE = -2021
"""A stop whose trigger the price has passed already."""
NO_LISTEN_KEY = -1125
NO_SYMBOL = -1121

_UNKNOWN = frozenset({-1000, -1001, -1006, -1007})
"""The venue itself does not know what became of the request, whatever the status says."""
_BUSY = frozenset({-1003, -1004, -1008, -1015, -1016})
_BUSY_STATUS = frozenset({403, 418, 429})
"""Turned away at the door: by the firewall, as banned, as too many."""
_BUSY_TEXT = "Service Unavailable."
"""The one text of a 503 that promises that nothing was executed."""

_CODES = {
    CLOCK: "clock",
    -1111: "quantity",
    NO_SYMBOL: "instrument",
    -2014: "keys",
    -2015: "keys",
    -1022: "keys",
    NOTHING_TO_CANCEL: "unknown_order",
    TRIGGERS_AT_ONCE: "price",
    -2018: "cash",
    -2019: "cash",
    -2022: "no_position",
    -4118: "no_position",
    -4116: "duplicate",
    -4108: "halted",
    -4140: "halted",
    -4003: "quantity",
    -4004: "quantity",
    -4005: "quantity",
    -4023: "quantity",
    -4164: "least",
    -4001: "price",
    -4002: "price",
    -4013: "price",
    -4014: "price",
    -4015: "client_id",
    -4016: "price",
    -4024: "price",
    -4131: "price",
}
_TEXTS = {
    "Duplicate order sent": "duplicate",
    "insufficient balance": "cash",
    "Market is closed": "halted",
    "immediately match": "price",
    "trigger immediately": "price",
    "NOTIONAL": "least",
    "LOT_SIZE": "quantity",
    "PRICE": "price",
    "'price'": "price",
}
"""What spot says under one code for many reasons, by a part of its text."""
_SHARED = frozenset({-1013, -1111, -2010})


class Refused(OrderRejected):
    """Binance said no; `venue_code` is the number it gave."""

    def __init__(self, code: str, message: str, venue_code: int) -> None:
        super().__init__(code, message)
        self.venue_code = venue_code


def complaint(body: bytes) -> tuple[int, str]:
    """Return code and text of an error's body, (0, "") where it has none."""
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return 0, ""
    code = answer.get("code") if isinstance(answer, dict) else None
    return (code, str(answer.get("msg", ""))) if isinstance(code, int) else (0, "")


def reason(code: int, text: str) -> str:
    """Return our own word for a refusal."""
    if code in _SHARED:
        found = (word for part, word in _TEXTS.items() if part in text)
        return next(found, _CODES.get(code, "other"))
    return _CODES.get(code, "other")


def failure(what: str, answer: httpx.Response, hide: Callable[[str], str] = str) -> OrderError:
    """Return what an answer that is not 200 means for a request that was to change something.

    `hide` takes what is secret out of what the venue says.
    """
    status = answer.status_code
    code, text = complaint(answer.content)
    said = f"binance answered {what} with {status} {code} {hide(text)[:80]}".rstrip()
    is_turned_away = code in _BUSY or status in _BUSY_STATUS
    if is_turned_away or (status == 503 and text == _BUSY_TEXT):
        return Refused("busy", said, code)
    if code in _UNKNOWN or not code or not 400 <= status < 500 or status == 408:
        return OutcomeUnknown("unanswered", said)
    return Refused(reason(code, text), said, code)
