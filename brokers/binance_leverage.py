"""One-way mode and the leverage that the settings want, made sure of before the first order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from brokers.binance_values import flag_of, int_of, odd, row_of, rows_of
from market.errors import OrderError, OrderRejected, OutcomeUnknown

if TYPE_CHECKING:
    from brokers.binance_api import MarketApi


class Leverage:
    """Looks once per run and symbol; only what is otherwise is set, and looked at again.

    The mode of the account is never changed: other orders and positions may depend on it.
    """

    def __init__(self, api: MarketApi, wanted: int) -> None:
        self._api = api
        self._wanted = wanted
        self._is_one_way = False
        self._sure: set[str] = set()
        self._turn = asyncio.Lock()

    async def ensure_mode(self) -> None:
        """Make sure of one-way mode; raises OrderRejected, OutcomeUnknown("unavailable").

        That is all an exit needs: no leverage may keep a position from being closed.
        """
        async with self._turn:
            await self._check_mode()

    async def ensure(self, symbol: str) -> None:
        """Make sure of both; raises OrderRejected, OutcomeUnknown("unavailable")."""
        if symbol in self._sure:
            return
        async with self._turn:
            await self._check_mode()
            if await self._leverage(symbol) != self._wanted:
                await self._set(symbol)
                if await self._leverage(symbol) != self._wanted:
                    text = f"binance keeps another leverage than {self._wanted} for {symbol}"
                    raise OrderRejected("leverage", text)
            self._sure.add(symbol)

    async def _check_mode(self) -> None:
        if self._is_one_way:
            return
        told = row_of(await self._api.read("/positionSide/dual", {}))
        if flag_of(told, "dualSidePosition"):
            text = "the futures account is in hedge mode; set one-way mode in Binance's app"
            raise OrderRejected("hedge_mode", text)
        self._is_one_way = True

    async def _leverage(self, symbol: str) -> int:
        for row in rows_of(await self._api.read("/symbolConfig", {"symbol": symbol})):
            if row.get("symbol") == symbol:
                return int_of(row, "leverage")
        raise odd(f"no configuration of {symbol}")

    async def _set(self, symbol: str) -> None:
        wanted = {"symbol": symbol, "leverage": str(self._wanted)}
        at_ms = self._api.signer.venue_ms()
        try:
            await self._api.send("POST", "/leverage", wanted, at_ms)
        except OutcomeUnknown:
            return  # what is set now is looked at anyway
        except OrderError as error:
            raise OrderRejected("leverage", str(error)) from error
