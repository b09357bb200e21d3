from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.series import Series, Slot, Want, build_series
from market.sessions import AlwaysOpen
from market.types import Bar, Timeframe, Venue, to_ms
from tests.engine.pipeline_world import condition
from tests.engine.traded_market import CALENDARS, HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from market.sessions import Calendar


def bar(text: str, close: float = 100.0, instrument: str = SAMSUNG.id) -> Bar:
    return Bar(instrument, Timeframe.M5, kst(text), close, close, close, close, 1.0, close)


def one_series() -> Series:
    return build_series([(condition(), (SAMSUNG.id, HYNIX.id))], CALENDARS, 10)[0]


def test_conditions_of_one_timeframe_share_a_series() -> None:
    high, low = condition(), condition("close < 90", name="low")
    series = build_series([(high, (SAMSUNG.id,)), (low, (HYNIX.id, SAMSUNG.id))], CALENDARS, 10)
    assert [one.panel.instruments for one in series] == [(SAMSUNG.id, HYNIX.id)]
    assert [watch.rows.tolist() for watch in series[0].watches] == [[0], [1, 0]]


def test_what_a_condition_names_is_held_but_not_judged() -> None:
    named = condition('of("KRX:069500").close > close')
    series = build_series([(named, (SAMSUNG.id,)), (condition(), (HYNIX.id,))], CALENDARS, 10)
    assert series[0].panel.instruments == (SAMSUNG.id, HYNIX.id, "KRX:069500")
    assert [watch.rows.tolist() for watch in series[0].watches] == [[0], [1]]


def test_venues_have_series_of_their_own_because_their_slots_differ() -> None:
    calendars: dict[Venue, Calendar] = {**CALENDARS, Venue.UPBIT: AlwaysOpen()}
    series = build_series([(condition(), (SAMSUNG.id, "UPBIT:KRW-BTC"))], calendars, 10)
    assert [(one.key, one.panel.instruments) for one in series] == [
        ("series/KRX/5m", (SAMSUNG.id,)),
        ("series/UPBIT/5m", ("UPBIT:KRW-BTC",)),
    ]


def test_position_names_what_is_behind() -> None:
    series = one_series()
    series.wants[SAMSUNG.id] = Want(kst("09:55"), kst("10:00"), kst("10:05"))
    waiting = [Slot(kst("10:05"), (bar("10:05", instrument=HYNIX.id),))]
    judged = to_ms(kst("10:10"))
    assert series.position(judged, waiting) == {
        "judged_ms": judged,
        "behind": {SAMSUNG.id: to_ms(kst("10:00")), HYNIX.id: to_ms(kst("10:05"))},
    }


def test_position_leaves_out_what_comes_after_it() -> None:
    series = one_series()
    series.wants[SAMSUNG.id] = Want(kst("10:10"), kst("10:15"), kst("10:15"))
    assert series.position(to_ms(kst("10:10")), ())["behind"] == {}


def test_position_does_not_go_back_for_a_late_slot() -> None:
    series = one_series()
    series.judged_ms = to_ms(kst("10:10"))
    assert series.position(to_ms(kst("10:00")), ())["judged_ms"] == series.judged_ms


def test_crawled_bars_of_what_waits_for_the_chart_are_not_usable() -> None:
    series = one_series()
    series.wants[SAMSUNG.id] = Want(kst("09:55"), kst("10:00"), kst("10:00"))
    bars = (bar("10:00"), bar("10:00", instrument=HYNIX.id))
    crawled = Slot(kst("10:00"), bars)
    assert series.usable(crawled) == bars[1:]
    assert series.usable(replace(crawled, exact=frozenset({SAMSUNG.id}))) == bars


def test_crawled_bars_from_before_what_waits_are_usable() -> None:
    series = one_series()
    series.wants[SAMSUNG.id] = Want(kst("10:00"), kst("10:05"), kst("10:05"))
    slot = Slot(kst("10:00"), (bar("10:00"),))
    assert series.usable(slot) == slot.bars


def test_take_revises_known_bars_and_appends_newer_ones() -> None:
    series = one_series()
    series.panel.append([bar("10:00"), bar("10:05")])
    series.take([bar("10:00", 101.0), bar("10:10", 102.0)])
    assert series.panel.close[0, -3:].tolist() == [101.0, 100.0, 102.0]
    assert np.isnan(series.panel.close[1]).all()


def test_joined_wants_cover_both() -> None:
    first = Want(kst("09:55"), kst("10:00"), kst("10:00"), ask_at=kst("10:07"))
    second = Want(kst("10:00"), kst("10:05"), kst("10:10"), expected=kst("10:05"))
    assert first.joined(second) == Want(
        kst("09:55"), kst("10:00"), kst("10:10"), kst("10:05"), kst("10:07")
    )
