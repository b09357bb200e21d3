"""What the engine asks of the floor above: words for people, and a log of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from config.condition_file import AlertSpec
    from crawlers.source import Update
    from engine.doubt import Doubt
    from engine.risk_case import Denial
    from market.errors import SourceError
    from market.messages import Message, Person
    from market.orders import Order
    from market.signals import Signal
    from market.types import Bar, Instrument, InstrumentId, Tick


@dataclass(frozen=True, slots=True)
class OrderView:
    """The facts around an order that its card shows; money in the venue's currency.

    `price` is the newest quote and `price_age_seconds` its age; `cost` the expected notional;
    `equity` cash plus positions at last prices; `seconds_left` until the card lapses; `hold` keys
    the text of what keeps it back meanwhile, "" where nothing does; `touched` are the limits that
    would keep it from being sent as it stands.
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
    hold: str = ""
    touched: tuple[Denial, ...] = ()


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

    def doubt(self, doubt: Doubt, order: Order, instrument: Instrument, person: Person) -> Message:
        """Return the question which of the venue's orders is ours, keyed `doubt/ID`."""
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


class Recorder(Protocol):
    """Port. Keeps what sources told, by the source's name; returns at once and never raises.

    It stamps the market's present itself. A sweep is what the job of a venue asked for, not a quote
    for somebody's tap.
    """

    def ticks(self, source: str, ticks: Sequence[Tick]) -> None:
        """Keep a whole sweep."""
        ...

    def updates(self, source: str, updates: Sequence[Update]) -> None:
        """Keep what changed in forming candles."""
        ...

    def bars(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        """Keep the answer of a minute chart to start <= bar.start < end."""
        ...

    def days(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        """Keep the answer of a daily chart."""
        ...

    def failed(self, source: str, call: str, error: SourceError, about: str) -> None:
        """Keep that a call (ticks, updates, bars, days) gave no usable answer.

        `about` is the instrument, of a sweep its venue.
        """
        ...


class NoRecord:
    """Keeps nothing."""

    def ticks(self, source: str, ticks: Sequence[Tick]) -> None:
        """Let a sweep go."""

    def updates(self, source: str, updates: Sequence[Update]) -> None:
        """Let candles go."""

    def bars(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        """Let minute bars go."""

    def days(
        self,
        source: str,
        instrument: InstrumentId,
        start: datetime,
        end: datetime,
        bars: Sequence[Bar],
    ) -> None:
        """Let daily bars go."""

    def failed(self, source: str, call: str, error: SourceError, about: str) -> None:
        """Let an error go."""
