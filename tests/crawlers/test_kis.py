"""The KIS source in front of the pretend KIS, and the requests it makes."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from crawlers.source import SOURCES, DailySource, FlowSource, Follower
from market.errors import SourceError, SourceUnavailable
from market.types import Venue
from sandbox.kis import net_buying
from sandbox.kis_faults import Fault
from tests.contracts.source_contract import SourceContract, World
from tests.crawlers.kis_world import APP_KEY, CALENDARS, NOW, KisWorld, kis_world, run, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


SAMSUNG = "KRX:005930"
CALENDAR = CALENDARS[Venue.KRX]
OPEN = NOW.replace(hour=9, minute=0, second=0)
MINUTE = timedelta(minutes=1)


class TestKisSource(SourceContract):
    """The contract of sources, for KIS."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        async with kis_world(self.folder) as world:

            def fail(fault: str) -> None:
                world.wire.is_cut = fault == "unreachable"
                if not world.wire.is_cut:
                    world.faults.fail(Fault(fault))

            yield World(
                source=world.source,
                clock=world.clock,
                instruments=tuple(f"KRX:{code}" for code in world.simulator.codes),
                start=OPEN,
                end=NOW.replace(minute=30, second=0),
                fail=fail,
            )

    def unknown(self) -> str:
        return "KRX:999999"


def test_it_is_registered_and_offers_its_ports(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> bool:
        chosen, calendars = settings(tmp_path), CALENDARS
        source = SOURCES.get("kis")(world.http, chosen, world.clock, calendars)
        ports = (DailySource, Follower, FlowSource)
        return all(isinstance(source, port) for port in ports)

    assert run(tmp_path, job)


def test_ticks_are_asked_thirty_at_a_time_in_places_that_are_all_taken(tmp_path: Path) -> None:
    codes = tuple(f"{number:06}" for number in range(1, 62))

    async def job(world: KisWorld) -> tuple[list[str], Counter[str]]:
        ticks = await world.source.ticks([*(f"KRX:{code}" for code in codes), "UPBIT:KRW-BTC"])
        return [tick.instrument for tick in ticks], Counter(world.faults.asked)

    instruments, asked = run(tmp_path, job, codes=codes)
    assert instruments == [f"KRX:{code}" for code in codes]
    assert asked == {"tokenP": 1, "intstock-multprice": 3}


def test_ticks_tell_what_the_exchange_counts(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        (quote,) = world.simulator.snapshot(["005930"], NOW)
        (tick,) = await world.source.ticks([SAMSUNG])
        assert (tick.price, tick.day_volume, tick.day_value) == (
            quote.price,
            quote.volume,
            quote.value,
        )
        assert (tick.day_open, tick.day_high, tick.day_low) == (quote.open, quote.high, quote.low)
        assert tick.previous_close == quote.previous_close
        assert not tick.halted

    run(tmp_path, job)


def test_a_halted_instrument_is_told_by_its_empty_order_book(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> list[bool]:
        during = await world.source.ticks(["KRX:000660", SAMSUNG])
        world.clock.move_to(NOW.replace(hour=20))
        after = await world.source.ticks(["KRX:000660", SAMSUNG])
        return [tick.halted for tick in (*during, *after)]

    assert run(tmp_path, job, halted="000660") == [True, False, False, False]


def test_growth_between_two_looks_is_taken_to_be_half_way(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> list[datetime]:
        times = []
        for second in (52, 62, 72):
            world.clock.move_to(NOW.replace(second=0) + timedelta(seconds=second))
            (tick,) = await world.source.ticks([SAMSUNG])
            times.append(tick.at)
        return times

    start = NOW.replace(second=0)
    assert run(tmp_path, job) == [start + timedelta(seconds=after) for after in (52, 57, 67)]


def test_without_keys_the_error_names_the_variables(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await world.source.ticks([SAMSUNG])

    with pytest.raises(SourceError, match="TICKTALK_KIS_APP_KEY and TICKTALK_KIS_APP_SECRET"):
        run(tmp_path, job, app_key=None, app_secret=None)
    with pytest.raises(SourceError, match=r"set TICKTALK_KIS_APP_SECRET in \.env"):
        run(tmp_path, job, app_secret=None)


def test_flows_are_of_days_that_are_over(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        during = await world.source.flows(SAMSUNG, 5)
        assert [flow.day.day for flow in during] == [2, 3, 4, 7, 8]
        world.clock.move_to(NOW.replace(hour=16))
        (last,) = await world.source.flows(SAMSUNG, 1)
        (day,) = world.simulator.days("005930", last.day, last.day, world.clock.now())
        individuals, foreigners, institutions = net_buying("005930", day.day, day.volume)
        assert last.day == NOW.date()
        assert (last.individuals, last.foreigners, last.institutions) == (
            individuals,
            foreigners,
            institutions,
        )
        assert last.close == day.close
        assert await world.source.flows(SAMSUNG, 0) == []

    run(tmp_path, job)


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.BUSY_WITH_200, Fault.COMPANY_BUSY])
def test_a_pace_limit_is_known_by_its_code_and_asked_again(tmp_path: Path, fault: Fault) -> None:
    async def job(world: KisWorld) -> tuple[int, int]:
        world.faults.fail(fault, times=2)
        ticks = await world.source.ticks([SAMSUNG])
        return len(ticks), world.faults.asked.count("intstock-multprice")

    assert run(tmp_path, job) == (1, 3)


def test_a_pace_limit_that_stays_is_unavailable_with_its_code(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        world.faults.fail(Fault.BUSY_WITH_200)
        await world.source.ticks([SAMSUNG])

    with pytest.raises(SourceUnavailable, match="EGW00201 초당 거래건수"):
        run(tmp_path, job)


def test_a_lapsed_token_is_asked_for_anew_once(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> Counter[str]:
        await world.source.ticks([SAMSUNG])
        world.keys.lapse()
        world.clock.advance(timedelta(minutes=2))
        await world.source.ticks([SAMSUNG])
        return Counter(world.faults.asked)

    assert run(tmp_path, job) == {"tokenP": 2, "intstock-multprice": 3}


def test_tokens_that_are_always_refused_are_not_asked_for_again_and_again(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> Counter[str]:
        await world.source.ticks([SAMSUNG])
        for _ in range(5):
            world.keys.lapse()
            world.clock.advance(timedelta(minutes=1, seconds=30))
            try:
                await world.source.ticks([SAMSUNG])
            except SourceUnavailable:
                continue
        return Counter(world.faults.asked)

    assert run(tmp_path, job)["tokenP"] == 2


def test_a_wrong_secret_names_the_variables_and_shows_none(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await world.source.ticks([SAMSUNG])

    wrong = settings(tmp_path).kis.app_key
    with pytest.raises(SourceError, match=r"EGW00105.*check TICKTALK_KIS_APP_KEY") as raised:
        run(tmp_path, job, app_secret=wrong)
    assert APP_KEY not in str(raised.value)


def test_another_venue_is_an_error(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await world.source.bars("UPBIT:KRW-BTC", NOW, NOW)

    with pytest.raises(SourceError, match="KRX instruments only"):
        run(tmp_path, job)
