"""What surrounds an order, read from the store for the risk checks; and the log of sendings."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.day_profit import day_profit
from engine.desk_possible import phases_at
from engine.fire_notices import midnight
from engine.risk import MINUTE, check
from engine.risk_case import RiskView
from engine.trading import REASONS, is_venue_stop
from market.orders import GOING, OrderState
from market.phases import phase_at
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from engine.risk_case import Denial
    from engine.risk_page import RiskBook, RiskPage
    from market.orders import Account, Order
    from market.store import Transaction
    from market.types import Instrument, InstrumentId, Tick

_SENDINGS = "desk/sendings"
_SAID_ELSEWHERE = frozenset({"risk.stale", *REASONS.values()})


def risk_view(
    page: RiskPage,
    order: Order,
    instrument: Instrument,
    quote: Tick | None,
    quote_age: timedelta,
    account: Account | None,
) -> RiskView:
    """Return what the risk checks look at, as it is within this transaction."""
    book, orders = page.book, page.tx.orders
    market_now = book.market_clock.now()
    limits = book.settings.risk
    window = max(MINUTE, timedelta(seconds=limits.duplicate_seconds))
    midnight_now = midnight(book.now())
    earliest = min(midnight_now, order.proposed_at - window)
    lately = [
        one for one in orders.since(earliest) if one.id != order.id and not is_venue_stop(one)
    ]
    going = [one for one in orders.in_states(GOING) if one.id != order.id and not _gives_way(one)]
    position = orders.position(instrument.id)
    calendar = book.calendars[instrument.venue]
    return RiskView(
        limits=limits,
        fee=book.settings.broker.fee_at(instrument.id),
        now=book.now(),
        market_now=market_now,
        quote=quote,
        quote_age=quote_age,
        is_of_today=quote is None
        or calendar.session_day(quote.at) == calendar.session_day(market_now),
        venues=book.brokers.venues,
        phase=phase_at(instrument.venue, calendar, market_now),
        phases=phases_at(book.brokers, instrument.venue),
        calendar=calendar,
        trading=page.states_of(order),
        buying_power=None if account is None else account.buying_power,
        held=Decimal(0) if position is None else position.quantity,
        worths=_worths(page, instrument.id),
        day_profit=day_profit(page, instrument.id),
        others=_counted(book, order, going),
        sharing=tuple(one for one in going if book.are_paid_alike(one.instrument, instrument.id)),
        recent=tuple(one for one in lately if one.proposed_at >= order.proposed_at - window),
        today=_counted(book, order, (one for one in lately if one.proposed_at >= midnight_now)),
        sent_at=_sent_at(page.tx),
    )


def touched(page: RiskPage, order: Order, instrument: Instrument) -> tuple[Denial, ...]:
    """Return the limits that a proposal would break if it were sent as it stands.

    What its card tells in another way, such as the age of its price, is left out.
    """
    if order.state is not OrderState.PROPOSED:
        return ()
    book = page.book
    quote, account = book.quotes.last(order.instrument), book.account_of(order.instrument)
    view = risk_view(page, order, instrument, quote, book.quote_age, account)
    return tuple(one for one in check(order, instrument, view) if one.code not in _SAID_ELSEWHERE)


def note_sending(page: RiskPage) -> None:
    """Remember that an order is being sent now; only the last minute is kept."""
    now = page.book.now()
    kept = [at for at in _sent_at(page.tx) if at > now - MINUTE]
    page.tx.documents.put(_SENDINGS, {"at": [to_ms(at) for at in (*kept, now)]})


def _gives_way(order: Order) -> bool:
    """Tell whether an order is a stop at the venue that is cancelled before anything is sold."""
    return is_venue_stop(order) and order.state is not OrderState.IN_DOUBT


def _counted(book: RiskBook, order: Order, others: Iterable[Order]) -> tuple[Order, ...]:
    """Return those of the orders for which the same bounds hold together."""
    name = order.instrument
    return tuple(one for one in others if book.are_counted_alike(one.instrument, name))


def _worths(page: RiskPage, instrument: InstrumentId) -> dict[InstrumentId, Decimal]:
    """Return what is held, or sold short, at last prices, at its average price where there is none.

    It is that for which the same bounds hold as for the instrument, in its currency.
    """
    worths = {}
    for one in page.tx.orders.positions():
        if page.book.are_counted_alike(one.instrument, instrument):
            price = page.book.last_price(one.instrument)
            each = one.average_price if price is None else price
            worths[one.instrument] = abs(one.quantity) * each
    return worths


def _sent_at(tx: Transaction) -> tuple[datetime, ...]:
    value = tx.documents.get(_SENDINGS)
    return () if value is None else tuple(from_ms(int(at)) for at in value["at"])
