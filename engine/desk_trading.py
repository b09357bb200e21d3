"""Pausing, halting and arming: kept with who wished it, and shown on every card that waits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.arming import Arming, read_arming, read_kept_arming, write_arming
from engine.day_profit import take_marks
from engine.pauses import (
    BUYS,
    EVERYTHING,
    Halt,
    Pause,
    Scope,
    Trading,
    read_kept,
    read_trading,
    write_trading,
)
from market.orders import OrderState

if TYPE_CHECKING:
    from datetime import datetime

    from engine.desk_book import DeskBook, Page


class TradingDesk:
    """Changes what may be sent; the cards that wait for a tap tell it at once."""

    def __init__(self, book: DeskBook) -> None:
        self._book = book

    async def pause(
        self, user_id: int, scope: Scope = BUYS, until: datetime | None = None
    ) -> Trading:
        """Hold orders back until a market time, or until somebody resumes."""

        def write(page: Page) -> Trading:
            pause = Pause(scope, user_id, self._book.now(), until)
            return _changed(page, _now(page).paused(pause))

        return self._told(user_id, await self._book.write(write))

    async def resume(self, user_id: int, scope: Scope = EVERYTHING) -> Trading:
        """Trade again what lies within a scope; the end of a halt needs the owner and no scope."""

        def write(page: Page) -> Trading:
            trading = _now(page).resumed(scope)
            owner = page.tx.people.owner()
            if scope == EVERYTHING and owner is not None and owner.id == user_id:
                trading = replace(trading, halt=None)
            return _changed(page, trading)

        return self._told(user_id, await self._book.write(write))

    async def halt(self, user_id: int) -> Trading:
        """Send nothing any more, whoever wishes it; a live broker is disarmed."""

        def write(page: Page) -> Trading:
            write_arming(page.tx, None)
            halt = _now(page).halt or Halt(user_id, self._book.now())
            return _changed(page, replace(_now(page), halt=halt))

        return self._told(user_id, await self._book.write(write))

    async def trading(self) -> Trading:
        """Return what holds orders back."""
        now = self._book.market_clock.now()
        return await self._book.store.read(lambda tx: read_trading(tx, now))

    async def arm(self, user_id: int) -> Arming:
        """Let the live broker buy; the caller has made sure who this is."""

        def write(page: Page) -> Arming:
            now = self._book.now()
            arming = Arming(user_id, now, now)
            write_arming(page.tx, arming)
            _draw_waiting(page)
            return arming

        arming = await self._book.write(write)
        self._book.events.emit("command", arming="armed", user_id=user_id)
        return arming

    async def disarm(self, user_id: int) -> bool:
        """Let the live broker buy no more; return whether it was armed."""
        was_armed = await self._book.write(_disarm)
        self._book.events.emit("command", arming="disarmed", user_id=user_id)
        return was_armed

    async def arming(self) -> Arming | None:
        """Return who armed the live broker and when, None while it is disarmed."""
        now, idle = self._book.now(), self._book.idle
        return await self._book.store.read(lambda tx: read_arming(tx, now, idle))

    def tend(self, page: Page) -> None:
        """End what is over by now, and tell it once; note where positions stand as a day begins."""
        take_marks(page)
        _end_pauses(page)
        arming = read_kept_arming(page.tx)
        if arming is not None and page.book.now() >= arming.ends_at(page.book.idle):
            _disarm(page)
            hours = f"{page.book.settings.access.idle_hours:g}"
            page.tell((arming.user_id,), "notice.disarmed_idle", hours=hours)

    def restart(self, page: Page) -> None:
        """Disarm a live broker at a start: who started the program has not proved anything."""
        arming = read_kept_arming(page.tx)
        if arming is not None and _disarm(page):
            page.tell((arming.user_id,), "notice.disarmed_restart")

    def _told(self, user_id: int, trading: Trading) -> Trading:
        self._book.events.emit("command", trading=trading.state.value, user_id=user_id)
        return trading


def _now(page: Page) -> Trading:
    return read_trading(page.tx, page.book.market_clock.now())


def _changed(page: Page, trading: Trading) -> Trading:
    write_trading(page.tx, trading)
    _draw_waiting(page)
    return trading


def _disarm(page: Page) -> bool:
    was_armed = read_arming(page.tx, page.book.now(), page.book.idle) is not None
    write_arming(page.tx, None)
    _draw_waiting(page)
    return was_armed


def _end_pauses(page: Page) -> None:
    kept, now = read_kept(page.tx), page.book.market_clock.now()
    ended = [one for one in kept.pauses if one.is_over(now)]
    if not ended:
        return
    _changed(page, replace(kept, pauses=tuple(one for one in kept.pauses if one not in ended)))
    for pause in ended:
        side = "both" if pause.scope.side is None else pause.scope.side.value
        code = "notice.pause_over_of" if pause.scope.words else "notice.pause_over"
        page.tell((pause.user_id,), code, scope=pause.scope.words, side=side)


def _draw_waiting(page: Page) -> None:
    """Draw the cards that wait for a tap anew: what they say of trading is not so any more."""
    for order in page.tx.orders.in_states({OrderState.PROPOSED}):
        page.draw(order)
