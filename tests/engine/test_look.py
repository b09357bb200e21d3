"""A look shows what the running series, the store and a replay of it agree on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.compile import compile_condition
from conditions.engine import evaluate
from conditions.lifecycle import step
from conditions.waits import WaitFor
from config.condition_reader import parse_condition
from engine.look import live_looks, replayed_look, stored_look
from engine.series import Want, build_series
from market.sessions import AlwaysOpen, KrxCalendar
from market.store import Store
from market.types import Bar, Timeframe, Venue, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conditions.why import Why
    from engine.look import Look
    from engine.series import Series
    from market.sessions import Calendar

OPENING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
SLOT = timedelta(minutes=5)
A, B, COIN = "KRX:000001", "KRX:000002", "UPBIT:BTC"
CALENDARS: dict[Venue, Calendar] = {Venue.KRX: KrxCalendar({}), Venue.UPBIT: AlwaysOpen()}
TEXT = """\
name: example
universe: [KRX:000001, KRX:000002]
timeframe: 5m
when: close > 102 and close > sma(close, 3)
for: 2 bars
cooldown: 20 minutes
"""
CONDITION = compile_condition(parse_condition(TEXT))
CLOSES = [100, 101, 102, 103, 104, 105, 101, 100, 103, 104, 105, 106, 99, 104, 105.0]
NOW = OPENING + len(CLOSES) * SLOT


def bars(instrument: str) -> list[Bar]:
    """Return the bars of an instrument; B has none in every fourth slot."""
    return [
        Bar(instrument, Timeframe.M5, OPENING + place * SLOT, *(float(close),) * 4, 10.0, close)
        for place, close in enumerate(CLOSES)
        if instrument != B or place % 4
    ]


def judge(series: Series, start: datetime, told: list[Bar]) -> None:
    """Append and judge the bars of one slot."""
    rows = series.panel.append([one for one in told if one.start == start])
    begin = np.full(len(rows), to_ms(start))
    for watch in series.watches:
        verdicts = evaluate(watch.condition, series.panel, rows)
        found = step(watch.condition, watch.states, rows, verdicts, begin, begin + 300_000)
        watch.states = found.states
    series.judged_ms = to_ms(start)


@pytest.fixture
def running() -> list[Series]:
    """Return the series of both venues, judged slot by slot."""
    both = build_series([(CONDITION, (A, B, COIN))], CALENDARS, 50)
    for one in both:
        told = [bar for name in one.panel.instruments for bar in bars(name)]
        for start in sorted({bar.start for bar in told}):
            judge(one, start, told)
    return both


@pytest.fixture
def store(tmp_path: Path, running: list[Series]) -> Iterator[Store]:
    """Return a store with everything of the series."""
    opened = Store.open(tmp_path / "look.sqlite")

    def write(tx):  # type: ignore[no-untyped-def]  # a transaction
        for one in running:
            tx.bars.put(bar for name in one.panel.instruments for bar in bars(name))
            tx.documents.put(one.key, one.position(one.judged_ms, ()))
            for watch in one.watches:
                kept = watch.states.to_mapping(one.panel.instruments)
                tx.signals.save_states(CONDITION.name, CONDITION.version, kept)

    asyncio.run(opened.write(write))
    yield opened
    opened.close()


def recall(store: Store, names: list[str], venue: Venue = Venue.KRX) -> Look:
    """Return a look at what is stored."""
    calendar = CALENDARS[venue]
    return asyncio.run(store.read(lambda tx: stored_look(tx, CONDITION, names, calendar, 50)))


def test_a_condition_on_two_venues_is_two_looks(running: list[Series]) -> None:
    first, second = live_looks(running, "example")
    assert (first.panel.instruments, second.panel.instruments) == ((A, B), (COIN,))
    (only,) = live_looks(running, "example", B)
    assert only.panel.instruments == (B,)
    assert live_looks(running, "example", "KRX:999999") == []
    assert live_looks(running, "other") == []


def test_a_look_does_not_change_with_the_series(running: list[Series]) -> None:
    (look,) = live_looks(running, "example", A)
    before = look.why(A, NOW, 0)
    later = Bar(A, Timeframe.M5, NOW, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    judge(running[0], NOW, [later])
    assert look.why(A, NOW, 0) == before
    (after,) = live_looks(running, "example", A)
    assert after.why(A, NOW, 0).close == 1.0


@pytest.mark.parametrize("name", [A, B])
def test_the_store_tells_what_the_running_series_does(
    name: str, running: list[Series], store: Store
) -> None:
    (live,) = live_looks(running, "example", name)
    assert recall(store, [name]).why(name, NOW, 0) == live.why(name, NOW, 0)


def test_another_venue_has_its_own_position(running: list[Series], store: Store) -> None:
    (live,) = live_looks(running, "example", COIN)
    look = recall(store, [COIN], Venue.UPBIT)
    assert look.why(COIN, NOW, 0) == live.why(COIN, NOW, 0)


@pytest.mark.parametrize("place", range(len(CLOSES)))
@pytest.mark.parametrize("name", [A, B])
def test_a_replay_tells_what_the_bot_did_then(name: str, place: int, store: Store) -> None:
    at = OPENING + (place + 1) * SLOT
    one = build_series([(CONDITION, (A, B))], CALENDARS, 50)[0]
    told = [bar for each in (A, B) for bar in bars(each)]
    for start in sorted({bar.start for bar in told if bar.start < at}):
        judge(one, start, told)
    (live,) = live_looks([one], "example", name)

    def replay(moment: datetime) -> Why:
        found = asyncio.run(
            store.read(
                lambda tx: replayed_look(
                    tx, CONDITION, [A, B], CALENDARS[Venue.KRX], 50, instrument=name, at=moment
                )
            )
        )
        return found.why(name, moment, 0)

    expected = live.why(name, at, 0)
    if expected.bar_start is not None:
        assert repr(replay(at)) == repr(expected)  # warming up, NaN is no number to compare
        assert replay(at + timedelta(seconds=59)).state == expected.state


def test_a_replay_takes_the_last_bar_of_a_day_when_it_has_closed(store: Store) -> None:
    start = datetime(2026, 1, 5, 6, 25, tzinfo=UTC)
    last = Bar(A, Timeframe.M5, start, *(110.0,) * 4, 10.0, 1100.0)
    asyncio.run(store.write(lambda tx: tx.bars.put([last])))

    def newest(seconds: int) -> float:
        at = start + timedelta(seconds=seconds)
        look = asyncio.run(
            store.read(
                lambda tx: replayed_look(
                    tx, CONDITION, [A, B], CALENDARS[Venue.KRX], 50, instrument=A, at=at
                )
            )
        )
        return look.why(A, at, 0).close

    assert (newest(329), newest(330)) == (105.0, 110.0)


def test_what_waits_for_the_chart_is_unknown_in_both(running: list[Series], store: Store) -> None:
    series = running[0]
    series.wants[A] = Want(NOW - SLOT, NOW - SLOT, NOW - SLOT)
    series.panel.mark_missing([series.panel.row(A)])
    (live,) = live_looks(running, "example", A)
    position = series.position(series.judged_ms, ())
    asyncio.run(store.write(lambda tx: tx.documents.put(series.key, position)))
    for look in (live, recall(store, [A])):
        waits = [wait.reason for wait in look.why(A, NOW, 0).waits]
        assert waits[:1] == [WaitFor.CHART]


def test_nothing_stored_is_nothing_to_look_at(tmp_path: Path) -> None:
    empty = Store.open(tmp_path / "empty.sqlite")
    look = recall(empty, [A, B])
    assert (look.has_bars, look.judged_ms, look.near(5).unknown) == (False, 0, 2)
    empty.close()


CRASH = TEXT.replace("name: example", "name: crash") + "clear: close < 1\n"
SILENCED = TEXT + "muted_by: {condition: crash, on: KRX:000002}\n"
RANKED = TEXT.replace("when: close > 102", "when: rank(close) == 1").replace(
    "close > sma(close, 3)", 'close >= of("KRX:000002").close'
)


def series_of(*texts: str) -> Series:
    """Return a series of these conditions, judged slot by slot."""
    members = [(compile_condition(parse_condition(text)), (A, B)) for text in texts]
    one = build_series(members, CALENDARS, 50)[0]
    told = [bar for name in (A, B) for bar in bars(name)]
    for start in sorted({bar.start for bar in told}):
        judge(one, start, told)
    return one


def keep(store: Store, one: Series) -> None:
    """Store everything of a series."""

    def write(tx):  # type: ignore[no-untyped-def]  # a transaction
        tx.bars.put(bar for name in one.panel.instruments for bar in bars(name))
        tx.documents.put(one.key, one.position(one.judged_ms, ()))
        for watch in one.watches:
            kept = watch.states.to_mapping(one.panel.instruments)
            tx.signals.save_states(watch.condition.name, watch.condition.version, kept)

    asyncio.run(store.write(write))


def test_a_silenced_condition_says_by_whom(tmp_path: Path) -> None:
    one = series_of(CRASH, SILENCED)
    muter, condition = (watch.condition for watch in one.watches)
    (live,) = live_looks([one], "example", A)
    told = live.why(A, NOW, 0)
    assert [wait.name for wait in told.waits if wait.reason is WaitFor.MUTED] == ["crash"]
    opened, calendar = Store.open(tmp_path / "muted.sqlite"), CALENDARS[Venue.KRX]
    keep(opened, one)
    look = asyncio.run(
        opened.read(
            lambda tx: stored_look(tx, condition, [A, B], calendar, 50, instrument=A, muter=muter)
        )
    )
    opened.close()
    assert repr(look.why(A, NOW, 0)) == repr(told)


def test_nobody_is_silenced_by_one_that_does_not_fire() -> None:
    one = series_of(CRASH.replace("close > 102", "close > 999"), SILENCED)
    (live,) = live_looks([one], "example", A)
    assert WaitFor.MUTED not in [wait.reason for wait in live.why(A, NOW, 0).waits]


def test_a_condition_that_compares_sees_the_whole_universe() -> None:
    one = series_of(RANKED)
    (watch,) = one.watches
    (live,) = live_looks([one], "example", A)
    assert (live.asked, live.panel.instruments) == ((A,), (A, B))
    verdicts = evaluate(watch.condition, one.panel, np.array([one.panel.row(A)])).when
    told = live.why(A, NOW, 0)
    assert [told.verdict] == verdicts.tolist() == [1]
    assert told.when.verdict == told.verdict
    assert [found.instrument for found in live.near(9).nearest] == [A]
