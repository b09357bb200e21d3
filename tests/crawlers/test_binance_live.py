"""Live minutes of Binance: what the streams tell, what they lose, and what is asked for then."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from market.errors import SourceChanged, SourceUnavailable
from sandbox.coin_trades import Coin
from tests.crawlers.binance_world import (
    BTC,
    BTC_PERPETUAL,
    DOGE,
    DOGE_PERPETUAL,
    NOW,
    BinanceWorld,
    binance_world,
)
from tests.virtual_time import VirtualClock, run_virtual

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from crawlers.source import Update
    from market.types import Bar

MINUTE = timedelta(minutes=1)
START = NOW.replace(second=0)
MANY = tuple(Coin(f"C{number}USDT", 100, 0.1, trades_per_minute=60) for number in range(12))
ALL = (BTC, BTC_PERPETUAL, DOGE, DOGE_PERPETUAL)


def run(scenario: Callable[[BinanceWorld], Awaitable[None]], **changes: Any) -> None:
    async def whole() -> None:
        async with binance_world(clock=VirtualClock(NOW), **changes) as world:
            await scenario(world)

    run_virtual(whole())


def closed(updates: Iterable[Update], instrument: str) -> list[Bar]:
    return [one.bar for one in updates if one.bar.instrument == instrument and one.bar.is_complete]


def present(world: BinanceWorld) -> datetime:
    """Return the minute that goes on."""
    return world.clock.now().replace(second=0, microsecond=0)


async def lived(world: BinanceWorld, minutes: int) -> list[Update]:
    """Ask every two seconds, as the bot does, and return all that was told."""
    told = await world.source.updates(ALL)
    for _ in range(minutes * 30):
        told += await world.ask(2, ALL)
    return told


async def assert_whole(world: BinanceWorld, told: list[Update]) -> None:
    """Check that the closed bars are the venue's own, all of them, once and in order."""
    end = present(world)
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
        first = await world.source.updates((BTC,))
        assert first[0].bar.start == START - MINUTE
        assert first[0].bar.is_complete
        assert {one.bar.start for one in first} <= {START - MINUTE, START}
        later = await world.ask(120, (BTC, BTC_PERPETUAL))
        (begun, *_) = [one.bar for one in later if one.bar.instrument == BTC_PERPETUAL]
        assert begun.start == START + MINUTE

    run(scenario)


def test_what_did_not_change_is_not_told_again() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.updates((BTC,))
        await asyncio.sleep(10)
        assert await world.source.updates((BTC,))
        assert await world.source.updates((BTC,)) == []

    run(scenario)


def test_a_broken_connection_is_opened_again_and_leaves_no_hole() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.source.updates(ALL)
        told += await world.ask(50, ALL)
        world.wires.faults.is_refusing = True
        world.wires.drop()
        told += await world.ask(200, ALL)
        await assert_whole(world, told)

    run(scenario)


def test_no_socket_at_all_leaves_the_venue_to_be_asked() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.wires.faults.is_refusing = True
        told = await world.source.updates(ALL)
        for _ in range(8):
            told += await world.ask(30, ALL)
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
        told = await world.source.updates(ALL)
        told += await world.ask(100, ALL)
        assert len(world.wires.faults.opened) > 4
        world.wires.faults.is_stalled = False
        told += await world.ask(100, ALL)
        await assert_whole(world, told)

    run(scenario, silence_seconds=10)


def test_a_call_that_fails_loses_nothing() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.source.updates(ALL)
        world.wires.faults.lost = {"BTCUSDT"}
        for fault in ("unreachable", "broken", "page", ""):
            await asyncio.sleep(62)
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
        told = await world.source.updates((BTC,))
        world.wires.faults.unclosed = {"BTCUSDT"}
        told += await world.ask(40, (BTC,))
        world.fail("behind")
        await asyncio.sleep(20)
        with pytest.raises(SourceUnavailable, match="older minute of BTCUSDT"):
            await world.source.updates((BTC,))
        world.fail("")
        told += await world.source.updates((BTC,))
        truth = await world.truth(BTC, START - MINUTE, present(world))
        assert closed(told, BTC) == truth

    run(scenario)


def test_a_message_that_cannot_be_read_is_an_accident() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.source.updates((BTC,))
        world.wires.faults.odd.append('{"stream":"btcusdt@kline_1m","data":{"e":"kline"}}')
        told += await world.ask(70, (BTC,))
        truth = await world.truth(BTC, START - MINUTE, present(world))
        assert closed(told, BTC) == truth

    run(scenario)


