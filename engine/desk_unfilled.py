"""What becomes of orders that rest unfilled: cancelled, and perhaps replaced by another.

The order is cancelled first, and the broker must tell that it is and what had traded; only then a
new order takes what was left. Nobody taps for it: the person who confirmed the first order did so
knowing it. All deadlines are counted by the wall clock from what the store keeps.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.desk_cancel import RESTING
from engine.desk_risk import risk_view
from engine.desk_send import send
from engine.desk_tap import may_trade
from engine.replacing import (
    Chain,
    better_price,
    chain_of,
    forget_replacement,
    is_replacement_wished,
    replacement,
    replacement_id,
    wish_replacement,
    wished_replacements,
)
from engine.risk import check
from engine.risk_case import Denial, expected_price, with_fee
from engine.trading import REASONS, Permit, kind_of, permit
from market.currency import cent_of, currency_of
from market.errors import OrderError, SourceError
from market.known import recall
from market.orders import AT_BROKER, OrderState, advance
from market.unfilled import Then

if TYPE_CHECKING:
    from datetime import datetime

    from engine.desk_book import DeskBook, Page
    from engine.desk_cancel import Canceller
    from engine.desk_settle import Settlement
    from engine.risk_case import RiskView
    from market.orders import Account, Order
    from market.store import Transaction
    from market.types import Tick

logger = logging.getLogger(__name__)

CANCEL_AGAIN = timedelta(seconds=30)
"""How long after a cancel that came to nothing the broker is asked for it again."""

PATIENCE = timedelta(seconds=60)
"""How long after the cancel a replacement may still be sent, if it could not be at once."""

PASSING = frozenset(
    {
        "risk.session",
        "risk.auction",
        "risk.halted",
        "risk.stale",
        "risk.in_doubt",
        "risk.no_account",
        "risk.cash",
        "risk.duplicate",
        "risk.rate",
        "unfilled.unsure",
    }
)
"""Reasons that may be gone a moment later."""


class UnfilledDesk:
    """Follows resting orders whose conditions say what becomes of them."""

    def __init__(self, book: DeskBook, settlement: Settlement, canceller: Canceller) -> None:
        self._book = book
        self._settlement = settlement
        self._canceller = canceller

    async def follow_up(self) -> None:
        """Do what is due now: cancel, ask again for a lost cancel, replace what is cancelled."""
        now = self._book.now()
        for order in await self._book.store.read(lambda tx: due_orders(tx, now)):
            quote = None if _is_plain_cancel(order) else await self._quote(order)
            await self._wish(order.id, quote)
        for order in await self._book.store.read(wished_orders):
            if order.state in RESTING:
                await self._cancel(order)
                order = await self._book.order(order.id) or order  # noqa: PLW2901  (as it is now)
            if order.state not in AT_BROKER:
                await self._replace(order)

    async def _wish(self, order_id: str, quote: Tick | None) -> None:
        await self._book.write(lambda page: wish(page, order_id, quote))

    async def _cancel(self, order: Order) -> None:
        asked_at = self._canceller.asked_at(order.id)
        if asked_at is None or self._book.now() - asked_at >= CANCEL_AGAIN:
            await self._canceller.ask(order)

    async def _replace(self, order: Order) -> None:
        """Replace a cancelled order once, if the broker confirms what had traded of it."""
        quote = account = None
        is_sure = await self._is_surely_over(order)
        if is_sure:
            quote = await self._quote(order)
            account = await self._settlement.account(order.instrument)
        new_id = replacement_id(order.id)
        self._book.in_flight[new_id] += 1  # before the claim, so that settling leaves it alone
        try:
            is_claimed = await self._book.write(
                lambda page: claim(page, order.id, quote, account, is_sure=is_sure)
            )
            if is_claimed:
                await send(self._book, new_id)
        finally:
            self._book.in_flight[new_id] -= 1

    async def _is_surely_over(self, order: Order) -> bool:
        """Tell whether the broker says that nothing more can trade, and we know all that did."""
        if order.state is not OrderState.CANCELED:
            return False
        seat = self._book.brokers.of(order.instrument)
        await self._settlement.take_fills(seat)
        try:
            found = await seat.broker.find(order)
        except OrderError as error:
            logger.warning("the broker cannot confirm the cancel of %s: %s", order.id, error)
            return False
        known = await self._book.order(order.id)
        return (
            found is not None
            and known is not None
            and found.state is known.state is OrderState.CANCELED
            and found.filled_quantity == known.filled_quantity
        )

    async def _quote(self, order: Order) -> Tick | None:
        try:
            return await self._book.quotes.fresh(order.instrument, self._book.quote_age)
        except SourceError as error:
            logger.warning("no fresh price of %s to follow: %s", order.instrument, error)
            return None


def due_orders(tx: Transaction, now: datetime) -> list[Order]:
    """Return the resting orders whose time is over, and those that could trade too much."""
    resting = [one for one in tx.orders.in_states(RESTING) if not one.is_cancel_requested]
    return [one for one in resting if _is_due(tx, one, now) or chain_of(tx, one).is_too_much]


def wished_orders(tx: Transaction) -> list[Order]:
    """Return the orders that are cancelled, or being cancelled, in order to be replaced."""
    found = [tx.orders.get(order_id) for order_id in wished_replacements(tx)]
    return [order for order in found if order is not None]


def wish(page: Page, order_id: str, quote: Tick | None) -> None:
    """Keep that what is left of an order is to be cancelled, if there is a reason right now."""
    order = page.tx.orders.get(order_id)
    if order is None or order.state not in RESTING or order.is_cancel_requested:
        return
    chain = chain_of(page.tx, order)
    is_due = _is_due(page.tx, order, page.book.now())
    if chain.is_too_much or (is_due and _is_worth_while(page, chain, quote)):
        wish_replacement(page.tx, order.id)
        page.put(replace(order, is_cancel_requested=True))


def claim(
    page: Page, order_id: str, quote: Tick | None, account: Account | None, *, is_sure: bool
) -> bool:
    """Confirm the replacement of a cancelled order, which is to be sent now, or let it be."""
    order = page.tx.orders.get(order_id)
    if order is None or order.state in AT_BROKER or not is_replacement_wished(page.tx, order_id):
        return False
    code = _end_code(page, order)
    if code is not None:
        return _let_be(page, order, code)
    if not is_sure or quote is None:
        return _wait(page, order, "unfilled.unsure" if not is_sure else "risk.stale")
    chain = chain_of(page.tx, order)
    kind = recall(page.tx, order.instrument).steps
    new = replacement(chain, quote, kind, page.book.now())
    denial = _denial(page, chain, new, quote, account)
    if denial is not None:
        return _wait(page, order, denial.code)
    forget_replacement(page.tx, order.id)
    page.tx.orders.put(new)  # proposed without a card: nobody is asked
    page.put(advance(new, OrderState.CONFIRMED, code="order.replaces"))
    page.put(replace(order, code="unfilled.replaced"))
    return True


def _end_code(page: Page, order: Order) -> str | None:
    """Return the code with which an order ends without replacement; None where one may follow."""
    chain = chain_of(page.tx, order)
    if order.state is not OrderState.CANCELED or chain.left <= 0:
        return order.code
    if order.unfilled is None and order.replaces is None:
        return order.code
    if _is_plain_cancel(order):
        return "unfilled.canceled"
    return _hold(page, order) or None


def _hold(page: Page, order: Order) -> str:
    """Return why nothing may follow an order now: nobody is asked, so trading must be free."""
    if not may_trade(page.tx.people.get(order.user_id)):
        return "order.not_allowed"
    allowed, decisive = permit(kind_of(order), page.states_of(order))
    return "" if allowed is Permit.YES else REASONS.get(decisive, "unfilled.no_leave")


def _let_be(page: Page, order: Order, code: str) -> bool:
    forget_replacement(page.tx, order.id)
    if code != order.code:
        page.put(replace(order, code=code))
    return False


def _wait(page: Page, order: Order, code: str) -> bool:
    """Try again soon where the reason may pass; else, or after too long, let the order be."""
    ended = [at for _, state, at, _ in page.tx.orders.events(order.id) if state is order.state]
    is_late = bool(ended) and page.book.now() - ended[0] >= PATIENCE
    if code in PASSING and not is_late:
        return False
    return _let_be(page, order, code)


def _is_worth_while(page: Page, chain: Chain, quote: Tick | None) -> bool:
    """Tell whether a due order is to be cancelled now: not for a replacement that cannot be."""
    order = chain.last
    if _is_plain_cancel(order) or _hold(page, order):
        return True
    if quote is None or order.price is None:
        return False
    kind = recall(page.tx, order.instrument).steps
    is_market = order.unfilled is not None and order.unfilled.then is Then.MARKET
    if not is_market and better_price(chain, quote, kind) is None:
        return False
    new = replacement(chain, quote, kind, page.book.now())
    return _denial(page, chain, new, quote, _freed(page, order)) is None


def _denial(
    page: Page, chain: Chain, new: Order, quote: Tick, account: Account | None
) -> Denial | None:
    """Return why a replacement may not be sent; what it replaces does not stand in its way."""
    instrument = recall(page.tx, new.instrument)
    view = risk_view(page, new, instrument, quote, page.book.quote_age, account)
    view = _without(view, {one.id for one in chain.orders})
    confirmed = advance(new, OrderState.CONFIRMED)
    return next(iter(check(confirmed, instrument, view)), None)


def _without(view: RiskView, ids: set[str]) -> RiskView:
    return replace(
        view,
        others=tuple(one for one in view.others if one.id not in ids),
        recent=tuple(one for one in view.recent if one.id not in ids),
    )


def _freed(page: Page, order: Order) -> Account:
    """Return the account as it will be once an order is cancelled."""
    account = page.book.account_of(order.instrument)
    if not order.is_entry:
        return account
    fee = page.book.settings.broker.fee_at(order.instrument)
    cent = cent_of(currency_of(order.instrument))
    freed = with_fee(order.remaining * expected_price(order), fee, cent)
    return replace(account, buying_power=account.buying_power + freed)


def _is_due(tx: Transaction, order: Order, now: datetime) -> bool:
    if order.unfilled is None:
        return False
    sent = [at for _, state, at, _ in tx.orders.events(order.id) if state is OrderState.SUBMITTED]
    return bool(sent) and now - sent[0] >= order.unfilled.after


def _is_plain_cancel(order: Order) -> bool:
    return order.unfilled is not None and order.unfilled.then is Then.CANCEL
