"""Followed instruments: fresh prices by websocket, and what happens when it does not go well."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
import pytest

from crawlers.kis_frames import parse_trades
from sandbox.kis_socket import notice
from tests.crawlers.kis_world import NOW, KisWorld, run

if TYPE_CHECKING:
    from pathlib import Path

    from market.types import Tick

SAMSUNG, HYNIX = "KRX:005930", "KRX:000660"
PRICES = "intstock-multprice"
A_MINUTE = timedelta(minutes=1)


async def followed(world: KisWorld, *instruments: str) -> None:
    """Follow, and wait until the venue has acknowledged all."""
    world.source.follow(instruments)
    await world.line.until(lambda: subscribed(world) >= len(instruments))


def subscribed(world: KisWorld) -> int:
    return sum("SUBSCRIBE SUCCESS" in one for one in world.line.heard)


async def traded(world: KisWorld, by: timedelta = A_MINUTE) -> list[Tick]:
    """Let time pass in which all trade, and wait until the socket has told and we have heard."""
    before = len(world.line.heard)
    world.clock.advance(by)
    await world.line.until(lambda: any(one[0] == "0" for one in world.line.heard[before:]))
    frames = [one for one in world.line.heard[before:] if one[0] == "0"]
    return [tick for frame in frames for tick in parse_trades(frame, world.clock.now())]


def requests(world: KisWorld) -> list[tuple[str, str]]:
    """Return kind and code of what was said."""
    said = [orjson.loads(one) for one in world.line.sent if "tr_type" in one]
    return [(one["header"]["tr_type"], one["body"]["input"]["tr_key"]) for one in said]


def test_a_fresh_price_comes_from_the_socket_without_a_request(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG, HYNIX)
        told = await traded(world)
        (tick,) = await world.source.ticks([told[-1].instrument])
        assert tick == told[-1]
        assert PRICES not in world.faults.asked
        trades = world.simulator.trades(tick.instrument[4:], NOW.date())
        last = int(trades.times.searchsorted(world.clock.now().timestamp() * 1000, "right")) - 1
        assert (tick.price, tick.day_volume) == (trades.prices[last], trades.total_volume[last])

    run(tmp_path, job)


def test_what_is_followed_is_told_as_it_is_heard(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        told: list[Tick] = []
        world.source.listen(told.extend)
        assert world.source.live() == frozenset()
        await followed(world, SAMSUNG, HYNIX)
        assert world.source.live() == {SAMSUNG, HYNIX}
        assert await traded(world) == told
        world.source.follow([HYNIX])
        assert world.source.live() == {HYNIX}

    run(tmp_path, job)


def test_a_price_that_was_heard_a_while_ago_is_asked_for(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        await traded(world)
        world.clock.advance(timedelta(seconds=3))
        (tick,) = await world.source.ticks([SAMSUNG])
        assert world.faults.asked.count(PRICES) == 1
        assert tick.seen_at == world.clock.now()

    run(tmp_path, job)


def test_only_what_is_not_fresh_is_asked_for(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        await traded(world)
        ticks = await world.source.ticks([HYNIX, SAMSUNG])
        assert [tick.instrument for tick in ticks] == [HYNIX, SAMSUNG]
        assert world.faults.asked.count(PRICES) == 1

    run(tmp_path, job)


def test_forty_are_followed_the_first_ones_first(tmp_path: Path) -> None:
    codes = tuple(f"{number:06}" for number in range(1, 46))

    async def job(world: KisWorld) -> None:
        world.source.follow([*(f"KRX:{code}" for code in codes), "UPBIT:KRW-BTC"])
        await world.line.until(lambda: subscribed(world) >= 40)
        assert requests(world) == [("1", code) for code in codes[:40]]

    run(tmp_path, job, codes=codes)


def test_what_is_not_followed_any_more_is_let_go(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        await traded(world)
        world.source.follow([HYNIX])
        await world.line.until(lambda: len(requests(world)) == 3)
        assert requests(world)[1:] == [("2", "005930"), ("1", "000660")]
        await world.source.ticks([SAMSUNG])
        assert PRICES in world.faults.asked
        world.source.follow([])
        await world.line.until(lambda: not world.source._trades._socket.is_open)

    run(tmp_path, job)


def test_a_ping_is_echoed_as_it_came(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        world.clock.advance(timedelta(seconds=11))
        await world.line.until(lambda: any("PINGPONG" in one for one in world.line.sent))
        heard = [one for one in world.line.heard if "PINGPONG" in one]
        assert [one for one in world.line.sent if "PINGPONG" in one] == heard

    run(tmp_path, job)


def test_a_session_that_broke_is_opened_again_with_its_names(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG, HYNIX)
        world.faults.drop()
        await world.line.until(lambda: subscribed(world) == 4)
        assert requests(world) == [("1", "005930"), ("1", "000660")] * 2
        tick = (await traded(world))[-1]
        assert await world.source.ticks([tick.instrument]) == [tick]

    run(tmp_path, job)


def test_a_silent_session_is_opened_again(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        world.faults.is_stalled = True
        world.source.follow([SAMSUNG])
        await world.line.until(lambda: world.line.tried >= 2)
        world.faults.is_stalled = False
        await world.line.until(lambda: subscribed(world) == 1)

    run(tmp_path, job, silence_seconds=0.05)


def test_prices_go_on_by_requests_while_sessions_are_refused(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        world.faults.is_refusing = True
        world.source.follow([SAMSUNG])
        await world.line.until(lambda: world.line.tried >= 1)
        assert len(await world.source.ticks([SAMSUNG])) == 1

    run(tmp_path, job)


def test_another_session_with_the_key_is_not_fought_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def job(world: KisWorld) -> None:
        world.faults.is_in_use = True
        world.source.follow([SAMSUNG])
        await world.line.until(lambda: any("OPSP8996" in one for one in world.line.heard))
        for seconds in (20, 20):
            world.clock.advance(timedelta(seconds=seconds))
            assert len(await world.source.ticks([SAMSUNG])) == 1
        assert world.line.tried == 1
        world.faults.is_in_use = False
        world.clock.advance(timedelta(seconds=21))
        await world.source.ticks([SAMSUNG])
        await world.line.until(lambda: subscribed(world) == 1)

    with caplog.at_level(logging.WARNING):
        run(tmp_path, job)
    assert sum("ALREADY IN USE" in one.message for one in caplog.records) == 1


def test_a_name_that_could_not_be_subscribed_is_asked_for_again_later(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        world.faults.failing = {"000660"}
        world.source.follow([SAMSUNG, HYNIX])
        await world.line.until(lambda: any("OPSP0007" in one for one in world.line.heard))
        world.faults.failing = set()
        await world.source.ticks([HYNIX])
        assert len(requests(world)) == 2
        world.clock.advance(timedelta(seconds=31))
        await world.source.ticks([HYNIX])
        await world.line.until(lambda: subscribed(world) == 2)
        assert requests(world)[2:] == [("1", "000660")]

    run(tmp_path, job)


def test_a_name_that_was_subscribed_already_is_no_news(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        text = notice("H0STCNT0", "005930", "1", "OPSP0002", "ALREADY IN SUBSCRIBE")
        world.faults.odd.append(text)
        await world.line.until(lambda: text in world.line.heard)

    with caplog.at_level(logging.WARNING):
        run(tmp_path, job)
    assert not caplog.records


def test_a_key_that_the_socket_does_not_know_is_replaced(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        world.keys.disown()
        world.faults.drop()
        await world.line.until(lambda: any("OPSP0011" in one for one in world.line.heard))
        await world.line.until(lambda: not world.source._trades._socket.is_open)
        world.clock.advance(timedelta(seconds=31))
        await world.source.ticks([SAMSUNG])
        await world.line.until(lambda: subscribed(world) == 2)
        assert world.faults.asked.count("Approval") == 2

    run(tmp_path, job)


@pytest.mark.parametrize("odd", ["{", "0|H0STCNT0|001|005930^1", "1|H0STCNI0|001|AAAA", "hello"])
def test_an_odd_message_ends_nothing(tmp_path: Path, odd: str) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        world.faults.odd.append(odd)
        await world.line.until(lambda: odd in world.line.heard)
        assert await traded(world)
        assert world.line.tried == 1

    run(tmp_path, job)


def test_a_count_does_not_fall_because_answers_lag_behind(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> None:
        await followed(world, SAMSUNG)
        last = (await traded(world))[-1]
        trades = world.source._trades
        late = replace(last, seen_at=world.clock.now(), day_volume=(last.day_volume or 0) - 5)
        assert trades.further(late) == last
        assert trades.further(replace(late, instrument=HYNIX)).instrument == HYNIX
        ahead = replace(last, day_volume=(last.day_volume or 0) + 5)
        assert trades.further(ahead) == ahead
        much_later = replace(late, seen_at=late.seen_at + timedelta(seconds=11))
        assert trades.further(much_later) == much_later
        next_day = replace(late, at=late.at + timedelta(days=1))
        assert trades.further(next_day) == next_day

    run(tmp_path, job)


def test_it_closes_twice_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async def job(world: KisWorld) -> bool:
        await followed(world, SAMSUNG)
        await world.source.close()
        await world.source.close()
        return asyncio.all_tasks() == {asyncio.current_task()}

    assert run(tmp_path, job)
