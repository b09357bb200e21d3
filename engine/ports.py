"""What the engine asks of the floor above: words for people, and a log of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from config.condition_file import AlertSpec
    from market.messages import Message, Person
    from market.orders import Order
    from market.signals import Signal
    from market.types import Instrument


@dataclass(frozen=True, slots=True)
class OrderView:
    """The facts around an order that its card shows; money in the venue's currency.

    `price` is the newest quote and `price_age_seconds` its age; `cost` the expected notional;
    `equity` cash plus positions at last prices; `seconds_left` until the card lapses.
    """

    price: float
    price_age_seconds: float
    cost: Decimal
    fee: Decimal
    tax: Decimal
    equity: Decimal
    buying_power_after: Decimal
    seconds_left: int
    signal: Signal | None = None


class Cards(Protocol):
    """Port. Promises messages in their readers' languages; pure: same facts, same messages."""

    def alert(
        self,
        signal: Signal,
        instrument: Instrument,
        spec: AlertSpec,
        readers: Sequence[Person],
        channel: int | None,
    ) -> tuple[Message, ...]:
        """Return the alert for every reader's private chat and for the channel."""
        ...

    def order(
        self, order: Order, instrument: Instrument, view: OrderView, person: Person
    ) -> Message:
        """Return the card of an order in its present state, keyed `order/ID`."""
        ...

    def notice(self, code: str, readers: Sequence[Person], **facts: str) -> tuple[Message, ...]:
        """Return one plain message a reader about something that happened (text key `code`)."""
        ...


class Events(Protocol):
    """Port. Takes one fact at a time.

    Its kinds: ticks, bar, signal, message, order, command, reload, error.
    """

    def emit(self, kind: str, **facts: object) -> None:
        """Record a fact; never raises."""
        ...
