"""A pretend Korea Investment & Securities, without its wires: what it answers at a moment.

Quotations of the pretend Korea Exchange with the documented quirks: 30 prices an answer, charts
that go backwards from a time, a newest minute that shows the volume of the one before until
something trades, the last price again for minutes still to come, blank investors before the close.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from market.sessions import KST
from sandbox.kis_pace import REAL, VIRTUAL, Pace
from sandbox.kis_rows import (
    day_row,
    head_row,
    investor_row,
    minute_row,
    price_row,
    still_row,
    unknown_price_row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from market.clock import Clock
    from sandbox.kis_keys import KisKeys
    from sandbox.market import Quote, Simulator
    from sandbox.order_faults import OrderFault

Row = dict[str, Any]

MOST_PRICES = 30
MOST_MINUTES_TODAY = 30
MOST_MINUTES_PAST = 120
MOST_DAYS = 100
INVESTOR_DAYS = 30
KEPT_MINUTES = timedelta(days=365)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_OPEN = "OPEN"


class Refusal(Exception):
    """An answer with a code other than zero."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Account(Protocol):
    """Port. An account whose orders are told by the socket."""

    @property
    def hts_id(self) -> str:
        """Return the login id that they are told to."""
        ...

    @property
    def events(self) -> Sequence[list[str]]:
        """Return everything that happened so far, each as the fields of a record."""
        ...

    def fault(self) -> OrderFault | None:
        """Return what goes wrong with the next message."""
        ...


