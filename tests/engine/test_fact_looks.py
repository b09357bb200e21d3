"""Tests of facts on their way to conditions: series, an edit while it runs, looks at a store."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from conditions.compile import compile_condition
from config.condition_reader import parse_condition
from engine.facts import Facts
from engine.look import replayed_look, stored_look
from engine.series import build_series
from market.fact_groups import FactGroup
from market.facts import DailyFacts
from market.sessions import KrxCalendar
from market.store import Store
from market.types import Bar, Timeframe, Venue, Verdict
from tests.engine.pipeline_world import condition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.look import Look
    from tests.engine.pipeline_world import Live as Morning
    from tests.engine.pipeline_world import World

OPENING = datetime(2026, 1, 6, 0, 0, tzinfo=UTC)
SLOT = timedelta(minutes=5)
A, B = "KRX:000001", "KRX:000002"
CALENDAR = KrxCalendar({})
TEXT = "name: example\nuniverse: [KRX:000001, KRX:000002]\ntimeframe: 5m\nwhen: "
CHEAP = compile_condition(parse_condition(f"{TEXT}facts.per < 10\n"))
PLAIN = compile_condition(parse_condition(f"{TEXT}close > 1\n"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with a bar of Tuesday, and facts of Monday and of Tuesday itself."""
    opened = Store.open(tmp_path / "facts.sqlite")

    def write(tx):  # type: ignore[no-untyped-def]  # a transaction
        tx.bars.put([Bar(name, Timeframe.M5, OPENING, *(50.0,) * 4, 1.0, 50.0) for name in (A, B)])
        monday, tuesday = date(2026, 1, 5), date(2026, 1, 6)
        told = [DailyFacts(A, monday, per=8.0), DailyFacts(A, tuesday, per=99.0)]
        tx.facts.put(told, FactGroup.FIGURES)

    asyncio.run(opened.write(write))
    yield opened
    opened.close()


def test_a_series_has_facts_where_a_condition_asks_for_them() -> None:
    calendars = {Venue.KRX: CALENDAR}
    (plain,) = build_series([(PLAIN, (A, B))], calendars, 9)
    assert plain.panel.facts is None
    (both,) = build_series([(PLAIN, (A,)), (CHEAP, (B,))], calendars, 9)
    assert both.panel.facts is not None
    assert both.panel.facts.instruments == (A, B)


def verdicts(look: Look) -> list[Verdict]:
    return [look.why(name, OPENING + SLOT, 0).verdict for name in look.asked]


def test_looks_at_a_store_see_the_facts_of_the_day_before(store: Store) -> None:
    calendar, universe = CALENDAR, (A, B)
    stored = asyncio.run(
        store.read(lambda tx: stored_look(tx, CHEAP, universe, calendar, 9, instrument=A))
    )
    assert verdicts(stored) == [Verdict.TRUE]
    untold = asyncio.run(
        store.read(lambda tx: stored_look(tx, CHEAP, universe, calendar, 9, instrument=B))
    )
    assert verdicts(untold) == [Verdict.UNKNOWN]
    replayed = asyncio.run(
        store.read(
            lambda tx: replayed_look(
                tx, CHEAP, universe, calendar, 9, instrument=A, at=OPENING + SLOT
            )
        )
    )
    assert verdicts(replayed) == [Verdict.TRUE]


def test_a_series_is_filled_from_the_store(store: Store) -> None:
    (series,) = build_series([(CHEAP, (A, B))], {Venue.KRX: CALENDAR}, 9)
    asyncio.run(Facts(store).load([series], OPENING))
    assert series.panel.facts is not None
    assert series.panel.facts.value("per")[0, -2:].tolist() == [8.0, 99.0]


def test_an_edit_that_asks_for_facts_gets_a_panel_with_them(morning: Morning) -> None:
    async def scenario(world: World) -> None:
        await world.sweeps("09:50:02", "09:57:02")
        (before,) = world.pipeline.series
        assert before.panel.facts is None
        await world.exchange(condition("close > 110 and facts.per < 10"))
        (after,) = world.pipeline.series
        assert after.panel.facts is not None
        assert after.panel.counts.tolist() == before.panel.counts.tolist()
        await world.exchange(condition("close > 110"))
        (last,) = world.pipeline.series
        assert last.panel.facts is None

    morning(scenario)
