"""Whether we trade: the one table of what may be sent in which state."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from market.orders import Order

CONDITION = "condition:"
"""What the origin of an order begins with that a condition called for."""
PROTECTION = "protection:"
"""What the origin of an order begins with that protects a position."""


VENUE_STOP = f"{PROTECTION}venue_stop"
"""The origin of a stop that rests at the venue."""


class TradingState(StrEnum):
    """What holds for an order; several can hold at once, and then the strictest decides.

    Paused means no entries, sales_paused none of the exits that conditions call for. A live
    broker is disarmed until somebody arms it. An instrument differs where the broker holds another
    quantity of it than we do.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    SALES_PAUSED = "sales_paused"
    DISARMED = "disarmed"
    DIFFERS = "differs"
    HALTED = "halted"


class OrderKind(StrEnum):
    """Who wants an order and what for; exits only reduce a position."""

    ENTRY_BY_CONDITION = "entry_by_condition"
    ENTRY_BY_COMMAND = "entry_by_command"
    EXIT_BY_CONDITION = "exit_by_condition"
    EXIT_BY_COMMAND = "exit_by_command"
    PROTECTION = "protection"
    CANCEL = "cancel"


class Permit(IntEnum):
    """Whether an order may be sent: not at all, after a person's tap, or by the program itself."""

    NO = 0
    TAP = 1
    YES = 2


_NO, _TAP, _YES = Permit.NO, Permit.TAP, Permit.YES
_K = OrderKind
TABLE: dict[TradingState, dict[OrderKind, Permit]] = {
    TradingState.ACTIVE: {
        _K.ENTRY_BY_CONDITION: _YES,
        _K.ENTRY_BY_COMMAND: _TAP,
        _K.EXIT_BY_CONDITION: _YES,
        _K.EXIT_BY_COMMAND: _TAP,
        _K.PROTECTION: _YES,
        _K.CANCEL: _YES,
    },
    TradingState.PAUSED: {
        _K.ENTRY_BY_CONDITION: _NO,
        _K.ENTRY_BY_COMMAND: _NO,
        _K.EXIT_BY_CONDITION: _TAP,
        _K.EXIT_BY_COMMAND: _TAP,
        _K.PROTECTION: _YES,
        _K.CANCEL: _YES,
    },
    TradingState.SALES_PAUSED: {
        _K.ENTRY_BY_CONDITION: _TAP,
        _K.ENTRY_BY_COMMAND: _TAP,
        _K.EXIT_BY_CONDITION: _NO,
        _K.EXIT_BY_COMMAND: _TAP,
        _K.PROTECTION: _YES,
        _K.CANCEL: _YES,
    },
    TradingState.DISARMED: {
        _K.ENTRY_BY_CONDITION: _NO,
        _K.ENTRY_BY_COMMAND: _NO,
        _K.EXIT_BY_CONDITION: _TAP,
        _K.EXIT_BY_COMMAND: _TAP,
        _K.PROTECTION: _YES,
        _K.CANCEL: _YES,
    },
    TradingState.DIFFERS: {
        _K.ENTRY_BY_CONDITION: _NO,
        _K.ENTRY_BY_COMMAND: _NO,
        _K.EXIT_BY_CONDITION: _NO,
        _K.EXIT_BY_COMMAND: _TAP,
        _K.PROTECTION: _YES,
        _K.CANCEL: _YES,
    },
    TradingState.HALTED: {
        _K.ENTRY_BY_CONDITION: _NO,
        _K.ENTRY_BY_COMMAND: _NO,
        _K.EXIT_BY_CONDITION: _NO,
        _K.EXIT_BY_COMMAND: _NO,
        _K.PROTECTION: _NO,
        _K.CANCEL: _YES,
    },
}
"""The literal table, told in docs/orders.md and tested cell by cell."""

REASONS = {
    TradingState.PAUSED: "risk.paused",
    TradingState.SALES_PAUSED: "risk.sales_paused",
    TradingState.DISARMED: "risk.disarmed",
    TradingState.DIFFERS: "risk.difference",
    TradingState.HALTED: "risk.trading_halted",
}
"""The text that tells why an order is held back."""


def kind_of(order: Order) -> OrderKind:
    """Return what an order is: a sale that opens a short position is an entry like a purchase."""
    if order.origin.startswith(PROTECTION):
        return OrderKind.PROTECTION
    is_condition = order.origin.startswith(CONDITION)
    if order.is_entry:
        return OrderKind.ENTRY_BY_CONDITION if is_condition else OrderKind.ENTRY_BY_COMMAND
    return OrderKind.EXIT_BY_CONDITION if is_condition else OrderKind.EXIT_BY_COMMAND


def is_venue_stop(order: Order) -> bool:
    """Tell whether an order is a stop that rests at the venue, or was one."""
    return order.origin == VENUE_STOP


def permit(kind: OrderKind, states: Iterable[TradingState]) -> tuple[Permit, TradingState]:
    """Return what may be done with an order in all these states, and the state that decides."""
    decisive = min(sorted(states, reverse=True, key=_weight), key=lambda one: TABLE[one][kind])
    return TABLE[decisive][kind], decisive


def held_back(order: Order, states: Iterable[TradingState]) -> str:
    """Return the reason why an order may not be sent, "" where it may.

    One that nobody has tapped needs more than one that somebody has.
    """
    allowed, state = permit(kind_of(order), states)
    needed = Permit.YES if order.is_automatic else Permit.TAP
    return REASONS[state] if allowed < needed else ""


def may_go_by_itself(order: Order, states: Iterable[TradingState]) -> bool:
    """Tell whether an order may be sent without a person's tap."""
    return permit(kind_of(order), states)[0] is Permit.YES


def _weight(state: TradingState) -> int:
    return list(TradingState).index(state)
