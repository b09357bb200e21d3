"""What we sent to Upbit and what came of it: the broker's own notes, within one transaction.

An order is noted before it is sent, and until all of its trades are told: Upbit has no list of
trades, only orders to ask for. What has ended stays known, so that it is never told again. A trade
becomes a fill in the order in which we learn of it, so that none is ever told with an id before
one that was told already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from brokers.upbit_parsers import ZERO
from market.errors import OrderRejected
from market.orders import Fill, Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from brokers.upbit_parsers import VenueOrder, VenueTrade
    from market.orders import Order
    from market.store import Transaction
    from market.types import InstrumentId

_SENT = "upbit/sent/"
_ENDED = "upbit/ended/"
_ADOPTED = "upbit/adopted/"
_FILL = "upbit/fill/"
_LAST = "upbit/last"
_STEP = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class Sent:
    """An order of ours of which Upbit may have something new; `trades` are told already."""

    client_id: str
    order_id: str
    instrument: InstrumentId
    side: Side
    at: datetime
    trades: tuple[str, ...] = ()
    cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Adopted:
    """An order made elsewhere that is ours now: Upbit's id of it, and what had traded before."""

    uuid: str
    trades: frozenset[str]
    fee: Decimal


class UpbitJournal:
    """The notes within one transaction; nothing is kept outside it."""

    def __init__(self, tx: Transaction) -> None:
        self._documents = tx.documents

    def begin(self, order: Order, now: datetime) -> None:
        """Note an order that is about to be sent; OrderRejected where it was already."""
        client_id = order.client_order_id
        is_ended = self._documents.get(_ENDED + client_id) is not None
        if is_ended or self.sent(client_id) is not None:
            raise OrderRejected("duplicate", f"{client_id} was sent before")
        self._put(Sent(client_id, order.id, order.instrument, order.side, now))

    def adopt(self, order: Order, told: VenueOrder, now: datetime) -> None:
        """Note that an order made elsewhere is ours; OrderRejected where it was already."""
        self.begin(order, now)
        value = {
            "uuid": told.uuid,
            "trades": [one.uuid for one in told.trades],
            "fee": str(told.paid_fee),
        }
        self._documents.put(_ADOPTED + order.client_order_id, value)

    def adopted(self, client_id: str) -> Adopted | None:
        """Return how an order became ours, None where we sent it."""
        value = self._documents.get(_ADOPTED + client_id)
        if value is None:
            return None
        return Adopted(value["uuid"], frozenset(value["trades"]), Decimal(value["fee"]))

    def forget(self, client_id: str) -> None:
        """Drop the note of an order from which nothing can come any more."""
        self._documents.delete(_SENT + client_id)

    def sent(self, client_id: str) -> Sent | None:
        """Return the note of an order."""
        value = self._documents.get(_SENT + client_id)
        return None if value is None else _read_sent(client_id, value)

    def pending(self) -> list[Sent]:
        """Return the orders that may still bring something, oldest first."""
        found = [
            _read_sent(key.removeprefix(_SENT), value)
            for key, value in self._documents.items(_SENT)
        ]
        return sorted(found, key=lambda sent: (sent.at, sent.client_id))

    def learn(self, client_id: str, told: VenueOrder) -> None:
        """Turn the trades of an order that are new into fills; the note goes after the last."""
        sent = self.sent(client_id)
        if sent is None:
            return
        new = [trade for trade in told.trades if trade.uuid not in sent.trades]
        costs = _costs(told, sent, new)
        for trade, cost in zip(new, costs, strict=True):
            self._tell(sent, trade, cost)
        if told.is_over and told.is_told:
            self.forget(client_id)
            self._documents.put(_ENDED + client_id, {"order": sent.order_id})
        elif new:
            trades = (*sent.trades, *(trade.uuid for trade in new))
            self._put(replace(sent, trades=trades, cost=sum(costs, sent.cost)))

    def fills(self, after: str) -> list[Fill]:
        """Return the fills with an id greater than `after`, in the order we learnt of them."""
        start = _FILL + after if after else ""
        return [
            _read_fill(key.removeprefix(_FILL), value)
            for key, value in self._documents.items(_FILL, start)
        ]

    def _tell(self, sent: Sent, trade: VenueTrade, cost: Decimal) -> None:
        last = self._documents.get(_LAST) or {"ms": 0, "number": 0}
        # never before the last one: who asks for what is new asks for what is greater
        ms, number = max(int(last["ms"]), to_ms(trade.at)), int(last["number"]) + 1
        self._documents.put(_LAST, {"ms": ms, "number": number})
        fill = {
            "order": sent.order_id,
            "instrument": sent.instrument,
            "side": sent.side.value,
            "quantity": str(trade.volume),
            "price": str(trade.price),
            "cost": str(cost),
            "at": to_ms(trade.at),
        }
        self._documents.put(f"{_FILL}{ms:013d}-{number:09d}-{trade.uuid}", fill)

    def _put(self, sent: Sent) -> None:
        value = {
            "order": sent.order_id,
            "instrument": sent.instrument,
            "side": sent.side.value,
            "at": to_ms(sent.at),
            "trades": list(sent.trades),
            "cost": str(sent.cost),
        }
        self._documents.put(_SENT + sent.client_id, value)


def _costs(told: VenueOrder, sent: Sent, new: Sequence[VenueTrade]) -> list[Decimal]:
    """Return the fee of each new trade: its share of what the order has paid since the last one.

    Upbit tells the fee of an order only; the shares add up to it exactly.
    """
    if not new:
        return []
    left = max(_paid(told) - sent.cost, ZERO)
    money = [trade.price * trade.volume for trade in new]
    total = sum(money, ZERO)
    shares = [(left * part / total).quantize(_STEP, ROUND_DOWN) for part in money[:-1]]
    return [*shares, left - sum(shares, ZERO)]


def _paid(told: VenueOrder) -> Decimal:
    """Return the fee of the trades that are told: what is not told yet has its part of it."""
    if told.traded_volume >= told.executed_volume:
        return told.paid_fee
    return (told.paid_fee * told.traded_volume / told.executed_volume).quantize(_STEP, ROUND_DOWN)


def _read_sent(client_id: str, value: dict[str, Any]) -> Sent:
    return Sent(
        client_id=client_id,
        order_id=value["order"],
        instrument=value["instrument"],
        side=Side(value["side"]),
        at=from_ms(value["at"]),
        trades=tuple(value["trades"]),
        cost=Decimal(value["cost"]),
    )


def _read_fill(fill_id: str, value: dict[str, Any]) -> Fill:
    return Fill(
        id=fill_id,
        order_id=value["order"],
        instrument=value["instrument"],
        side=Side(value["side"]),
        quantity=Decimal(value["quantity"]),
        price=Decimal(value["price"]),
        cost=Decimal(value["cost"]),
        at=from_ms(value["at"]),
    )
