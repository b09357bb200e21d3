from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from conditions.lifecycle import States
from engine.health import Notice
from engine.judge import Judge
from engine.series import Series, Slot
from market.errors import StoreFull
from market.signals import Phase
from market.types import Bar, Timeframe, to_ms
from tests.engine.pipeline_world import (
    CHANNEL,
    ORDER,
    OWNER,
    VIEWER,
    World,
    condition,
    filling_store,
)
from tests.engine.traded_market import DAY, HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from conditions.truths import Truth

EVERYONE = (SAMSUNG, HYNIX, NAVER)
UNIVERSE = f"[{', '.join(one.id for one in EVERYONE)}]"


class Bench:
    """A `Fire` with a series whose slots are judged on exact bars."""

    def __init__(self, path: Path, *lines: str, when: str = "close > 110") -> None:
        self.world = World(path, condition(when, *lines, universe=UNIVERSE))
        self.world.store = filling_store(path, self.world.clock)
        self.pipeline = self.world.build()
        self.series: Series = self.pipeline.series[0]
        self.store, self.fire, self.desk = self.world.store, self.world.fire, self.world.desk
        self.judge = Judge(None)  # type: ignore[arg-type]  # exact bars are not asked for
        asyncio.run(self.store.write(lambda tx: tx.people.put(OWNER, kst("08:00"))))

    def slot(self, text: str, *closes: float, late: bool = False, day: date = DAY) -> None:
        """Judge and commit a slot: one close an instrument, in order."""
        start = kst(text, day)
        bars = tuple(
            Bar(one.id, Timeframe.M5, start, close, close, close, close, 1.0, close)
            for one, close in zip(EVERYONE, closes, strict=False)
        )
        self.world.clock.move_to(max(self.world.clock.now(), start + timedelta(minutes=5)))

        async def close() -> None:
            self.series.panel.append(bars)
            names = frozenset(bar.instrument for bar in bars)
            slot, now = Slot(start, bars, names), self.world.clock.now()
            judged = await self.judge.judge(self.series, slot, bars, now, is_late=late)
            await self.fire.commit(self.series, bars, judged, now)

        asyncio.run(close())

    def propose(self) -> None:
        asyncio.run(self.fire.propose(self.world.clock.now()))

    def texts(self, chat: int = OWNER.id) -> list[str]:
        return asyncio.run(self.world.texts(chat))

    def fired(self) -> list[str]:
        return asyncio.run(self.world.fired())

    def kept(self) -> dict[str, int]:
        """Return the bar (UTC ms) at which the stored state of each instrument was written."""
        one = self.world.conditions[0]
        states = asyncio.run(self.store.read(lambda tx: tx.signals.states(one.name, one.version)))
        return {name: state.bar_ms for name, state in states.items()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "ticktalk.sqlite", *ORDER)
    yield made
    made.store.close()


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "ticktalk.sqlite", "limit: 2 per day")
    yield made
    made.store.close()


def test_commit_writes_bars_states_signals_and_messages(bench: Bench) -> None:
    bench.slot("09:00", 120.0, 100.0)
    assert bench.fired() == ["005930 09:00"]
    assert len(bench.texts()) == len(bench.texts(CHANNEL)) == 1
    assert bench.series.judged_ms == to_ms(kst("09:00"))
    assert asyncio.run(bench.world.bars()) == [("09:00", 120.0, 1.0)]
    assert bench.world.events.kinds == ["bar", "bar", "signal", "message", "message"]


def test_failed_commit_changes_nothing_and_is_done_once_later(bench: Bench) -> None:
    bench.store.is_full = lambda number: True
    with pytest.raises(StoreFull):
        bench.slot("09:00", 120.0)
    assert (bench.fired(), bench.texts(), bench.kept()) == ([], [], {})
    assert bench.series.judged_ms == 0
    assert bench.series.watches[0].states.bar_ms.tolist() == [0, 0, 0]
    assert bench.world.events.kinds == []
    bench.store.is_full = lambda number: False
    bench.slot("09:00", 120.0)
    bench.slot("09:00", 120.0)
    assert bench.fired() == ["005930 09:00"]
    assert len(bench.texts()) == 1


def test_states_are_written_when_they_change_not_with_every_bar(bench: Bench) -> None:
    bench.slot("09:00", 120.0, 100.0, 100.0)
    bench.slot("09:05", 120.0, 100.0, 120.0)
    bench.slot("09:10", 120.0, 100.0, 120.0)
    assert bench.kept() == {SAMSUNG.id: to_ms(kst("09:00")), NAVER.id: to_ms(kst("09:05"))}
    assert bench.series.watches[0].states.bar_ms.tolist() == [to_ms(kst("09:10"))] * 3


def test_signals_over_the_limit_are_not_kept_and_told_once_a_day(limited: Bench) -> None:
    limited.slot("09:00", 120.0, 120.0, 120.0)
    assert len(limited.fired()) == 2
    assert limited.series.watches[0].states.phase.tolist() == [Phase.FIRING] * 3
    for text in ("09:05", "09:15", "09:25"):
        limited.slot(text, 100.0, 100.0, 100.0)
        limited.slot(f"{text[:3]}{int(text[3:]) + 5}", 120.0, 120.0, 120.0)
    notices = [text for text in limited.texts() if text.startswith("notice")]
    assert notices == ["notice condition.limit_reached"]
    assert len(limited.fired()) == 2


