from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from market.errors import OrderRejected
from market.orders import OrderState
from tests.brokers.paper_venue import PaperVenue, run
from tests.contracts.broker_contract import CASH, order

if TYPE_CHECKING:
    from pathlib import Path

HALF = timedelta(milliseconds=250)


def test_an_order_takes_part_only_once_it_has_arrived(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        for fills in (0, 0, 1):
            venue.clock.advance(HALF)
            await venue.see(70_000)
            assert await venue.fill_count() == fills

    run(tmp_path, scenario, latency_ms=500)


def test_a_cancel_ends_an_order_only_once_it_has_arrived(tmp_path: Path) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        await venue.broker.cancel(order())
        venue.clock.advance(HALF)
        assert await venue.state() is OrderState.ACCEPTED
        assert (await venue.broker.accounts())[0].buying_power < CASH
        await venue.restart()
        await venue.broker.cancel(order())  # once more: it is on its way, and no later for it
        venue.clock.advance(HALF)
        await venue.see(69_000)
        assert await venue.state() is OrderState.CANCELED
        assert (await venue.broker.accounts())[0].buying_power == CASH
        with pytest.raises(OrderRejected):
            await venue.broker.cancel(order())

    run(tmp_path, scenario, latency_ms=500)


@pytest.mark.parametrize("is_asked_for", [False, True])
def test_a_cancel_may_lose_against_a_trade(tmp_path: Path, *, is_asked_for: bool) -> None:
    async def scenario(venue: PaperVenue) -> None:
        await venue.broker.place(order())
        venue.clock.advance(timedelta(seconds=1))
        await venue.broker.cancel(order())
        traded_at = venue.clock.now() + HALF
        venue.clock.advance(timedelta(seconds=5))
        if is_asked_for:  # what was told to be cancelled stays so
            assert await venue.state() is OrderState.CANCELED
        await venue.see(70_000, at=traded_at)
        assert await venue.state() is (OrderState.CANCELED if is_asked_for else OrderState.FILLED)

    run(tmp_path, scenario, latency_ms=500)
