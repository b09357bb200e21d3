"""A position that should be protected and is not: told, and told again until it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.desk_book import Page
    from engine.protect import Protection

TELL_AGAIN = timedelta(minutes=10)

CODES = {
    "no_price": "notice.unprotected_no_price",
    "in_doubt": "notice.unprotected_in_doubt",
    "denied": "notice.unprotected_denied",
    "held_back": "notice.unprotected_held_back",
    "stop_in_way": "notice.unprotected_stop_in_way",
    "venue_halted": "notice.unprotected_venue_halted",
}


def alarmed(page: Page, one: Protection, problem: str) -> Protection:
    """Tell the owner of a problem unless that was done a moment ago; "" is none."""
    if not problem:
        return replace(one, alarmed_at=None)
    now = page.book.now()
    if one.alarmed_at is not None and now - one.alarmed_at < TELL_AGAIN:
        return one
    page.tell((one.user_id,), CODES[problem], instrument=one.instrument)
    page.fail(CODES[problem], instrument=one.instrument)
    return replace(one, alarmed_at=now)