class Kis:
    """The firm's quotations at the time of its clock; `is_virtual` lacks the past minutes.

    What happens to orders of the `account`, where there is one, is told by the websocket.
    """

    def __init__(
        self,
        simulator: Simulator,
        clock: Clock,
        keys: KisKeys,
        *,
        is_virtual: bool = False,
        account: Account | None = None,
    ) -> None:
        self.simulator = simulator
        self.clock = clock
        self.keys = keys
        self.account = account
        self.is_virtual = is_virtual
        self.pace = Pace(clock, VIRTUAL if is_virtual else REAL)
        self._services: dict[str, tuple[str, Callable[[Mapping[str, str]], Row]]] = {
            "intstock-multprice": ("FHKST11300006", self._prices),
            "inquire-time-itemchartprice": ("FHKST03010200", self._today),
            "inquire-time-dailychartprice": ("FHKST03010230", self._past),
            "inquire-daily-itemchartprice": ("FHKST03010100", self._days),
            "inquire-investor": ("FHKST01010900", self._investors),
        }

    def quotation(self, name: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Row:
        """Return the outputs of one service; raises Refusal."""
        refused = self.keys.refusal(headers)
        if refused is not None:
            raise Refusal(*refused)
        tr_id, answer = self._services.get(name, ("", None))
        if answer is None or headers.get("tr_id") != tr_id:
            raise Refusal("OPSQ0002", "없는 서비스 코드 입니다.")
        return answer(query)

    def _prices(self, query: Mapping[str, str]) -> Row:
        places = range(1, MOST_PRICES + 1)
        asked = [
            query[f"FID_INPUT_ISCD_{place}"]
            for place in places
            if f"FID_INPUT_ISCD_{place}" in query
        ]
        if not all(asked) or not asked:
            raise Refusal("OPSQ2002", "ERROR INVALID FID_COND_MRKT_DIV_CODE")
        quotes = self.simulator.snapshot(dict.fromkeys(asked), self.clock.now())
        known = {quote.instrument.code: quote for quote in quotes}
        rows = [price_row(known[one]) if one in known else unknown_price_row(one) for one in asked]
        return {"output": rows}

    def _today(self, query: Mapping[str, str]) -> Row:
        code, now = _code(query), self.clock.now()
        quote = self._quote(code)
        today = now.astimezone(KST).date()
        until = _moment(today, query.get("FID_INPUT_HOUR_1", ""))
        rows = self._minutes(code, today, until)
        if rows and quote.status == _OPEN:
            rows += _still(rows[-1], _whole(now), until)
        if query.get("FID_PW_DATA_INCU_YN") == "Y" and len(rows) < MOST_MINUTES_TODAY:
            rows = self._minutes(code, self._session_before(code, today), until) + rows
        return {"output1": head_row(quote), "output2": rows[::-1][:MOST_MINUTES_TODAY]}

    def _past(self, query: Mapping[str, str]) -> Row:
        if self.is_virtual:
            raise Refusal("OPSQ0002", "없는 서비스 코드 입니다.")
        code = _code(query)
        day = _date(query.get("FID_INPUT_DATE_1", ""))
        until = _moment(day, query.get("FID_INPUT_HOUR_1", ""))
        is_kept = until > self.clock.now() - KEPT_MINUTES
        rows = self._minutes(code, day, until) if is_kept else []
        return {"output1": head_row(self._quote(code)), "output2": rows[::-1][:MOST_MINUTES_PAST]}

    def _days(self, query: Mapping[str, str]) -> Row:
        code = _code(query)
        first, last = (_date(query.get(f"FID_INPUT_DATE_{place}", "")) for place in (1, 2))
        quote = self._quote(code)
        begin = max(first, last - 3 * MOST_DAYS * _DAY)
        days = self.simulator.days(code, begin, last, self.clock.now())[-MOST_DAYS:]
        before = [days[0].open, *(day.close for day in days[:-1])] if days else []
        rows = [day_row(day, close) for day, close in zip(days, before, strict=True)]
        return {"output1": head_row(quote), "output2": rows[::-1]}

    def _investors(self, query: Mapping[str, str]) -> Row:
        code, now = _code(query), self.clock.now()
        quote = self._quote(code)
        today = now.astimezone(KST).date()
        days = self.simulator.days(code, today - 60 * _DAY, today, now)[-INVESTOR_DAYS:]
        rows = [
            investor_row(day.day, day.close, None)
            if day.day == today and quote.status == _OPEN
            else investor_row(day.day, day.close, net_buying(code, day.day, day.volume))
            for day in days
        ]
        return {"output": rows[::-1]}

    def _minutes(self, code: str, day: date, until: datetime) -> list[Row]:
        """Return the rows of a day up to a time, oldest first."""
        midnight = datetime.combine(day, datetime.min.time(), KST)
        end = min(until + _MINUTE, midnight + _DAY)
        minutes = self.simulator.minutes(code, midnight, end, self.clock.now())
        totals = np.cumsum([minute.value for minute in minutes])
        return [minute_row(one, float(total)) for one, total in zip(minutes, totals, strict=True)]

    def _session_before(self, code: str, day: date) -> date:
        days = self.simulator.days(code, day - 30 * _DAY, day - _DAY, self.clock.now())
        return days[-1].day if days else day - _DAY

    def _quote(self, code: str) -> Quote:
        quotes = self.simulator.snapshot([code], self.clock.now())
        if not quotes:
            raise Refusal("OPSQ2001", "ERROR INPUT FIELD NOT FOUND")
        return quotes[0]


def net_buying(code: str, day: date, volume: int) -> tuple[int, int, int]:
    """Return how much individuals, foreigners and institutions bought net on a pretend day."""
    seed = [ord(letter) for letter in code] + [day.toordinal()]
    foreigners, institutions = (
        int(volume * share) for share in np.random.default_rng(seed).normal(0, 0.05, 2)
    )
    return -foreigners - institutions, foreigners, institutions


def _still(last: Row, present: datetime, until: datetime) -> list[Row]:
    """Return rows of minutes without a trade: the present one, and those still to come."""
    made: list[Row] = []
    at, volume = present, last["cntg_vol"]
    while at <= until:
        row = still_row(at, last, volume)
        if row["stck_cntg_hour"] > last["stck_cntg_hour"]:
            made.append(row)
        at, volume = at + _MINUTE, "0"
    return made


def _code(query: Mapping[str, str]) -> str:
    return query.get("FID_INPUT_ISCD", "")


def _date(text: str) -> date:
    if re.fullmatch(r"\d{8}", text) is None:
        raise Refusal("OPSQ2001", "ERROR INVALID FID_INPUT_DATE")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refusal("OPSQ2001", "ERROR INVALID FID_INPUT_DATE") from error


def _moment(day: date, text: str) -> datetime:
    if re.fullmatch(r"([01]\d|2[0-3])[0-5]\d[0-5]\d", text) is None:
        raise Refusal("OPSQ2001", "ERROR INVALID FID_INPUT_HOUR_1")
    return datetime.combine(day, datetime.strptime(text, "%H%M%S").time(), KST)  # noqa: DTZ007  a time of day


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
