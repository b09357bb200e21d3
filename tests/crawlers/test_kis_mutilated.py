"""Mutilated answers of KIS are read or refused as changed, and nothing else happens."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.kis_frames import parse_trades
from crawlers.kis_look import Look
from crawlers.kis_minutes import minute_bars, parse_minutes
from crawlers.kis_parsers import oldest_day, parse_days, parse_flows, parse_prices
from market.clock import ManualClock
from market.errors import SourceChanged
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Venue
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
from sandbox.kis_keys import KisKeys
from sandbox.kis_socket import KisSession, notice
from sandbox.market import Simulator
from venues.kis_messages import parse_notice

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
CALENDAR = KrxCalendar({})
CLOCK = ManualClock(NOW)
KEYS = {"appkey": "key", "appsecret": "secret"}
ID, CODE = "KRX:005930", {"FID_INPUT_ISCD": "005930"}
EXAMPLES = 200


def pretend() -> Kis:
    instruments = [Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")]
    simulator = Simulator(instruments, CALENDAR, seed=3, halted="", illiquid="")
    return Kis(simulator, CLOCK, KisKeys(CLOCK, "key", "secret"))


VENUE = pretend()
TOKEN = str(VENUE.keys.issue(KEYS)[1]["access_token"])


def answer(name: str, tr_id: str, **query: str) -> dict[str, Any]:
    headers = {**KEYS, "authorization": f"Bearer {TOKEN}", "tr_id": tr_id}
    return VENUE.quotation(name, headers, CODE | query)


def read_prices(fields: dict[str, Any]) -> object:
    return parse_prices(fields, {"005930": ID}, Look(NOW, NOW, NOW, is_open=True))


def read_minutes(fields: dict[str, Any]) -> object:
    return minute_bars(parse_minutes(fields, NOW.date(), NOW)[::-1], ID, CALENDAR, NOW)


def read_days(fields: dict[str, Any]) -> object:
    return parse_days(fields, ID, CALENDAR, NOW), oldest_day(fields)


def read_flows(fields: dict[str, Any]) -> object:
    return parse_flows(fields, CALENDAR, NOW)


SERVICES: list[tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = [
    (answer("intstock-multprice", "FHKST11300006", FID_INPUT_ISCD_1="005930"), read_prices),
    (
        answer("inquire-time-itemchartprice", "FHKST03010200", FID_INPUT_HOUR_1="103000"),
        read_minutes,
    ),
    (
        answer(
            "inquire-daily-itemchartprice",
            "FHKST03010100",
            FID_INPUT_DATE_1="20260901",
            FID_INPUT_DATE_2="20260909",
        ),
        read_days,
    ),
    (answer("inquire-investor", "FHKST01010900"), read_flows),
]
INTEGERS = st.integers(-(2**63), 2**63)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    INTEGERS,
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", " ", "-", "nan", "1e5", "٣", "-5", "00000000", "99999999", "240000"]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), INTEGERS, max_size=2),
)


@pytest.mark.parametrize(("fields", "read"), SERVICES)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_a_mutilated_answer_is_read_or_changed(
    fields: dict[str, Any], read: Callable[[dict[str, Any]], object], data: st.DataObject
) -> None:
    read(fields)
    name = data.draw(st.sampled_from(["output", "output2", "rows"]))
    if name in fields and data.draw(st.booleans()):
        mutilated = fields | {name: data.draw(ODD)}
    else:
        mutilated = {key: _mutilate(one, data) for key, one in fields.items()}
    with suppress(SourceChanged):
        read(mutilated)


def _mutilate(rows: Any, data: st.DataObject) -> Any:
    if not isinstance(rows, list):
        return rows
    place = data.draw(st.integers(0, len(rows) - 1))
    row = dict(rows[place])
    for name in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=3)):
        if data.draw(st.booleans()):
            row.pop(name, None)
        else:
            row[name] = data.draw(ODD)
    return [*rows[:place], row, *rows[place + 1 :]]


def frame() -> str:
    clock = ManualClock(NOW)
    venue = Kis(VENUE.simulator, clock, VENUE.keys)
    session = KisSession(venue, Faults())
    session._told["005930"] = NOW - timedelta(minutes=2)
    return session.frames()[0]


FRAME = frame()


@settings(max_examples=EXAMPLES, deadline=None)
@given(first=st.integers(0, len(FRAME)), length=st.integers(0, 30), put=st.text(max_size=5))
def test_a_mutilated_frame_is_read_or_changed(first: int, length: int, put: str) -> None:
    with suppress(SourceChanged):
        parse_trades(FRAME[:first] + put + FRAME[first + length :], NOW)


@settings(max_examples=EXAMPLES, deadline=None)
@given(first=st.integers(0, 120), length=st.integers(0, 30), put=st.text(max_size=5))
def test_a_mutilated_notice_is_read_or_changed(first: int, length: int, put: str) -> None:
    whole = notice("H0STCNT0", "005930", "0", "OPSP0000", "SUBSCRIBE SUCCESS")
    with suppress(SourceChanged):
        parse_notice(whole[:first] + put + whole[first + length :])


@settings(max_examples=EXAMPLES, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_read_or_changed(text: str) -> None:
    for read in (parse_notice, lambda one: parse_trades(one, NOW)):
        with suppress(SourceChanged):
            read(text)
