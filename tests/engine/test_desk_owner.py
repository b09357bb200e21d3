"""A database belongs to one broker."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.desk_owner import claim_database
from market.clock import ManualClock
from market.errors import StoreError
from market.store import Store
from tests.contracts.broker_contract import NOON, order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "ticktalk.sqlite", ManualClock(NOON))
    yield store
    store.close()


def claim(store: Store, broker: str) -> None:
    asyncio.run(claim_database(store, broker))


def test_a_new_database_is_whose_asks_first(store: Store) -> None:
    claim(store, "kis")
    claim(store, "kis")
    with pytest.raises(StoreError, match=r"orders of the broker 'kis', not of 'paper'.*store.path"):
        claim(store, "paper")


def test_one_with_orders_from_before_is_the_paper_brokers(store: Store) -> None:
    asyncio.run(store.write(lambda tx: tx.orders.put(order(quantity=Decimal(1)))))
    with pytest.raises(StoreError, match="broker 'paper'"):
        claim(store, "upbit")
    claim(store, "paper")
