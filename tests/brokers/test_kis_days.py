"""The days of KIS's orders: their ends, their numbers, long lists, and what was slept through."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from market.orders import OrderState
from tests.brokers.kis_venue import KisVenue, run
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from pathlib import Path


async def state(venue: KisVenue, name: str = "one") -> OrderState | None:
    found = await venue.broker.find(order(name))
    return None if found is None else found.state


def test_an_order_ends_with_its_day(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.wait(4 * 3600)
        assert await state(venue) is OrderState.ACCEPTED
        await venue.wait(4 * 3600 + 600)
        assert await state(venue) is OrderState.EXPIRED
        assert await venue.broker.open_orders() == []
        await venue.wait(86_400)
        assert await state(venue) is OrderState.EXPIRED
        assert await venue.broker.fills("") == []
        asked = venue.wire.count("inquire-daily-ccld")
        assert await venue.broker.fills("") == []
        assert venue.wire.count("inquire-daily-ccld") == asked

    run(tmp_path, scenario)


def test_numbers_that_begin_anew_every_day_are_not_mixed_up(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        first = await venue.broker.place(order(quantity=Decimal(1)))
        await venue.wait(86_400)
        second = await venue.broker.place(order("two", quantity=Decimal(2)))
        assert first == second
        await venue.trade(70_000)
        (fill,) = await venue.broker.fills("")
        assert fill.order_id == "two"
        assert fill.quantity == 2
        assert await state(venue) is OrderState.EXPIRED

    run(tmp_path, scenario)


def test_fills_that_we_slept_through_are_told_the_next_day(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        await venue.trade(70_000)
        traded_at = venue.clock.now()
        await venue.wait(86_400)
        await venue.restart()
        (fill,) = await venue.broker.fills("")
        assert fill.at == traded_at

    run(tmp_path, scenario)


def test_an_order_that_kis_lists_no_more_has_vanished(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.place(order())
        venue.pages.lists_orders = False
        assert await state(venue) is OrderState.ACCEPTED  # its list may lag
        await venue.wait(31)
        assert await state(venue) is None

    run(tmp_path, scenario)


def test_long_lists_are_read_to_their_end(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        small = {"quantity": Decimal(1)}
        names = [f"o{count}" for count in range(17)]
        for name in names:
            await venue.broker.place(order(name, price=Decimal(50_000 + 100 * len(name)), **small))
        await venue.trade(50_000)
        assert {fill.order_id for fill in await venue.broker.fills("")} == set(names)
        assert venue.wire.count("inquire-daily-ccld") == 2

    run(tmp_path, scenario, is_virtual=True)
