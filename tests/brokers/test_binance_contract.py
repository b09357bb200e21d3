"""Both markets of Binance keep the promises of brokers of real venues."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.brokers.binance_house import FUTURES_ID, SPOT_ID, BinanceHouse
from tests.contracts.foreign_contract import ForeignContract
from tests.contracts.real_broker_contract import RealBrokerContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class BinanceContract(RealBrokerContract):
    orders = "spot"
    is_live = False

    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path) -> None:
        self.path = tmp_path / "binance.sqlite"

    @asynccontextmanager
    async def venue(self) -> AsyncIterator[BinanceHouse]:
        house = BinanceHouse(self.path, orders=self.orders, is_live=self.is_live)
        try:
            yield house
        finally:
            await house.close()


class TestSpot(BinanceContract, ForeignContract):
    instrument = SPOT_ID


class TestFutures(BinanceContract, ForeignContract):
    instrument = FUTURES_ID
    orders = "futures"


class TestSpotLive(BinanceContract):
    instrument = SPOT_ID
    orders = "spot"
    is_live = True


class TestFuturesLive(BinanceContract, ForeignContract):
    instrument = FUTURES_ID
    orders = "futures"
    is_live = True
