"""Protected positions and panics in the simulation: what is wished, and what must come of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.panic import read_panic
from engine.protect_book import read_protections
from engine.trading import PROTECTION
from market.orders import AT_BROKER, OrderState, Side
from market.protect import Protect, Rung

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from engine.protect import Protection
    from market.clock import Clock
    from market.orders import Order
    from market.store import Transaction
    from tests.simulation.chat import Chat
    from tests.simulation.prices import Prices

UNDER_WAY = AT_BROKER | {OrderState.PROPOSED, OrderState.CONFIRMED}
ALARM = "notice.unprotected"
IN_TIME_SECONDS = 60
"""An exit that came to nothing is tried again within half of that."""


def is_guarded(seed: int) -> bool:
    """Tell whether conditions protect what they buy in a seed, and people panic in it."""
    return seed % 5 == 3


def some_protection(random: Random, *, may_stop: bool) -> Protect:
    """Return a protection whose levels are often reached within minutes.

    Where stops rest at the venue there are none: that has proofs of its own.
    """
    stop_loss = random.choice((None, Decimal("0.003"), Decimal("0.01")))
    ladder = (
        Rung(Decimal("0.004"), Decimal("0.5")),
        Rung(Decimal("0.01"), random.choice((Decimal("0.3"), Decimal("0.5")))),
    )
    return Protect(
        stop_loss=stop_loss if may_stop else None,
        ladder=ladder if random.random() < 0.5 else (),
        trailing_stop=random.choice((None, None, Decimal("0.005"))) if may_stop else None,
        time_stop=timedelta(seconds=random.choice((40, 90, 600))),
    )


def check_exit(tx: Transaction, order: Order, fail: Callable[[str, str], None]) -> None:
    """Look at an exit that leaves by itself: something must have called for it."""
    kept = [one.instrument for one in read_protections(tx)]
    is_panic = order.origin == f"{PROTECTION}panic" and read_panic(tx) is not None
    if order.side is not Side.SELL or not (is_panic or order.instrument in kept):
        fail("unasked", f"order {order.id} of {order.origin} was sent by itself")


class Guard:
    """Knows when a panic began, and looks in the end whether positions are looked after."""

    def __init__(
        self, clock: Clock, prices: Prices, chat: Chat, fail: Callable[[str, str], None]
    ) -> None:
        self._clock = clock
        self._prices = prices
        self._chat = chat
        self._fail = fail
        self.panicked_at: datetime | None = None

    def neglected(self, tx: Transaction) -> set[str]:
        """Return what is past its stop or its time, while no exit of it goes and no alarm stands.

        Its order of panic does as well; what is reached is worked out anew here, but for the high.
        """
        exits = {
            one.instrument
            for one in tx.orders.in_states(UNDER_WAY)
            if one.origin.startswith(PROTECTION)
        }
        protections = [one for one in read_protections(tx) if self._is_past(tx, one)]
        alarmed = {one.instrument for one in protections if self._is_told(one)}
        return {one.instrument for one in protections} - exits - alarmed

    def check_kept(self, neglected: set[str]) -> None:
        """Fail for what was neglected all the time that there was."""
        for instrument in sorted(neglected):
            self._fail("unprotected", f"{instrument} is past its stop, and nobody sells it")

    def check_panic(self, tx: Transaction) -> None:
        """A panic is over after a while, and nothing is held unless something was bought since."""
        if read_panic(tx) is not None:
            self._fail("panic", f"it still goes on: {read_panic(tx)}")
        since = self.panicked_at
        if since is None or any(self._is_bought(tx, one, since) for one in tx.orders.recent(1000)):
            return
        held = {one.instrument: one.quantity for one in tx.orders.positions() if one.quantity}
        if held:
            self._fail("panic", f"{held} is still held after a panic")

    def _is_past(self, tx: Transaction, one: Protection) -> bool:
        position, protect = tx.orders.position(one.instrument), one.protect
        if position is None or position.quantity <= 0:
            return False
        price = self._prices.shown[one.instrument][-1][1]
        stop, time = protect.stop_loss, protect.time_stop
        is_below = stop is not None and price <= position.average_price * (1 - stop)
        is_late = time is not None and self._clock.now() >= one.since + time
        return is_below or is_late or one.ended_by is not None

    def _is_told(self, one: Protection) -> bool:
        words = [seen.text for seen in self._chat.messages.values() if ALARM in seen.text]
        return one.alarmed_at is not None and any(one.instrument in text for text in words)

    def _is_bought(self, tx: Transaction, order: Order, since: datetime) -> bool:
        """Tell whether a purchase was sent after a time."""
        sent = [at for _, state, at, _ in tx.orders.events(order.id) if state == "submitted"]
        return order.side is Side.BUY and any(at >= since for at in sent)
