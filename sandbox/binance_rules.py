"""The pretend Binance's rules for orders: filters of a symbol, and how a breach of them is told."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Shown = dict[str, Any]


class Refusal(Exception):
    """A request that Binance refuses: HTTP status, its own code, its text."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status


@dataclass(frozen=True, slots=True)
class Rules:
    """The filters of one symbol, as those of BTCUSDT where nothing else is said."""

    tick: Decimal = Decimal("0.10")
    step: Decimal = Decimal("0.001")
    least_quantity: Decimal = Decimal("0.001")
    most_quantity: Decimal = Decimal(1000)
    most_market_quantity: Decimal = Decimal(120)
    least_price: Decimal = Decimal("0.10")
    most_price: Decimal = Decimal(1_000_000)
    least_notional: Decimal = Decimal(5)
    is_trading: bool = True
    order_types: frozenset[str] = frozenset({"LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT"})

    def filters(self, *, is_futures: bool) -> list[Shown]:
        """Return them as exchangeInfo tells them."""
        lot = {"minQty": f"{self.least_quantity}", "stepSize": f"{self.step}"}
        least = f"{self.least_notional}"
        notional = (
            {"filterType": "MIN_NOTIONAL", "notional": least}
            if is_futures
            else {"filterType": "NOTIONAL", "minNotional": least, "applyMinToMarket": True}
        )
        return [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": f"{self.least_price}",
                "maxPrice": f"{self.most_price}",
                "tickSize": f"{self.tick}",
            },
            {"filterType": "LOT_SIZE", **lot, "maxQty": f"{self.most_quantity}"},
            {"filterType": "MARKET_LOT_SIZE", **lot, "maxQty": f"{self.most_market_quantity}"},
            notional,
        ]

    def check(
        self, quantity: Decimal, price: Decimal | None, worth: Decimal, *, is_futures: bool
    ) -> None:
        """Raise Refusal where an order breaks a filter; `worth` is what it comes to."""
        most = self.most_quantity if price is not None else self.most_market_quantity
        if not self.least_quantity <= quantity <= most:
            name = "LOT_SIZE" if price is not None else "MARKET_LOT_SIZE"
            raise _quantity_refusal(name, quantity < self.least_quantity, is_futures=is_futures)
        if quantity % self.step:
            raise _step_refusal(is_futures=is_futures)
        if price is not None:
            self._check_price(price, is_futures=is_futures)
        if worth < self.least_notional:
            raise _notional_refusal(self.least_notional, is_futures=is_futures)

    def _check_price(self, price: Decimal, *, is_futures: bool) -> None:
        is_within = self.least_price <= price <= self.most_price
        if is_within and not price % self.tick:
            return
        if not is_futures:
            raise Refusal(-1013, "Filter failure: PRICE_FILTER")
        if is_within:
            raise Refusal(-4014, "Price not increased by tick size.")
        raise Refusal(-4016, f"Limit price can't be higher than {self.most_price}.")


def _quantity_refusal(name: str, is_small: bool, *, is_futures: bool) -> Refusal:
    if not is_futures:
        return Refusal(-1013, f"Filter failure: {name}")
    if is_small:
        return Refusal(-4003, "Quantity less than or equal to zero.")
    return Refusal(-4005, "Quantity greater than max quantity.")


def _step_refusal(*, is_futures: bool) -> Refusal:
    if is_futures:
        return Refusal(-1111, "Precision is over the maximum defined for this asset.")
    return Refusal(-1013, "Filter failure: LOT_SIZE")


def _notional_refusal(least: Decimal, *, is_futures: bool) -> Refusal:
    if not is_futures:
        return Refusal(-1013, "Filter failure: NOTIONAL")
    text = f"Order's notional must be no smaller than {least} (unless you choose reduce only)."
    return Refusal(-4164, text)
