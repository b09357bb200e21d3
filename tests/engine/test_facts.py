"""Facts come from the store into the panels, and are seen from the next session on."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from conditions.compile import compile_condition
from conditions.engine import evaluate
from config.condition_reader import parse_condition
from engine.facts import DAYS, Facts, fill_facts
from engine.series import build_series
from market.fact_groups import FactGroup
from market.fact_panel import FactPanel
from market.facts import DailyFacts
from market.sessions import KST
from market.store import Store
from market.types import Bar, Timeframe
from tests.engine.traded_market import CALENDARS, HYNIX, SAMSUNG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engine.series import Series

MONDAY = date(2026, 11, 23)
NAMES = (SAMSUNG.id, HYNIX.id)
CHEAP = "name: a\nuniverse: [000660]\ntimeframe: 5m\nwhen: facts.per < 10\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "ticktalk.sqlite")
    yield opened
    opened.close()


def told(store: Store, *facts: DailyFacts) -> None:
    asyncio.run(store.write(lambda tx: tx.facts.put(facts, FactGroup.FIGURES)))


def series(text: str = CHEAP) -> list[Series]:
    condition = compile_condition(parse_condition(text))
    return build_series([(condition, NAMES)], CALENDARS, 10)


def at(text: str, day: date = MONDAY) -> datetime:
    return datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=KST)


def verdicts(one: Series, moments: Sequence[datetime]) -> list[list[int]]:
    """Return what the condition says of both at bars of these starts."""
    found = []
    for moment in moments:
        one.panel.append(
            [Bar(name, Timeframe.M5, moment, 5.0, 5.0, 5.0, 5.0, 1.0, 5.0) for name in NAMES]
        )
        condition = one.watches[0].condition
        found.append(evaluate(condition, one.panel, np.arange(2)).when.tolist())
    return found


def test_a_fact_counts_from_the_session_after_its_day(store: Store) -> None:
    told(
        store,
        DailyFacts(SAMSUNG.id, MONDAY - timedelta(days=3), per=8.0),
        DailyFacts(SAMSUNG.id, MONDAY, per=12.0),
    )
    [one] = series()
    asyncio.run(Facts(store).load([one], at("20:40")))
    tuesday = at("09:00", MONDAY + timedelta(days=1))
    assert verdicts(one, [at("15:20"), tuesday]) == [[1, 0], [-1, 0]]


def test_facts_that_were_told_since_take_their_place(store: Store) -> None:
    [one] = series()
    facts = Facts(store)
    told(store, DailyFacts(SAMSUNG.id, MONDAY, per=8.0))
    asyncio.run(facts.load([one], at("20:40")))
    told(store, DailyFacts(HYNIX.id, MONDAY, per=9.0), DailyFacts(SAMSUNG.id, MONDAY, per=11.0))
    asyncio.run(facts.load([one], at("20:50")))
    assert verdicts(one, [at("09:00", MONDAY + timedelta(days=1))]) == [[-1, 1]]


def test_series_without_facts_are_left_alone(store: Store) -> None:
    [one] = series(CHEAP.replace("facts.per < 10", "close > 3"))
    asyncio.run(Facts(store).load([one], at("20:40")))
    assert one.panel.facts is None


def test_a_panel_keeps_the_newest_days(store: Store) -> None:
    days = [MONDAY - timedelta(days=back) for back in range(DAYS + 5)]
    told(store, *(DailyFacts(SAMSUNG.id, day, per=float(day.day)) for day in days))
    panel = FactPanel(NAMES, DAYS)
    asyncio.run(store.read(lambda tx: fill_facts(tx, panel, at("20:40"))))
    assert panel.told[0].sum() == DAYS
    assert panel.value("per")[0, -1] == MONDAY.day
    assert not panel.told[1].any()
