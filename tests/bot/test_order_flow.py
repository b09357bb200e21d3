"""From /buy to the fill through the real desk, paper broker, cards and outbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.access import Access
from bot.dispatch import Dispatcher
from bot.outbox import Outbox
from bot.render import ChatCards
from brokers.paper import PaperBroker
from engine.brokers import only
from engine.desk import Desk
from engine.quotes import Quotes
from market.orders import OrderState
from tests.bot.chat_network import PretendCharts, PretendNetwork
from tests.bot.chat_world import (
    PEOPLE,
    QuietSource,
    World,
    build_world,
    settle_people,
    tick,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from market.orders import Order


@dataclass
class Floor:
    """A world with a desk that trades on paper."""

    world: World
    desk: Desk
    broker: PaperBroker
    network: PretendNetwork
    outbox: Outbox

    async def buy(self, line: str = "005930 10") -> tuple[list[str], int]:
        """Type /buy and return the card's button data and message id."""
        await self.world.say(f"/buy {line}")
        await self.outbox.drain()
        card = self.network.arrived[-1]
        return [button.data for row in card.buttons for button in row], card.message_id

    async def tap(self, data: str, message_id: int) -> str | None:
        """Tap a button of a message, then let the outbox work."""
        self.world.wall.advance(timedelta(seconds=1))
        self.world.market.advance(timedelta(seconds=1))
        notice = await self.world.tap(data, message_id=message_id)
        await self.outbox.drain()
        return notice

    async def trade(self) -> None:
        """Let the market trade once and the desk take its fills."""
        self.world.wall.advance(timedelta(seconds=10))
        self.world.market.advance(timedelta(seconds=10))
        now = self.world.market.now()
        next_tick = replace(tick("KRX:005930", now), day_volume=None, volume=5000.0)
        self.world.services.quotes.note([next_tick])
        await self.broker.observe([next_tick])
        await self.desk.settle()
        await self.outbox.drain()

    async def orders(self) -> list[Order]:
        """Return all orders, newest first."""
        return await self.world.store.read(lambda tx: tx.orders.recent(9))


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    """Return a world where orders are really proposed, confirmed and filled."""
    world = build_world(tmp_path)
    asyncio.run(settle_people(world, *PEOPLE))
    settings = world.config.settings
    quotes = Quotes(QuietSource(world.market), world.market)
    broker = PaperBroker(world.store, settings, world.market, world.config.calendars)
    texts = world.services.texts
    desk = Desk(
        store=world.store,
        brokers=only(broker),
        quotes=quotes,
        calendars=world.config.calendars,
        settings=settings,
        market_clock=world.market,
        wall_clock=world.wall,
        cards=ChatCards(texts),
        events=world.events,
    )
    world.services = replace(world.services, desk=desk, quotes=quotes, access=Access(world.store))
    world.dispatcher = Dispatcher(world.services)
    network = PretendNetwork()
    outbox = Outbox(
        store=world.store,
        messenger=network,
        charts=PretendCharts(),
        settings=settings.telegram,
        wall_clock=world.wall,
        events=world.events,
        texts=texts,
    )
    yield Floor(world, desk, broker, network, outbox)
    world.store.close()


def test_buy_is_confirmed_filled_and_shown(floor: Floor) -> None:
    async def scenario() -> tuple[str | None, list[OrderState]]:
        (confirm, *_), card = await floor.buy()
        notice = await floor.tap(confirm, card)
        await floor.trade()
        return notice, [order.state for order in await floor.orders()]

    notice, states = asyncio.run(scenario())
    assert notice == "Sent and accepted."
    assert states == [OrderState.FILLED]
    last = floor.network.arrived[-1]
    assert last.method == "edit_text"
    assert "filled" in last.html
    assert last.buttons == ()
    assert len({one.message_id for one in floor.network.arrived}) == 1


