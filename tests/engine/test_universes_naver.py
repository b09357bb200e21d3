"""Universes and facts end to end: the real Naver source in front of the pretend Naver."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from config.load import PACKAGED
from config.strict_yaml import load_yaml
from config.universe_file import read_universe
from engine.fact_asking import Tellers
from engine.membership import Wish
from engine.universes import Task, Universes
from market.errors import SourceError
from market.store import Store
from market.types import Instrument, Kind, Venue
from market.universe import Why
from sandbox.market_facts import bought, sessions
from tests.crawlers.pretend_naver import CALENDARS, EVENING, Naver, instruments, naver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.universe_file import UniverseSpec
    from market.universe import UniverseOfDay

NIGHT = EVENING.replace(hour=20, minute=31)
KNOWN = [*instruments(60), Instrument(Venue.KRX, "900001", "코스닥 회사", "KOSDAQ")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "ticktalk.sqlite")
    yield opened
    opened.close()


def shipped(name: str) -> UniverseSpec:
    return read_universe(load_yaml(PACKAGED / "universes" / f"{name}.yaml"), None)


def task(*names: str) -> Task:
    return Task(Venue.KRX, tuple(Wish.of(shipped(name)) for name in names))


def opened(store: Store, world: Naver) -> Universes:
    calendars = {Venue.KRX: CALENDARS[Venue.KRX]}
    return Universes(store, {Venue.KRX: Tellers.of([world.source])}, calendars, {Venue.KRX: 3.0})


def scenario(work: Callable[[Naver], Any]) -> None:
    async def run() -> None:
        async with naver(KNOWN, at=NIGHT) as world:
            await work(world)

    asyncio.run(run())


async def newest(store: Store, name: str) -> UniverseOfDay:
    found = await store.read(lambda tx: tx.universes.newest(name))
    assert found is not None
    return found


def test_the_shipped_universes_of_krx_are_computed(store: Store) -> None:
    async def work(world: Naver) -> None:
        await opened(store, world).refresh(task("smart-money", "most-traded", "kospi"), NIGHT)
        smart, kospi = await newest(store, "smart-money"), await newest(store, "kospi")
        shares = {one.id for one in KNOWN if one.kind is Kind.STOCK}
        of_kospi = {one.id for one in KNOWN[:-1] if one.kind is Kind.STOCK}
        assert smart.day == kospi.day == NIGHT.date()
        assert set(kospi.instruments) == of_kospi
        assert set(smart.instruments) <= shares
        assert {one.why for one in smart.members} == {Why.RANKED}
        assert [one.rank for one in smart.members] == list(range(1, len(smart.members) + 1))
        flows = [path for path in world.wire.paths() if path.endswith("/trend")]
        assert len(flows) == len(set(flows)) <= len(shares)
        traded = await newest(store, "most-traded")
        values = [one.value for one in traded.members]
        assert values == sorted(values, key=lambda value: -(value or 0))

    scenario(work)


def test_ranks_and_facts_are_those_of_the_pretend_market(store: Store) -> None:
    async def work(world: Naver) -> None:
        await opened(store, world).refresh(task("smart-money"), NIGHT)
        facts = await store.read(lambda tx: tx.facts.of_day(NIGHT.date()))
        smart = await newest(store, "smart-money")
        assert len(smart.members) > 20
        for member in smart.members:
            code = member.instrument.removeprefix("KRX:")
            days = sessions(world.simulator, code, 20, NIGHT.date(), NIGHT)
            [one] = [each for each in KNOWN if each.code == code]
            truth = [bought(one, day) for day in days]
            told = facts[member.instrument]
            assert told.institutions_1 == truth[0].institutions
            assert told.foreigners_5 == sum(day.foreigners for day in truth[:5])
            assert told.individuals_20 == sum(day.individuals for day in truth)
            listed = told.listed_shares
            assert listed is not None
            assert told.institutions_5 is not None
            assert member.value == (told.institutions_5 + told.foreigners_5) / listed
            assert told.market_cap is not None
            assert told.market_cap > 1e11

    scenario(work)


def test_a_wire_that_is_cut_in_the_middle_loses_nothing(store: Store) -> None:
    async def work(world: Naver) -> None:
        computing = opened(store, world)
        world.wire.lasts = 20
        with pytest.raises(SourceError):
            await computing.refresh(task("smart-money"), NIGHT)
        assert await store.read(lambda tx: tx.universes.newest("smart-money")) is None
        told = {path for path in world.wire.paths()[:20] if path.endswith("/trend")}
        world.wire.lasts, before = None, len(world.wire.asked)
        await computing.refresh(task("smart-money"), NIGHT)
        again = world.wire.paths()[before:]
        assert told
        assert told.isdisjoint(again)
        assert not any(path.startswith("/api/stocks/marketValue") for path in again)
        assert (await newest(store, "smart-money")).members

    scenario(work)
