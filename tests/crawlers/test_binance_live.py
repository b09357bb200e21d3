"""Live minutes of Binance: what the streams tell, what they lose, and what is asked for then."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from market.errors import SourceChanged, SourceUnavailable
from tests.crawlers.binance_world import (
    BTC,
    BTC_PERPETUAL,
    DOGE,
    DOGE_PERPETUAL,
    NOW,
    BinanceWorld,
    binance_world,
    settled,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from crawlers.source import Update
    from market.types import Bar

MINUTE = timedelta(minutes=1)
START = NOW.replace(second=0)
ALL = (BTC, BTC_PERPETUAL, DOGE, DOGE_PERPETUAL)


def run(scenario: Callable[[BinanceWorld], Awaitable[None]], **changes: Any) -> None:
    async def whole() -> None:
        async with binance_world(**changes) as world:
            await scenario(world)

    asyncio.run(whole())


def closed(updates: Iterable[Update], instrument: str) -> list[Bar]:
    return [one.bar for one in updates if one.bar.instrument == instrument and one.bar.is_complete]


async def lived(world: BinanceWorld, minutes: int) -> list[Update]:
    """Ask every two seconds, as the bot does, and return all that was told."""
    told = await world.open(ALL, sockets=2)
    for _ in range(minutes * 30):
        await world.advance(2)
        told += await world.source.updates(ALL)
    return told


async def assert_whole(world: BinanceWorld, told: list[Update]) -> None:
    """Check that the closed bars are the venue's own, all of them, once and in order."""
    end = world.clock.now().replace(second=0)
    for instrument in ALL:
        truth = await world.truth(instrument, START - MINUTE, end)
        assert closed(told, instrument) == truth, instrument


def test_closed_minutes_equal_the_venues_own() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await lived(world, 6)
        await assert_whole(world, told)
        for instrument in ALL:
            starts = [one.bar.start for one in told if one.bar.instrument == instrument]
            assert starts == sorted(starts)
        for one in told:
            assert one.bar.start <= one.at < one.bar.start + MINUTE
            assert one.seen_at <= world.clock.now()

    run(scenario)


def test_a_minute_is_told_as_it_forms() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await lived(world, 1)
        forming = [one.bar for one in told if one.bar.instrument == BTC and one.bar.start == START]
        assert len(forming) > 10
        assert [bar.is_complete for bar in forming[:-1]] == [False] * (len(forming) - 1)
        volumes = [bar.volume for bar in forming]
        assert volumes == sorted(volumes)

    run(scenario)


def test_it_begins_with_the_minute_before_the_present_one() -> None:
    async def scenario(world: BinanceWorld) -> None:
        first = await world.open((BTC,))
        assert first[0].bar.start == START - MINUTE
        assert first[0].bar.is_complete
        assert {one.bar.start for one in first} <= {START - MINUTE, START}
        await world.advance(120)
        later = await world.source.updates((BTC, BTC_PERPETUAL))
        (begun, *_) = [one.bar for one in later if one.bar.instrument == BTC_PERPETUAL]
        assert begun.start == START + MINUTE

    run(scenario)


def test_what_did_not_change_is_not_told_again() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.open((BTC,))
        await world.advance(10)
        assert await world.source.updates((BTC,))
        assert await world.source.updates((BTC,)) == []

    run(scenario)


def test_a_broken_connection_is_opened_again_and_leaves_no_hole() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.open(ALL, sockets=2)
        await world.advance(50)
        told += await world.source.updates(ALL)
        world.wires.faults.is_refusing = True
        world.wires.faults.drop()
        await world.leap(200)
        told += await world.source.updates(ALL)
        await assert_whole(world, told)

    run(scenario)


def test_no_socket_at_all_leaves_the_venue_to_be_asked() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.wires.faults.is_refusing = True
        told = await world.source.updates(ALL)
        for _ in range(8):
            await world.leap(30)
            told += await world.source.updates(ALL)
        await assert_whole(world, told)

    run(scenario)


def test_a_connection_that_lost_streams_is_made_up_for() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.wires.faults.lost = {"BTCUSDT"}
        world.wires.faults.unclosed = {"DOGEUSDT"}
        await assert_whole(world, await lived(world, 4))

    run(scenario)


def test_a_silent_connection_is_opened_again() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.wires.faults.is_stalled = True
        told = await world.open(ALL, sockets=2)
        await until_opened(world, 4)
        world.wires.faults.is_stalled = False
        await world.advance(100)
        told += await world.source.updates(ALL)
        await assert_whole(world, told)

    run(scenario, silence_seconds=0.01)


