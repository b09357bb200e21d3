"""Stops that rest at the venue for protected positions: what is kept, and what is wished."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.ticket import order_id as id_of
from engine.trading import VENUE_STOP, is_venue_stop
from market.money import floor_to_lot
from market.orders import GOING, Order, OrderState
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.protect import Protection
    from market.orders import Position, PositionSide
    from market.store import Transaction
    from market.types import InstrumentId, Steps

_STOP = "protect/stop/"
SETTLED = timedelta(seconds=5)
"""So long what is wished must be the same: fills that come one by one make one stop, not many."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A stop as it should rest: the price from which on so much is to be closed."""

    level: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class VenueStop:
    """The newest stop of an instrument, as it is kept.

    `count` counts all that there ever were: ids come from it. `placed` is what the newest was for,
    in the protection that began at `since`; `is_freed` tells that we had it cancelled, `is_over`
    that its end was seen to. `wished` is what should rest since `wished_at` (all times wall clock);
    before `not_before` nothing is placed. `told_at` is when somebody last heard of a trouble.
    """

    instrument: InstrumentId
    count: int = 0
    placed: Wish | None = None
    since: datetime | None = None
    is_freed: bool = False
    is_over: bool = True
    refusals: int = 0
    wished: Wish | None = None
    wished_at: datetime | None = None
    not_before: datetime | None = None
    told_at: datetime | None = None

    @property
    def order_id(self) -> str:
        """Return the id of the newest stop's order, which exists where `count` is above 0."""
        return stop_id(self.instrument, self.count)

    def wishing(self, wish: Wish | None, now: datetime) -> VenueStop:
        """Return it with what should rest now, and since when that is so."""
        if wish == self.wished:
            return self
        return replace(self, wished=wish, wished_at=now)

    def is_settled(self, now: datetime) -> bool:
        """Tell whether what is wished has been the same for a while."""
        return self.wished_at is not None and now - self.wished_at >= SETTLED

    def may_be_placed(self, now: datetime) -> bool:
        """Tell whether another one may be placed now, if it is wished."""
        is_time = self.not_before is None or now >= self.not_before
        return is_time and self.is_settled(now)


def stop_id(instrument: InstrumentId, count: int) -> str:
    """Return the id of an instrument's stop of this number."""
    return id_of(f"stop:{instrument}:{count}")


def wished_stop(one: Protection, position: Position, quantity: Decimal, kind: Steps) -> Wish | None:
    """Return the stop that a protection asks for, None where it asks for none (any more)."""
    fall = one.protect.stop_loss
    whole = floor_to_lot(min(quantity, abs(position.quantity)), kind)
    if not one.protect.at_venue or fall is None or one.ended_by is not None or whole <= 0:
        return None
    return Wish(position.average_price * (1 - one.side.sign * fall), whole)


def stop_order(
    stop: VenueStop,
    wish: Wish,
    side: PositionSide,
    user_id: int,
    price: Decimal,
    now: datetime,
) -> Order:
    """Return the order of the next stop, proposed to nobody; `price` is the last one."""
    return Order(
        id=stop_id(stop.instrument, stop.count + 1),
        version=1,
        instrument=stop.instrument,
        side=side.exit,
        quantity=wish.quantity,
        price=None,
        state=OrderState.PROPOSED,
        user_id=user_id,
        origin=VENUE_STOP,
        proposed_at=now,
        expires_at=now,
        reference_price=price,
        reference_at=now,
        max_drift=Decimal(1),
        facts=(("stop", str(wish.level)),),
        is_automatic=True,
        position=side,
    )


def stops_going(tx: Transaction, instrument: InstrumentId) -> list[Order]:
    """Return the stops of an instrument that may trade at the venue."""
    going = tx.orders.in_states(GOING)
    return [one for one in going if one.instrument == instrument and is_venue_stop(one)]


def read_stop(tx: Transaction, instrument: InstrumentId) -> VenueStop:
    """Return what is kept of an instrument's stops."""
    value = tx.documents.get(_STOP + instrument)
    return VenueStop(instrument) if value is None else _read(instrument, value)


def unseen_ends(tx: Transaction) -> list[InstrumentId]:
    """Return the instruments whose newest stop rests, or has ended without our seeing to it."""
    kept = tx.documents.items(_STOP)
    return [key.removeprefix(_STOP) for key, value in kept if not value["is_over"]]


def put_stop(tx: Transaction, stop: VenueStop) -> None:
    """Keep what became of an instrument's stops."""
    tx.documents.put(_STOP + stop.instrument, _written(stop))


def has_stop_sold(tx: Transaction, one: Protection) -> bool:
    """Tell whether a stop at the venue has begun to sell what a protection is about."""
    stop = read_stop(tx, one.instrument)
    order = tx.orders.get(stop.order_id) if stop.count and stop.since == one.since else None
    return order is not None and order.filled_quantity > 0


def _written(stop: VenueStop) -> dict[str, Any]:
    return {
        "count": stop.count,
        "placed": _wish_written(stop.placed),
        "since": _ms(stop.since),
        "is_freed": stop.is_freed,
        "is_over": stop.is_over,
        "refusals": stop.refusals,
        "wished": _wish_written(stop.wished),
        "wished_at": _ms(stop.wished_at),
        "not_before": _ms(stop.not_before),
        "told_at": _ms(stop.told_at),
    }


def _read(instrument: InstrumentId, value: Mapping[str, Any]) -> VenueStop:
    return VenueStop(
        instrument=instrument,
        count=int(value["count"]),
        placed=_wish(value["placed"]),
        since=_time(value["since"]),
        is_freed=bool(value["is_freed"]),
        is_over=bool(value["is_over"]),
        refusals=int(value["refusals"]),
        wished=_wish(value["wished"]),
        wished_at=_time(value["wished_at"]),
        not_before=_time(value["not_before"]),
        told_at=_time(value["told_at"]),
    )


def _wish_written(wish: Wish | None) -> list[str] | None:
    return None if wish is None else [str(wish.level), str(wish.quantity)]


def _wish(value: list[str] | None) -> Wish | None:
    return None if value is None else Wish(*map(Decimal, value))


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _time(at: int | None) -> datetime | None:
    return None if at is None else from_ms(at)
