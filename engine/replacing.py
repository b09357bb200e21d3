"""Orders that take the place of others: what is left, at which price, under which id.

All pure, but for reading a chain from a transaction. Ids of replacements come from the id of what
they replace, so that there is never a second one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.positions import ZERO
from engine.ticket import order_id as id_of
from market.money import to_decimal
from market.orders import Order, OrderState, Otherwise, Side
from market.prices import round_price
from market.unfilled import Then

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from market.store import Transaction
    from market.types import Steps, Tick
    from market.unfilled import Unfilled

_WISHES = "desk/unfilled/"


@dataclass(frozen=True, slots=True)
class Chain:
    """An order with all that it replaces; the first is the one that was confirmed."""

    orders: tuple[Order, ...]

    @property
    def first(self) -> Order:
        """Return the order that was confirmed: its quantity and price bind all that follow."""
        return self.orders[0]

    @property
    def last(self) -> Order:
        """Return the order that stands for the others."""
        return self.orders[-1]

    @property
    def left(self) -> Decimal:
        """Return what has not traded of what was confirmed, whichever order it traded in."""
        return self.first.quantity - sum((one.filled_quantity for one in self.orders), ZERO)

    @property
    def is_too_much(self) -> bool:
        """Tell whether the last could trade more than was confirmed: an earlier one filled late."""
        return self.last.replaces is not None and self.last.remaining > self.left


def replacement_id(order_id: str) -> str:
    """Return the id of the one order that may ever replace another."""
    return id_of(f"replaces:{order_id}")


def chain_of(tx: Transaction, order: Order) -> Chain:
    """Return an order with all that it replaces."""
    orders = [order]
    while (earlier := orders[0].replaces) is not None:
        found = tx.orders.get(earlier)
        if found is None:
            break
        orders.insert(0, found)
    return Chain(tuple(orders))


def chains_of(tx: Transaction, orders: Iterable[Order]) -> list[Chain]:
    """Return the chains that end in these orders; those that were replaced are within them."""
    found = list(orders)
    replaced = {one.replaces for one in found}
    return [chain_of(tx, one) for one in found if one.id not in replaced]


def newest_of(tx: Transaction, order: Order) -> Order:
    """Return the order that stands for this one now: its newest replacement, or itself."""
    while (later := tx.orders.get(replacement_id(order.id))) is not None:
        order = later
    return order


def wish_replacement(tx: Transaction, order_id: str) -> None:
    """Keep that an order is cancelled in order to be replaced, not because a person wished it."""
    tx.documents.put(_WISHES + order_id, {})


def forget_replacement(tx: Transaction, order_id: str) -> None:
    """Keep that nothing is to follow an order."""
    tx.documents.delete(_WISHES + order_id)


def is_replacement_wished(tx: Transaction, order_id: str) -> bool:
    """Tell whether something may follow an order once it is cancelled."""
    return tx.documents.get(_WISHES + order_id) is not None


def wished_replacements(tx: Transaction) -> list[str]:
    """Return the ids of the orders that something may follow."""
    return [key.removeprefix(_WISHES) for key, _ in tx.documents.items(_WISHES)]


def better_price(chain: Chain, quote: Tick, kind: Steps) -> Decimal | None:
    """Return the last price, where it is nearer to the market than the order's own; else None.

    A purchase goes up and a sale down only, and never further from the confirmed limit than that
    order's drift allows.
    """
    own, confirmed, drift = chain.last.price, chain.first.price, chain.first.max_drift
    if own is None or confirmed is None:
        return None
    last = to_decimal(quote.price)
    if chain.last.side is Side.BUY:
        price = round_price(min(last, confirmed * (1 + drift)), kind, up=False)
        return price if price > own else None
    price = round_price(max(last, confirmed * (1 - drift)), kind, up=True)
    return price if price < own else None


def replacement(chain: Chain, quote: Tick, kind: Steps, now: datetime) -> Order:
    """Return the order that takes what is left; its price is the old one where none is better."""
    old = chain.last
    unfilled = None if chain.is_too_much else old.unfilled
    is_market = unfilled is not None and unfilled.then is Then.MARKET
    price = better_price(chain, quote, kind) if unfilled is not None else None
    return replace(
        old,
        id=replacement_id(old.id),
        version=1,
        state=OrderState.PROPOSED,
        quantity=min(chain.left, old.remaining),
        price=None if is_market else price or old.price,
        proposed_at=now,
        expires_at=now,
        reference_price=to_decimal(quote.price),
        reference_at=now,
        broker_order_id=None,
        filled_quantity=ZERO,
        average_price=ZERO,
        cost=ZERO,
        code="",
        facts=(),
        is_cancel_requested=False,
        is_automatic=True,
        otherwise=Otherwise.DROP,
        unfilled=old.unfilled if chain.is_too_much else _what_follows(old.unfilled),
        replaces=old.id,
    )


def _what_follows(unfilled: Unfilled | None) -> Unfilled | None:
    """Return what becomes of a replacement: a repricing less, and nothing after the last."""
    if unfilled is None or unfilled.then is not Then.REPRICE or unfilled.times <= 1:
        return None
    return replace(unfilled, times=unfilled.times - 1)
