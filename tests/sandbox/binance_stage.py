"""One market of the pretend Binance, asked page by page, with a clock and a tape of a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from market.clock import ManualClock
from sandbox.binance_accounts import FuturesAccount, SpotAccount
from sandbox.binance_order_pages import FuturesPages, SpotPages
from sandbox.binance_orders import OrderVenue
from sandbox.binance_rules import Refusal, Rules
from sandbox.coin_market import CoinTrade

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
CASH = Decimal(1_000_000)


@dataclass
class Tape:
    """Trades of BTCUSDT that a test makes."""

    trades: list[CoinTrade] = field(default_factory=list)

    def last(self, symbol: str, at: datetime) -> CoinTrade | None:
        return self.trades[-1] if self.trades else None

    def shown(self, symbol: str, after: datetime, until: datetime) -> list[CoinTrade]:
        return [trade for trade in self.trades if after < trade.at <= until]


class Stage:
    """One market, a clock, and a tape."""

    def __init__(self, *, is_futures: bool, rules: Rules | None = None, fee: str = "0") -> None:
        self.clock = ManualClock(NOW)
        self.tape = Tape()
        self.wallet = FuturesAccount(CASH, self._last)
        self.balances = SpotAccount(CASH)
        self.venue = OrderVenue(
            account=self.wallet if is_futures else self.balances,
            prices=self.tape,
            clock=self.clock,
            rules={"BTCUSDT": rules or Rules()},
            is_futures=is_futures,
            maker_fee=Decimal(fee),
            taker_fee=Decimal(fee) * 2,
        )
        make = FuturesPages if is_futures else SpotPages
        self.pages = make(self.venue).pages()
        self.count = 0

    def ask(self, method: str, path: str, **params: str) -> Any:
        return self.pages[method, path](params, False)

    def place(self, quantity: str = "1", price: str | None = "70000", **params: str) -> Any:
        self.count += 1
        limit = {} if price is None else {"price": price, "timeInForce": "GTC"}
        asked = {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "MARKET" if price is None else "LIMIT",
            "quantity": quantity,
            "newClientOrderId": f"c{self.count}",
            **limit,
        }
        return self.ask("POST", "/order", **(asked | params))

    def trade(self, price: float, volume: float = 1e6) -> None:
        self.clock.advance(timedelta(seconds=1))
        self.tape.trades.append(CoinTrade(1, self.clock.now(), price, volume, is_buy=True))
        self.venue.catch_up()

    def refusal(self, act: Callable[[], Any]) -> int:
        before = len(self.venue.orders)
        with pytest.raises(Refusal) as caught:
            act()
        assert len(self.venue.orders) == before
        return caught.value.code

    def _last(self, symbol: str) -> Decimal:
        return Decimal(str(self.tape.trades[-1].price)) if self.tape.trades else Decimal(0)


def spot(**parts: Any) -> Stage:
    return Stage(is_futures=False, **parts)


def futures(**parts: Any) -> Stage:
    return Stage(is_futures=True, **parts)