def test_two_taps_send_one_order(floor: Floor) -> None:
    async def scenario() -> tuple[str | None, str | None]:
        (confirm, *_), card = await floor.buy()
        return await floor.tap(confirm, card), await floor.tap(confirm, card)

    first, second = asyncio.run(scenario())
    assert first == "Sent and accepted."
    assert second is not None
    assert "dealt with before" in second


def test_decline_ends_the_card(floor: Floor) -> None:
    async def scenario() -> str | None:
        (_, decline, *_), card = await floor.buy()
        return await floor.tap(decline, card)

    assert asyncio.run(scenario()) == "Declined. Nothing was sent."
    assert "declined" in floor.network.arrived[-1].html


def test_button_in_another_message_is_forged(floor: Floor) -> None:
    async def scenario() -> str | None:
        (confirm, *_), card = await floor.buy()
        return await floor.tap(confirm, card + 7)

    notice = asyncio.run(scenario())
    assert notice is not None
    assert "does not belong" in notice


def test_expired_button_sends_nothing(floor: Floor) -> None:
    async def scenario() -> tuple[str | None, list[OrderState]]:
        (confirm, *_), card = await floor.buy()
        floor.world.wall.advance(timedelta(seconds=91))
        floor.world.market.advance(timedelta(seconds=91))
        notice = await floor.tap(confirm, card)
        return notice, [order.state for order in await floor.orders()]

    notice, states = asyncio.run(scenario())
    assert notice is not None
    assert "time to confirm is over" in notice
    assert states == [OrderState.LAPSED]


def test_order_over_the_limit_is_denied_with_its_reason(floor: Floor) -> None:
    async def scenario() -> list[str]:
        data, _ = await floor.buy("005930 1000")
        return data

    assert asyncio.run(scenario()) == []
    assert "Why:" in floor.network.arrived[-1].html


def test_cancel_takes_back_a_resting_order(floor: Floor) -> None:
    async def scenario() -> tuple[str | None, list[OrderState]]:
        (confirm, *_), card = await floor.buy("005930 10 70000")
        await floor.tap(confirm, card)
        cancel = floor.network.arrived[-1].buttons[0][0].data
        notice = await floor.tap(cancel, card)
        return notice, [order.state for order in await floor.orders()]

    notice, states = asyncio.run(scenario())
    assert notice == "What was left is cancelled."
    assert states == [OrderState.CANCELED]


def test_pause_denies_new_orders(floor: Floor) -> None:
    async def scenario() -> None:
        await floor.world.say("/pause")
        await floor.buy()

    asyncio.run(scenario())
    assert "Buying is paused" in floor.network.arrived[-1].html


def test_update_that_crashed_before_it_was_done_proposes_once(floor: Floor) -> None:
    async def scenario() -> int:
        update = floor.world.incoming("/buy 005930 10")
        store = floor.world.services.store
        person = await store.read(lambda tx: tx.people.get(update.user_id))
        await floor.world.dispatcher._answer(update, person)  # and then the power fails
        floor.world.dispatcher = Dispatcher(floor.world.services)
        await floor.world.receive(update)
        return len(await floor.orders())

    assert asyncio.run(scenario()) == 1


def test_a_changed_card_sends_what_it_shows(floor: Floor) -> None:
    async def scenario() -> tuple[list[str | None], str]:
        data, card = await floor.buy("005930 10 70000")
        half = next(one for one in data if one.startswith("oa:half"))
        notices = [await floor.tap(half, card), await floor.tap(half, card)]
        changed = floor.network.arrived[-1]
        confirm = changed.buttons[0][0].data
        notices += [await floor.tap(data[0], card), await floor.tap(confirm, card)]
        (order,) = await floor.orders()
        assert order.quantity == 5
        assert order.state is OrderState.ACCEPTED
        return notices, changed.html

    notices, text = asyncio.run(scenario())
    assert notices[0] == "Quantity 10 → 5"
    assert [notice is not None and "older card" in notice for notice in notices[1:3]] == [True] * 2
    assert notices[3] == "Sent and accepted."
    assert "✏️ <b>Quantity 10 → 5</b>" in text
    assert "5 shares" in text
