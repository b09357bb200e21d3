"""The desk: every order of conditions and commands goes through here, and nowhere else.

Each change is one transaction with the edit of the order's card; an order is written down as
SUBMITTED before it is sent, sent once, and asked for when the answer was lost.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from engine import desk_adjust, desk_confirm, desk_propose
from engine.desk_attempt import attempt
from engine.desk_book import DeskBook
from engine.desk_cancel import Canceller
from engine.desk_doubt import DoubtDesk
from engine.desk_foreign import ForeignDesk
from engine.desk_guard import Guard
from engine.desk_panic import PanicDesk
from engine.desk_possible import on_its_grid
from engine.desk_protect import Protector
from engine.desk_reconcile import Reconciler
from engine.desk_settle import Settlement
from engine.desk_stops import StopDesk
from engine.desk_tap import Tap
from engine.desk_trading import TradingDesk
from engine.desk_unfilled import UnfilledDesk
from engine.outcome import Outcome
from engine.pauses import BUYS, EVERYTHING
from engine.ticket import order_id as id_of
from market.orders import GOING, OrderState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from config.settings import Settings
    from engine.arming import Arming
    from engine.brokers import Brokers
    from engine.desk_adjust import Change
    from engine.desk_attempt import Claim
    from engine.desk_book import Page
    from engine.pauses import Scope, Trading
    from engine.ports import Cards, Events
    from engine.quotes import Quotes
    from engine.ticket import Ticket
    from market.clock import Clock
    from market.orders import Account, Order
    from market.sessions import Calendar
    from market.store import Store
    from market.types import InstrumentId, Venue

__all__ = ["Desk", "Outcome"]

logger = logging.getLogger(__name__)


class Desk:
    """Proposes, confirms, sends, settles and recovers orders.

    Its `guard` hears of prices between sweeps.
    """

    def __init__(  # noqa: PLR0913  everything outside comes in here, once
        self,
        *,
        store: Store,
        brokers: Brokers,
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
            brokers=brokers,
            quotes=quotes,
            calendars=calendars,
            settings=settings,
            market_clock=market_clock,
            wall_clock=wall_clock,
            cards=cards,
            events=events,
        )
        self.brokers = brokers
        self._settlement = Settlement(self._book)
        self._canceller = Canceller(self._book, self._settlement)
        self._unfilled = UnfilledDesk(self._book, self._settlement, self._canceller)
        self._trading = TradingDesk(self._book)
        self.doubts = DoubtDesk(self._book, self._settlement)
        self._reconciler = Reconciler(self._book, self._settlement)
        self.foreign = ForeignDesk(self._book, self._reconciler.look_at)
        self._stops = StopDesk(self._book, self._settlement, self._canceller)
        protector = Protector(
            self._book,
            self.propose,
            self._confirm_by_itself,
            self._canceller.cancel,
            self._stops.free,
        )
        self._panic = PanicDesk(
            self._book, self._canceller, self._reconciler, self.propose, self._confirm_by_itself
        )
        self.guard = Guard(quotes, self._panic, protector, self._stops)

    @property
    def is_live(self) -> bool:
        """Tell whether any order costs real money."""
        return self.brokers.is_live

    async def propose(self, ticket: Ticket) -> Order:
        """Store the ticket's order, PROPOSED or DENIED, with its card; a known key adds nothing."""
        known = await self._book.order(id_of(ticket.key))
        if known is not None:
            return known
        instrument = await on_its_grid(self.brokers, ticket.instrument)
        ticket = replace(ticket, instrument=instrument)
        quote = await desk_propose.proposal_quote(self._book, ticket)
        quoted_at = self._book.market_clock.now()  # the time we take from here ages no price
        account = await self._settlement.account(ticket.instrument.id)
        order = await self._book.write(
            lambda page: desk_propose.propose(page, ticket, quote, quoted_at, account)
        )
        if order.state is OrderState.PROPOSED and ticket.auto_below is not None:
            return await self._confirm_by_itself(order, ticket.auto_below)
        return order

    async def confirm(
        self, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Send a proposed order once, if the tap counts, the price holds and risk agrees."""
        tap = Tap(order_id, version, user_id, message)
        if await self._book.read(lambda page: desk_confirm.refusal(page, tap)) is not None:
            refused = await self._book.write(lambda page: desk_confirm.refuse(page, tap))
            if refused is not None:
                return refused
        return await self._attempt(
            order_id, lambda page, quote, account: desk_confirm.claim(page, tap, quote, account)
        )

    async def decline(
        self, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Decline a proposed order, if the tap counts."""
        tap = Tap(order_id, version, user_id, message)
        return await self._book.write(lambda page: desk_confirm.decline(page, tap))

    async def adjust(
        self, change: Change, order_id: str, version: int, user_id: int, message: int | None
    ) -> Outcome:
        """Change a proposed order and ask for it anew, if the tap counts; nothing is sent."""
        tap = Tap(order_id, version, user_id, message)
        return await self._book.write(lambda page: desk_adjust.adjust(page, tap, change))

    async def cancel(self, order_id: str, user_id: int) -> Outcome:
        """Decline a proposal, or cancel what is left of an order at the broker."""
        return await self._canceller.cancel(order_id, user_id)

    async def lapse(self) -> int:
        """End what is past its time: proposals, pauses, an idle broker's arming.

        Return how many proposals have ended, those included that go on as a resting limit.
        """
        count, resting = await self._lapse()
        for order_id in resting:
            await self._place_otherwise(order_id)
        await self.guard.look()
        return count + len(resting)

    async def settle(self) -> int:
        """Take new fills and ask about doubts; return how many fills were new."""
        count = sum((await self.brokers.each("fills", self._settlement.take_fills)).values())
        await self._settlement.resolve()
        await self.doubts.follow_up()
        await self._canceller.follow_up()
        await self._unfilled.follow_up()
        await self._reconciler.after_settling(count)
        await self.guard.look()
        return count

    async def recover(self) -> None:
        """Start where a kill left off: what was being sent is in doubt until the broker tells."""
        going = await self._book.store.read(lambda tx: tx.orders.in_states(GOING))
        await self._settlement.clear_leftovers(going)
        await self._book.write(self._trading.restart)
        await self._lapse()
        await self.brokers.each("accounts", self._settlement.accounts)
        await self.brokers.each("fills", self._settlement.take_fills)
        await self._settlement.ask_all()
        await self.doubts.follow_up()
        await self._canceller.follow_up()
        await self._reconciler.look()

    async def reconcile(self) -> bool:
        """Compare our book with the brokers'; False if one of them could not be asked."""
        return await self._reconciler.look()

    async def adopt(self, instrument: InstrumentId, user_id: int) -> Outcome:
        """Take the broker's position as ours, where they differ and the owner wishes it."""
        return await self._reconciler.adopt(instrument, user_id)

    async def adopt_cash(self, user_id: int) -> Outcome:
        """Take the brokers' money as agreed, where it differs and the owner wishes it."""
        return await self._reconciler.adopt_cash(user_id)

    async def panic(self, user_id: int) -> bool:
        """Pause everything, cancel all and sell all; False while all is halted.

        It goes on by itself, over restarts too; the caller has made sure who this is.
        """
        return await self._panic.begin(user_id)

    async def stop_panic(self) -> bool:
        """Go on no further with a panic; return whether there was one."""
        return await self._panic.stop()

    async def accounts(self) -> dict[str, tuple[Account, ...] | None]:
        """Return the money at each broker by its name; None for one that cannot say now."""
        told = await self.brokers.each("accounts", self._settlement.accounts)
        return {seat.name: told.get(seat.name) for seat in self.brokers.seats}

    async def pause(
        self, user_id: int, scope: Scope = BUYS, until: datetime | None = None
    ) -> Trading:
        """Hold orders back, purchases if nothing else is said, until a market time or a resume."""
        return await self._trading.pause(user_id, scope, until)

    async def resume(self, user_id: int, scope: Scope = EVERYTHING) -> Trading:
        """Trade again what lies within a scope; the owner ends a halt with all pauses."""
        return await self._trading.resume(user_id, scope)

    async def halt(self, user_id: int) -> Trading:
        """Send nothing any more, whoever wishes it."""
        return await self._trading.halt(user_id)

    async def trading(self) -> Trading:
        """Return what holds orders back."""
        return await self._trading.trading()

    async def arm(self, user_id: int) -> Arming:
        """Let the live brokers buy; the caller has made sure who this is."""
        return await self._trading.arm(user_id)

    async def disarm(self, user_id: int) -> bool:
        """Let the live brokers buy no more; return whether they were armed."""
        return await self._trading.disarm(user_id)

    async def arming(self) -> Arming | None:
        """Return who armed the live brokers and when, None while they are disarmed."""
        return await self._trading.arming()

    def open_cards(self) -> int:
        """Return how many proposals wait for a person."""
        return len(self._book.waiting)

    async def _lapse(self) -> tuple[int, list[str]]:
        """Let proposals lapse that are past their time; return how many, and those that go on."""

        def lapse(page: Page) -> tuple[int, list[str], set[str]]:
            self._trading.tend(page)
            now = page.book.now()
            waiting = page.tx.orders.in_states({OrderState.PROPOSED})
            late = [order for order in waiting if now >= order.expires_at]
            resting = [order.id for order in late if desk_confirm.goes_on(order, now)]
            for order in late:
                if order.id not in resting:
                    desk_confirm.lapse(page, order)
            still = {order.id for order in waiting if now < order.expires_at}
            return len(late) - len(resting), resting, still

        count, resting, waiting = await self._book.write(lapse)
        self._book.waiting |= waiting  # after a restart they are not known yet
        return count, resting

    async def _confirm_by_itself(self, order: Order, below: Decimal) -> Order:
        outcome = await self._attempt(
            order.id,
            lambda page, quote, account: desk_confirm.claim_by_itself(
                page, order.id, below, quote, account
            ),
        )
        return outcome.order or order

    async def _place_otherwise(self, order_id: str) -> None:
        await self._attempt(
            order_id,
            lambda page, quote, account: desk_confirm.claim_otherwise(
                page, order_id, quote, account
            ),
        )

    async def _attempt(self, order_id: str, claim: Claim) -> Outcome:
        outcome = await attempt(self._book, self._settlement, self._stops, order_id, claim)
        await self._canceller.follow_up()
        return outcome
