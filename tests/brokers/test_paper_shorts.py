"""Short positions in the paper venue's book: what they bind, what they gain, how they end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from brokers.paper_book import PaperBook
from brokers.paper_order import PaperOrder
from market.orders import PositionSide, Side
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from market.store import Transaction

FUTURE = "BINANCE:BTCUSDT.P"
NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CASH = Decimal(10_000)
SHORT = PositionSide.SHORT
ONE = Decimal(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store.open(tmp_path / "paper.sqlite")
    yield found
    found.close()


def order(
    side: Side, quantity: Decimal, position: PositionSide = SHORT, name: str = "one"
) -> PaperOrder:
    return PaperOrder(
        client_id=name,
        broker_id=name,
        order_id=name,
        instrument=FUTURE,
        side=side,
        quantity=quantity,
        price=Decimal(1_000),
        reserve_price=Decimal(1_000),
        accepted_at=NOON,
        ends_at=None,
        position=position,
    )


def with_book(store: Store, work: Callable[[PaperBook], None], price: Decimal | None) -> None:
    """Work on a book that knows this last price; nothing of it is kept."""

    def write(tx: Transaction) -> None:
        work(PaperBook(tx, Decimal(0), CASH, price_of=lambda _: price))
        forget(tx)

    asyncio.run(store.write(write))


def forget(tx: Transaction) -> None:
    for key, _ in tx.documents.items("paper/"):
        tx.documents.delete(key)


def sell(book: PaperBook, quantity: int, price: int, name: str = "one") -> None:
    made = order(Side.SELL, Decimal(quantity), name=name)
    book.trade(made, made.quantity, Decimal(price), ONE, NOON)


def test_a_short_binds_its_worth_and_gains_as_the_price_falls(store: Store) -> None:
    def work(book: PaperBook) -> None:
        sell(book, 3, 1_000)
        # sold for 3,000, owed at 900 each, which are bound once more
        assert book.cash("USDT") == CASH + 3_000 - ONE
        assert book.buying_power("USDT") == CASH - ONE + 3 * 100 - 3 * 900
        (held,) = book.positions()
        assert (held.quantity, held.average_price) == (Decimal(-3), Decimal(1_000))

    with_book(store, work, Decimal(900))


def test_without_a_price_a_short_binds_what_it_was_sold_for(store: Store) -> None:
    def work(book: PaperBook) -> None:
        sell(book, 2, 1_000)
        assert book.buying_power("USDT") == CASH - ONE - 2_000

    with_book(store, work, None)


def test_what_is_bought_back_frees_its_margin(store: Store) -> None:
    def work(book: PaperBook) -> None:
        sell(book, 3, 1_000)
        made = order(Side.BUY, Decimal(2), name="two")
        book.trade(made, made.quantity, Decimal(900), ONE, NOON)
        (held,) = book.positions()
        assert (held.quantity, held.average_price) == (Decimal(-1), Decimal(1_000))
        assert book.buying_power("USDT") == CASH - 2 * ONE + 300 - 900

    with_book(store, work, Decimal(900))


def test_open_orders_set_aside_what_they_open_or_close(store: Store) -> None:
    def work(book: PaperBook) -> None:
        sell(book, 3, 1_000)
        power = book.buying_power("USDT")
        book.put_order(order(Side.BUY, Decimal(2), name="out"))
        assert book.closable(FUTURE, SHORT) == 1
        assert book.closable(FUTURE, PositionSide.LONG) == -3
        assert book.buying_power("USDT") == power
        book.put_order(order(Side.SELL, Decimal(2), name="more"))
        assert book.buying_power("USDT") == power - 2_000
        assert book.order("more") == order(Side.SELL, Decimal(2), name="more")

    with_book(store, work, Decimal(1_000))


@pytest.mark.parametrize("side", PositionSide)
def test_one_side_at_a_time(store: Store, side: PositionSide) -> None:
    def work(book: PaperBook) -> None:
        assert not any(book.is_open_otherwise(FUTURE, one) for one in PositionSide)
        made = order(side.entry, Decimal(2), side)
        book.put_order(made)
        assert [one for one in PositionSide if book.is_open_otherwise(FUTURE, one)] != [side]
        book.trade(made, made.quantity, Decimal(1_000), ONE, NOON)
        assert not book.is_open_otherwise(FUTURE, side)
        assert all(book.is_open_otherwise(FUTURE, one) for one in PositionSide if one is not side)

    with_book(store, work, Decimal(1_000))


def test_what_can_be_spent_is_worth_less_margin(store: Store) -> None:
    random = Random(7)  # noqa: S311  trades, not secrets

    def work(tx: Transaction) -> None:
        for _ in range(60):
            last, held = Decimal(random.randint(1, 9)), Decimal(0)
            book = PaperBook(tx, Decimal(0), CASH, price_of=lambda _, last=last: last)  # type: ignore[misc]  # bound now
            for number in range(random.randint(0, 8)):
                wanted = Decimal(random.randint(-4, 4))
                # at most all of the other side is closed: no order turns a position round
                signed = wanted if held * wanted >= 0 else max(-abs(held), min(abs(held), wanted))
                if not signed:
                    continue
                side = Side.BUY if signed > 0 else Side.SELL
                made = order(side, abs(signed), name=f"{number}")
                price = Decimal(random.randint(1, 9))
                book.trade(made, made.quantity, price, Decimal(0), NOON)
                held += signed
            assert book.buying_power("USDT") == book.cash("USDT") + held * last - abs(held) * last
            forget(tx)

    asyncio.run(store.write(work))
