from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.exact import ExactBars
from engine.history import History
from engine.series import Series, Slot, Want, build_series
from market.clock import ManualClock
from market.errors import SourceUnavailable
from market.signals import LifecycleState, Phase
from market.store import Store
from market.types import Bar, Timeframe, to_ms
from tests.engine.pipeline_world import condition
from tests.engine.traded_market import CALENDARS, DAY, HYNIX, SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from market.store import Transaction

DOWN = SourceUnavailable("no chart")


class Past:
    """A store and a market; `load` is one start of the process."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(kst("08:00"))
        self.market = TradedMarket(self.clock)
        self.store = Store.open(path, self.clock)
        self.depth = 50
        self.names: tuple[str, ...] = (SAMSUNG.id, HYNIX.id)
        self.series: Series

    def load(self, text: str) -> list[Slot]:
        """Start at a time of day."""
        self.clock.move_to(kst(text))
        self.market.asked.clear()
        self.series = build_series([(condition(), self.names)], CALENDARS, self.depth)[0]
        history = History(self.store, ExactBars(self.market, CALENDARS), self.depth)
        return asyncio.run(history.load(self.series, self.clock.now()))

    def store_slot(self, text: str, *bars: Bar) -> None:
        """Store a slot as judged."""
        position = self.series.position(to_ms(kst(text)), ())

        def write(tx: Transaction) -> None:
            tx.bars.put(bars)
            tx.documents.put(self.series.key, position)

        asyncio.run(self.store.write(write))

    def closes(self, row: int = 0) -> list[float]:
        """Return the closes that the panel holds of an instrument."""
        count = int(self.series.panel.counts[row])
        held = self.series.panel.close[row, self.series.panel.depth - count :]
        return [float(close) for close in held]

    def asked_from(self, name: str = SAMSUNG.id) -> list[object]:
        return [start for asked, start, _ in self.market.asked if asked == name]


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    made = Past(tmp_path / "ticktalk.sqlite")
    yield made
    made.store.close()


def bar(text: str, close: float = 100.0, instrument: str = SAMSUNG.id) -> Bar:
    return Bar(instrument, Timeframe.M5, kst(text), close, close, close, close, 10.0, close * 10)


def trades(past: Past, *texts: str) -> None:
    for price, text in enumerate(texts, 100):
        past.market.trade(kst(text), float(price))


def test_first_start_fills_the_panel_and_judges_nothing(past: Past) -> None:
    trades(past, "09:01", "09:06", "09:11")
    assert past.load("09:12") == []
    assert past.closes() == [100.0, 101.0]
    assert past.series.judged_ms == to_ms(kst("09:05"))


def test_restart_returns_what_was_missed_in_order(past: Past) -> None:
    trades(past, "09:01", "09:06", "09:11", "09:16")
    past.load("09:06")
    slots = past.load("09:20")
    assert [(slot.start, [one.close for one in slot.bars]) for slot in slots] == [
        (kst("09:05"), [101.0]),
        (kst("09:10"), [102.0]),
        (kst("09:15"), [103.0]),
    ]
    assert slots[0].exact == {SAMSUNG.id}
    assert past.closes() == [100.0]
    assert past.asked_from() == [kst("09:00")]


def test_nothing_that_was_judged_is_judged_again_though_states_are_old(past: Past) -> None:
    trades(past, "09:01", "09:06")
    past.load("09:11")
    kept = {SAMSUNG.id: LifecycleState(Phase.FIRING, 1, 5, 7)}
    one = condition()
    asyncio.run(past.store.write(lambda tx: tx.signals.save_states(one.name, one.version, kept)))
    past.load("09:12")
    states = past.series.watches[0].states
    assert states.phase.tolist() == [Phase.FIRING, Phase.INACTIVE]
    assert states.bar_ms.tolist() == [to_ms(kst("09:05"))] * 2


def test_what_was_behind_is_judged_from_there(past: Past) -> None:
    trades(past, "09:01", "09:06", "09:11")
    past.load("09:06")
    past.series.wants[SAMSUNG.id] = Want(kst("09:05"), kst("09:05"), kst("09:05"))
    past.store_slot("09:10", bar("09:05", 999.0))
    slots = past.load("09:15")
    assert [(slot.start, slot.bars[0].close) for slot in slots] == [
        (kst("09:05"), 101.0),
        (kst("09:10"), 102.0),
    ]
    assert past.series.watches[0].states.bar_ms.tolist() == [
        to_ms(kst("09:05")) - 1,
        to_ms(kst("09:10")),
    ]


def test_restart_leaves_the_bar_that_was_judged_last_as_it_was(past: Past) -> None:
    past.market.trade(kst("09:00:30"), 100.0)
    past.market.trade(kst("09:03:30"), 100.0)
    past.load("09:06")
    past.store_slot("09:00", bar("09:00", 77.0))
    past.load("09:09")
    assert past.closes() == [77.0]
    kept = asyncio.run(past.store.read(lambda tx: tx.bars.last(SAMSUNG.id, Timeframe.M5, 9)))
    assert [(one.close, one.volume) for one in kept] == [(77.0, 10.0)]


def test_new_instrument_gets_its_whole_history(past: Past) -> None:
    past.names = (HYNIX.id,)
    past.load("09:06")
    past.names = (HYNIX.id, SAMSUNG.id)
    trades(past, "09:01", "09:06")
    slots = past.load("09:10")
    assert past.closes(1) == [100.0]
    assert [slot.start for slot in slots] == [kst("09:05")]
    assert past.asked_from(HYNIX.id) == [kst("09:00")]


def test_deeper_history_is_fetched_when_the_setting_grows(past: Past) -> None:
    past.depth = 1
    trades(past, "09:01", "09:06")
    past.load("09:11")
    past.depth = 50
    past.load("09:12")
    assert past.closes() == [100.0, 101.0]


def test_instrument_whose_chart_fails_is_held_back(past: Past) -> None:
    trades(past, "09:01", "09:06")
    past.load("09:06")
    past.market.chart_errors[SAMSUNG.id] = DOWN
    assert past.load("09:12") == []
    want = past.series.wants[SAMSUNG.id]
    assert want.judge_from == kst("09:00") + timedelta(milliseconds=1)
    assert past.series.panel.missing.tolist() == [True, False]
    past.market.chart_errors.clear()
    past.store_slot("09:10")
    assert [slot.start for slot in past.load("09:16")] == [kst("09:05")]


def test_first_start_without_a_chart_of_one_holds_it_back_from_the_oldest_slot(past: Past) -> None:
    past.market.chart_errors[SAMSUNG.id] = DOWN
    past.load("09:12")
    want = past.series.wants[SAMSUNG.id]
    assert want.start < kst("09:00")
    assert want.judge_from == kst("09:05") + timedelta(milliseconds=1)


def test_no_answer_at_all_is_an_error_and_changes_nothing(past: Past) -> None:
    past.market.chart_errors = dict.fromkeys(past.names, DOWN)
    with pytest.raises(SourceUnavailable):
        past.load("09:12")
    past.market.chart_errors.clear()
    trades(past, "09:01")
    assert past.load("09:13") == []
    assert past.closes() == [100.0]


def test_absence_longer_than_the_history_leaves_a_gap(past: Past) -> None:
    past.depth = 5
    trades(past, "09:01", "09:06")
    past.load("09:11")
    past.clock.move_to(kst("10:00", DAY + timedelta(days=8)))
    past.series = build_series([(condition(), past.names)], CALENDARS, past.depth)[0]
    history = History(past.store, ExactBars(past.market, CALENDARS), past.depth)
    assert asyncio.run(history.load(past.series, past.clock.now())) == []
    assert past.closes() == [100.0, 101.0]
    assert past.series.panel.missing[0]
