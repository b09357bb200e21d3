"""What positions and sales have gained or lost since the Korean midnight."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.positions import ZERO
from market.money import to_decimal
from market.sessions import KST
from market.types import Venue

if TYPE_CHECKING:
    from datetime import date

    from engine.risk_page import RiskPage
    from market.orders import Position
    from market.types import InstrumentId, Tick

_KEY = "desk/day"


def day_profit(page: RiskPage, instrument: InstrumentId) -> Decimal:
    """Return the gain of the Korean day, after costs: what was realised and what was not.

    It is that of all positions for which the same bounds hold as for the instrument. Each is
    counted from where it stood at midnight (its close of the day before at KRX); where nobody
    looked then, from the first price that was seen. What has no price adds nothing.
    """
    marks, total = take_marks(page), ZERO
    for position in page.tx.orders.positions():
        if not page.book.are_counted_alike(position.instrument, instrument):
            continue
        price = page.book.last_price(position.instrument)
        mark = marks.get(position.instrument, "0")
        if mark is not None and (price is not None or position.quantity == 0):
            total += _profit(position, price or ZERO) - Decimal(mark)
    return total


def take_marks(page: RiskPage) -> dict[str, str | None]:
    """Note where the positions stand as a day begins; None waits for the first price.

    A position that is not among them was opened on the day.
    """
    today = page.book.market_clock.now().astimezone(KST).date()
    kept = page.tx.documents.get(_KEY)
    positions = page.tx.orders.positions()
    marks: dict[str, str | None] = {one.instrument: None for one in positions}
    if kept is not None and kept["day"] == today.isoformat():
        marks = dict(kept["marks"])
    for position in positions:
        if position.instrument in marks and marks[position.instrument] is None:
            tick = page.book.quotes.last(position.instrument)
            marks[position.instrument] = _mark(position, tick, today)
    value = {"day": today.isoformat(), "marks": marks}
    if value != kept:
        page.tx.documents.put(_KEY, value)
    return marks


def _mark(position: Position, tick: Tick | None, today: date) -> str | None:
    if position.quantity == 0:
        return str(position.realized)
    if tick is None:
        return None
    price = tick.price
    is_krx = tick.instrument.startswith(f"{Venue.KRX}:")
    if is_krx and tick.previous_close and tick.at.astimezone(KST).date() == today:
        price = tick.previous_close
    return str(_profit(position, to_decimal(price)))


def _profit(position: Position, price: Decimal) -> Decimal:
    return position.realized + position.quantity * (price - position.average_price)
