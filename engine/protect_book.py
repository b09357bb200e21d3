"""Where protections are kept: with the order that asks for one, then with what it has bought."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.protect import Protection, Reason
from market.orders import PositionSide
from market.protect import read_protect, write_protect
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from market.orders import Fill, Order, Position
    from market.protect import Protect
    from market.store import Transaction
    from market.types import InstrumentId

_ORDER = "protect/order/"
_HELD = "protect/held/"


def ask_protection(tx: Transaction, order_id: str, protect: Protect) -> None:
    """Keep how what an order buys is to be protected, before it is confirmed."""
    tx.documents.put(_ORDER + order_id, write_protect(protect))


def note_bought(tx: Transaction, order: Order, fill: Fill, before: Position | None) -> None:
    """Protect what a fill has opened as its order asks; the newest order's wish is for all.

    More opened without such a wish is protected like the rest of the position.
    """
    if not order.is_entry:
        return
    wished, known = _wished(tx, order), read_protection(tx, fill.instrument)
    held = Decimal(0) if before is None else max(Decimal(0), before.quantity * order.position.sign)
    if known is not None and (known.side is not order.position or not held):
        known = None  # what it was about has been closed
    if known is not None:
        protect = known.protect if wished is None else wished
        known = replace(known, protect=protect, bought=known.bought + fill.quantity)
        put_protection(tx, known)
    elif wished is not None:
        found = Protection(
            instrument=fill.instrument,
            protect=wished,
            user_id=order.user_id,
            since=fill.at,
            bought=held + fill.quantity,
            best=fill.price,
            attempt=_last_attempt(tx, fill.instrument),
            side=order.position,
        )
        put_protection(tx, found)
    else:
        forget_protection(tx, fill.instrument)


def read_protection(tx: Transaction, instrument: InstrumentId) -> Protection | None:
    """Return the protection of a position."""
    value = tx.documents.get(_HELD + instrument)
    return None if value is None or value["is_over"] else _protection(instrument, value)


def read_protections(tx: Transaction) -> list[Protection]:
    """Return all protections, by instrument."""
    kept = tx.documents.items(_HELD)
    return [
        _protection(key.removeprefix(_HELD), value) for key, value in kept if not value["is_over"]
    ]


def put_protection(tx: Transaction, one: Protection) -> None:
    """Keep a protection in place of the one before."""
    tx.documents.put(_HELD + one.instrument, _written(one))


def forget_protection(tx: Transaction, instrument: InstrumentId) -> None:
    """Protect a position no more; the count of its exits goes on, as their ids come from it."""
    value = tx.documents.get(_HELD + instrument)
    if value is not None and not value["is_over"]:
        tx.documents.put(_HELD + instrument, {**value, "is_over": True})


def _wished(tx: Transaction, order: Order) -> Protect | None:
    """Return what the order asks for, or the first of those that it replaces."""
    seen: Order | None = order
    while seen is not None:
        value = tx.documents.get(_ORDER + seen.id)
        if value is not None:
            return read_protect(value)
        seen = None if seen.replaces is None else tx.orders.get(seen.replaces)
    return None


def _last_attempt(tx: Transaction, instrument: InstrumentId) -> int:
    value = tx.documents.get(_HELD + instrument)
    return 0 if value is None else int(value["attempt"])


def _written(one: Protection) -> dict[str, Any]:
    return {
        "protect": write_protect(one.protect),
        "user_id": one.user_id,
        "since": to_ms(one.since),
        "bought": str(one.bought),
        "high": str(one.best),
        "side": one.side.value,
        "ended_by": one.ended_by,
        "attempt": one.attempt,
        "tried_at": _ms(one.tried_at),
        "alarmed_at": _ms(one.alarmed_at),
        "unseen_since": _ms(one.unseen_since),
        "is_over": False,
    }


def _protection(instrument: InstrumentId, value: Mapping[str, Any]) -> Protection:
    ended_by = value["ended_by"]
    return Protection(
        instrument=instrument,
        protect=read_protect(value["protect"]),
        user_id=int(value["user_id"]),
        since=from_ms(int(value["since"])),
        bought=Decimal(value["bought"]),
        best=Decimal(value["high"]),
        side=PositionSide(value.get("side", PositionSide.LONG)),  # older ones are all long
        ended_by=None if ended_by is None else Reason(ended_by),
        attempt=int(value["attempt"]),
        tried_at=_time(value["tried_at"]),
        alarmed_at=_time(value["alarmed_at"]),
        unseen_since=_time(value["unseen_since"]),
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _time(at: int | None) -> datetime | None:
    return None if at is None else from_ms(at)
