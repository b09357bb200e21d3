"""A panic at work: pause, cancel, reconcile, exit, verify; each step is kept before it is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from engine.desk_cancel import RESTING
from engine.holdings import closable
from engine.panic import Panic, PanicStep, exit_price, read_panic, to_cancel, to_close, write_panic
from engine.pauses import EVERYTHING, Pause, read_trading, write_trading
from engine.ticket import Ticket
from engine.trading import PROTECTION
from market.known import recall
from market.orders import AT_BROKER, OrderState, advance, side_of
from market.phases import REGULAR, phase_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engine.desk_book import DeskBook, Page
    from engine.desk_cancel import Canceller
    from engine.desk_reconcile import Reconciler
    from market.orders import Order, Position

    Propose: TypeAlias = Callable[[Ticket], Awaitable[Order]]
    GoOn: TypeAlias = Callable[[Order, Decimal], Awaitable[Order]]

PATIENCE = timedelta(seconds=60)
"""So long it is waited for cancels and for the broker's books before it goes on without them."""

REPRICE = timedelta(seconds=10)
"""An exit that has not filled for so long is cancelled, and sent again at the price then."""

STUCK = timedelta(minutes=2)
TELL_AGAIN = timedelta(minutes=5)
ORIGIN = f"{PROTECTION}panic"
WHATEVER = Decimal("Infinity")


class PanicDesk:
    """Begins a panic, and goes on with it at every look until nothing is held."""

    def __init__(
        self,
        book: DeskBook,
        canceller: Canceller,
        reconciler: Reconciler,
        propose: Propose,
        go_on: GoOn,
    ) -> None:
        self._book = book
        self._canceller = canceller
        self._reconciler = reconciler
        self._propose = propose
        self._go_on = go_on
        self._looking = asyncio.Lock()

    async def begin(self, user_id: int) -> bool:
        """Pause everything and begin; False while all is halted, as no exit could leave then."""

        def write(page: Page) -> bool:
            now = page.book.now()
            trading = read_trading(page.tx, page.book.market_clock.now())
            if trading.halt is not None:
                return False
            write_trading(page.tx, trading.paused(Pause(EVERYTHING, user_id, now)))
            if read_panic(page.tx) is None:
                write_panic(page.tx, Panic(user_id, now, PanicStep.CANCEL, now))
            return True

        has_begun = await self._book.write(write)
        if has_begun:
            await self.look()
        return has_begun

    async def stop(self) -> bool:
        """Go on no further; what is paused stays so. Return whether there was a panic."""

        def write(page: Page) -> bool:
            panic = read_panic(page.tx)
            write_panic(page.tx, None)
            return panic is not None

        return await self._book.write(write)

    async def look(self) -> bool:
        """Take the panic as far as it goes now; return whether there is one."""
        panic = await self._book.store.read(read_panic)
        if panic is None:
            return False
        if self._looking.locked():
            return True
        async with self._looking:
            while panic is not None and await self._step(panic):
                panic = await self._book.store.read(read_panic)
        return True

    async def _step(self, panic: Panic) -> bool:
        """Do what the step asks for; return whether the next one can begin."""
        match panic.step:
            case PanicStep.CANCEL:
                is_done = await self._cancel_all(panic)
                return is_done and await self._reach(panic, PanicStep.RECONCILE)
            case PanicStep.RECONCILE:
                is_done = await self._reconciler.look() or self._is_over(panic, PATIENCE)
                return is_done and await self._reach(panic, PanicStep.EXIT)
            case PanicStep.EXIT:
                is_done = await self._exit_all(panic)
                return is_done and await self._reach(panic, PanicStep.VERIFY)
            case PanicStep.VERIFY:
                return await self._verify(panic)

    async def _cancel_all(self, panic: Panic) -> bool:
        await self._book.write(_wish_cancels)
        await self._canceller.follow_up()
        left = await self._book.store.read(to_cancel)
        return not left or self._is_over(panic, PATIENCE)

    async def _exit_all(self, panic: Panic) -> bool:
        """Close what is held or owed, once a round; True when nothing is left of it."""
        if self._is_over(panic, REPRICE):
            panic = replace(panic, attempt=panic.attempt + 1, step_at=self._book.now())
            await self._book.write(lambda page: _next_round(page, panic))
            await self._canceller.follow_up()
        held = await self._book.store.read(to_close)
        for position in held:
            ticket = await self._book.write(_ticketing(panic, position))
            if ticket is not None:
                order = await self._propose(ticket)
                if order.state is OrderState.PROPOSED:  # a kill came between its two writes
                    await self._go_on(order, WHATEVER)
        if held:
            await self._book.write(lambda page: _tell_stuck(page, len(held)))
        return not held

    async def _verify(self, panic: Panic) -> bool:
        """Compare with the broker once more; what came late begins another round."""
        is_told = await self._reconciler.look()
        if not is_told and not self._is_over(panic, PATIENCE):
            return False

        def end(page: Page) -> bool:
            if to_close(page.tx) or to_cancel(page.tx):
                _put_step(page, panic, PanicStep.CANCEL)
                return True
            write_panic(page.tx, None)
            code = "notice.panic_done" if is_told else "notice.panic_done_untold"
            page.tell((panic.user_id,), code)
            return False

        return await self._book.write(end)

    async def _reach(self, panic: Panic, step: PanicStep) -> bool:
        await self._book.write(lambda page: _put_step(page, panic, step))
        return True

    def _is_over(self, panic: Panic, patience: timedelta) -> bool:
        return self._book.now() - panic.step_at >= patience


