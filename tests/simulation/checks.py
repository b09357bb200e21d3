"""What must hold in the end: our book against the venue's, order by order and won by won."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.difference import all_differences
from engine.replacing import chain_of, wished_replacements
from market.orders import OrderState, Side
from tests.simulation.chat import card_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from market.orders import Fill, Order, Position
    from market.store import Transaction
    from tests.simulation.chat import Chat
    from tests.simulation.venue import Truth, VenueFill, VenueOrder

    Fail = Callable[[str, str], None]
    Steps = list[tuple[int, OrderState, datetime, str]]

_S = OrderState
WAYS = {
    _S.PROPOSED: "confirmed declined lapsed denied",
    _S.CONFIRMED: "submitted denied lapsed",
    _S.SUBMITTED: "accepted partially_filled filled canceled rejected expired in_doubt",
    _S.ACCEPTED: "partially_filled filled canceled expired rejected in_doubt",
    _S.PARTIALLY_FILLED: "partially_filled filled canceled expired in_doubt",
    _S.IN_DOUBT: "accepted partially_filled filled canceled rejected expired not_sent",
    _S.CANCELED: "partially_filled filled",
    _S.EXPIRED: "partially_filled filled",
}
"""The design's table once more, so that a mistake in the program's own is seen."""

UNRESOLVED = frozenset({_S.CONFIRMED, _S.SUBMITTED, _S.IN_DOUBT})
NOT_THERE = frozenset({_S.PROPOSED, _S.DECLINED, _S.LAPSED, _S.DENIED, _S.REJECTED, _S.NOT_SENT})
CENT = Decimal("0.01")
"""Some venues tell averages of many trades, rounded."""


LATE = timedelta(minutes=1)


class Books:
    """Everything that we have kept, read in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self.orders: list[Order] = tx.orders.recent(1000)
        self.steps: dict[str, Steps] = {one.id: tx.orders.events(one.id) for one in self.orders}
        self.fills = {one.id: tx.orders.fills(one.id) for one in self.orders}
        self.positions: list[Position] = tx.orders.positions()
        self.unsent = tx.outbox.waiting()
        self.chains = [chain_of(tx, one) for one in self.orders if one.replaces is not None]
        self.wishes = wished_replacements(tx)
        self.differences = all_differences(tx)


def check_interrupted(books: Books, deaths: Sequence[datetime], fail: Fail) -> None:
    """Only a death lies between what was confirmed and what was interrupted."""
    for order_id, steps in books.steps.items():
        for (_, _, since, _), (_, _, at, code) in pairwise(steps):
            if code == "order.interrupted" and not any(since <= one <= at for one in deaths):
                fail("interrupted", f"order {order_id} was interrupted by nobody")


def check_lapsed(books: Books, now: datetime, fail: Fail) -> None:
    """No card waits for a tap when its time has been over for long."""
    for order in books.orders:
        if order.state is OrderState.PROPOSED and order.expires_at + LATE < now:
            fail("unresolved", f"order {order.id} waits for a tap since {order.proposed_at}")


def check_all(books: Books, truth: Truth, start_cash: Decimal, chat: Chat, fail: Fail) -> None:
    """Hold our book against the venue's, against itself, and against what stands in the chat."""
    check_books(books, truth, start_cash, fail)
    _check_cards(books, chat, fail)
    for seen in chat.messages.values():
        if seen.text.startswith("notice.cash"):
            fail("position_errors", f"money that nobody moved: {seen.text}")


def check_books(books: Books, truth: Truth, start_cash: Decimal, fail: Fail) -> None:
    """Hold our book against the venue's, and against itself."""
    _check_orders(books, truth, fail)
    _check_intents(books, truth, fail)
    _check_fills(books, truth, fail)
    _check_money(books, truth, start_cash, fail)
    for order in books.orders:
        check_way(order.id, books.steps[order.id], fail)
    _check_doubts(books, fail)
    _check_chains(books, fail)


