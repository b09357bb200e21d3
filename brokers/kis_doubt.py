"""What becomes of an unanswered order: recognised, surely absent, or for a person to say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from brokers.kis_book import Stage
from brokers.kis_match import is_certain, is_rival, likeness
from market.errors import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from brokers.kis_book import KisBook, Sent
    from brokers.kis_rows import DayOrder


@dataclass(frozen=True, slots=True)
class Evidence:
    """The whole list of a day's orders, when it was read, and how long we wait for an answer.

    `is_trusted` is false where the list may leave orders out: an empty one of the virtual server.
    """

    orders: Sequence[DayOrder]
    now: datetime
    patience: timedelta
    is_trusted: bool


def over_at(sent: Sent, patience: timedelta) -> datetime:
    """Return when we stopped waiting; a process that died waited no longer than any other."""
    return sent.sent_at + patience if sent.over_at is None else sent.over_at


def recognise(book: KisBook, sent: Sent, seen: Evidence) -> Sent:
    """Settle an order without a number if the evidence does; OutcomeUnknown where it does not.

    It is the one order with its fingerprint; or there is none in the whole list, long after, also
    not about that time. As many like sendings as like orders are taken for each other in turn: no
    one can tell them apart, and none is left over. Everything else is for a person to say.
    """
    claimed = book.owners(sent.day)
    over = over_at(sent, seen.patience)
    found = likeness(sent, over, seen.orders, claimed)
    rivals = [one for one in book.watched() if one.stage is Stage.SENDING and is_rival(one, sent)]
    claimants = sorted([*rivals, sent], key=lambda one: (one.sent_at, one.client_id))
    is_late = all(is_certain(over_at(one, seen.patience), seen.now) for one in claimants)
    if found.near and len(found.near) == len(claimants) and (is_late or not rivals):
        return number(book, sent, found.near[claimants.index(sent)])
    if not is_late:
        raise OutcomeUnknown("unsettled", f"order {sent.order_id} may still be under way")
    if found.near or found.far:
        count = len(found.near) + len(found.far)
        raise OutcomeUnknown(
            "ambiguous",
            f"{count} orders at kis look like order {sent.order_id}: a person has to say which",
        )
    if not seen.is_trusted:
        raise OutcomeUnknown(
            "ambiguous",
            f"the virtual server lists no orders at all, so that order {sent.order_id} may be"
            " there: look into the account",
        )
    return absent(book, sent)


def number(book: KisBook, sent: Sent, order: DayOrder) -> Sent:
    """Take an order of KIS's for ours."""
    known = replace(
        sent,
        stage=Stage.NUMBERED,
        number=order.number,
        branch=order.branch,
        quantity=order.quantity,
    )
    book.put(known)
    book.watch(sent.client_id)
    return known


def absent(book: KisBook, sent: Sent) -> Sent:
    """Take it that KIS does not have the order, for good."""
    known = replace(sent, stage=Stage.ABSENT)
    book.put(known)
    book.unwatch(sent.client_id)
    return known