def _put_step(page: Page, panic: Panic, step: PanicStep) -> None:
    if read_panic(page.tx) is not None:  # somebody may have stopped it
        at = page.book.now()
        write_panic(page.tx, replace(panic, step=step, step_at=at, attempt=panic.attempt + 1))


def _wish_cancels(page: Page) -> None:
    for order in to_cancel(page.tx):
        if order.state is OrderState.PROPOSED:
            page.put(advance(order, OrderState.DECLINED, code="order.panic"))
        elif order.state is OrderState.CONFIRMED:
            page.put(advance(order, OrderState.LAPSED, code="order.panic"))
        elif order.state in AT_BROKER and not order.is_cancel_requested:
            page.put(replace(order, is_cancel_requested=True))


def _next_round(page: Page, panic: Panic) -> None:
    """Begin another round of exits: those that rest are cancelled first."""
    if read_panic(page.tx) is None:
        return
    write_panic(page.tx, panic)
    for order in page.tx.orders.in_states(RESTING):
        if not order.is_cancel_requested:
            page.put(replace(order, is_cancel_requested=True))


def _ticketing(panic: Panic, position: Position) -> Callable[[Page], Ticket | None]:
    return lambda page: _ticket(page, panic, position)


def _ticket(page: Page, panic: Panic, position: Position) -> Ticket | None:
    """Return the exit of a position in this round, None where there can be none now."""
    book, instrument = page.book, recall(page.tx, position.instrument)
    calendar, now = book.calendars[instrument.venue], book.market_clock.now()
    quote, side = book.quotes.last(position.instrument), side_of(position.quantity)
    left = closable(page.tx, position.instrument, side)
    is_closed = phase_at(instrument.venue, calendar, now) not in REGULAR
    if read_panic(page.tx) is None or is_closed or quote is None or left <= 0:
        return None
    return Ticket(
        key=f"panic:{panic.at.timestamp():.3f}:{panic.attempt}:{position.instrument}",
        instrument=instrument,
        side=side.exit,
        quantity=left,
        size=None,
        price=exit_price(quote, instrument, book.settings.risk.max_away, side),
        price_rule=None,
        user_id=panic.user_id,
        origin=ORIGIN,
        within=timedelta(seconds=book.settings.confirm.within_seconds),
        max_drift=Decimal(1),  # it closes at whatever the price is
        auto_below=WHATEVER,
        position=side,
    )


def _tell_stuck(page: Page, count: int) -> None:
    panic, now = read_panic(page.tx), page.book.now()
    if panic is None or now - panic.at < STUCK:
        return
    if panic.told_at is not None and now - panic.told_at < TELL_AGAIN:
        return
    write_panic(page.tx, replace(panic, told_at=now))
    page.tell((panic.user_id,), "notice.panic_stuck", count=str(count))
    page.fail("notice.panic_stuck", count=str(count))
