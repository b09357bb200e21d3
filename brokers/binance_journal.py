"""What we keep of orders at Binance: which were sent, and every trade of theirs, once.

Binance forgets: a client order id is unique among open orders only, and an order that ended without
a trade is purged after three days. Here nothing is: an id is never sent twice.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from market.errors import OrderRejected
from market.orders import Fill, Side
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from market.store import Transaction
    from market.types import InstrumentId

_ORDER = "binance/order/"
_OPEN = "binance/open/"
_FILL = "binance/fill/"
_TAKEN = "binance/taken/"
_LAST = "binance/last"
_AMOUNTS = ("traded", "received", "before", "before_received")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sent:
    """An order that was sent, or was just about to be: `sent_ms` is its timestamp's.

    `venue_id` is "" until the venue has told its number. `traded` is what the trades that we have
    moved, `received` what is left of it after fees in the coin itself. `is_algo` tells that it was
    sent as a stop of futures, which is no order before it is triggered. `before` had traded of an
    order made elsewhere when it became ours, and `before_received` was left of that after fees;
    the venue's socket speaks of it as `heard_as`.
    """

    client_id: str
    order_id: str
    instrument: InstrumentId
    side: Side
    sent_ms: int
    venue_id: str = ""
    traded: Decimal = ZERO
    received: Decimal = ZERO
    is_algo: bool = False
    heard_as: str = ""
    before: Decimal = ZERO
    before_received: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade of an order of ours: `id` is the venue's, unique within its symbol.

    `received` is less than `quantity` where the fee was taken from the coins; the fee is then a
    cost, and what is held is what was received.
    """

    id: int
    quantity: Decimal
    received: Decimal
    price: Decimal
    cost: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Learned:
    """What the venue told of an order: `filled` in all, and the trades that it shows of it."""

    sent: Sent
    venue_id: str
    filled: Decimal
    is_over: bool
    trades: tuple[Trade, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether no trade is lacking by the venue's own count."""
        return self.summed.traded >= self.filled

    @property
    def summed(self) -> Sent:
        """Return the order with its number and the sums of its trades."""
        traded = sum((trade.quantity for trade in self.trades), ZERO)
        received = sum((trade.received for trade in self.trades), ZERO)
        return replace(self.sent, venue_id=self.venue_id, traded=traded, received=received)


class Journal:
    """The documents of one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._documents = tx.documents

    def sent(self, client_id: str) -> Sent | None:
        """Return what we know of an order, None where it never came near a request."""
        value = self._documents.get(_ORDER + client_id)
        if value is None:
            return None
        amounts = {name: Decimal(value[name]) for name in _AMOUNTS if name in value}
        return Sent(**{**value, **amounts, "side": Side(value["side"])})

    def unsettled(self) -> list[Sent]:
        """Return the orders that may still trade, or have trades that we do not have."""
        names = [key.removeprefix(_OPEN) for key, _ in self._documents.items(_OPEN)]
        found = [sent for name in names if (sent := self.sent(name)) is not None]
        return sorted(found, key=lambda sent: (sent.sent_ms, sent.client_id))

    def claim(self, sent: Sent) -> None:
        """Note that an order is about to be sent; raises OrderRejected("duplicate")."""
        if self.sent(sent.client_id) is not None:
            raise OrderRejected("duplicate", f"{sent.client_id} was sent to binance before")
        self._put(sent)
        self._documents.put(_OPEN + sent.client_id, {})

    def adopt(self, learned: Learned) -> None:
        """Note that an order made elsewhere is ours; its trades until now make no fills of ours."""
        sent = learned.summed
        self.claim(replace(sent, before=sent.traded, before_received=sent.received))
        for trade in learned.trades:
            self._documents.put(f"{_TAKEN}{sent.instrument}/{trade.id}", {"fill": ""})

    def release(self, client_id: str) -> None:
        """Forget an order that the venue refused: it does not exist there."""
        self._documents.delete(_ORDER + client_id)
        self._documents.delete(_OPEN + client_id)

    def number(self, client_id: str, venue_id: str) -> None:
        """Note under which number the venue has an order."""
        sent = self.sent(client_id)
        if sent is not None and sent.venue_id != venue_id:
            self._put(replace(sent, venue_id=venue_id))

    def settle(self, client_id: str) -> None:
        """Note that an order has ended and that all its trades are here."""
        self._documents.delete(_OPEN + client_id)

    def take(self, learned: Sequence[Learned], now_ms: int) -> None:
        """Keep what is new of orders, all their trades in the order in which they happened."""
        trades = [(trade, one.sent) for one in learned for trade in one.trades]
        for trade, sent in sorted(trades, key=lambda pair: (pair[0].at, pair[0].id)):
            key = f"{_TAKEN}{sent.instrument}/{trade.id}"
            if self._documents.get(key) is None:
                fill = self._fill(sent, trade, now_ms)
                self._documents.put(key, {"fill": fill.id})
                self._documents.put(_FILL + fill.id, _written(fill))
        for one in learned:
            self._put(one.summed)
            if one.is_over and one.is_complete:
                self.settle(one.sent.client_id)

    def fills(self, after: str) -> list[Fill]:
        """Return the fills with an id greater than `after`, oldest first."""
        start = _FILL + after if after else ""
        return [_read(value) for _, value in self._documents.items(_FILL, start)]

    def _fill(self, sent: Sent, trade: Trade, now_ms: int) -> Fill:
        return Fill(
            id=self._next_id(now_ms),
            order_id=sent.order_id,
            instrument=sent.instrument,
            side=sent.side,
            quantity=trade.received,
            price=trade.price,
            cost=trade.cost,
            at=trade.at,
        )

    def _next_id(self, now_ms: int) -> str:
        """Return an id above all before it.

        Ids follow the order in which trades became known: a trade of one symbol may become visible
        after a later one of another symbol was told, and must not be passed over.
        """
        kept = self._documents.get(_LAST) or {"id": 0}
        number = max(now_ms * 1000, int(kept["id"]) + 1)
        self._documents.put(_LAST, {"id": number})
        return f"{number:016d}"

    def _put(self, sent: Sent) -> None:
        amounts = {name: str(getattr(sent, name)) for name in _AMOUNTS}
        self._documents.put(_ORDER + sent.client_id, {**asdict(sent), **amounts})


def _written(fill: Fill) -> dict[str, Any]:
    amounts = {name: str(getattr(fill, name)) for name in ("quantity", "price", "cost")}
    return {**asdict(fill), **amounts, "side": fill.side.value, "at": to_ms(fill.at)}


def _read(value: dict[str, Any]) -> Fill:
    amounts = {name: Decimal(value[name]) for name in ("quantity", "price", "cost")}
    return Fill(**{**value, **amounts, "side": Side(value["side"]), "at": from_ms(value["at"])})
