"""Where open paper orders meet ticks: an instrument's orders share what traded, oldest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.paper_match import cost_of_part, fill_price, is_there, is_trading, terms_of
from brokers.paper_order import OPEN
from brokers.paper_volume import following, grown, look_at, room_in
from market.currency import currency_of
from market.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from brokers.paper_book import PaperBook
    from brokers.paper_order import PaperOrder
    from config.settings import BrokerSettings
    from market.sessions import Calendar
    from market.types import Instrument, InstrumentId, Tick, Venue


FRESH = timedelta(minutes=1)
"""A count that is older would have an order share what traded long before it."""


class PaperFloor:
    """Trades a book's open orders; it keeps nothing itself."""

    def __init__(self, settings: BrokerSettings, calendars: Mapping[Venue, Calendar]) -> None:
        self._settings = settings
        self._calendars = calendars

    def begin(self, book: PaperBook, order: PaperOrder, newest: Tick | None) -> None:
        """Count what trades from the newest tick on, if no other open order has it counted."""
        if any(one.instrument == order.instrument for one in book.open_orders()):
            return
        is_fresh = newest is not None and order.accepted_at - newest.seen_at <= FRESH
        book.put_look(order.instrument, look_at(newest) if newest and is_fresh else None)

    def match(
        self,
        book: PaperBook,
        ticks: Sequence[Tick],
        known: Callable[[InstrumentId], Instrument],
    ) -> None:
        """Let open orders meet ticks, in the order in which they were shown."""
        waiting: dict[InstrumentId, list[PaperOrder]] = {}
        for order in book.open_orders():
            waiting.setdefault(order.instrument, []).append(order)
        for tick in ticks:
            orders = waiting.get(tick.instrument)
            if orders:
                waiting[tick.instrument] = self._meet(book, orders, tick, known(tick.instrument))

    def _meet(
        self, book: PaperBook, orders: list[PaperOrder], tick: Tick, instrument: Instrument
    ) -> list[PaperOrder]:
        """Let orders share what has traded until a tick; return those that are still open."""
        calendar = self._calendars[instrument.venue]
        room = self._room(book, tick, instrument, calendar)
        if not room or not is_trading(tick, instrument.kind, calendar):
            return orders
        terms = terms_of(self._settings, tick.instrument)
        left = []
        for order in orders:
            after = order
            if room and is_there(order, tick, terms.latency, calendar):
                after = self._trade(book, order, room, tick, instrument)
            room -= after.filled_quantity - order.filled_quantity
            if after.state in OPEN:
                left.append(after)
        return left

    def _room(
        self, book: PaperBook, tick: Tick, instrument: Instrument, calendar: Calendar
    ) -> Decimal:
        """Count what has traded since the last look; return our share of it, in lots."""
        look = book.look(tick.instrument)
        after = following(look, tick, calendar)
        volume = grown(look, tick, calendar)
        room, spare = room_in(volume, self._settings.volume_share, after.spare, instrument.steps)
        if (after := replace(after, spare=spare)) != look:
            book.put_look(tick.instrument, after)
        return room

    def _trade(
        self, book: PaperBook, order: PaperOrder, room: Decimal, tick: Tick, instrument: Instrument
    ) -> PaperOrder:
        """Trade as much of an order as there is room for, if it can be paid; return it after."""
        terms = terms_of(self._settings, tick.instrument)
        price = fill_price(order, tick, instrument, terms.slippage_ticks)
        if price is None:
            return order
        part = min(order.remaining, room)
        cost = cost_of_part(order, price * part, instrument, terms.fee, tick.at)
        reserved = part * order.reserve_price
        power = book.buying_power(currency_of(order.instrument))
        if order.is_entry and price * part + cost > power + reserved:
            ended = replace(order, state=OrderState.CANCELED)  # the price ran away
            book.put_order(ended)
            return ended
        return book.trade(order, part, price, cost, tick.at)
