"""Universes are computed from what sources tell, once a day, and survive failures and kills."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from config.strict_yaml import parse_yaml
from config.universe_file import UniverseSpec, read_universe
from engine.membership import Wish, members_in_force
from engine.universes import Progress, Task, day_over
from market.errors import SourceUnavailable
from market.fact_groups import FactGroup
from market.facts import Listing
from market.orders import Position
from market.sessions import KST, AlwaysOpen, KrxCalendar
from market.store import Store
from market.types import Instrument, Kind, Venue
from market.universe import Why
from tests.engine.told_market import MONDAY, Killed, ToldMarket, share, universes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from market.universe import UniverseOfDay

EVENING = datetime(2026, 11, 23, 20, 31, tzinfo=KST)
NEXT_EVENING = EVENING + timedelta(days=1)
SMART = """\
name: smart
kind: stock
ranking:
  of: KOSPI
  by: (facts.institutions_5 + facts.foreigners_5) / facts.listed_shares
  where: facts.market_cap > 500_000_000_000 KRW
  top: 4
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "ticktalk.sqlite")
    yield opened
    opened.close()


def spec(text: str) -> UniverseSpec:
    return read_universe(parse_yaml(text, "u.yaml"), None)


def task(*texts: str) -> Task:
    return Task(Venue.KRX, tuple(Wish.of(spec(text)) for text in texts))


def refresh(store: Store, market: ToldMarket, asked: Task, now: datetime = EVENING) -> Any:
    return asyncio.run(universes(store, market).refresh(asked, now))


def newest(store: Store, name: str = "smart") -> UniverseOfDay | None:
    return asyncio.run(store.read(lambda tx: tx.universes.newest(name)))


def codes(found: UniverseOfDay | None) -> list[int]:
    assert found is not None
    return [int(one.removeprefix("KRX:")) for one in found.instruments]


def hold(store: Store, *numbers: int) -> None:
    def write(tx: Any) -> None:
        for number in numbers:
            position = Position(share(number).id, Decimal(1), Decimal(100), Decimal(0))
            tx.orders.put_position(position)

    asyncio.run(store.write(write))


def test_a_ranking_takes_the_first_of_those_that_take_part(store: Store) -> None:
    [change] = refresh(store, ToldMarket(), task(SMART))
    found = newest(store)
    assert found is not None
    assert codes(found) == [6, 13, 20, 12]  # 6 of 7 each, then 5 of 7, both by code
    assert (found.day, found.candidates) == (MONDAY, 20)
    first = found.members[0]
    assert (first.why, first.rank) == (Why.RANKED, 1)
    assert first.value == pytest.approx(5 * 3 * 6 / 1e6)
    assert (change.name, change.members, len(change.joined), change.left) == ("smart", 4, 4, ())


def test_only_those_who_may_take_part_are_asked_about(store: Store) -> None:
    market = ToldMarket()
    refresh(store, market, task(SMART))
    assert market.questions("listing") == ["KOSPI"]
    assert len(market.questions("flows")) == 15  # five are too small, by the list alone
    assert share(5).id not in market.questions("flows")


def test_facts_are_stored_with_their_day(store: Store) -> None:
    refresh(store, ToldMarket(), task(SMART))
    facts = asyncio.run(store.read(lambda tx: tx.facts.of_day(MONDAY)))[share(6).id]
    assert (facts.institutions_1, facts.foreigners_5, facts.individuals_20) == (6, 60, -360)
    assert (facts.market_cap, facts.listed_shares) == (6e11, 1e6)
    assert (facts.per, facts.pbr, facts.eps) == (60.0, 12.0, 10.0)


def test_what_was_told_is_not_asked_again(store: Store) -> None:
    market = ToldMarket()
    refresh(store, market, task(SMART))
    before = len(market.asked)
    assert refresh(store, market, task(SMART))[0].joined == ()
    wider = SMART.replace("500_000", "100_000")
    refresh(store, market, task(wider))
    assert market.questions("listing") == ["KOSPI"]
    asked = {name for _, name in market.asked[before:]}
    assert asked == {share(number).id for number in range(2, 6)}


