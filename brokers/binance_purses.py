"""What the two accounts at Binance hold: money, coins, positions."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from brokers.binance_values import decimal_of, odd, row_of, rows_of, text_of
from market.currency import FUTURES_PURSE, SPOT_PURSE, USDT
from market.orders import Account, Position

if TYPE_CHECKING:
    from brokers.binance_api import MarketApi
    from brokers.binance_values import Row

NOTHING = Decimal(0)


class Purse(Protocol):
    """Port. The account of one market; both raise OutcomeUnknown("unavailable")."""

    async def account(self) -> Account:
        """Return the money in USDT."""
        ...

    async def positions(self) -> list[Position]:
        """Return what is held, whoever bought it."""
        ...


class SpotPurse:
    """Coins and USDT; what open orders have set aside is `locked`."""

    def __init__(self, api: MarketApi) -> None:
        self._api = api

    async def account(self) -> Account:
        """Return USDT with and without what open orders have set aside."""
        for row in await self._balances():
            if row.get("asset") == USDT:
                free = decimal_of(row, "free")
                return Account(free + decimal_of(row, "locked"), free, USDT, SPOT_PURSE)
        return Account(NOTHING, NOTHING, USDT, SPOT_PURSE)

    async def positions(self) -> list[Position]:
        """Return the coins; what they were bought for is not kept by Binance, so it is 0."""
        held = []
        for row in await self._balances():
            asset = text_of(row, "asset")
            quantity = decimal_of(row, "free") + decimal_of(row, "locked")
            if quantity and asset != USDT:
                instrument = self._api.market.instrument_id(f"{asset}{USDT}")
                held.append(Position(instrument, quantity, NOTHING))
        return held

    async def _balances(self) -> list[Row]:
        told = row_of(await self._api.read("/account", {"omitZeroBalances": "true"}))
        return rows_of(told.get("balances"))


class FuturesPurse:
    """The USDT of the futures account, and its positions; entries bind a part of their worth."""

    def __init__(self, api: MarketApi, leverage: int) -> None:
        self._api = api
        self._leverage = leverage

    async def account(self) -> Account:
        """Return money as if positions had been paid for, and what is available for more.

        The wallet is not touched by a purchase, but the desk counts a position at its price beside
        the cash: cash is the wallet less what the positions cost (more, for short ones). What is
        available is margin, and buys, or sells short, as much as the leverage makes of it.
        """
        told = row_of(await self._api.read("/account", {}, version=3))
        for row in rows_of(told.get("assets")):
            if row.get("asset") == USDT:
                cost = sum((_cost(one) for one in _in_usdt(told.get("positions"))), NOTHING)
                available = decimal_of(row, "availableBalance") * self._leverage
                cash = decimal_of(row, "walletBalance") - cost
                return Account(cash, available, USDT, FUTURES_PURSE)
        raise odd(told)

    async def positions(self) -> list[Position]:
        """Return the positions, short ones with a quantity below 0."""
        rows = _in_usdt(await self._api.read("/positionRisk", {}, version=3))
        return [
            Position(
                self._api.market.instrument_id(text_of(row, "symbol")),
                decimal_of(row, "positionAmt"),
                decimal_of(row, "entryPrice"),
            )
            for row in rows
            if decimal_of(row, "positionAmt")
        ]


def _in_usdt(rows: object) -> list[Row]:
    """Return the rows of what is paid in USDT, not in USDC or BTC."""
    return [row for row in rows_of(rows) if text_of(row, "symbol").endswith(USDT)]


def _cost(row: Row) -> Decimal:
    """Return what a position was opened for: its worth less what it has gained."""
    return decimal_of(row, "notional") - decimal_of(row, "unrealizedProfit")
