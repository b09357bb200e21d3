"""From a lost answer of KIS to a person's tap: the chat, the desk and the broker together."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.access import Access
from bot.dispatch import Dispatcher
from bot.render import ChatCards
from engine.brokers import only
from engine.desk import Desk
from engine.quotes import Quotes
from market.orders import OrderState
from market.types import Venue
from sandbox.order_faults import Channel, OrderFault
from tests.bot.chat_world import OWNER, PEOPLE, TRADER, VIEWER, QuietSource, World, build_world
from tests.brokers.kis_venue import CALENDAR, KisVenue, kis_venue
from tests.contracts.broker_contract import order as made_order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from market.messages import Message, Person
    from market.orders import Order

LINE = "/buy 005930 1 70000"
PRICE = Decimal(70_000)


@dataclass
class Flow:
    """A chat in front of the real desk with the real KIS broker, before the pretend KIS."""

    world: World
    venue: KisVenue
    desk: Desk
    messages: dict[int, Message]

    async def deliver(self) -> None:
        """Let everything that is queued arrive."""
        now, store = self.venue.clock.now(), self.venue.store

        def send(tx: Any) -> list[tuple[int, Message]]:
            arrived: list[tuple[int, Message]] = []
            for outgoing in tx.outbox.pending(now):
                message = outgoing.message
                card = tx.outbox.card(message.chat_id, message.card) if message.card else None
                number = len(self.messages) + len(arrived) + 100 if card is None else None
                tx.outbox.claim(outgoing.id, now)
                tx.outbox.sent(outgoing.id, number, is_photo=False, at=now)
                arrived.append((number or (card.message_id if card else 0), message))
            return arrived

        self.messages.update(await store.write(send))

    async def tap(self, data: str, message_id: int, person: Person = TRADER) -> str:
        """Tap a button of a message and return the notice."""
        tap = self.world.incoming(
            data, person, kind="tap", message_id=message_id, sent_at=self.venue.clock.now()
        )
        notice = await self.world.dispatcher.handle(tap)
        await self.deliver()
        return notice or ""

    async def say(self, line: str, person: Person = TRADER) -> None:
        """Type a line."""
        heard = self.world.incoming(line, person, sent_at=self.venue.clock.now())
        await self.world.dispatcher.handle(heard)
        await self.deliver()

    def newest(self, card: str) -> tuple[int, Message]:
        """Return the newest message whose card begins so."""
        found = [(k, one) for k, one in self.messages.items() if (one.card or "").startswith(card)]
        return found[-1]

    async def doubted(self, fault: OrderFault, by_hand: int) -> Order:
        """Confirm an order whose answer never comes, and order the same by hand."""
        await self.say(LINE)
        number, card = self.newest("order/")
        self.venue.plan.script(Channel.ORDER, fault)
        await self.tap(card.buttons[0][0].data, number)
        for _ in range(by_hand):
            self.venue.by_hand(made_order(quantity=Decimal(1), price=PRICE))
        await self.venue.wait(60)
        await self.desk.settle()
        await self.deliver()
        return await self.order()

    async def order(self) -> Order:
        """Return the one order there is."""
        (found,) = await self.venue.store.read(lambda tx: tx.orders.recent(9))
        return found


@asynccontextmanager
async def flow(folder: Path) -> AsyncIterator[Flow]:
    """Open the whole way."""
    (folder / "chat").mkdir()
    world = build_world(folder / "chat")
    async with kis_venue(folder) as venue:
        for person in PEOPLE:
            await venue.store.write(lambda tx, one=person: tx.people.put(one, venue.clock.now()))  # type: ignore[misc]  # bound early
        calendars = {**world.config.calendars, Venue.KRX: CALENDAR}
        quotes = Quotes(QuietSource(venue.clock), venue.clock)
        texts = world.services.texts
        desk = Desk(
            store=venue.store,
            brokers=only(venue.broker),
            quotes=quotes,
            calendars=calendars,
            settings=world.config.settings,
            market_clock=venue.clock,
            wall_clock=venue.clock,
            cards=ChatCards(texts),
            events=world.events,
        )
        services = replace(
            world.services,
            store=venue.store,
            desk=desk,
            quotes=quotes,
            access=Access(venue.store),
            wall_clock=venue.clock,
            market_clock=venue.clock,
        )
        world.dispatcher = Dispatcher(services)
        try:
            yield Flow(world, venue, desk, {})
        finally:
            world.store.close()


def run(folder: Path, scenario: Callable[[Flow], Awaitable[None]]) -> None:
    """Run a scenario."""

    async def body() -> None:
        async with flow(folder) as opened:
            await scenario(opened)

    asyncio.run(body())


def test_a_person_tells_two_orders_apart(tmp_path: Path) -> None:
    async def scenario(chat: Flow) -> None:
        order = await chat.doubted(OrderFault.LOST_ANSWER, by_hand=1)
        assert order.state is OrderState.IN_DOUBT
        number, question = chat.newest(f"doubt/{order.id}")
        assert question.chat_id == TRADER.id
        assert "which order is it?" in question.text
        *candidates, none = [row[0] for row in question.buttons]
        assert len(candidates) == 2
        assert re.fullmatch(r"12:00:\d\d .*Buy 1 shares? @ 70,000 KRW · .*", candidates[0].label)
        assert none.data == f"os:{order.id}:1:none"
        assert "may not" in await chat.tap(candidates[0].data, number, VIEWER)
        assert "does not belong" in await chat.tap(candidates[0].data, 1)
        assert "ignored" in await chat.tap(f"os:{order.id}:1:x", number)
        assert (await chat.order()).state is OrderState.IN_DOUBT
        assert "accepted" in await chat.tap(candidates[0].data, number)
        assert "Nothing was done" in await chat.tap(candidates[1].data, number)
        settled = await chat.order()
        assert (settled.state, settled.broker_order_id) == (
            OrderState.ACCEPTED,
            "06590-0000000001",
        )
        assert chat.messages[number].buttons == ()
        await chat.venue.trade(PRICE)
        await chat.desk.settle()
        assert (await chat.order()).state is OrderState.FILLED
        assert chat.venue.orders_sent == 1

    run(tmp_path, scenario)


def test_the_owner_says_by_orders_that_none_of_them_is_ours(tmp_path: Path) -> None:
    async def scenario(chat: Flow) -> None:
        order = await chat.doubted(OrderFault.LOST_REQUEST, by_hand=2)
        await chat.say("/orders", VIEWER)
        assert not any("doubt" in str(one) for one in chat.newest("orders/")[1].buttons)
        await chat.say("/orders", OWNER)
        number, listed = chat.newest("orders/")
        button = listed.buttons[0][0]
        assert button.data == f"c:/orders {order.id}"
        await chat.tap(button.data, number, OWNER)
        number, question = chat.newest(f"doubt/{order.id}/")
        assert question.chat_id == OWNER.id
        assert "정리됐어요" in await chat.tap(question.buttons[-1][0].data, number, OWNER)
        assert (await chat.order()).state is OrderState.NOT_SENT
        await chat.say(f"/orders {order.id}", OWNER)
        assert "가려낼 것이 없어요" in list(chat.messages.values())[-1].text
        assert chat.venue.orders_sent == 1

    run(tmp_path, scenario)
