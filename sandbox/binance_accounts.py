"""The pretend Binance's accounts: who pays, what is set aside, and what a trade does to them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from sandbox.binance_order_types import NOTHING
from sandbox.binance_rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.binance_order_types import VenueOrder

USDT = "USDT"
_PLACES = Decimal("0.00000001")


class Account(Protocol):
    """Port. The money of one market."""

    def admit(self, order: VenueOrder, price: Decimal, resting: Iterable[VenueOrder]) -> None:
        """Raise Refusal where an order cannot be afforded, at a price."""
        ...

    def most(self, order: VenueOrder) -> Decimal:
        """Return how much of an order can trade now."""
        ...

    def settle(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, fee: Decimal
    ) -> tuple[Decimal, str, Decimal]:
        """Take a trade in; return what was charged, in which asset, and what was gained by it."""
        ...


class SpotAccount:
    """Balances by asset; fees are taken from what is received, or in BNB."""

    def __init__(self, usdt: Decimal, *, bnb: Decimal = NOTHING) -> None:
        self.balances: dict[str, Decimal] = defaultdict(Decimal, {USDT: usdt})
        if bnb:
            self.balances["BNB"] = bnb
        self.bnb_price: Decimal | None = None

    def locked(self, asset: str, resting: Iterable[VenueOrder]) -> Decimal:
        """Return what open orders have set aside of an asset."""
        amounts = (_claim(order) for order in resting)
        return sum((amount for one, amount in amounts if one == asset), NOTHING)

    def admit(self, order: VenueOrder, price: Decimal, resting: Iterable[VenueOrder]) -> None:
        """Refuse what the free balance does not cover."""
        is_buy = order.side == "BUY"
        asset = USDT if is_buy else order.base
        needed = order.quantity * price if is_buy else order.quantity
        if needed > self.balances[asset] - self.locked(asset, resting):
            raise Refusal(-2010, "Account has insufficient balance for requested action.")

    def most(self, order: VenueOrder) -> Decimal:
        """Return all that is left of an order: it was set aside."""
        return order.left

    def settle(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, fee: Decimal
    ) -> tuple[Decimal, str, Decimal]:
        """Exchange coins and USDT; the fee goes in what is received, or in BNB where it is set."""
        is_buy = order.side == "BUY"
        received, asset = (quantity, order.base) if is_buy else (quantity * price, USDT)
        paid, payment = (quantity * price, USDT) if is_buy else (quantity, order.base)
        self.balances[payment] -= paid
        self.balances[asset] += received
        charged = received * fee
        if self.bnb_price is not None:
            asset, charged = "BNB", quantity * price * fee / self.bnb_price
        charged = charged.quantize(_PLACES)
        self.balances[asset] -= charged
        return charged, asset, NOTHING


@dataclass
class Held:
    """A position: below 0 where it is short."""

    quantity: Decimal = NOTHING
    entry: Decimal = NOTHING


@dataclass
class FuturesAccount:
    """A wallet and positions in one-way mode, with the leverage of each symbol (20 at first)."""

    wallet: Decimal
    last: Callable[[str], Decimal]
    is_hedged: bool = False
    is_stubborn: bool = False
    held: dict[str, Held] = field(default_factory=lambda: defaultdict(Held))
    leverages: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 20))

    def unrealized(self, symbol: str) -> Decimal:
        """Return what a position has gained so far."""
        held = self.held[symbol]
        return (self.last(symbol) - held.entry) * held.quantity if held.quantity else NOTHING

    def available(self, resting: Iterable[VenueOrder]) -> Decimal:
        """Return what is left for more orders."""
        gained = sum((self.unrealized(symbol) for symbol in self.held), NOTHING)
        margins = sum((self.margin(symbol) for symbol in self.held), NOTHING)
        orders = sum((self.order_margin(order) for order in resting), NOTHING)
        return self.wallet + gained - margins - orders

    def margin(self, symbol: str) -> Decimal:
        """Return what a position binds."""
        held = self.held[symbol]
        if not held.quantity:
            return NOTHING
        return abs(held.quantity) * self.last(symbol) / self.leverages[symbol]

    def order_margin(self, order: VenueOrder) -> Decimal:
        """Return what a resting order binds; one that only reduces binds nothing."""
        if order.is_reduce_only:
            return NOTHING
        return order.left * (order.price or NOTHING) / self.leverages[order.symbol]

    def admit(self, order: VenueOrder, price: Decimal, resting: Iterable[VenueOrder]) -> None:
        """Refuse what the margin does not cover, and exits of what is not there."""
        others = list(resting)
        if order.is_reduce_only:
            self._admit_exit(order, others)
        elif order.quantity * price / self.leverages[order.symbol] > self.available(others):
            raise Refusal(-2019, "Margin is insufficient.")

    def _admit_exit(self, order: VenueOrder, resting: list[VenueOrder]) -> None:
        open_quantity = self.reducible(order)
        if open_quantity <= 0:
            raise Refusal(-2022, "ReduceOnly Order is rejected.")
        taken = sum(
            one.left
            for one in resting
            if one.is_reduce_only and (one.symbol, one.side) == (order.symbol, order.side)
        )
        if order.quantity > open_quantity - taken:
            text = "ReduceOnly Order Failed. Please check your existing position and open orders."
            raise Refusal(-4118, text)

    def most(self, order: VenueOrder) -> Decimal:
        """Return what is left of an order, of an exit no more than it can close."""
        if not order.is_reduce_only:
            return order.left
        return min(order.left, max(NOTHING, self.reducible(order)))

    def reducible(self, order: VenueOrder) -> Decimal:
        """Return how much of the position an order of its side can close."""
        quantity = self.held[order.symbol].quantity
        return quantity if order.side == "SELL" else -quantity

    def settle(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, fee: Decimal
    ) -> tuple[Decimal, str, Decimal]:
        """Change the position, and the wallet by what is realized and by the fee."""
        held = self.held[order.symbol]
        signed = quantity if order.side == "BUY" else -quantity
        closed = min(quantity, max(NOTHING, self.reducible(order)))
        gained = closed * (price - held.entry) * (1 if held.quantity > 0 else -1)
        opened = quantity - closed
        kept = abs(held.quantity) - closed
        if opened:
            held.entry = (kept * held.entry + opened * price) / (kept + opened)
        held.quantity += signed
        charged = (quantity * price * fee).quantize(_PLACES)
        self.wallet += gained.quantize(_PLACES) - charged
        return charged, USDT, gained


def _claim(order: VenueOrder) -> tuple[str, Decimal]:
    """Return the asset and the amount that a resting spot order has set aside."""
    if order.side == "BUY":
        return USDT, order.left * (order.price or NOTHING)
    return order.base, order.left
