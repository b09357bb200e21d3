from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.judge import Judgement
from engine.wanted import ASKED_A_SWEEP, CHART_LAG, PAUSE
from market.errors import SourceChanged, SourceUnavailable
from market.types import Bar, Tick, Timeframe, to_ms
from tests.engine.fed import Fed
from tests.engine.traded_market import HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from market.errors import SourceError


def test_watched_slot_is_crawled() -> None:
    fed = Fed()
    fed.market.trade(kst("09:01:00"), 100.0)
    fed.market.trade(kst("08:59:00"), 100.0, of=HYNIX)
    fed.sweep("09:01:02")
    slots, changed = fed.watch("09:05:02")
    assert [(slot.start, len(slot.bars), slot.exact) for slot in slots] == [
        (kst("09:00"), 1, frozenset())
    ]
    assert changed == []
    assert fed.market.asked == []


def test_bar_watched_from_its_middle_is_taken_from_the_chart() -> None:
    fed = Fed()
    fed.market.trade(kst("10:01:00"), 100.0, 5.0)
    fed.sweep("10:02:02")
    fed.market.trade(kst("10:03:00"), 100.0, 7.0)
    fed.watch("10:03:02")
    slots, _ = fed.watch("10:05:02")
    assert [bar.volume for slot in slots for bar in slot.bars] == [12.0]
    assert slots[0].exact == {SAMSUNG.id}
    assert fed.series.wants == {}


def test_slots_of_an_outage_come_in_order_and_exact() -> None:
    fed = Fed()
    for instrument in (SAMSUNG, HYNIX):
        fed.market.trade(kst("09:58:00"), 100.0, of=instrument)
    fed.sweep("10:00:02")
    for text in ("10:01:00", "10:06:00", "10:11:00"):
        fed.market.trade(kst(text), 100.0)
        fed.market.trade(kst(text), 100.0, of=HYNIX)
    slots, _ = fed.sweep("10:12:02")
    assert [(slot.start, len(slot.bars)) for slot in slots] == [
        (kst("10:00"), 2),
        (kst("10:05"), 2),
    ]
    slots, _ = fed.watch("10:15:02")
    assert [(slot.start, len(slot.exact)) for slot in slots] == [(kst("10:10"), 2)]
    assert fed.series.wants == {}


def test_no_trade_in_a_repaired_slot_is_known() -> None:
    fed = Fed()
    fed.absent("10:04:02", "10:05:32")
    fed.market.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")
    fed.sweep("10:05:32")
    assert fed.series.panel.missing.tolist() == [True, False]
    fed.market.chart_errors.clear()
    fed.sweep("10:06:12")
    assert fed.series.panel.missing.tolist() == [False, False]


@pytest.mark.parametrize(
    ("error", "pause"),
    [(SourceUnavailable("no"), PAUSE), (SourceChanged("no"), timedelta(minutes=5))],
)
def test_failed_chart_is_asked_again_after_a_pause(error: SourceError, pause: timedelta) -> None:
    fed = Fed()
    fed.feed.want(SAMSUNG.id, kst("10:00"))
    fed.market.chart_errors[SAMSUNG.id] = error
    asyncio.run(fed.feed.close(kst("10:05:02")))
    asyncio.run(fed.feed.close(kst("10:05:02") + pause - timedelta(seconds=1)))
    assert fed.asked() == 1
    asyncio.run(fed.feed.close(kst("10:05:02") + pause))
    assert fed.asked() == 2


def test_many_are_repaired_a_few_a_sweep() -> None:
    names = [f"KRX:{number:06}" for number in range(ASKED_A_SWEEP * 2 + 3)]
    fed = Fed(names)
    fed.absent("10:04:02", "10:05:32")
    asked = []
    for text in ("10:05:32", "10:05:42", "10:05:52", "10:06:02"):
        fed.sweep(text)
        asked.append(len(fed.market.asked))
    assert asked == [ASKED_A_SWEEP, ASKED_A_SWEEP * 2, len(names), len(names)]


def test_failing_instruments_do_not_keep_the_others_waiting() -> None:
    names = [f"KRX:{number:06}" for number in range(ASKED_A_SWEEP * 2)]
    fed = Fed(names)
    fed.market.chart_errors = dict.fromkeys(names[:ASKED_A_SWEEP], SourceChanged("409"))
    fed.absent("10:04:02", "10:05:32")
    fed.sweep("10:05:32")
    fed.sweep("10:05:42")
    assert {name for name, _, _ in fed.market.asked} == set(names)


def test_trade_that_the_chart_does_not_show_yet_is_waited_for() -> None:
    fed = Fed()
    fed.feed.want(SAMSUNG.id, kst("10:00"), expected=kst("10:00"))
    asyncio.run(fed.feed.close(kst("10:05:02")))
    assert SAMSUNG.id in fed.series.wants
    asyncio.run(fed.feed.close(kst("10:05:00") + CHART_LAG))
    assert SAMSUNG.id not in fed.series.wants


def test_late_tick_revises_a_crawled_bar() -> None:
    fed = Fed()
    fed.market.trade(kst("09:01:00"), 100.0)
    fed.sweep("09:01:02")
    fed.watch("09:05:02")
    fed.market.trade(kst("09:04:59"), 101.0)
    _, changed = fed.sweep("09:05:12")
    assert [(bar.close, bar.volume) for bar in changed] == [(101.0, 20.0)]


