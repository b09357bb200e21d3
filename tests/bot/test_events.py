from __future__ import annotations

import errno
import json
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

from bot.events import EventLog
from market.clock import ManualClock

CLOCK = ManualClock(datetime(2026, 11, 24, 1, 0, tzinfo=UTC))


class FullDisk(BytesIO):
    def write(self, _: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_one_fact_is_one_line_of_json() -> None:
    stream = BytesIO()
    EventLog(CLOCK, stream).emit("order", id="abc", quantity=Decimal(10), price=None)
    assert json.loads(stream.getvalue()) == {
        "at": "2026-11-24T01:00:00+00:00",
        "event": "order",
        "id": "abc",
        "quantity": "10",
        "price": None,
    }


def test_facts_are_counted_without_a_file() -> None:
    log = EventLog(CLOCK)
    log.emit("bar")
    log.emit("bar")
    assert log.counts == {"bar": 2}


def test_a_token_does_not_get_into_the_file() -> None:
    stream = BytesIO()
    token = "7000000001:" + "A" * 35
    EventLog(CLOCK, stream, ["1:short"]).emit("error", error=f"/bot{token}/x and /bot1:short/x")
    assert json.loads(stream.getvalue())["error"] == "/bot[hidden]/x and /bot[hidden]/x"


def test_odd_facts_are_written_all_the_same() -> None:
    stream = BytesIO()
    EventLog(CLOCK, stream).emit("error", text="\ud83d", count=2**70)
    written = json.loads(stream.getvalue())
    assert (written["text"], written["count"]) == ("\ud83d", 2**70)


def test_a_full_disk_stops_the_log_but_not_the_bot() -> None:
    log = EventLog(CLOCK, FullDisk())
    log.emit("bar")
    log.emit("bar")
    assert log.counts["bar"] == 2