def test_a_verdict_that_stays_unknown_is_told_to_the_owner_once(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path / "ticktalk.sqlite",
        "on_unknown: alert after 2 bars",
        when="close / (close - 100) > 9",
    )
    bench.slot("09:00", 120.0, 120.0)
    for text in ("09:05", "09:10", "09:15", "09:20"):
        assert bench.texts() == (["notice condition.stays_unknown"] if text > "09:10" else [])
        bench.slot(text, 100.0, 120.0)
    states = bench.series.watches[0].states
    assert states.unknown.tolist() == [2, 0, -1]
    one = bench.world.conditions[0]
    kept = asyncio.run(bench.store.read(lambda tx: tx.signals.states(one.name, one.version)))
    assert [kept[name].unknown for name in (SAMSUNG.id, HYNIX.id)] == [2, 0]
    bench.store.close()


def test_a_condition_that_breaks_is_told_to_the_owner_once_a_day(bench: Bench) -> None:
    watch = bench.series.watches[0]
    broken = cast("Truth", SimpleNamespace(node=watch.condition.when.node))  # has no verdicts
    watch.condition = replace(watch.condition, when=broken)
    for text in ("09:00", "09:05", "09:10"):
        bench.slot(text, 120.0)
    assert bench.texts() == ["notice condition.faulty"]
    assert bench.series.judged_ms == to_ms(kst("09:10"))


def test_limit_begins_anew_the_next_day(limited: Bench) -> None:
    limited.slot("09:00", 120.0, 120.0, 120.0)
    limited.slot("09:05", 100.0, 100.0, 100.0)
    limited.slot("09:00", 120.0, 120.0, 120.0, day=DAY + timedelta(days=1))
    assert len(limited.fired()) == 4
    assert sum(text.startswith("notice") for text in limited.texts()) == 2


def test_order_is_proposed_to_the_owner(bench: Bench) -> None:
    bench.slot("09:00", 120.0)
    bench.propose()
    bench.propose()
    (ticket,) = bench.desk.tickets.values()
    assert (ticket.user_id, ticket.instrument, ticket.origin) == (
        OWNER.id,
        SAMSUNG,
        "condition:high",
    )
    assert ticket.key == f"signal:{ticket.signal_id}"


def test_late_signal_orders_nothing(bench: Bench) -> None:
    bench.slot("09:00", 120.0, late=True)
    bench.propose()
    assert bench.fired() == ["005930 09:00 late"]
    assert bench.desk.tickets == {}


def test_order_is_not_proposed_once_its_time_is_over(bench: Bench) -> None:
    bench.slot("09:00", 120.0)
    bench.world.clock.advance(timedelta(seconds=91))
    bench.propose()
    assert bench.desk.tickets == {}


def test_order_waits_while_the_disk_is_full(bench: Bench) -> None:
    def full() -> None:
        raise StoreFull("the disk is full")

    bench.slot("09:00", 120.0, 120.0)
    bench.desk.before = full
    with pytest.raises(StoreFull):
        bench.propose()
    bench.desk.before = lambda: None
    bench.propose()
    assert len(bench.desk.tickets) == 2


def test_order_that_fails_otherwise_does_not_hold_up_the_next(bench: Bench) -> None:
    def broken() -> None:
        bench.desk.before = lambda: None
        raise LookupError

    bench.slot("09:00", 120.0, 120.0)
    bench.desk.before = broken
    with pytest.raises(LookupError):
        bench.propose()
    bench.propose()
    assert [ticket.instrument for ticket in bench.desk.tickets.values()] == [HYNIX]


def test_resume_proposes_what_a_kill_left_unproposed(bench: Bench) -> None:
    bench.slot("09:00", 120.0)
    bench.world.build()
    asyncio.run(bench.world.fire.resume(bench.world.clock.now()))
    assert len(bench.desk.tickets) == 1


def test_resume_leaves_signals_of_another_version_alone(bench: Bench) -> None:
    bench.slot("09:00", 120.0)
    bench.world.conditions = (condition("close > 111", *ORDER, universe=UNIVERSE),)
    bench.world.build()
    asyncio.run(bench.world.fire.resume(bench.world.clock.now()))
    assert bench.desk.tickets == {}


def test_nobody_to_confirm_is_no_order(bench: Bench) -> None:
    asyncio.run(bench.store.write(lambda tx: tx.people.remove(OWNER.id)))
    bench.slot("09:00", 120.0)
    bench.propose()
    assert bench.desk.tickets == {}
    assert len(bench.texts(CHANNEL)) == 1


def test_notice_goes_to_the_owner_only(bench: Bench) -> None:
    asyncio.run(bench.store.write(lambda tx: tx.people.put(VIEWER, kst("08:00"))))
    asyncio.run(bench.fire.tell(Notice("source.down", {"error": "x"})))
    asyncio.run(bench.fire.tell(None))
    assert bench.texts() == ["notice source.down"]
    assert bench.texts(VIEWER.id) == []


def test_notice_that_could_not_be_stored_is_told_later(bench: Bench) -> None:
    bench.store.is_full = lambda number: True
    with pytest.raises(StoreFull):
        asyncio.run(bench.fire.tell(Notice("source.changed", {"error": "x"})))
    bench.store.is_full = lambda number: False
    asyncio.run(bench.fire.tell(None))
    assert bench.texts() == ["notice source.changed"]


def test_restored_states_fire_no_second_time(bench: Bench) -> None:
    bench.slot("09:00", 120.0)
    watch = bench.series.watches[0]
    one = watch.condition
    kept = asyncio.run(bench.store.read(lambda tx: tx.signals.states(one.name, one.version)))
    watch.states = replace(States.from_mapping(kept, bench.series.panel.instruments))
    bench.slot("09:05", 120.0)
    assert bench.fired() == ["005930 09:00"]
