"""One websocket session of the pretend KIS: what it answers, the trades and the fills it tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from market.sessions import KST
from market.types import from_ms, to_ms
from sandbox.kis_order_rows import sealed
from sandbox.kis_rows import ratio, sign, whole
from sandbox.order_faults import OrderFault

if TYPE_CHECKING:
    from sandbox.kis import Kis
    from sandbox.kis_faults import Faults
    from sandbox.market import Quote
    from sandbox.market_day import Trades

TRADES = "H0STCNT0"
FILLS = {False: "H0STCNI0", True: "H0STCNI9"}
"""What tells the account's orders, at the real and the virtual server."""
IV, KEY = "0123456789abcdef", "0123456789abcdef" * 2
FIELDS = 46
MOST_REGISTERED = 41
MOST_RECORDS = 20
PING_EVERY = timedelta(seconds=10)
"""Pings come about so often by the venue's clock (the interval is not documented)."""


class KisSession:
    """Hears requests and tells trades that were made since it last told."""

    def __init__(self, venue: Kis, faults: Faults) -> None:
        self._venue = venue
        self._faults = faults
        self._told: dict[str, datetime] = {}
        self._pinged_at = venue.clock.now()
        self._odd = 0
        self._orders_told: int | None = None
        self.echoes = 0
        self.is_over = False

    def begin(self, *, is_alone: bool) -> list[str]:
        """Return what a new session is told at once: nothing, unless another has the key."""
        if is_alone and not self._faults.is_in_use:
            return []
        self.is_over = True
        return [notice("(null)", "", "9", "OPSP8996", "ALREADY IN USE appkey")]

    def hear(self, message: str) -> list[str]:
        """Return the answers to one message."""
        try:
            asked = orjson.loads(message)
            header = asked["header"]
            if header.get("tr_id") == "PINGPONG":
                self.echoes += 1
                return []
            code, tr_id = asked["body"]["input"]["tr_key"], asked["body"]["input"]["tr_id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return [notice("(null)", "", "1", "OPSP9999", "ERROR JSON PARSING")]
        if self._faults.is_stalled:
            return []
        is_approved = self._venue.keys.is_approved(header.get("approval_key"))
        kind = header.get("tr_type")
        if tr_id == FILLS[self._venue.is_virtual] and is_approved:
            return [notice(tr_id, code, *self._follow_orders(code, kind))]
        return [notice(tr_id, code, *self._answer(code, kind, is_approved))]

    def frames(self) -> list[str]:
        """Return what is to be told now."""
        if self._faults.is_stalled:
            return []
        now = self._venue.clock.now()
        found = [frame for code in self._told for frame in self._trades(code, now)]
        found += self._orders()
        if now - self._pinged_at >= PING_EVERY:
            self._pinged_at = now
            header = {"tr_id": "PINGPONG", "datetime": f"{now.astimezone(KST):%Y%m%d%H%M%S}"}
            found.append(orjson.dumps({"header": header}).decode())
        found += self._faults.odd[self._odd :]
        self._odd = len(self._faults.odd)
        return found

    def _answer(self, code: str, kind: object, is_approved: bool) -> tuple[str, str, str]:
        if not is_approved:
            return "9", "OPSP0011", "invalid approval : NOT FOUND"
        if kind == "1":
            return self._register(code)
        if self._told.pop(code, None) is None:
            return "1", "OPSP0003", "UNSUBSCRIBE ERROR(not found!)"
        return "0", "OPSP0001", "UNSUBSCRIBE SUCCESS"

    def _follow_orders(self, code: str, kind: object) -> tuple[str, str, str]:
        account = self._venue.account
        if account is None or code != account.hts_id:
            return "1", "OPSP0007", "SUBSCRIBE INTERNAL ERROR"
        if kind == "2":
            self._orders_told = None
            return "0", "OPSP0001", "UNSUBSCRIBE SUCCESS"
        if self._orders_told is not None:
            return "1", "OPSP0002", "ALREADY IN SUBSCRIBE"
        self._orders_told = len(account.events)
        return "0", "OPSP0000", "SUBSCRIBE SUCCESS"

    def _orders(self) -> list[str]:
        """Return the frames of what happened to orders since they were last told."""
        account = self._venue.account
        if account is None or self._orders_told is None:
            return []
        events = account.events[self._orders_told :]
        self._orders_told = len(account.events)
        frames: list[str] = []
        held_back: list[str] = []
        for fields in events:
            frame = sealed(fields, FILLS[self._venue.is_virtual], IV, KEY)
            fault = account.fault()
            if fault is OrderFault.REORDERED:
                held_back.append(frame)
                continue
            frames += self._told_so(frame, fault) + held_back
            held_back.clear()
        return frames + held_back

    def _told_so(self, frame: str, fault: OrderFault | None) -> list[str]:
        if fault is OrderFault.DROPPED:
            self._faults.drop()
        if fault is OrderFault.STALLED:
            self._faults.is_stalled = True
        if fault in {OrderFault.DROPPED, OrderFault.STALLED, OrderFault.LOST_MESSAGE}:
            return []
        return [frame, frame] if fault is OrderFault.DUPLICATED else [frame]

    def _register(self, code: str) -> tuple[str, str, str]:
        if code in self._faults.failing:
            return "1", "OPSP0007", "SUBSCRIBE INTERNAL ERROR"
        if code in self._told:
            return "1", "OPSP0002", "ALREADY IN SUBSCRIBE"
        if len(self._told) >= MOST_REGISTERED:
            return "1", "OPSP0008", "MAX SUBSCRIBE OVER"
        self._told[code] = self._venue.clock.now()
        return "0", "OPSP0000", "SUBSCRIBE SUCCESS"

    def _trades(self, code: str, now: datetime) -> list[str]:
        after, self._told[code] = self._told[code], now
        quotes = self._venue.simulator.snapshot([code], now)
        day = now.astimezone(KST).date()
        if not quotes:
            return []
        trades = self._venue.simulator.trades(code, day)
        first, last = (
            int(np.searchsorted(trades.times, to_ms(at), "right")) for at in (after, now)
        )
        records = [record(quotes[0], trades, place) for place in range(first, last)]
        parts = [records[at : at + MOST_RECORDS] for at in range(0, len(records), MOST_RECORDS)]
        return [f"0|{TRADES}|{len(part):03}|{'^'.join(part)}" for part in parts]


def record(quote: Quote, trades: Trades, place: int) -> str:
    """Return the 46 fields of one trade (names of the columns: KIS Developers, H0STCNT0)."""
    at = from_ms(int(trades.times[place])).astimezone(KST)
    now, base = float(trades.prices[place]), quote.previous_close
    volume, value = int(trades.total_volume[place]), float(trades.total_value[place])
    opening, high = float(trades.prices[0]), float(trades.highs[place])
    low = float(trades.lows[place])
    size = int(trades.volumes[place])
    bought, sold = volume // 2, volume - volume // 2
    opened = f"{from_ms(int(trades.times[0])).astimezone(KST):%H%M%S}"
    near = [f"{opened}^{sign(now, one, quote)}^{whole(now - one)}" for one in (opening, high, low)]
    fields = [
        quote.instrument.code,
        f"{at:%H%M%S}",
        whole(now),
        sign(now, base, quote),
        whole(now - base),
        ratio(now, base),
        f"{value / volume:.2f}",
        *(whole(one) for one in (opening, high, low)),
        *(whole(one) for one in (now, now)),
        *(str(one) for one in (size, volume)),
        whole(value),
        *(str(one) for one in (place // 2, place - place // 2, 0)),
        "100.00",
        *(str(one) for one in (sold, bought)),
        "1" if place % 2 else "5",
        "0.50",
        "100.00",
        *near,
        f"{at:%Y%m%d}",
        "20",
        "Y" if quote.is_halted else "N",
        *("1000", "1000", "100000", "100000", "0.10", str(volume), "100.00", "0", ""),
        whole(base),
    ]
    return "^".join(fields)


def notice(tr_id: str, code: str, result: str, name: str, text: str) -> str:
    """Return a message that is no data."""
    header = {"tr_id": tr_id, "tr_key": code, "encrypt": "N"}
    body: dict[str, Any] = {"rt_cd": result, "msg_cd": name, "msg1": text}
    if result == "0":
        body["output"] = {"iv": IV, "key": KEY}
    return orjson.dumps({"header": header, "body": body}).decode()
