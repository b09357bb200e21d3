"""The pretend Upbit's private websocket, without its wire: what is told of orders and assets."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.order_faults import Channel, OrderFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.order_faults import FaultPlan
    from sandbox.upbit_book import Row
    from sandbox.upbit_orders import UpbitOrders

HEARTBEAT = timedelta(seconds=10)
_OWN = frozenset({"myOrder", "myAsset"})


class UpbitPrivateSession:
    """One connection: nothing is told of what was before it, and nothing is told twice.

    `wake` is called when frames are due. Faults of messages happen here: the plan is asked once
    for every message about an order.
    """

    def __init__(self, venue: UpbitOrders, plan: FaultPlan, wake: Callable[[], None]) -> None:
        self._venue = venue
        self._plan = plan
        self._wake = wake
        self._types: frozenset[str] = frozenset()
        self._due: deque[bytes] = deque()
        self._held: bytes | None = None
        self._is_stalled = False
        self._next_beat = venue.clock.now()
        self._has_beat = False
        self.is_over = False
        venue.heard.append(self._tell)

    @property
    def is_subscribed(self) -> bool:
        """Tell whether it is told anything."""
        return bool(self._types)

    def end(self) -> None:
        """Hear no more."""
        if self._tell in self._venue.heard:
            self._venue.heard.remove(self._tell)

    def hear(self, text: str) -> None:
        """Take a message of the client."""
        if text == "PING":
            self._has_beat = True
        else:
            self._subscribe(text)
        self._wake()

    def frames(self) -> list[bytes]:
        """Return what is due now."""
        now = self._venue.clock.now()
        if self._has_beat and now >= self._next_beat:
            self._due.append(b'{"status":"UP"}')
            self._next_beat = now + HEARTBEAT
        due, self._due = list(self._due), deque()
        return [] if self._is_stalled else due

    def _subscribe(self, text: str) -> None:
        name = _fault_of(text)
        if name:
            self._due.append(orjson.dumps({"error": {"name": name, "message": name}}))
            return
        self._types = frozenset(part["type"] for part in orjson.loads(text) if "type" in part)

    def _tell(self, message: Row) -> None:
        if message["type"] not in self._types:
            return
        frame = orjson.dumps(message)
        fault = self._plan.next(Channel.MESSAGE) if message["type"] == "myOrder" else None
        self._due.extend(self._spoiled(frame, fault))
        self._wake()

    def _spoiled(self, frame: bytes, fault: OrderFault | None) -> list[bytes]:
        if fault is OrderFault.LOST_MESSAGE:
            return []
        if fault is OrderFault.REORDERED and self._held is None:
            self._held = frame
            return []
        if fault is OrderFault.DROPPED:
            self.is_over = True
        if fault is OrderFault.STALLED:
            self._is_stalled = True
        held, self._held = self._held, None
        frames = [frame] if held is None else [frame, held]
        return frames * 2 if fault is OrderFault.DUPLICATED else frames


def _fault_of(text: str) -> str:
    """Return the name of what is wrong with a subscription, "" where nothing is."""
    try:
        parts: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return "WRONG_FORMAT"
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return "WRONG_FORMAT"
    typed = [part for part in parts if "type" in part]
    if not any("ticket" in part for part in parts):
        return "NO_TICKET"
    if not typed:
        return "NO_TYPE"
    if any(part["type"] not in _OWN for part in typed):
        return "INVALID_PARAM"
    # assets have no market
    is_odd = any(part["type"] == "myAsset" and "codes" in part for part in typed)
    return "WRONG_FORMAT" if is_odd else ""