def _check_orders(books: Books, truth: Truth, fail: Fail) -> None:
    at_venue = _matched(books.orders, truth.orders, fail)
    for order in books.orders:
        found = at_venue.get(order.id)
        if order.state in UNRESOLVED:
            fail("unresolved", f"order {order.id} is still {order.state}")
        elif found is None and order.state not in NOT_THERE:
            fail("lost", f"order {order.id} is {order.state} here, and unknown at the venue")
        elif found is not None and not _agrees(order, found):
            theirs = f"{found.state} {found.filled}"
            fail("lost", f"order {order.id}: {order.state} {order.filled_quantity}, not {theirs}")


def _matched(
    orders: Sequence[Order], found: Iterable[VenueOrder], fail: Fail
) -> dict[str, VenueOrder]:
    ours = {order.client_order_id: order.id for order in orders}
    ours |= {order.broker_order_id: order.id for order in orders if order.broker_order_id}
    matched: dict[str, VenueOrder] = {}
    unknown: list[VenueOrder] = []
    for one in found:
        order_id = ours.get(one.client_id or one.number)
        if order_id is None:
            unknown.append(one)
        elif order_id in matched:
            fail("duplicated", f"order {order_id} is at the venue twice")
        else:
            matched[order_id] = one
    for one in unknown:
        _match_alike(orders, one, matched, fail)
    return matched


def _intent(one: Order | VenueOrder) -> tuple[object, ...]:
    """Return what an order is for."""
    return one.instrument, one.side, one.quantity, one.price


def _match_alike(
    orders: Iterable[Order], one: VenueOrder, matched: dict[str, VenueOrder], fail: Fail
) -> None:
    """Match an order of a venue that takes no ids of ours, and whose own we learned by no answer.

    What traded of it told us that it is there: it is an order like it, as far done as it is.
    """
    for order in orders:
        is_alike = _intent(order) == _intent(one) and order.filled_quantity == one.filled > 0
        if is_alike and order.broker_order_id is None and order.id not in matched:
            matched[order.id] = one
            return
    fail("lost", f"nobody here knows {one.number} of the venue")


def _agrees(order: Order, found: VenueOrder) -> bool:
    if found.filled != order.filled_quantity:
        return False
    if found.state is OrderState.REJECTED and order.filled_quantity > 0:
        return order.state is OrderState.CANCELED
    return found.state is order.state


def _check_intents(books: Books, truth: Truth, fail: Fail) -> None:
    """Count what was wished and sent against what is there: also venues without our ids."""
    wished = Counter(
        (one.instrument, one.side, one.quantity, one.price)
        for one in books.orders
        if any(state is OrderState.SUBMITTED for _, state, _, _ in books.steps[one.id])
    )
    there = Counter((one.instrument, one.side, one.quantity, one.price) for one in truth.orders)
    for intent, count in there.items():
        if count > wished[intent]:
            fail("duplicated", f"{intent} is at the venue {count} times, sent {wished[intent]}")


