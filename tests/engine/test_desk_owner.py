"""What a database holds at a venue belongs to one broker."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.desk_owner import KEY, claim_venues
from market.clock import ManualClock
from market.errors import StoreError
from market.orders import Order, OrderState, Position
from market.store import Store
from market.types import Venue
from tests.bot.chat_world import seated
from tests.contracts.broker_contract import NOON, order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KRX, UPBIT = Venue.KRX, Venue.UPBIT


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "ticktalk.sqlite", ManualClock(NOON))
    yield store
    store.close()


def claim(store: Store, *seats: tuple[str, Venue]) -> None:
    asyncio.run(claim_venues(store, seated(*seats)))


def keep(store: Store, *orders: Order) -> None:
    for one in orders:
        asyncio.run(store.write(lambda tx, one=one: tx.orders.put(one)))  # type: ignore[misc]


def test_a_venue_is_whose_orders_are_there(store: Store) -> None:
    claim(store, ("kis", KRX), ("paper", UPBIT))
    keep(store, order(quantity=Decimal(1)))
    claim(store, ("kis", KRX), ("upbit", UPBIT))  # nothing was there
    with pytest.raises(
        StoreError, match=r"at KRX .* 'kis', .* set broker.krx to kis, .*store.path"
    ):
        claim(store, ("paper", KRX), ("upbit", UPBIT))
    claim(store, ("kis", KRX))


def test_what_is_held_is_not_left_alone(store: Store) -> None:
    claim(store, ("paper", KRX), ("paper", UPBIT))
    coins = Position("UPBIT:KRW-BTC", Decimal(1), Decimal(90_000_000))
    asyncio.run(store.write(lambda tx: tx.orders.put_position(coins)))
    with pytest.raises(StoreError, match=r"'paper'.* let 'nobody' trade there: set broker.upbit"):
        claim(store, ("kis", KRX))


def test_orders_that_no_broker_had_bind_nobody(store: Store) -> None:
    claim(store, ("paper", KRX))
    denied = order(quantity=Decimal(1), state=OrderState.DENIED)
    keep(store, denied)
    claim(store, ("kis", KRX))


@pytest.mark.parametrize(("kept", "owner"), [("kis", "kis"), (None, "paper")])
def test_all_of_a_database_from_before_is_its_one_brokers(
    store: Store, kept: str | None, owner: str
) -> None:
    keep(store, order(quantity=Decimal(1)))
    if kept is not None:
        asyncio.run(store.write(lambda tx: tx.documents.put(KEY, {"name": kept})))
    with pytest.raises(StoreError, match=f"broker '{owner}'"):
        claim(store, ("other", KRX))
    claim(store, (owner, KRX))