async def until_opened(world: BinanceWorld, count: int) -> None:
    async with asyncio.timeout(5):
        while len(world.wires.faults.opened) < count:  # noqa: ASYNC110  the venue has no event
            await asyncio.sleep(0.01)


def test_a_call_that_fails_loses_nothing() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.open(ALL, sockets=2)
        world.wires.faults.lost = {"BTCUSDT"}
        for fault in ("unreachable", "broken", "page", ""):
            await world.advance(62)
            world.fail(fault)
            if fault:
                with pytest.raises(SourceChanged if fault == "page" else SourceUnavailable):
                    await world.source.updates(ALL)
            else:
                told += await world.source.updates(ALL)
        await assert_whole(world, told)

    run(scenario)


def test_an_answer_older_than_the_stream_is_not_believed() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.open((BTC,))
        world.wires.faults.unclosed = {"BTCUSDT"}
        await world.advance(40)
        told += await world.source.updates((BTC,))
        world.fail("behind")
        await world.advance(20)
        with pytest.raises(SourceUnavailable, match="older minute of BTCUSDT"):
            await world.source.updates((BTC,))
        world.fail("")
        told += await world.source.updates((BTC,))
        truth = await world.truth(BTC, START - MINUTE, world.clock.now().replace(second=0))
        assert closed(told, BTC) == truth

    run(scenario)


def test_a_message_that_cannot_be_read_is_told_once_and_loses_nothing() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.open((BTC,))
        world.wires.faults.odd.append('{"stream":"btcusdt@kline_1m","data":{"e":"kline"}}')
        await world.advance(1)
        with pytest.raises(SourceChanged, match="a kline of a symbol"):
            await world.source.updates((BTC,))
        await world.advance(70)
        told += await world.source.updates((BTC,))
        truth = await world.truth(BTC, START - MINUTE, world.clock.now().replace(second=0))
        assert closed(told, BTC) == truth

    run(scenario)


def test_what_the_venue_does_not_know_has_no_minutes_and_stops_nobody() -> None:
    async def scenario(world: BinanceWorld) -> None:
        asked = (BTC, "BINANCE:NOSUCHUSDT", "UPBIT:KRW-BTC")
        told = await world.open(asked)
        await world.advance(62)
        told += await world.source.updates(asked)
        assert {one.bar.instrument for one in told} == {BTC}
        assert len(closed(told, BTC)) == 2

    run(scenario)


def test_a_quiet_minute_of_futures_is_asked_for_once() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.open((DOGE_PERPETUAL,))
        for _ in range(120):
            await world.advance(2)
            await world.source.updates((DOGE_PERPETUAL,))
        asked = [path for path in world.wires.faults.asked if "/fapi/v1/klines" in path]
        assert len(asked) <= 5
        assert all(path.endswith(("limit=1", "limit=2")) for path in asked)

    run(scenario)


def test_a_day_is_as_long_as_a_connection_lives() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.open((BTC,))
        await world.leap(timedelta(hours=24).total_seconds())
        told += await world.source.updates((BTC,))
        truth = await world.truth(BTC, START - MINUTE, world.clock.now().replace(second=0))
        assert closed(told, BTC) == truth
        assert len(truth) == 24 * 60 + 1

    run(scenario)


def test_a_clock_that_is_ahead_closes_nothing_early() -> None:
    async def scenario(world: BinanceWorld) -> None:
        class Ahead:
            def now(self) -> datetime:
                return world.clock.now() + timedelta(seconds=20)

        world.source._markets["USDT"].live._clock = Ahead()
        told = await world.open((BTC,))
        for _ in range(100):
            await world.advance(2)
            told += await world.source.updates((BTC,))
        truth = await world.truth(BTC, START - MINUTE, world.clock.now().replace(second=0))
        assert closed(told, BTC)[-3:] == truth[-3:]

    run(scenario)


def test_streams_are_subscribed_and_given_up_as_asked() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.open((BTC,))
        await world.source.updates((BTC, DOGE))
        await world.source.updates((DOGE,))
        await settled()
        await until(lambda: len(world.wires.faults.heard) == 2)
        first, second = world.wires.faults.heard
        assert first == '{"method":"SUBSCRIBE","params":["dogeusdt@kline_1m"],"id":1}'
        assert second == '{"method":"UNSUBSCRIBE","params":["btcusdt@kline_1m"],"id":2}'
        assert world.wires.faults.opened == ["/spot/stream"]

    run(scenario)


def test_close_may_come_twice_and_at_any_time() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.close()
        await world.open((BTC, BTC_PERPETUAL), sockets=2)
        await world.source.close()
        await world.source.close()
        assert await world.source.updates(()) == []

    run(scenario)