def _check_fills(books: Books, truth: Truth, fail: Fail) -> None:
    at_venue = _matched(books.orders, truth.orders, _nobody)
    by_number = {one.number: order_id for order_id, one in at_venue.items()}
    theirs: dict[str | None, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for fill in truth.fills:
        theirs[by_number.get(fill.number)] = _added(theirs[by_number.get(fill.number)], fill)
    for order in books.orders:
        ours = [Decimal(0)] * 3
        for one in books.fills[order.id]:
            ours = _added(ours, one)
        if any(abs(mine - told) > CENT for mine, told in zip(ours, theirs[order.id], strict=True)):
            fail("position_errors", f"order {order.id}: traded {ours}, not {theirs[order.id]}")
        total, money, _ = ours
        is_over = total > order.quantity and money > order.quantity * order.reference_price
        if total != order.filled_quantity or is_over:
            fail("position_errors", f"order {order.id}: filled {order.filled_quantity}, {total}")


def _nobody(kind: str, text: str) -> None:
    """Tell nobody: it was told before."""


def _added(sums: list[Decimal], fill: Fill | VenueFill) -> list[Decimal]:
    """Return quantity, money and cost with one more trade: a venue may tell several as one."""
    quantity, money, cost = sums
    return [quantity + fill.quantity, money + fill.quantity * fill.price, cost + fill.cost]


def _check_money(books: Books, truth: Truth, start_cash: Decimal, fail: Fail) -> None:
    held = {one.instrument: one.quantity for one in books.positions if one.quantity}
    theirs = {name: quantity for name, quantity in truth.held.items() if quantity}
    if held != theirs:
        fail("position_errors", f"we hold {held}, the venue says {theirs}")
    if any(quantity < 0 for quantity in held.values()):
        fail("position_errors", f"sold more than there was: {held}")
    spent = Decimal(0)
    for order in books.orders:
        for fill in books.fills[order.id]:
            sign = 1 if fill.side is Side.BUY else -1
            spent += sign * fill.quantity * fill.price + fill.cost
    if abs(truth.cash - (start_cash - spent)) > CENT:
        fail("position_errors", f"cash {start_cash - spent}, the venue says {truth.cash}")
    # What was spent is in positions, or was realized: whatever the order of the fills.
    booked = sum(
        (one.quantity * one.average_price - one.realized for one in books.positions), Decimal(0)
    )
    if abs(booked - spent) > CENT:
        fail("position_errors", f"positions and profits come to {booked}, not {spent}")


def check_way(order_id: str, steps: Steps, fail: Fail) -> None:
    """Follow an order from its first event to its last."""
    if not steps or steps[0][1] not in {OrderState.PROPOSED, OrderState.DENIED}:
        fail("illegal", f"order {order_id} begins with {steps[:1]}")
    for (version, state, _, _), (next_version, following, _, _) in pairwise(steps):
        if state is following is OrderState.PROPOSED:
            is_legal = next_version == version + 1
        elif state is following:
            is_legal = next_version == version
        else:
            is_legal = following in WAYS.get(state, "").split() and next_version == version
        if not is_legal:
            fail("illegal", f"order {order_id}: {state} v{version} to {following} v{next_version}")


def _check_doubts(books: Books, fail: Fail) -> None:
    """Nothing was confirmed in an instrument while an order of it was in doubt."""
    instruments = {one.id: one.instrument for one in books.orders}
    doubts = [
        (instruments[name], begin, end)
        for name, steps in books.steps.items()
        for begin, end in _spans(steps, OrderState.IN_DOUBT)
    ]
    for name, steps in books.steps.items():
        for _, state, at, _ in steps:
            if state is not OrderState.CONFIRMED:
                continue
            if any(one == instruments[name] and begin < at < end for one, begin, end in doubts):
                fail("doubt", f"order {name} was confirmed while {instruments[name]} was in doubt")


def _spans(steps: Steps, wanted: OrderState) -> Iterable[tuple[datetime, datetime]]:
    for (_, state, at, _), (_, _, until, _) in pairwise(steps):
        if state is wanted:
            yield at, until


def _check_chains(books: Books, fail: Fail) -> None:
    """All that replaces an order trades no more than it was for; nothing waits any more."""
    for chain in books.chains:
        is_by_money = chain.last.price is None and chain.last.side is Side.BUY
        if chain.left < 0 and not is_by_money:  # an amount of money may buy a little more
            fail("replaced", f"{-chain.left} too many of {chain.first.id}")
    for order_id in books.wishes:
        fail("unresolved", f"order {order_id} still waits to be replaced")
    for difference in books.differences:
        fail("position_errors", f"the books are said to differ: {difference}")


def _check_cards(books: Books, chat: Chat, fail: Fail) -> None:
    if books.unsent:
        fail("cards", f"{books.unsent} messages still wait")
    newest = {(seen.chat, seen.order_id): seen for seen in chat.cards()}
    for order in books.orders:
        seen = newest.get((order.user_id, order.id))
        text = "" if seen is None else seen.text
        if text != card_text(order):
            fail("cards", f"the card of {order.id} says '{text}', not '{card_text(order)}'")
