"""/panic, /adopt, and what /orders says of orders made elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pyotp
import pytest
from pydantic import SecretStr

from bot.second_factor import SecondFactor
from brokers.broker import OpenOrder
from engine.cash import compare_cash
from engine.difference import Difference, put_difference
from engine.reconcile import write_foreign
from market.orders import Account, Position, Side
from tests.bot.chat_world import LIVE_AT_KRX, NOW, OWNER, TRADER, seated, tick

if TYPE_CHECKING:
    from market.store import Transaction
    from tests.bot.chat_world import World

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DP"
SAMSUNG = "KRX:005930"


def said(world: World, text: str) -> str:
    (message,) = asyncio.run(world.say(text, OWNER))
    return message.text


def hold(world: World) -> None:
    position = Position(SAMSUNG, Decimal(30), Decimal(70_000))
    asyncio.run(world.store.write(lambda tx: tx.orders.put_position(position)))
    world.services.quotes.note([tick(SAMSUNG, NOW)])


def with_app(world: World) -> None:
    """Let a live broker trade, with an authenticator app set up."""
    factor = SecondFactor(world.store, SecretStr(SECRET))
    world.dispatcher._services = replace(world.services, second_factor=factor)
    world.desk.brokers = seated(*LIVE_AT_KRX)


@pytest.mark.parametrize("words", ["", " rehearse"])
def test_a_rehearsal_lists_what_would_be_done_and_does_nothing(world: World, words: str) -> None:
    hold(world)
    (message,) = asyncio.run(world.say(f"/panic{words}", OWNER))
    assert "30주" in message.text
    assert "71,000" in message.text  # five ticks below 71,500
    assert [one.data for row in message.buttons for one in row] == ["c:/panic now"]
    assert world.desk.calls == []


def test_its_button_does_it(world: World) -> None:
    asyncio.run(world.say("/panic", OWNER))
    asyncio.run(world.tap("c:/panic now", OWNER))
    assert world.desk.calls == [("panic", OWNER.id)]


def test_a_slip_of_the_finger_does_nothing(world: World) -> None:
    assert "/panic now" in said(world, "/panic nwo")
    assert world.desk.calls == []


def test_a_live_broker_needs_the_second_factor_where_there_is_one(world: World) -> None:
    with_app(world)
    (message,) = asyncio.run(world.say("/panic", OWNER))
    assert message.buttons == ()
    for wrong in ("now", "000000"):
        said(world, f"/panic {wrong}")
    assert world.desk.calls == []
    said(world, f"/panic {pyotp.TOTP(SECRET).at(world.wall.now())}")
    assert world.desk.calls == [("panic", OWNER.id)]
    said(world, "/panic stop")  # needs no code
    assert world.desk.calls[-1] == ("stop_panic",)


@pytest.mark.parametrize("line", ["/panic now", "/panic stop", f"/adopt {SAMSUNG}"])
def test_nobody_but_the_owner(world: World, line: str) -> None:
    asyncio.run(world.say(line, TRADER))
    assert world.desk.calls == []


def test_what_differs_is_listed_with_a_button_each(world: World) -> None:
    assert "같아요" in said(world, "/adopt")
    found = Difference(SAMSUNG, Decimal(10), Decimal(15), Decimal(0), NOW)
    asyncio.run(world.store.write(lambda tx: put_difference(tx, found)))
    (message,) = asyncio.run(world.say("/adopt", OWNER))
    assert "10" in message.text
    assert "15" in message.text
    assert [one.data for row in message.buttons for one in row] == [f"c:/adopt {SAMSUNG}"]
    asyncio.run(world.tap(f"c:/adopt {SAMSUNG}", OWNER))
    asyncio.run(world.say("/adopt 005930", OWNER))
    assert world.desk.calls == [("adopt", SAMSUNG, OWNER.id)] * 2


def test_money_that_differs_is_listed_and_agreed_to(world: World) -> None:
    def differ(tx: Transaction) -> None:
        for cash, minutes in ((1_000_000, 0), (950_000, 1), (950_000, 2)):
            account, now = Account(Decimal(cash), Decimal(0)), NOW + timedelta(minutes=minutes)
            compare_cash(tx, "kis", account, now, is_moving=False)

    asyncio.run(world.store.write(differ))
    (message,) = asyncio.run(world.say("/adopt", OWNER))
    assert "1,000,000 KRW" in message.text
    assert "950,000 (-50,000)" in message.text
    assert [one.data for row in message.buttons for one in row] == ["c:/adopt cash"]
    asyncio.run(world.tap("c:/adopt cash", OWNER))
    asyncio.run(world.say("/adopt Cash", TRADER))
    assert world.desk.calls == [("adopt_cash", OWNER.id)]


def test_orders_made_elsewhere_are_listed_apart(world: World) -> None:
    stray = OpenOrder("A-1", "", SAMSUNG, Side.BUY, Decimal(3), Decimal(69_000), Decimal(1), NOW)
    asyncio.run(world.store.write(lambda tx: write_foreign(tx, "paper", [stray])))
    text = said(world, "/orders")
    assert "여기서 낸 것이 아닌 주문 1건" in text
    assert "69,000" in text
