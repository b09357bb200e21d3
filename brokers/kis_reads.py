"""Asking KIS about an account: orders of days, holdings, money; whole answers or OutcomeUnknown."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from brokers.kis_rows import (
    read_buyable,
    read_cash,
    read_holdings,
    read_orders,
    read_positions,
    read_power,
    read_sellable,
)
from market.errors import OutcomeUnknown, SourceError
from market.orders import Account, Side
from venues.kis_http import TRADING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from brokers.kis_codes import Transactions
    from brokers.kis_rows import DayOrder, Held, Row
    from market.orders import Position
    from venues.kis_http import KisHttp

_PAGED = {"CTX_AREA_FK100": "", "CTX_AREA_NK100": ""}
_ANY_CODE = "005930"
"""The money that buys without credit does not depend on the code, but one has to be named."""


class KisReads:
    """Reads of one account; `account` is its eight digits and its two."""

    def __init__(self, http: KisHttp, services: Transactions, account: str, exchange: str) -> None:
        self._http = http
        self._services = services
        self._whose = {"CANO": account[:8], "ACNT_PRDT_CD": account[8:]}
        self._exchange = exchange

    async def turn(self) -> None:
        """Wait until another request may be made, whoever makes it."""
        await self._http.turn()

    async def orders(self, first: str, last: str) -> list[DayOrder]:
        """Return all orders of these days, whoever made them, oldest first."""
        params = {
            "INQR_STRT_DT": first,
            "INQR_END_DT": last,
            "SLL_BUY_DVSN_CD": "00",
            "PDNO": "",
            "CCLD_DVSN": "00",
            "INQR_DVSN": "01",  # oldest first: what comes in while we read is at the end
            "INQR_DVSN_3": "00",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
            "INQR_DVSN_1": "",
            "EXCG_ID_DVSN_CD": self._exchange,
        }
        with _unavailable():
            return read_orders(await self._pages("inquire-daily-ccld", self._services.day, params))

    async def holdings(self) -> list[Held]:
        """Return what is held, and what was held earlier today."""
        with _unavailable():
            return read_holdings(await self._balance())

    async def positions(self) -> list[Position]:
        """Return what is held."""
        with _unavailable():
            return read_positions(await self._balance())

    async def account(self) -> Account:
        """Return the cash after settlement, and what can be bought without credit."""
        power = asyncio.create_task(self._power(_ANY_CODE), name="kis buying power")
        try:
            with _unavailable():
                cash = read_cash(await self._balance())
                return Account(cash, read_power(await power))
        finally:
            power.cancel()

    async def possible(self, code: str, side: Side) -> Decimal | None:
        """Return how many shares a market order could buy or sell now, beside all others.

        None where this server does not tell it.
        """
        if side is Side.SELL and not self._services.sellable:
            return None
        with _unavailable():
            if side is Side.SELL:
                params = {**self._whose, "PDNO": code}
                path = TRADING + "inquire-psbl-sell"
                (fields,) = await self._http.pages(path, self._services.sellable, params)
                return read_sellable(fields)
            return read_buyable(await self._power(code))

    async def _power(self, code: str) -> Row:
        params = {
            "PDNO": code,
            "ORD_UNPR": "",
            "ORD_DVSN": "01",  # so that the margin is counted as for any order
            "CMA_EVLU_AMT_ICLD_YN": "N",
            "OVRS_ICLD_YN": "N",
        }
        path, whose = TRADING + "inquire-psbl-order", self._whose
        (fields,) = await self._http.pages(path, self._services.power, {**whose, **params})
        return fields

    async def _balance(self) -> list[Row]:
        params = {
            "AFHR_FLPR_YN": "N",
            "OFL_YN": "",
            "INQR_DVSN": "02",
            "UNPR_DVSN": "01",
            "FUND_STTL_ICLD_YN": "N",
            "FNCG_AMT_AUTO_RDPT_YN": "N",
            "PRCS_DVSN": "00",
        }
        return await self._pages("inquire-balance", self._services.balance, params)

    async def _pages(self, name: str, tr_id: str, params: dict[str, str]) -> list[Row]:
        return await self._http.pages(TRADING + name, tr_id, {**self._whose, **params, **_PAGED})


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except SourceError as error:
        raise OutcomeUnknown("unavailable", str(error)) from error
