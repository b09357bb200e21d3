"""Longer bars made of own ones: whole, growing, with holes, and joined with what is stored."""

from __future__ import annotations

import asyncio
from math import isnan
from typing import TYPE_CHECKING

import pytest

from engine.longer import fill, lengthened, read_longer
from market.clock import ManualClock
from market.panel import Panel
from market.store import Store
from market.types import Bar, Timeframe
from tests.engine.traded_market import CALENDAR, SAMSUNG, kst

if TYPE_CHECKING:
    from pathlib import Path

NAME = SAMSUNG.id


def bar(text: str, close: float, timeframe: Timeframe = Timeframe.M30) -> Bar:
    return Bar(NAME, timeframe, kst(text), close, close + 1, close - 1, close, 10.0, close * 10)


@pytest.fixture
def panel() -> Panel:
    return Panel(Timeframe.M30, [NAME], 10, [Timeframe.H1, Timeframe.D1])


def see(panel: Panel, *bars: Bar) -> list[Bar]:
    """Append bars one after the other; return what was over by that."""
    over: list[Bar] = []
    for one in bars:
        panel.append([one])
        over += lengthened(panel, CALENDAR, [one])
    return over


def closes(panel: Panel) -> list[float]:
    hours = panel.larger[Timeframe.H1]
    kept: list[float] = hours.close[0, hours.depth - int(hours.counts[0]) :].tolist()
    return kept


def test_an_hour_grows_and_is_over_when_the_next_one_begins(panel: Panel) -> None:
    assert see(panel, bar("09:00", 5), bar("09:30", 3)) == []
    (hour,) = see(panel, bar("10:00", 4))
    assert (hour.start, hour.timeframe) == (kst("09:00"), Timeframe.H1)
    assert (hour.open, hour.high, hour.low, hour.close) == (5, 6, 2, 3)
    assert (hour.volume, hour.value) == (20.0, 80.0)
    assert closes(panel) == [3.0, 4.0]


def test_days_are_not_made_of_own_bars(panel: Panel) -> None:
    see(panel, bar("09:00", 5))
    assert not panel.larger[Timeframe.D1].counts.any()


def test_a_bar_that_changes_changes_its_hour(panel: Panel) -> None:
    see(panel, bar("09:00", 5), bar("09:30", 3), bar("10:00", 4))
    panel.revise(bar("09:30", 8))
    (hour,) = lengthened(panel, CALENDAR, [bar("09:30", 8)])
    assert hour.close == 8
    assert closes(panel) == [8.0, 4.0]


def test_an_hour_with_a_slot_that_could_not_be_read_has_no_numbers(panel: Panel) -> None:
    see(panel, bar("09:00", 5), bar("09:30", 3))
    panel.mark_missing([0])
    assert [one.start for one in see(panel, bar("10:30", 4), bar("11:00", 6))] == [kst("09:00")]
    assert isnan(closes(panel)[1])
    assert closes(panel)[2] == 6.0
    assert panel.larger[Timeframe.H1].gap[0, -3:].tolist() == [False, True, False]


def test_an_hour_that_began_before_the_bars_that_are_held_is_left_out(panel: Panel) -> None:
    see(panel, bar("09:30", 5), bar("10:00", 3))
    assert closes(panel) == [3.0]


def test_what_is_known_and_what_own_bars_tell_are_joined(panel: Panel) -> None:
    panel.append([bar("10:00", 3), bar("10:30", 4), bar("11:00", 5), bar("12:00", 6)])
    known = [bar("09:00", 2, Timeframe.H1), bar("11:00", 9, Timeframe.H1)]
    over = fill(panel, CALENDAR, known)
    assert closes(panel) == [2.0, 4.0, 5.0, 6.0]
    assert [one.start for one in over] == [kst("10:00")]
    assert fill(panel, CALENDAR, known) == []


def test_stored_hours_are_read_up_to_a_moment(panel: Panel, tmp_path: Path) -> None:
    async def scenario() -> tuple[list[Bar], list[Bar]]:
        store = Store.open(tmp_path / "ticktalk.sqlite", ManualClock(kst("12:00")))
        hours = [bar("09:00", 2, Timeframe.H1), bar("10:00", 9, Timeframe.H1)]
        await store.write(lambda tx: tx.bars.put(hours))
        both = await store.read(lambda tx: read_longer(tx, panel))
        first = await store.read(lambda tx: read_longer(tx, panel, kst("10:00")))
        store.close()
        return both, first

    both, first = asyncio.run(scenario())
    assert [one.close for one in both] == [2.0, 9.0]
    assert [one.close for one in first] == [2.0]