def test_a_kill_in_the_middle_loses_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "ticktalk.sqlite"
    market = ToldMarket(count=30)
    whole = ToldMarket(count=30)
    for died_after in range(1, 60, 7):
        market.die_after = len(market.asked) + died_after
        store = Store.open(path)
        try:
            refresh(store, market, task(SMART))
        except (Killed, BaseExceptionGroup):
            assert newest(store) is None
        finally:
            store.close()
    market.die_after = -1
    store, other = Store.open(path), Store.open(tmp_path / "whole.sqlite")
    refresh(store, market, task(SMART))
    refresh(other, whole, task(SMART))
    assert newest(store) == newest(other)
    flows = market.questions("flows")
    # what was on its way when it died is asked again, nothing else
    assert len(flows) - len(set(flows)) <= 8 * 9
    assert len(market.questions("listing")) == 1
    store.close()
    other.close()


def test_a_source_that_fails_leaves_yesterdays_universe(store: Store) -> None:
    market = ToldMarket()
    refresh(store, market, task(SMART))
    before = newest(store)
    market.is_down, market.day = True, MONDAY + timedelta(days=1)
    with pytest.raises(SourceUnavailable, match="the market is down"):
        refresh(store, market, task(SMART), NEXT_EVENING)
    assert newest(store) == before
    market.is_down = False
    market.failing = {share(number).id for number in range(6, 12)}
    with pytest.raises(SourceUnavailable, match="who bought is not told of"):
        refresh(store, market, task(SMART), NEXT_EVENING)
    assert newest(store) == before
    market.failing = set()
    asked = len(market.questions("flows"))
    refresh(store, market, task(SMART), NEXT_EVENING)
    assert len(market.questions("flows")) - asked < 15  # the rest had been told
    assert newest(store) != before


def test_a_source_that_is_not_that_far_yet_is_asked_a_few_times_only(store: Store) -> None:
    market = ToldMarket(count=60, day=MONDAY - timedelta(days=1))
    with pytest.raises(SourceUnavailable, match="who bought on 2026-11-23 is not told yet"):
        refresh(store, market, task(SMART))
    assert len(market.questions("flows")) < 20
    market.day = MONDAY
    refresh(store, market, task(SMART))
    assert newest(store) is not None


def test_who_was_halted_is_unknown_and_not_ranked(store: Store) -> None:
    market = ToldMarket(halted={share(20).id, share(13).id})
    refresh(store, market, task(SMART))
    assert codes(newest(store)) == [6, 12, 19, 11]


def test_one_that_cannot_be_told_of_keeps_nobody_waiting(store: Store) -> None:
    market = ToldMarket(failing={share(13).id})
    refresh(store, market, task(SMART))
    assert codes(newest(store)) == [6, 20, 12, 19]


def test_what_is_held_stays_and_never_wins(store: Store) -> None:
    market = ToldMarket()
    refresh(store, market, task(SMART))
    hold(store, 6, 13, 1)
    market.bought = lambda number: -number
    market.day = MONDAY + timedelta(days=1)
    never = SMART + "never: [000013]\n"
    refresh(store, market, task(never), NEXT_EVENING)
    found = newest(store)
    assert found is not None
    assert codes(found) == [6, 7, 8, 9]  # held as well as ranked
    market.bought = lambda number: number
    market.day += timedelta(days=1)
    refresh(store, market, task(never), NEXT_EVENING + timedelta(days=1))
    found = newest(store)
    assert codes(found) == [20, 19, 18, 17, 6]
    assert found is not None
    assert found.members[-1].why is Why.HELD  # the first was never in, so it does not stay


def test_always_is_in_behind_the_ranked(store: Store) -> None:
    refresh(store, ToldMarket(), task(SMART + "always: [000001, 000006]\nnever: [000020]\n"))
    found = newest(store)
    assert found is not None
    assert codes(found) == [6, 13, 12, 19, 1]
    assert found.members[-1].why is Why.ALWAYS


def test_a_market_is_what_its_list_tells_of_a_kind(store: Store) -> None:
    etf = Listing(share(900, kind=Kind.ETF))
    market = ToldMarket(count=3, extra=[etf, Listing(share(901, "KOSDAQ"))])
    kospi = "name: smart\nmarket: KOSPI\nkind: stock\n"
    refresh(store, market, task(kospi, "name: every\nmarket: KOSPI\n"))
    assert codes(newest(store)) == [1, 2, 3]
    assert codes(newest(store, "every")) == [1, 2, 3, 900]
    assert market.questions("flows") == []
    market.count = 2  # the third is delisted
    refresh(store, market, task(kospi), NEXT_EVENING)
    assert codes(newest(store)) == [1, 2]


