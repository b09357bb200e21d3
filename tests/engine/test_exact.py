from __future__ import annotations

import asyncio
from typing import Any

from engine.exact import CONCURRENCY, ExactBars, venue_of
from market.clock import ManualClock
from market.errors import SourceChanged, SourceUnavailable
from market.types import Timeframe, Venue
from tests.engine.traded_market import CALENDARS, HYNIX, SAMSUNG, TradedMarket, kst


def market() -> TradedMarket:
    return TradedMarket(ManualClock(kst("16:00")))


def fetch(source: TradedMarket, starts: dict[str, str], end: str = "16:00") -> dict[str, Any]:
    exact = ExactBars(source, CALENDARS)
    asked = {name: kst(text) for name, text in starts.items()}
    return asyncio.run(exact.fetch(asked, Timeframe.M5, kst(end)))


def test_each_instrument_is_fetched_from_its_own_start() -> None:
    source = market()
    for text in ("09:01:00", "09:06:00", "09:07:00"):
        source.trade(kst(text), 100.0)
        source.trade(kst(text), 100.0, of=HYNIX)
    found = fetch(source, {SAMSUNG.id: "09:05", HYNIX.id: "09:00"})
    assert [(bar.start, bar.volume) for bar in found[SAMSUNG.id]] == [(kst("09:05"), 20.0)]
    assert [(bar.start, bar.volume) for bar in found[HYNIX.id]] == [
        (kst("09:00"), 10.0),
        (kst("09:05"), 20.0),
    ]


def test_closing_print_is_in_the_last_slot() -> None:
    source = market()
    source.trade(kst("15:30:20"), 100.0)
    assert [bar.start for bar in fetch(source, {SAMSUNG.id: "15:00"})[SAMSUNG.id]] == [kst("15:25")]


def test_failure_of_one_is_not_one_of_all() -> None:
    source = market()
    source.trade(kst("09:01:00"), 100.0, of=HYNIX)
    source.chart_errors[SAMSUNG.id] = SourceUnavailable("no answer")
    found = fetch(source, {SAMSUNG.id: "09:00", HYNIX.id: "09:00"})
    assert isinstance(found[SAMSUNG.id], SourceUnavailable)
    assert len(found[HYNIX.id]) == 1


def test_source_that_does_not_answer_is_given_up() -> None:
    source = market()
    names = [f"KRX:{number:06}" for number in range(100)]
    source.chart_errors = dict.fromkeys(names, SourceUnavailable("no answer"))
    found = fetch(source, dict.fromkeys(names, "09:00"))
    assert len(source.asked) == CONCURRENCY
    assert all(isinstance(found[name], SourceUnavailable) for name in names)


def test_instruments_that_the_source_does_not_know_do_not_stop_the_others() -> None:
    source = market()
    names = [f"KRX:{number:06}" for number in range(100)]
    source.chart_errors = dict.fromkeys(names[:20], SourceChanged("409"))
    found = fetch(source, dict.fromkeys(names, "09:00"))
    assert [name for name in names if found[name] == []] == names[20:]


def test_venue_is_read_from_the_id() -> None:
    assert venue_of("UPBIT:KRW-BTC") is Venue.UPBIT


def test_start_within_a_slot_gives_the_whole_bar() -> None:
    source = market()
    source.trade(kst("09:05:30"), 100.0, 3.0)
    source.trade(kst("09:07:30"), 100.0, 4.0)
    found = fetch(source, {SAMSUNG.id: "09:06:00"})
    assert [(bar.start, bar.volume) for bar in found[SAMSUNG.id]] == [(kst("09:05"), 7.0)]
