"""The desk: every order of conditions and commands goes through here, and nowhere else.

Each change is one transaction with the edit of the order's card; an order is written down as
SUBMITTED before it is sent, sent once, and asked for when the answer was lost.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engine import desk_confirm, desk_propose
from engine.desk_book import DeskBook
from engine.desk_cancel import Canceller
from engine.desk_risk import GOING
from engine.desk_send import send
from engine.desk_settle import Settlement
from engine.desk_tap import Tap
from engine.outcome import Outcome
from engine.ticket import order_id as id_of
from engine.trading import TradingState, read_trading, write_trading
from market.errors import SourceError
from market.orders import OrderState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brokers.broker import Broker
    from config.settings import Settings
    from engine.desk_book import Page
    from engine.ports import Cards, Events
    from engine.quotes import Quotes
    from engine.ticket import Ticket
    from market.clock import Clock
    from market.orders import Account, Order
    from market.sessions import Calendar
    from market.store import Store
    from market.types import Venue

__all__ = ["Desk", "Outcome", "TradingState"]

logger = logging.getLogger(__name__)


class Desk:
    """Proposes, confirms, sends, settles and recovers orders."""

    def __init__(  # noqa: PLR0913  everything outside comes in here, once
        self,
        *,
        store: Store,
        broker: Broker,
        quotes: Quotes,
        calendars: Mapping[Venue, Calendar],
        settings: Settings,
        market_clock: Clock,
        wall_clock: Clock,
        cards: Cards,
        events: Events,
    ) -> None:
        self._book = DeskBook(
            store=store,
            quotes=quotes,
            calendars=calendars,
            settings=settings,
            market_clock=market_clock,
            wall_clock=wall_clock,
            cards=cards,
            events=events,
        )
        self._broker = broker
        self._settlement = Settlement(self._book, broker)
        self._canceller = Canceller(self._book, broker, self._settlement)

    async def propose(self, ticket: Ticket) -> Order:
        """Store the ticket's order, PROPOSED or DENIED, with its card; a known key adds nothing."""
        known = await self._book.order(id_of(ticket.key))
        if known is not None:
            return known
        quote = await desk_propose.proposal_quote(self._book, ticket)
        quoted_at = self._book.market_clock.now()  # the time we take from here ages no price
        account = await self._settlement.account()
        return await self._book.write(
            lambda page: desk_propose.propose(page, ticket, quote, quoted_at, account)
        )

    async def confirm(
        self, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Send a proposed order once, if the tap counts, the price holds and risk agrees."""
        tap = Tap(order_id, version, user_id, message)
        refused = await self._book.write(lambda page: desk_confirm.refuse(page, tap))
        if refused is not None:
            return refused
        order = await self._book.order(order_id)
        if order is None:
            return Outcome(None, "order.unknown")
        try:
            quote = await self._book.quotes.fresh(order.instrument, self._book.quote_age)
        except SourceError as error:
            logger.warning("no fresh price of %s at a confirmation: %s", order.instrument, error)
            return Outcome(order, "order.no_price")
        account = await self._settlement.account()
        if account is None:
            return Outcome(order, "order.no_account")
        self._book.in_flight[order_id] += 1  # before the claim, so that settling leaves it alone
        try:
            outcome = await self._book.write(
                lambda page: desk_confirm.claim(page, tap, quote, account)
            )
            if outcome is None:
                outcome = await send(self._book, self._broker, order_id)
        finally:
            self._book.in_flight[order_id] -= 1
        await self._canceller.follow_up()
        return outcome

    async def decline(
        self, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Decline a proposed order, if the tap counts."""
        tap = Tap(order_id, version, user_id, message)
        return await self._book.write(lambda page: desk_confirm.decline(page, tap))

    async def cancel(self, order_id: str, user_id: int) -> Outcome:
        """Decline a proposal, or cancel what is left of an order at the broker."""
        return await self._canceller.cancel(order_id, user_id)

    async def lapse(self) -> int:
        """Let proposals lapse that are past their time; return how many."""

        def lapse(page: Page) -> tuple[int, set[str]]:
            now = page.book.now()
            waiting = page.tx.orders.in_states({OrderState.PROPOSED})
            late = [order for order in waiting if now >= order.expires_at]
            for order in late:
                desk_confirm.lapse(page, order)
            return len(late), {order.id for order in waiting if now < order.expires_at}

        count, waiting = await self._book.write(lapse)
        self._book.waiting |= waiting  # after a restart they are not known yet
        return count

    async def settle(self) -> int:
        """Take new fills and ask about doubts; return how many fills were new."""
        count = await self._settlement.take_fills()
        await self._settlement.resolve()
        await self._canceller.follow_up()
        return count

    async def recover(self) -> None:
        """Start where a kill left off: what was being sent is in doubt until the broker tells."""
        going = await self._book.store.read(lambda tx: tx.orders.in_states(GOING))
        await self._settlement.clear_leftovers(going)
        await self.lapse()
        await self._settlement.account()
        await self._settlement.take_fills()
        await self._settlement.ask_all()
        await self._canceller.follow_up()

    async def account(self) -> Account | None:
        """Return the money at the broker; None if it cannot say now."""
        return await self._settlement.account()

    async def pause(self, user_id: int) -> None:
        """Send no more buys until somebody resumes."""
        await self._set_trading(TradingState.PAUSED, user_id)

    async def resume(self, user_id: int) -> None:
        """Trade again."""
        await self._set_trading(TradingState.ACTIVE, user_id)

    async def trading(self) -> TradingState:
        """Return whether we trade."""
        return await self._book.store.read(read_trading)

    def open_cards(self) -> int:
        """Return how many proposals wait for a person."""
        return len(self._book.waiting)

    async def _set_trading(self, state: TradingState, user_id: int) -> None:
        now = self._book.now()
        await self._book.store.write(lambda tx: write_trading(tx, state, user_id, now))
        self._book.events.emit("command", trading=state.value, user_id=user_id)
