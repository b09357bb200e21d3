"""What the pretend Binance tells of our orders as it happens, and how that goes wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from market.types import to_ms
from sandbox.binance_order_rows import futures_event, spot_event
from sandbox.order_faults import Channel, OrderFault

if TYPE_CHECKING:
    from sandbox.binance_order_types import VenueOrder, VenueTrade
    from sandbox.binance_orders import OrderVenue
    from sandbox.order_faults import FaultPlan

CLOSED = None
"""Put in the place of a frame where the connection is to be closed."""


class Session:
    """One connection: frames to send, in their order."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_stalled = False

    def put(self, frame: str | None) -> None:
        """Send a frame, or close with None; a stalled connection says nothing any more."""
        if not self.is_stalled or frame is CLOSED:
            self.frames.put_nowait(frame)


class UserFeed:
    """The user stream of one market, to any number of connections."""

    def __init__(self, venue: OrderVenue, plan: FaultPlan) -> None:
        self._venue = venue
        self._plan = plan
        self._held_back: list[str] = []
        self.sessions: list[Session] = []
        venue.listeners.append(self._happened)

    def tell(self, event: dict[str, Any]) -> None:
        """Tell all connections of an event, whatever the plan makes of it."""
        wrapped = event if self._venue.is_futures else {"subscriptionId": 0, "event": event}
        frame = orjson.dumps(wrapped).decode()
        frames = self._spoiled(frame) if self.sessions else []
        for session in list(self.sessions):
            for one in frames:
                session.put(one)

    def _happened(self, what: str, order: VenueOrder, trade: VenueTrade | None) -> None:
        make = futures_event if self._venue.is_futures else spot_event
        self.tell(make(what, order, trade, to_ms(self._venue.clock.now())))

    def _spoiled(self, frame: str) -> list[str | None]:
        """Return what comes instead of a frame, with what was held back before."""
        fault = self._plan.next(Channel.MESSAGE)
        before, self._held_back = self._held_back, []
        if fault is OrderFault.REORDERED:
            self._held_back = [*before, frame]
            return []
        if fault is OrderFault.LOST_MESSAGE:
            return [*before]
        if fault is OrderFault.DUPLICATED:
            return [frame, frame, *before]
        if fault is OrderFault.DROPPED:
            return [*before, CLOSED]
        if fault is OrderFault.STALLED:
            for session in self.sessions:
                session.is_stalled = True
        return [frame, *before]
