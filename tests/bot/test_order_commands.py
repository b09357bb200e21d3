"""The commands about orders and positions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.html_text import to_plain
from brokers.broker import OpenOrder
from engine.desk_foreign import foreign_id
from engine.outcome import Outcome
from engine.reconcile import write_foreign
from engine.replacing import replacement_id
from market.orders import Order, OrderState, Position, PositionSide, Side
from market.types import Instrument, Kind, Venue
from tests.bot.chat_world import NOW, OWNER, TRADER, tick

if TYPE_CHECKING:
    from market.messages import Message
    from tests.bot.chat_world import World


FUTURE = Instrument(Venue.BINANCE, "BTCUSDT.P", "Bitcoin futures", "USDT-M", Kind.COIN)


def make_order(**changes: object) -> Order:
    """Return an order of the trader for ten shares of Samsung."""
    values: dict[str, object] = {
        "id": "aaaaaaaaaaaa",
        "version": 1,
        "instrument": "KRX:005930",
        "side": Side.BUY,
        "quantity": Decimal(10),
        "price": None,
        "state": OrderState.PROPOSED,
        "user_id": TRADER.id,
        "origin": "command",
        "proposed_at": NOW,
        "expires_at": NOW + timedelta(seconds=90),
        "reference_price": Decimal(71500),
        "reference_at": NOW,
        "max_drift": Decimal("0.003"),
    }
    return Order(**{**values, **changes})  # type: ignore[arg-type]  # named values of a test


def hold(world: World, quantity: str = "30") -> None:
    """Give the account some Samsung and a price."""
    position = Position("KRX:005930", Decimal(quantity), Decimal(70_000), Decimal(-500))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    world.services.quotes.note([tick("KRX:005930", NOW)])


def test_buy_proposes_what_was_typed(world: World) -> None:
    assert asyncio.run(world.say("/buy 삼성전자 10주 71,500")) == []
    (ticket,) = world.desk.tickets
    assert ticket.instrument.id == "KRX:005930"
    assert (ticket.side, ticket.quantity, ticket.price) == (Side.BUY, Decimal(10), Decimal(71500))
    assert ticket.user_id == TRADER.id
    assert ticket.key.startswith("update:")
    assert ticket.within == timedelta(seconds=90)


def be_short(world: World, quantity: str) -> None:
    """Sell a future short, and give it a price."""
    world.services.directory.add(FUTURE)
    position = Position(FUTURE.id, Decimal(quantity), Decimal(60_000))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    world.services.quotes.note([tick(FUTURE.id, NOW, 61_000.0)])


@pytest.mark.parametrize(
    ("line", "side", "quantity"),
    [
        ("/short BTCUSDT.P 0.01 62000", Side.SELL, "0.01"),
        ("/cover BTCUSDT.P 0.01", Side.BUY, "0.01"),
        ("/cover BTCUSDT.P 전부", Side.BUY, "0.5"),
    ],
)
def test_shorts_are_opened_and_closed_by_words_of_their_own(
    world: World, line: str, side: Side, quantity: str
) -> None:
    be_short(world, "-0.5")
    assert asyncio.run(world.say(line)) == []
    (ticket,) = world.desk.tickets
    assert (ticket.side, ticket.quantity) == (side, Decimal(quantity))
    assert ticket.position is PositionSide.SHORT


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/cover BTCUSDT.P 전부", "You are not short of"),
        ("/short BTCUSDT.P 전부", "/sell and /cover only"),
        ("/short BTCUSDT.P", "to sell short?"),
    ],
)
def test_what_is_wrong_with_a_short_is_told_plainly(world: World, line: str, words: str) -> None:
    be_short(world, "0.5")
    (message,) = asyncio.run(world.say(line))
    assert words in message.text
    assert world.desk.tickets == []


@pytest.mark.parametrize("line", ["/short 005930 1", "/cover 삼성전자 전부"])
def test_only_futures_can_be_short(world: World, line: str) -> None:
    hold(world)
    (message,) = asyncio.run(world.say(line))
    assert "only USDT-M futures" in message.text
    assert world.desk.tickets == []


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("/buy 005930 500000원", "500000 KRW"),
        ("/buy 005930 25%", "25% * buying_power"),
        ("/sell 005930 50%", "50% * all"),
        ("/sell 005930 50만원", "500000 KRW"),
    ],
)
def test_money_and_parts_are_sized_by_the_desk(world: World, line: str, written: str) -> None:
    hold(world)
    assert asyncio.run(world.say(line)) == []
    (ticket,) = world.desk.tickets
    assert ticket.quantity is None
    assert ticket.size is not None
    assert ticket.size.text == written


def test_buy_without_a_price_is_a_market_order(world: World) -> None:
    asyncio.run(world.say("/buy 005930 10"))
    assert world.desk.tickets[0].price is None


def test_buy_without_a_quantity_offers_amounts(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy 005930"))
    assert [button.data for button in message.buttons[0]] == [
        "c:/buy 005930 1",
        "c:/buy 005930 10",
        "c:/buy 005930 100",
    ]
    assert world.desk.tickets == []


def test_buy_of_an_unknown_name_suggests_and_keeps_the_amount(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy 삼성 10 71500"))
    data = [button.data for row in message.buttons for button in row]
    assert "c:/buy 005930 10 71500" in data
    assert world.desk.tickets == []


def test_buy_of_nonsense_says_so_without_buttons(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy qqqzzzxxx 10"))
    assert "qqqzzzxxx" in message.text
    assert message.buttons == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "Which instrument"),
        ("005930 0", "above 0"),
        ("005930 -5", "above 0"),
        ("005930 1.5", "whole"),
        ("005930 many", "cannot read the quantity"),
        ("005930 1e5", "cannot read the quantity"),
        ("005930 9999999999", "too large"),
        ("005930 10 cheap", "cannot read the price"),
        ("005930 10 0", "price must be above 0"),
        ("005930 10 71500 now please", "now please"),
        ("005930 all", "/sell and /cover only"),
    ],
)
def test_buy_says_what_is_wrong(world: World, line: str, words: str) -> None:
    (message,) = asyncio.run(world.say(f"/buy {line}"))
    assert words in message.text
    assert world.desk.tickets == []


def test_sell_all_sells_the_position(world: World) -> None:
    hold(world)
    asyncio.run(world.say("/sell 삼성전자 전부"))
    (ticket,) = world.desk.tickets
    assert (ticket.side, ticket.quantity) == (Side.SELL, Decimal(30))


def test_sell_all_of_nothing_says_so(world: World) -> None:
    (message,) = asyncio.run(world.say("/sell 005930 all"))
    assert "You hold no 삼성전자" in message.text


def test_sell_offers_no_more_than_is_held(world: World) -> None:
    hold(world)
    (message,) = asyncio.run(world.say("/sell 005930"))
    assert [button.data for button in message.buttons[0]] == [
        "c:/sell 005930 1",
        "c:/sell 005930 10",
        "c:/sell 005930 all",
    ]


def test_positions_show_profit_and_totals(world: World) -> None:
    hold(world)
    (message,) = asyncio.run(world.say("/positions"))
    assert "average 70,000 KRW → now 71,500 KRW" in message.text
    assert "+45,000 KRW 🔺 +2.14%" in message.text
    assert "Realized -500 KRW" in message.text


def test_a_short_position_gains_as_the_price_falls(world: World) -> None:
    short = Position("BINANCE:BTCUSDT.P", Decimal("-0.5"), Decimal(60_000))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(short)))
    world.services.quotes.note([tick(short.instrument, NOW, 57_000.0)])
    (message,) = asyncio.run(world.say("/positions"))
    text = to_plain(message.text)
    assert "short 0.5 BTC" in text
    assert text.count("+1,500") == 2  # of the position, and in all
    assert text.count("+5.00%") == 2


def test_positions_without_a_price_say_so(world: World) -> None:
    position = Position("KRX:005930", Decimal(1), Decimal(70_000))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    (message,) = asyncio.run(world.say("/positions"))
    assert "no price" in message.text


def test_orders_list_today_newest_first(world: World) -> None:
    first, second = make_order(), make_order(id="bbbbbbbbbbbb", side=Side.SELL)
    late = make_order(id="cccccccccccc", proposed_at=NOW - timedelta(days=1))
    for order in (first, second, late):
        asyncio.run(world.store.write(lambda tx, one=order: tx.orders.put(one)))  # type: ignore[misc]  # bound early
    (message,) = asyncio.run(world.say("/orders"))
    assert "Orders today: 2" in message.text
    assert "10:30 🔴 Buy <b>삼성전자</b> 10 shares market · to confirm" in message.text


def test_cancel_without_an_id_lists_my_open_orders(world: World) -> None:
    mine, other = make_order(), make_order(id="bbbbbbbbbbbb", user_id=OWNER.id)
    for order in (mine, other):
        asyncio.run(world.store.write(lambda tx, one=order: tx.orders.put(one)))  # type: ignore[misc]  # bound early
    (message,) = asyncio.run(world.say("/cancel"))
    assert [button.data for row in message.buttons for button in row] == ["ox:aaaaaaaaaaaa"]


def test_cancel_with_an_id_tells_the_outcome(world: World) -> None:
    world.desk.outcome = Outcome(None, "order.cancel_refused", {"reason": "rejected.closed"})
    (message,) = asyncio.run(world.say("/cancel #AAAAAAAAAAAA"))
    assert world.desk.calls == [("cancel", "aaaaaaaaaaaa", TRADER.id)]
    assert "not open any more" in message.text


def test_orders_made_elsewhere_can_be_adopted_and_cancelled_by_the_owner(world: World) -> None:
    amounts = Decimal(10), Decimal(70_000), Decimal(3)
    one = OpenOrder("A1", "", "KRX:005930", Side.SELL, *amounts, NOW)
    key = foreign_id(one)

    async def scenario() -> None:
        await world.store.write(lambda tx: write_foreign(tx, "paper", [one]))
        (listed,) = await world.say("/orders", TRADER)
        assert "3" in listed.text
        assert not any(key in button.data for row in listed.buttons for button in row)
        (listed,) = await world.say("/orders", OWNER)
        data = [button.data for button in listed.buttons[0]]
        assert data == [f"c:/adopt #{key}", f"c:/cancel #{key}"]
        world.desk.outcome = Outcome(None, "order.unknown")
        for one_button in data:
            await world.tap(one_button, OWNER)
        await world.say(f"/cancel #{key}", TRADER)  # the desk says that it is the owner's

    asyncio.run(scenario())
    assert world.desk.calls == [
        ("foreign.adopt", key, OWNER.id),
        ("cancel", key, OWNER.id),
        ("foreign.cancel", key, OWNER.id),
        ("cancel", key, TRADER.id),
        ("foreign.cancel", key, TRADER.id),
    ]


def test_a_replaced_order_is_one_line_with_its_history(world: World) -> None:
    first = make_order(state=OrderState.CANCELED, price=Decimal(71_500), filled_quantity=Decimal(3))
    chain = [first]
    for price in (Decimal(71_600), None):
        changes = {"price": price, "quantity": Decimal(7), "state": OrderState.ACCEPTED}
        old = chain[-1].id
        chain.append(make_order(id=replacement_id(old), replaces=old, **changes))
    chain[1] = replace(chain[1], state=OrderState.CANCELED)

    async def scenario() -> tuple[list[Message], list[Message]]:
        for order in chain:
            await world.store.write(lambda tx, order=order: tx.orders.put(order))  # type: ignore[misc]  # an order each
        return await world.say("/orders"), await world.say("/cancel")

    (orders,), (cancel,) = asyncio.run(scenario())
    line = "10 shares 71,500 KRW → 71,600 KRW → market · accepted · 3 shares filled"
    for message in (orders, cancel):
        assert to_plain(message.text).count("삼성전자") == 1
        assert line in to_plain(message.text)
    assert [button.data for row in cancel.buttons for button in row] == [f"ox:{chain[-1].id}"]
