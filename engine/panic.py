"""A panic as it is kept: which step it has reached, so that a crash in its middle goes on there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from market.currency import COUNTED, currency_of
from market.leverage import leverage_of
from market.money import to_decimal
from market.orders import AT_BROKER, OrderState, PositionSide
from market.prices import crossing_price, price_limits, round_price
from market.types import Kind, from_ms, to_ms

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from market.orders import Order, Position
    from market.store import Transaction
    from market.types import Instrument, Tick

CROSSED_TICKS = 5
"""An exit is a limit so many ticks across the last price."""

_KEY = "panic"


class PanicStep(StrEnum):
    """What is being done, in this order; pausing everything is where it begins."""

    CANCEL = "cancel"
    RECONCILE = "reconcile"
    EXIT = "exit"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Panic:
    """A panic that goes on, by somebody since `at`; its `step` since `step_at` (wall clock).

    `attempt` counts the rounds of exits, `told_at` is when the owner last heard that it is stuck.
    """

    user_id: int
    at: datetime
    step: PanicStep
    step_at: datetime
    attempt: int = 1
    told_at: datetime | None = None


def read_panic(tx: Transaction) -> Panic | None:
    """Return the panic that goes on."""
    value = tx.documents.get(_KEY)
    if value is None:
        return None
    told = value["told_at"]
    return Panic(
        user_id=int(value["user_id"]),
        at=from_ms(int(value["at"])),
        step=PanicStep(value["step"]),
        step_at=from_ms(int(value["step_at"])),
        attempt=int(value["attempt"]),
        told_at=None if told is None else from_ms(int(told)),
    )


def write_panic(tx: Transaction, panic: Panic | None) -> None:
    """Keep a panic, or that it is over."""
    if panic is None:
        tx.documents.delete(_KEY)
        return
    value = {
        "user_id": panic.user_id,
        "at": to_ms(panic.at),
        "step": panic.step.value,
        "step_at": to_ms(panic.step_at),
        "attempt": panic.attempt,
        "told_at": None if panic.told_at is None else to_ms(panic.told_at),
    }
    tx.documents.put(_KEY, value)


def to_cancel(tx: Transaction) -> list[Order]:
    """Return what may still trade, or wait for a tap."""
    return tx.orders.in_states(AT_BROKER | {OrderState.PROPOSED, OrderState.CONFIRMED})


def to_close(tx: Transaction) -> list[Position]:
    """Return what is held, or owed, and paid in money that is counted here."""
    held = tx.orders.positions()
    return [one for one in held if one.quantity != 0 and currency_of(one.instrument) in COUNTED]


def exit_price(
    quote: Tick, instrument: Instrument, most_away: Decimal, side: PositionSide
) -> Decimal:
    """Return the limit of an exit: some ticks across the last price, within all limits."""
    if side is PositionSide.SHORT:
        return _covering_price(quote, instrument, most_away)
    kind, price = instrument.steps, to_decimal(quote.price)
    last = round_price(price, kind, up=False)
    try:
        crossing = crossing_price(last, kind, -CROSSED_TICKS)
    except ValueError:  # it costs less than that
        return last
    lowest = round_price(price * (1 - most_away), kind, up=True)
    if instrument.kind is not Kind.COIN and quote.previous_close:
        base, leverage = to_decimal(quote.previous_close), leverage_of(instrument)
        lowest = max(lowest, price_limits(base, kind, leverage)[0])
    return max(crossing, lowest)


def _covering_price(quote: Tick, instrument: Instrument, most_away: Decimal) -> Decimal:
    """Return the limit that buys a short position back; no futures have limits of the day."""
    kind, price = instrument.steps, to_decimal(quote.price)
    crossing = crossing_price(round_price(price, kind, up=True), kind, CROSSED_TICKS)
    return min(crossing, round_price(price * (1 + most_away), kind, up=False))