def test_facts_that_conditions_ask_for_are_learnt_beside(store: Store) -> None:
    market = ToldMarket()
    wanted = {share(2).id: FactGroup.FLOWS, share(3).id: FactGroup.FIGURES}
    refresh(store, market, Task(Venue.KRX, wanted=wanted, segments=("KOSPI",)))
    facts = asyncio.run(store.read(lambda tx: tx.facts.of_day(MONDAY)))
    assert facts[share(2).id].institutions_5 == 10
    assert facts[share(3).id].per == 30.0
    assert market.questions("flows") == [share(2).id]


def test_a_trouble_with_single_instruments_keeps_no_universe_waiting(store: Store) -> None:
    market = ToldMarket(failing={share(number).id for number in (2, 3, 4)})
    wanted = {share(number).id: FactGroup.FLOWS for number in (2, 3, 4)}
    with pytest.raises(SourceUnavailable):
        refresh(store, market, Task(Venue.KRX, task(SMART).wishes, wanted))
    assert codes(newest(store)) == [6, 13, 20, 12]


def test_nobody_known_leaves_the_universe_as_it_was(store: Store) -> None:
    halted = {share(number).id for number in range(1, 31)}
    market = ToldMarket(count=30, halted=halted - {share(2).id})
    refresh(store, market, Task(Venue.KRX, wanted={share(2).id: FactGroup.FLOWS}))
    with pytest.raises(SourceUnavailable, match="nobody is told what its ranking asks for"):
        refresh(store, market, task(SMART))
    assert newest(store) is None


def test_coins_are_ranked_by_their_list_alone(store: Store) -> None:
    coins = [
        Listing(Instrument(Venue.UPBIT, f"KRW-{code}", code, "KRW", Kind.COIN), value=value)
        for code, value in (("BTC", 2e9), ("ETH", 3e9), ("XRP", 1e9))
    ]
    text = "name: smart\nranking: {of: KRW, by: value, top: 2}\n"
    market = ToldMarket(extra=coins)
    asked = Task(Venue.UPBIT, (Wish.of(spec(text)),))
    refresh(store, market, asked)
    found = newest(store)
    assert found is not None
    assert found.instruments == ("UPBIT:KRW-ETH", "UPBIT:KRW-BTC")
    assert found.day == date(2026, 11, 22)
    assert market.asked == [("listing", "KRW")]


def test_the_budget_is_told_before_and_the_way_while_it_runs(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Progress] = []
    whole = universes(store, ToldMarket(count=100), heard.append)
    with caplog.at_level(logging.INFO):
        asyncio.run(whole.refresh(task(SMART), EVENING))
    assert "KRX, 2026-11-23: asking who bought: 95 requests, about 1 min" in caplog.messages
    assert len([one for one in caplog.messages if "asked about" in one]) == 10
    assert (heard[0].done, heard[-1].done, heard[-1].of) == (0, 95, 95)
    assert whole.progress is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23 20:29", "2026-11-20"),
        ("2026-11-23 20:30", "2026-11-23"),
        ("2026-11-24 11:00", "2026-11-23"),
        ("2026-11-21 12:00", "2026-11-20"),
        ("2026-12-27 09:00", "2026-12-24"),
    ],
)
def test_a_day_is_over_when_everything_about_it_is_told(now: str, expected: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=KST)
    assert str(day_over(KrxCalendar({}), at, timedelta(hours=5))) == expected


def test_the_day_of_coins_is_that_of_utc() -> None:
    at = datetime(2026, 11, 24, 9, 4, tzinfo=KST)
    assert day_over(AlwaysOpen(), at, timedelta(minutes=5)) == date(2026, 11, 22)
    assert day_over(AlwaysOpen(), at + timedelta(minutes=1), timedelta(minutes=5)) == MONDAY


def test_what_was_ever_computed_is_in_force(store: Store) -> None:
    refresh(store, ToldMarket(), task(SMART))
    found = asyncio.run(store.read(lambda tx: members_in_force(tx, ["smart", "new"])))
    assert found == {"smart": tuple(share(number).id for number in (6, 13, 20, 12))}
