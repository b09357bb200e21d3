"""What people and conditions want to trade, decided by the seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.ticket import Ticket
from market.orders import Otherwise, Side
from market.prices import round_price
from market.unfilled import Then, Unfilled
from tests.simulation.chat import OTHER, OWNER, TRADER, VIEWER
from tests.simulation.guard import some_protection

if TYPE_CHECKING:
    from random import Random

    from market.protect import Protect
    from market.types import Instrument
    from tests.simulation.prices import Prices
    from tests.simulation.venue import Stage

USERS = (*(TRADER.id,) * 16, OTHER.id, OTHER.id, OWNER.id, VIEWER.id)
USUALLY_AT_MOST = 1_600_000
"""Won in one order; some are above what may be in one."""


class Wishes:
    """Makes tickets, each with a key of its own."""

    def __init__(
        self, random: Random, stage: Stage, prices: Prices, *, is_guarded: bool = False
    ) -> None:
        self._random = random
        self._stage = stage
        self._prices = prices
        self._is_guarded = is_guarded
        self._count = 0

    def instrument(self) -> Instrument:
        """Return what is to be traded."""
        return self._random.choice(self._stage.instruments)

    def next(self, instrument: Instrument, held: Decimal) -> Ticket:
        """Return a wish for an instrument of which so much is held."""
        random = self._random
        side = Side.SELL if random.random() < (0.5 if held else 0.03) else Side.BUY
        limit = self._limit(instrument)
        is_condition = random.random() < 0.4
        is_protected = self._is_guarded and is_condition and side is Side.BUY
        self._count += 1
        return Ticket(
            key=f"signal:{self._count}" if is_condition else f"update:{self._count}",
            instrument=instrument,
            side=side,
            quantity=self._quantity(instrument, side, held),
            size=None,
            price=limit,
            price_rule=None,
            user_id=random.choice(USERS),
            origin="condition:c" if is_condition else "command",
            within=timedelta(seconds=random.choice((15, 30, 60, 90))),
            max_drift=Decimal(random.choice((1, 3, 10))) / 1000,
            auto_below=Decimal(500_000) if is_condition and random.random() < 0.3 else None,
            otherwise=Otherwise.LIMIT if is_condition and random.random() < 0.3 else Otherwise.DROP,
            unfilled=self._unfilled() if limit and random.random() < 0.4 else None,
            protect=self._protect() if is_protected else None,
        )

    def alike(self, ticket: Ticket, *, is_same: bool) -> Ticket:
        """Return the same wish once more, or one that differs in its quantity alone."""
        self._count += 1
        kind = ticket.key.partition(":")[0]
        other = self._stage.lot * self._random.randint(1, 3)
        quantity = ticket.quantity if is_same else other
        return replace(ticket, key=f"{kind}:{self._count}", quantity=quantity)

    def least(self) -> Ticket:
        """Return the simplest wish there is: a trader buys the least of something, at any price."""
        instrument = self._stage.instruments[0]
        return replace(
            self.next(instrument, Decimal(0)),
            side=Side.BUY,
            quantity=self._stage.lot,
            price=None,
            user_id=TRADER.id,
            origin="command",
            auto_below=None,
            otherwise=Otherwise.DROP,
            unfilled=None,
            protect=None,
        )

    def _quantity(self, instrument: Instrument, side: Side, held: Decimal) -> Decimal:
        price, stage = self._prices.now[instrument.id], self._stage
        most = min(stage.longest_quantity, int(USUALLY_AT_MOST / price / stage.lot))
        quantity = stage.lot * self._random.randint(1, max(1, most))
        is_careful = side is Side.SELL and held > 0 and self._random.random() < 0.8
        return min(quantity, held) if is_careful else quantity

    def _limit(self, instrument: Instrument) -> Decimal | None:
        """Return a price that will trade soon, or late or never; None for any."""
        if self._random.random() < 0.3:
            return None
        far = 60 if self._random.random() < 0.3 else 15
        off = Decimal(self._random.randint(-far, far)) / 1000
        price = self._prices.now[instrument.id]
        return round_price(price * (1 + off), instrument.kind, up=False)

    def _protect(self) -> Protect:
        return some_protection(self._random, may_stop=not self._stage.has_venue_stops)

    def _unfilled(self) -> Unfilled:
        then = self._random.choice(list(Then))
        after = timedelta(seconds=self._random.choice((5, 20, 40)))
        return Unfilled(then, after, self._random.randint(1, 3) if then is Then.REPRICE else 0)
