"""The world goes wrong around a running bot: it says so in the chat, goes on, loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from bot.demo_world import CHANNEL, VISITOR
from market.errors import StoreFull
from sandbox.naver import Fault

if TYPE_CHECKING:
    from pathlib import Path

Open = Callable[[], AbstractAsyncContextManager[Any]]

CONFIRM = "oc:"


def alerts(here: Any, chat_id: int = CHANNEL) -> list[str]:
    return [one.text for one in here.said(chat_id) if one.photo is not None]


def test_a_page_that_changed_is_told_once_and_so_is_its_return(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            await here.sweep()
            before = len(here.said())
            here.world.faults.fail(Fault.RENAMED)
            for _ in range(3):
                await here.sweep()
            (notice,) = here.said()[before:]
            assert "closePriceRaw" in notice.text
            assert await here.type("/status")
            here.world.faults.clear()
            await here.sweep()
            assert len(here.said()) == before + 3
            assert await here.card()

    asyncio.run(scenario())


def test_a_source_that_was_away_over_a_burst_gives_a_late_alert_and_no_order(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            await here.sweep_until(lambda: here.market.now().minute == 1)
            known, orders = len(alerts(here)), await here.orders()
            here.world.faults.fail(Fault.BROKEN)
            for _ in range(50):
                here.market.move_to(here.schedule.after(here.market.now()))
            await here.app.pipeline.crawl()
            here.world.faults.clear()
            await here.sweep()
            await here.sweep()
            late = alerts(here)[known:]
            assert late
            assert all("늦은 알림" in one for one in late)
            assert await here.orders() == orders, "no order for a bar that is late"

    asyncio.run(scenario())


def test_telegram_being_away_delays_messages_and_doubles_none(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            here.world.core.faults.network_down = True
            for _ in range(70):
                await here.sweep()
            assert alerts(here) == []
            here.world.core.faults.network_down = False
            here.wall.advance(timedelta(minutes=3))
            while await here.app.store.read(lambda tx: tx.outbox.waiting()):
                await here.app.outbox.drain()
                here.wall.advance(timedelta(seconds=30))
            signals = await here.app.store.read(lambda tx: tx.signals.recent(100))
            captions = alerts(here)
            assert len(captions) == len(signals) > 0
            assert len(set(captions)) == len(captions)

    asyncio.run(scenario())


def test_too_many_messages_wait_as_long_as_they_are_told(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            here.world.core.faults.too_many("sendMessage", 7)
            assert await here.type("/help") == []
            here.wall.advance(timedelta(seconds=6))
            await here.app.outbox.drain()
            before = len(here.said())
            here.wall.advance(timedelta(seconds=2))
            await here.app.outbox.drain()
            assert len(here.said()) == before + 1

    asyncio.run(scenario())


def test_an_answer_that_was_lost_is_marked_as_perhaps_repeated(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            here.world.core.faults.lose_answer("sendMessage")
            await here.type("/status")
            here.wall.advance(timedelta(seconds=70))
            await here.app.outbox.drain()
            first, second = here.said()[-2:]
            assert first.text in second.text
            assert len(second.text) > len(first.text)

    asyncio.run(scenario())


def test_a_message_of_ten_thousand_characters_gets_a_short_answer(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            (answer,) = await here.type("가" * 10_000)
            assert len(answer.text) < 500
            (answer,) = await here.type("/buy " + "9" * 9_995)
            assert len(answer.text) < 500
            assert await here.orders() == []
            assert await here.type("/status")

    asyncio.run(scenario())


def test_a_full_disk_loses_no_bar_no_alert_and_no_message(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            await here.sweep_until(lambda: here.market.now().minute == 3)
            known = len(alerts(here))
            await limit_pages(here, await pages(here))
            with pytest.raises(StoreFull, match="free"):
                await crawl_for_ever(here)
            update = here.world.core.user_sends(VISITOR, "/positions")
            await limit_pages(here, 1_000_000)
            await here.handled.wait(update)
            await here.sweep_until(lambda: len(alerts(here)) > known)
            said = [one.text for one in here.said()]
            assert any("보유" in one for one in said)

    asyncio.run(scenario())


async def crawl_for_ever(here: Any) -> None:
    while True:
        here.market.move_to(here.schedule.after(here.market.now()))
        await here.app.pipeline.crawl()


async def pages(here: Any) -> int:
    return int(
        await here.app.store.write(
            lambda tx: tx.bars._connection.execute(text("PRAGMA page_count")).scalar_one()
        )
    )


async def limit_pages(here: Any, most: int) -> None:
    await here.app.store.write(
        lambda tx: tx.bars._connection.execute(text(f"PRAGMA max_page_count = {most}"))
    )


def test_a_record_that_cannot_be_written_is_told_and_stops_nothing(
    house: Open, tmp_path: Path
) -> None:
    (tmp_path / "record").write_text("a file where the folder should be", encoding="utf-8")

    async def scenario() -> None:
        async with house() as here:
            await here.sweep()
            await asyncio.to_thread(here.app.record.flush)
            (health,) = await here.type("/health")
            assert f"기록하지 못하고 있어요: {tmp_path / 'record'}" in health.text
            assert "KRX 시세: 정상" in health.text
            (tmp_path / "record").unlink()
            await here.sweep()
            await asyncio.to_thread(here.app.record.flush)
            (health,) = await here.type("/health")
            assert "기록" not in health.text

    asyncio.run(scenario())
