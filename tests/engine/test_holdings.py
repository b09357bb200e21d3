"""Tests of what is held as the store knows it: noted with fills, after a restart, long ago."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.desk_fills import record_fill
from engine.holdings import MOST_STAKES, holdings_at, in_use, read_holdings, sellable
from engine.protect import Protection
from engine.protect_book import put_protection
from market.orders import Fill, OrderState, Position, Side
from market.position_panel import Holding, Stake
from market.protect import Protect
from market.types import to_ms
from tests.engine.desk_world import World
from tests.engine.pretend_market import HYNIX, NOON, SAMSUNG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.holdings import Told
    from market.store import Transaction

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "desk.sqlite")
    asyncio.run(world.settle_in())
    yield world
    world.store.close()


def at(minutes: float) -> int:
    return to_ms(NOON + timedelta(minutes=minutes))


class Book:
    """Takes fills of one order, each at its minute and learned of half a minute later."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.number = 0
        order = asyncio.run(world.propose())
        self.order_id = order.id

    def fill(self, minutes: int, side: Side, quantity: int, price: int) -> None:
        self.number += 1
        fill = Fill(
            f"{self.number:04}",
            self.order_id,
            SAMSUNG.id,
            side,
            Decimal(quantity),
            Decimal(price),
            Decimal(0),
            NOON + timedelta(minutes=minutes),
        )
        self.world.market_clock.move_to(fill.at + timedelta(seconds=30))
        asyncio.run(self.world.desk._book.write(lambda page: record_fill(page, fill, "paper")))

    def now(self) -> Holding | None:
        told, _ = self.read()
        return told.get(SAMSUNG.id)

    def read(self) -> Told:
        now = self.world.market_clock.now()
        return asyncio.run(self.world.store.read(lambda tx: read_holdings(tx, now)))

    def then(self, minutes: float) -> Told:
        moment = NOON + timedelta(minutes=minutes)
        return asyncio.run(self.world.store.read(lambda tx: holdings_at(tx, moment)))

    def forget(self) -> None:
        """Leave only the fills, as in a database that is older than this."""
        asyncio.run(self.world.store.write(lambda tx: tx.documents.delete(f"held/{SAMSUNG.id}")))


def test_a_position_counts_from_when_we_learned_of_it(desk: World) -> None:
    book = Book(desk)
    assert book.now() is None
    book.fill(1, BUY, 10, 100)
    bought = Stake(at(1.5), 10.0, 100.0)
    assert book.now() == Holding(at(1), (bought,))
    book.fill(3, BUY, 10, 110)
    book.fill(4, SELL, 5, 120)
    more, less = Stake(at(3.5), 20.0, 105.0), Stake(at(4.5), 15.0, 105.0)
    assert book.now() == Holding(at(1), (bought, more, less))
    book.fill(6, SELL, 15, 120)
    assert book.now() == Holding(0, (Stake(at(6.5), 0.0, 0.0),))
    book.fill(9, BUY, 1, 90)
    assert book.now() == Holding(at(9), (Stake(at(9.5), 1.0, 90.0),))


def test_a_restart_finds_the_same(desk: World) -> None:
    book = Book(desk)
    book.fill(1, BUY, 10, 100)
    book.fill(3, BUY, 10, 110)
    before = book.now()
    asyncio.run(desk.restart())
    assert book.now() == before


def test_without_notes_fills_tell_it_and_later_ones_are_noted(desk: World) -> None:
    book = Book(desk)
    book.fill(1, BUY, 10, 100)
    book.fill(2, SELL, 10, 100)
    book.fill(5, BUY, 4, 100)
    book.forget()
    assert book.now() == Holding(at(5), (Stake(at(5), 4.0, 100.0),))
    book.fill(7, SELL, 1, 100)
    assert book.now() == Holding(at(5), (Stake(at(5), 4.0, 100.0), Stake(at(7), 3.0, 100.0)))


def test_a_position_that_no_fill_tells_is_known_from_now_on(desk: World) -> None:
    book = Book(desk)
    position = Position(SAMSUNG.id, Decimal(3), Decimal(70_000))
    asyncio.run(desk.store.write(lambda tx: tx.orders.put_position(position)))
    now = to_ms(desk.market_clock.now())
    assert book.now() == Holding(0, (Stake(now - 1, 3.0, 70_000.0),))
    assert book.then(5) == ({}, frozenset({SAMSUNG.id}))


def test_of_one_position_the_newest_changes_are_kept(desk: World) -> None:
    book = Book(desk)
    for minute in range(MOST_STAKES + 3):
        book.fill(minute, BUY, 1, 100)
    found = book.now()
    assert found is not None
    assert (found.opened_ms, len(found.stakes)) == (at(0), MOST_STAKES)
    assert found.stakes[-1].quantity == MOST_STAKES + 3


def test_a_moment_of_the_past_knows_what_was_held_then(desk: World) -> None:
    book = Book(desk)
    book.fill(1, BUY, 10, 100)
    book.fill(2, SELL, 10, 100)
    book.fill(5, BUY, 4, 100)
    held = Holding(at(1), (Stake(at(1), 10.0, 100.0),))
    sold = Holding(0, (Stake(at(2), 0.0, 0.0),))
    assert book.then(0.5) == ({}, frozenset())
    assert book.then(1.7) == ({SAMSUNG.id: held}, frozenset())
    assert book.then(3) == ({SAMSUNG.id: sold}, frozenset())
    present = Holding(at(5), (Stake(at(5.5), 4.0, 100.0),))
    assert book.then(9) == ({SAMSUNG.id: present}, frozenset())


def test_what_is_being_sold_cannot_be_sold_again(desk: World) -> None:
    book = Book(desk)
    book.fill(1, BUY, 10, 100)

    def left() -> Decimal:
        return asyncio.run(desk.store.read(lambda tx: sellable(tx, SAMSUNG.id)))

    assert left() == 10
    sale = asyncio.run(desk.propose(side=SELL, quantity=Decimal(4), price=None))
    assert (sale.state, left()) == (OrderState.PROPOSED, Decimal(10))
    message = asyncio.run(desk.message_of(sale))
    asyncio.run(desk.desk.confirm(sale.id, sale.version, sale.user_id, message))
    assert left() == 6


def test_what_is_protected_is_told_first_then_what_is_held_and_on_order(desk: World) -> None:
    def put(tx: Transaction) -> None:
        for name, quantity in (("KRX:000001", 3), (HYNIX.id, 2), ("KRX:000002", 0)):
            tx.orders.put_position(Position(name, Decimal(quantity), Decimal(1_000)))
        wish = Protect(stop_loss=Decimal("0.03"))
        put_protection(tx, Protection(HYNIX.id, wish, 7, NOON, Decimal(2), Decimal(1_000)))

    asyncio.run(desk.propose())
    asyncio.run(desk.store.write(put))
    found = asyncio.run(desk.store.read(in_use))
    assert list(dict.fromkeys(found)) == [HYNIX.id, "KRX:000001", SAMSUNG.id]
