"""How an order stands at KIS by what its list tells, or does not tell, and by the time of day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.kis_codes import ORDERS_END
from brokers.kis_rows import day_text
from market.orders import OrderState
from market.sessions import KST

if TYPE_CHECKING:
    from datetime import datetime

    from brokers.kis_book import Sent
    from market.sessions import Calendar

STOPS_END = timedelta(minutes=10)
"""So long after the regular close no stop trades any more: it is of the regular session."""


def is_day_over(day: str, now: datetime, calendar: Calendar, sent: Sent | None = None) -> bool:
    """Tell whether nothing of a day trades any more, the after-market included; of an order, if so.

    A stop ends with the regular session.
    """
    today = now.astimezone(KST).date()
    if day != day_text(today):
        return day < day_text(today)
    window = calendar.window(today)
    is_stop = sent is not None and sent.trigger is not None
    return window is not None and now >= window.close + (STOPS_END if is_stop else ORDERS_END)


def unlisted_state(sent: Sent, *, is_over: bool) -> OrderState:
    """Return how an order stands that KIS took, but does not list."""
    if sent.remaining <= 0:
        return OrderState.FILLED
    if sent.is_cancel_taken:
        return OrderState.CANCELED
    if is_over:
        return OrderState.EXPIRED
    return OrderState.PARTIALLY_FILLED if sent.told_quantity else OrderState.ACCEPTED
