"""The trades that KIS's websocket tells (H0STCNT0, KRX).

They come as `0|H0STCNT0|003|` and the fields of so many records in a row, 46 each, joined by `^`
(recorded 2025-07, KIS Developers 2026-07).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawlers.kis_rows import moment, number, optional, price, signed
from market.errors import SourceChanged
from market.types import Tick
from venues.polite_http import fragment

if TYPE_CHECKING:
    from datetime import datetime

TRADES = "H0STCNT0"
FIELDS = 46
_NAMES = {
    0: "code",
    1: "hour",
    2: "price",
    3: "sign",
    4: "change",
    7: "open",
    8: "high",
    9: "low",
    13: "day_volume",
    14: "day_value",
    33: "day",
    35: "is_halted",
}
_WHAT = f"socket {TRADES}"


def parse_trades(message: str, seen_at: datetime) -> list[Tick]:
    """Return one tick for each record of a data frame, oldest first.

    The counts of the day are those after the trade.
    """
    parts = message.split("|", 3)
    if len(parts) != 4 or parts[:2] != ["0", TRADES] or not parts[2].isdecimal():
        raise SourceChanged(f"kis {_WHAT}: expected 0|{TRADES}|, got {fragment(message)}")
    count, fields = int(parts[2]), parts[3].split("^")
    if count == 0 or len(fields) != count * FIELDS:
        raise SourceChanged(
            f"kis {_WHAT}: {count} records have {len(fields)} fields, not {FIELDS} each"
        )
    records = (fields[first : first + FIELDS] for first in range(0, len(fields), FIELDS))
    return [_tick(record, seen_at) for record in records]


def _tick(record: list[str], seen_at: datetime) -> Tick:
    row: dict[str, Any] = {name: record[index] for index, name in _NAMES.items()}
    now = number(row, "price", _WHAT)
    return Tick(
        instrument=f"KRX:{row['code']}",
        at=moment(row, "day", "hour", _WHAT),
        seen_at=seen_at,
        price=now,
        day_volume=number(row, "day_volume", _WHAT),
        day_value=optional(row, "day_value", _WHAT),
        day_open=price(row, "open", _WHAT),
        day_high=price(row, "high", _WHAT),
        day_low=price(row, "low", _WHAT),
        previous_close=now - signed(row, "change", "sign", _WHAT),
        halted=row["is_halted"] == "Y",
    )
