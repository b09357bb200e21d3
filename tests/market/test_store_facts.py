"""Listings, daily facts and universes come back as they went in, and merge as they come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from market.fact_groups import GROUP_OF_FACT, FactGroup
from market.facts import FACT_NAMES, DailyFacts, Listing
from market.tables import table
from market.types import Instrument, Kind, Venue
from market.universe import Member, UniverseOfDay, Why

if TYPE_CHECKING:
    from market.store import Store

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
KODEX = Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF)
BITCOIN = Instrument(Venue.UPBIT, "KRW-BTC", "비트코인", "KRW", Kind.COIN)
LINE = Listing(SAMSUNG, 270_000.0, 1.6e15, 5.9e9, 1e7, 2.7e12, -0.01)


def write(store: Store, function: Any) -> None:
    asyncio.run(store.write(function))


def read(store: Store, function: Any) -> Any:
    return asyncio.run(store.read(function))


def test_every_fact_has_a_column_and_a_question_that_tells_it() -> None:
    columns = set(table("daily_facts").c.keys())
    assert columns == {"day", "instrument", "told", *FACT_NAMES}
    assert set(GROUP_OF_FACT) == set(FACT_NAMES)


def test_a_listing_is_kept_with_its_first_and_last_day(store: Store) -> None:
    write(store, lambda tx: tx.facts.put_listing([LINE, Listing(BITCOIN)], FRIDAY))
    renamed = replace(LINE, instrument=replace(SAMSUNG, name="Samsung"), value=3e12)
    write(store, lambda tx: tx.facts.put_listing([renamed], MONDAY))
    [newest] = read(store, lambda tx: tx.facts.listing(["KOSPI"]))
    assert (newest.first_day, newest.last_day) == (FRIDAY, MONDAY)
    assert newest.instrument.name == "Samsung"
    assert (newest.line.value, newest.line.change) == (3e12, -0.01)
    assert len(read(store, lambda tx: tx.facts.listing())) == 2
    assert read(store, lambda tx: tx.facts.listing_day("KRW")) == FRIDAY
    assert read(store, lambda tx: tx.facts.listing_day("USDT")) is None


def test_a_listing_tells_facts_of_its_day(store: Store) -> None:
    write(store, lambda tx: tx.facts.put_listing([LINE], FRIDAY))
    told = read(store, lambda tx: tx.facts.of_day(FRIDAY))
    assert told == {
        SAMSUNG.id: DailyFacts(SAMSUNG.id, FRIDAY, market_cap=1.6e15, listed_shares=5.9e9)
    }
    assert read(store, lambda tx: tx.facts.told(FRIDAY)) == {SAMSUNG.id: FactGroup.LISTING}


def test_answers_of_several_sources_make_one_row(store: Store) -> None:
    flows = DailyFacts(SAMSUNG.id, FRIDAY, institutions_5=-3.0, foreigners_5=9.0, per=1.0)
    figures = DailyFacts(SAMSUNG.id, FRIDAY, per=12.5, eps=21_600.0)
    write(store, lambda tx: tx.facts.put_listing([LINE], FRIDAY))
    write(store, lambda tx: tx.facts.put([flows], FactGroup.FLOWS))
    write(store, lambda tx: tx.facts.put([figures], FactGroup.FIGURES))
    told = read(store, lambda tx: tx.facts.of_day(FRIDAY))[SAMSUNG.id]
    assert (told.institutions_5, told.foreigners_5) == (-3.0, 9.0)
    assert (told.per, told.eps, told.market_cap) == (12.5, 21_600.0, 1.6e15)
    assert told.listed_shares == 5.9e9  # the figures did not tell it, the listing did
    everything = FactGroup.LISTING | FactGroup.FLOWS | FactGroup.FIGURES
    assert read(store, lambda tx: tx.facts.told(FRIDAY)) == {SAMSUNG.id: everything}


def test_facts_of_the_newest_days_before_another(store: Store) -> None:
    days = [date(2026, 11, number) for number in (16, 17, 18, 20, 23)]
    both = [DailyFacts(name, day, per=1.0) for day in days for name in (SAMSUNG.id, KODEX.id)]
    write(store, lambda tx: tx.facts.put(both, FactGroup.FIGURES))
    found = read(store, lambda tx: tx.facts.newest([KODEX.id], MONDAY, 3))
    assert [one.day.day for one in found] == [17, 18, 20]
    assert {one.instrument for one in found} == {KODEX.id}
    write(store, lambda tx: tx.facts.forget_before(FRIDAY))
    assert len(read(store, lambda tx: tx.facts.newest([KODEX.id], MONDAY, 3))) == 1


def test_a_universe_is_kept_day_by_day(store: Store) -> None:
    members = (Member(SAMSUNG.id, Why.RANKED, 1, 0.003), Member(KODEX.id, Why.ALWAYS))
    friday = UniverseOfDay("smart", FRIDAY, "abc", 900, members)
    monday = UniverseOfDay("smart", MONDAY, "abc", 901, ())
    write(store, lambda tx: tx.universes.put(friday))
    assert read(store, lambda tx: tx.universes.newest("smart")) == friday
    write(store, lambda tx: tx.universes.put(monday))
    assert read(store, lambda tx: tx.universes.newest("smart")) == monday
    assert read(store, lambda tx: tx.universes.of_day("smart", FRIDAY)) == friday
    assert read(store, lambda tx: tx.universes.newest("other")) is None
    assert read(store, lambda tx: tx.universes.of_day("smart", date(2026, 1, 1))) is None


def test_a_universe_computed_again_takes_the_place_of_the_first(store: Store) -> None:
    first = UniverseOfDay("few", FRIDAY, "a", 2, (Member(SAMSUNG.id, Why.LISTED),) * 1)
    again = replace(first, spec="b", members=(Member(KODEX.id, Why.HELD),))
    write(store, lambda tx: tx.universes.put(first))
    write(store, lambda tx: tx.universes.put(again))
    assert read(store, lambda tx: tx.universes.newest("few")) == again
    assert again.instruments == (KODEX.id,)
