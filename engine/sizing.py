"""From a ticket to a quantity and a limit: the one crossing from expressions to tick and lot."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from conditions.scalar import ALL
from conditions.units import Unit
from engine.risk_case import Denial, shown
from market.currency import cent_of, currency_of
from market.money import floor_to_lot, lot_of
from market.orders import PositionSide, Side
from market.prices import round_price, tick_size

if TYPE_CHECKING:
    from engine.ticket import Ticket


@dataclass(frozen=True, slots=True)
class SizeFacts:
    """What sizes are computed from: `close` of the signal's bar, `last` the quote, money in the
    instrument's currency.

    `buying_power` is what of the cash can be spent, without what was sent a moment ago. `held` is
    what can be closed: the position without what is being closed already.
    """

    close: Decimal
    last: Decimal
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    fee: Decimal
    held: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sized:
    """A ticket's quantity and limit (None: market); `denial` says why it came to nothing."""

    quantity: Decimal
    price: Decimal | None
    denial: Denial | None = None


def size(ticket: Ticket, facts: SizeFacts) -> Sized:
    """Return what a ticket comes to: a limit on the passive tick, a quantity down to the lot."""
    denial = _other_money(ticket)
    return _size(ticket, facts) if denial is None else Sized(Decimal(0), None, denial)


def _size(ticket: Ticket, facts: SizeFacts) -> Sized:
    values = {
        "close": facts.close,
        "equity": facts.equity,
        "cash": facts.cash,
        "buying_power": facts.buying_power,
        "tick": tick_size(facts.close, ticket.instrument.steps),
        ALL: facts.held,
    }
    price = ticket.price
    if ticket.price_rule is not None:
        wanted = ticket.price_rule.value(values)
        if wanted is None or wanted <= 0:
            return Sized(Decimal(0), None, Denial("risk.size"))
        # Passive: a buy never pays more than its rule says, a sell never takes less.
        price = round_price(wanted, ticket.instrument.steps, up=ticket.side is Side.SELL)
    if ticket.quantity is not None:
        return Sized(ticket.quantity, price)
    if ticket.size is not None and ALL in ticket.size.names and facts.held <= 0:
        is_short = ticket.position is PositionSide.SHORT
        code = "risk.no_short" if is_short else "risk.no_position"
        return Sized(Decimal(0), price, Denial(code))
    amount = None if ticket.size is None else ticket.size.value(values)
    if amount is None or amount <= 0:
        return Sized(Decimal(0), price, Denial("risk.size"))
    if ticket.size is not None and ticket.size.unit is Unit.VOLUME:
        return _counted(ticket, amount, price)
    return _bought(ticket, amount, price, facts)


def _other_money(ticket: Ticket) -> Denial | None:
    """Return why a size or a price is not one here: it is in other money, and none is exchanged."""
    paid = currency_of(ticket.instrument.id)
    for rule in (ticket.size, ticket.price_rule):
        if rule is not None and rule.currency not in {"", paid}:
            return Denial("risk.other_money", paid, rule.currency)
    return None


def _counted(ticket: Ticket, amount: Decimal, price: Decimal | None) -> Sized:
    kind = ticket.instrument.steps
    quantity = floor_to_lot(amount, kind)
    if quantity > 0:
        return Sized(quantity, price)
    return Sized(quantity, price, Denial("risk.too_small", shown(lot_of(kind)), shown(amount)))


def _bought(ticket: Ticket, amount: Decimal, price: Decimal | None, facts: SizeFacts) -> Sized:
    """Return what so much money comes to; entries are cut down to what can be paid."""
    kind = ticket.instrument.steps
    currency = currency_of(ticket.instrument.id)
    each, most = facts.last if price is None else price, amount
    if ticket.is_entry:
        each *= 1 + facts.fee
        most = min(amount, facts.buying_power - cent_of(currency))  # the fee is rounded up
    quantity = max(Decimal(0), floor_to_lot(most / each, kind))
    if quantity > 0:
        return Sized(quantity, price)
    one = each * lot_of(kind)
    denial = Denial("risk.too_small", shown(one), shown(amount))
    if amount >= one:
        denial = Denial("risk.cash", shown(facts.buying_power), shown(one + cent_of(currency)))
    return Sized(quantity, price, denial)