def test_messages_that_can_none_of_them_be_read_are_a_change_told_once() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.updates((BTC,))
        world.wires.faults.lost = {"BTCUSDT"}
        world.wires.faults.odd += ['{"stream":"btcusdt@kline_1m","data":{"e":"kline"}}'] * 20
        await asyncio.sleep(1)
        with pytest.raises(SourceChanged, match="a kline of a symbol"):
            await world.source.updates((BTC,))
        await asyncio.sleep(70)
        assert len(closed(await world.source.updates((BTC,)), BTC)) == 1

    run(scenario)


def test_without_a_connection_present_minutes_are_asked_for_in_turn() -> None:
    async def scenario(world: BinanceWorld) -> None:
        world.wires.faults.is_refusing = True
        names = [f"BINANCE:{coin.symbol}" for coin in MANY]
        await world.source.updates(names)
        for _ in range(3):
            world.wires.faults.asked.clear()
            told = await world.ask(3, names)
            assert len(world.wires.faults.asked) in (8, len(MANY) - 8)
            assert told
            assert not any(one.bar.is_complete for one in told)

    run(scenario, coins=MANY)


def test_what_the_venue_does_not_know_has_no_minutes_and_stops_nobody() -> None:
    async def scenario(world: BinanceWorld) -> None:
        asked = (BTC, "BINANCE:NOSUCHUSDT", "UPBIT:KRW-BTC")
        told = await world.source.updates(asked)
        told += await world.ask(62, asked)
        assert {one.bar.instrument for one in told} == {BTC}
        assert len(closed(told, BTC)) == 2

    run(scenario)


def test_a_quiet_minute_of_futures_is_asked_for_once() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.updates((DOGE_PERPETUAL,))
        for _ in range(120):
            await asyncio.sleep(2)
            await world.source.updates((DOGE_PERPETUAL,))
        asked = [path for path in world.wires.faults.asked if "/fapi/v1/klines" in path]
        assert len(asked) <= 5
        assert all(path.endswith(("limit=1", "limit=2")) for path in asked)

    run(scenario)


def test_a_day_is_as_long_as_a_connection_lives() -> None:
    async def scenario(world: BinanceWorld) -> None:
        told = await world.source.updates((BTC,))
        told += await world.ask(timedelta(hours=25).total_seconds(), (BTC,))
        truth = await world.truth(BTC, START - MINUTE, present(world))
        assert closed(told, BTC) == truth
        assert len(truth) == 25 * 60 + 1
        assert len(world.wires.faults.opened) == 2

    run(scenario, push_seconds=60, silence_seconds=600)


def test_a_clock_that_is_ahead_closes_nothing_early() -> None:
    async def scenario(world: BinanceWorld) -> None:
        class Ahead:
            def now(self) -> datetime:
                return world.clock.now() + timedelta(seconds=20)

        world.source._markets["USDT"].live._clock = Ahead()
        told = await world.source.updates((BTC,))
        refused, texts = 0, set[str]()
        for _ in range(120):
            try:
                told += await world.ask(2, (BTC,))
            except SourceUnavailable as error:
                texts.add(str(error))
                refused += 1
        truth = await world.truth(BTC, START, present(world))
        assert [bar for bar in closed(told, BTC) if bar.start > START] == truth[1:]
        assert 0 < refused < 30
        assert texts == {"this machine's clock is 20.0 s ahead of binance's"}

    run(scenario)


def test_who_asks_when_a_minute_has_just_ended_is_told_of_it() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.updates(ALL)
        for _ in range(3):
            asked_at = world.clock.now()
            told = await world.ask(60 - asked_at.second - asked_at.microsecond / 1e6, ALL)
            assert world.clock.now().second in {1, 2}
            over = world.clock.now().replace(second=0, microsecond=0) - MINUTE
            assert {bar.start for bar in closed(told, BTC)} == {over}
            assert {bar.start for bar in closed(told, BTC_PERPETUAL)} == {over}

    run(scenario)


def test_streams_are_subscribed_and_given_up_as_asked() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.updates((BTC,))
        await world.ask(1, (BTC, DOGE))
        await world.source.updates((DOGE,))
        await asyncio.sleep(1)
        first, second = world.wires.faults.heard
        assert first == '{"method":"SUBSCRIBE","params":["dogeusdt@kline_1m"],"id":1}'
        assert second == '{"method":"UNSUBSCRIBE","params":["btcusdt@kline_1m"],"id":2}'
        assert world.wires.faults.opened == ["/spot/stream"]

    run(scenario)


def test_close_may_come_twice_and_at_any_time() -> None:
    async def scenario(world: BinanceWorld) -> None:
        await world.source.close()
        await world.source.updates((BTC, BTC_PERPETUAL))
        await world.source.close()
        await world.source.close()
        assert await world.source.updates(()) == []

    run(scenario)
