"""An order card in the hands of people: in time, twice, too late, forged, somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from bot.demo_world import CHANNEL, VISITOR
from market.messages import Person, Role
from market.orders import OrderState

Open = Callable[[], AbstractAsyncContextManager[Any]]

CONFIRM, DECLINE = "oc:", "od:"
STRANGER = 2002


def data_of(card: Any, beginning: str) -> str:
    found: str = next(b.data for row in card.buttons for b in row if b.data.startswith(beginning))
    return found


def test_an_alert_with_its_chart_a_card_a_tap_and_a_fill(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await here.card()
            alert = next(one for one in here.said() if one.photo is not None)
            assert "sma(close, 60)" in alert.text
            assert [one.photo is not None for one in here.said(CHANNEL)] == [True]
            assert not any(one.buttons and one.buttons[0][0].data for one in here.said(CHANNEL))
            await here.tap(card.id, data_of(card, CONFIRM))
            await here.sweep_until(lambda: "체결 완료" in here.text_of(card.id))
            order = (await here.orders())[-1]
            assert order.state is OrderState.FILLED

    asyncio.run(scenario())


def test_two_taps_at_once_send_one_order(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await here.card()
            data = data_of(card, CONFIRM)
            core = here.world.core
            taps = [core.user_taps(VISITOR, VISITOR, card.id, data) for _ in range(2)]
            first, second = [await here.answer(tap) for tap in taps]
            assert first != second
            placed = await here.app.store.read(lambda tx: tx.documents.items("paper/order/"))
            assert len(placed) == 1
            await here.sweep_until(lambda: "체결 완료" in here.text_of(card.id))
            positions = await here.app.store.read(lambda tx: tx.orders.positions())
            order = (await here.orders())[-1]
            assert [one.quantity for one in positions] == [order.quantity]

    asyncio.run(scenario())


def test_a_card_past_its_time_sends_nothing(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await here.card()
            here.wall.advance(timedelta(seconds=91))
            await here.tap(card.id, data_of(card, CONFIRM))
            (order,) = await here.orders()
            assert order.state is OrderState.LAPSED
            assert not await here.app.store.read(lambda tx: tx.documents.items("paper/order/"))
            after = here.world.core.message(VISITOR, card.id)
            assert after is not None
            assert not after.buttons

    asyncio.run(scenario())


def test_a_forged_button_sends_nothing(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await here.card()
            data = data_of(card, CONFIRM)
            other = next(one for one in here.said() if one.id != card.id)
            for message_id, forged in (
                (other.id, data),
                (card.id, data.rsplit(":", 1)[0] + ":99"),
                (card.id, "oc:aaaaaaaaaaaa:1"),
                (card.id, "rm -rf /"),
                (99_999, data),
            ):
                assert await here.tap(message_id, forged)
            (order,) = await here.orders()
            assert order.state is OrderState.PROPOSED

    asyncio.run(scenario())


def test_somebody_elses_tap_sends_nothing(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            core = here.world.core
            core.add_user(STRANGER, "다른 사람")
            trader = Person(STRANGER, Role.TRADER, "ko", "다른 사람")
            now = here.wall.now()
            await here.app.store.write(lambda tx: tx.people.put(trader, now))
            card = await here.card()
            assert await here.tap(card.id, data_of(card, CONFIRM), STRANGER)
            (order,) = await here.orders()
            assert order.state is OrderState.PROPOSED

    asyncio.run(scenario())


def test_a_declined_card_stays_declined(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            card = await here.card()
            await here.tap(card.id, data_of(card, DECLINE))
            await here.tap(card.id, data_of(card, CONFIRM))
            (order,) = await here.orders()
            assert order.state is OrderState.DECLINED

    asyncio.run(scenario())


def test_nobody_else_gets_an_answer(house: Open) -> None:
    async def scenario() -> None:
        async with house() as here:
            here.world.core.add_user(STRANGER, "낯선 사람")
            for line in ("/start", "/status", "/buy 005930 10", "안녕하세요"):
                assert await here.type(line, STRANGER) == []
            assert await here.orders() == []

    asyncio.run(scenario())