def test_bar_of_an_instrument_that_was_lost_from_sight_is_taken_from_the_chart() -> None:
    fed = Fed()
    fed.market.trade(kst("09:01:00"), 100.0, 1.0)
    fed.sweep("09:01:02")
    fed.market.hidden = {SAMSUNG.id}
    fed.market.trade(kst("09:03:00"), 100.0, 2.0)
    slots, _ = fed.watch("09:05:02")
    assert volumes(bar for slot in slots for bar in slot.bars) == [("00:00", 3.0)]


def test_slot_of_an_instrument_that_was_out_of_sight_is_taken_from_the_chart() -> None:
    fed = Fed()
    fed.feed.start(kst("09:00"))
    fed.market.hidden = {SAMSUNG.id}
    fed.market.trade(kst("09:03:00"), 100.0, 2.0)
    fed.market.trade(kst("09:07:00"), 100.0, 4.0)
    slots, _ = fed.watch("09:05:02")
    assert volumes(bar for slot in slots for bar in slot.bars) == [("00:00", 2.0)]
    slots, _ = fed.watch("09:10:02")
    assert volumes(bar for slot in slots for bar in slot.bars) == [("00:05", 4.0)]


def test_all_slots_since_a_start_are_taken_from_the_chart_for_what_was_not_seen_yet() -> None:
    fed = Fed()
    fed.feed.start(kst("10:04:42"))
    fed.market.hidden = {SAMSUNG.id}
    fed.market.trade(kst("10:03:00"), 100.0, 2.0)
    fed.market.trade(kst("10:07:00"), 100.0, 4.0)
    slots, _ = fed.sweep("10:10:02")
    assert volumes(bar for slot in slots for bar in slot.bars) == [("01:00", 2.0), ("01:05", 4.0)]


def test_instrument_that_the_polling_left_out_is_repaired_from_where_it_was_lost() -> None:
    fed = Fed()
    fed.market.trade(kst("09:01:00"), 100.0, 1.0)
    fed.sweep("09:01:02")
    fed.watch("09:05:02")
    fed.market.hidden = {SAMSUNG.id}
    for text, volume in (("09:06:00", 4.0), ("09:16:00", 8.0)):
        fed.market.trade(kst(text), 100.0, volume)
    fed.sweep("09:10:02")
    fed.market.hidden = set()
    slots, _ = fed.sweep("09:16:02")
    assert volumes(bar for slot in slots for bar in slot.bars) == [("00:05", 4.0)]
    slots, _ = fed.watch("09:20:02")
    assert volumes(bar for slot in slots for bar in slot.bars) == [("00:15", 8.0)]


def volumes(bars: Iterable[Bar]) -> list[tuple[str, float]]:
    """Return start (UTC) and volume of bars."""
    return [(f"{bar.start:%H:%M}", bar.volume) for bar in bars]


def test_fallen_count_is_returned_and_its_slot_wanted() -> None:
    fed = Fed()
    at = kst("10:06")
    ticks = [
        Tick(SAMSUNG.id, at, at, 100.0, day_volume=50.0),
        Tick(
            SAMSUNG.id, at + timedelta(seconds=5), at + timedelta(seconds=5), 100.0, day_volume=40.0
        ),
        Tick(HYNIX.id, at, at, 100.0, day_volume=50.0),
    ]
    assert list(fed.feed.add(ticks)) == [SAMSUNG.id]
    assert {name: want.judge_from for name, want in fed.series.wants.items()} == {
        SAMSUNG.id: kst("10:05")
    }


def test_ticks_of_others_are_left_alone() -> None:
    fed = Fed([HYNIX.id])
    at = kst("10:06")
    assert fed.feed.add([Tick(SAMSUNG.id, at, at, 100.0, day_volume=50.0)]) == {}


def test_verified_bar_is_not_revised_and_an_unknown_one_wanted() -> None:
    fed = Fed()
    slot = kst("09:00")
    bar = Bar(SAMSUNG.id, Timeframe.M5, slot, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    fed.market.trade(kst("09:01:00"), 100.0)
    fed.sweep("09:01:02")
    fed.watch("09:05:02")
    fed.feed.verified(slot, Judgement(to_ms(slot), (), (bar,), (HYNIX.id,)))
    fed.market.trade(kst("09:04:59"), 101.0)
    _, changed = fed.sweep("09:05:12")
    assert changed == []
    assert fed.series.panel.missing.tolist() == [False, True]
    assert list(fed.series.wants) == [HYNIX.id]


def test_chart_that_breaks_unexpectedly_loses_no_crawled_bar() -> None:
    fed = Fed()
    fed.market.trade(kst("09:01:00"), 100.0)
    fed.sweep("09:01:02")
    fed.feed.want(HYNIX.id, kst("09:00"))
    fed.market.chart_errors[HYNIX.id] = LookupError("a fault in our code")
    with pytest.raises(LookupError):
        fed.watch("09:05:02")
    fed.market.chart_errors.clear()
    slots, _ = fed.sweep("09:05:12")
    assert [bar.instrument for slot in slots for bar in slot.bars] == [SAMSUNG.id]
