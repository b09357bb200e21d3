"""What is held, as conditions see it: noted with every fill, told to the panels that ask for it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from engine.positions import take_fill
from engine.protect_book import read_protections
from engine.trading import is_venue_stop
from market.orders import GOING, OPEN, PositionSide
from market.position_panel import Holding, Stake
from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from engine.series import Series
    from market.clock import Clock
    from market.orders import Fill, Position
    from market.position_panel import PositionPanel
    from market.store import Store, Transaction
    from market.types import InstrumentId

MOST_STAKES = 50
"""Changes of one position that are kept; bars before the oldest of them know nothing of it."""

_HELD = "held/"


class Holdings:
    """Tells the panels of running series what is held."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def load(self, series: Iterable[Series]) -> None:
        """Tell the series whose conditions ask for it what the store knows of positions."""
        panels = [one.panel.positions for one in series if one.panel.positions is not None]
        if panels:
            now = self._clock.now()
            told = await self._store.read(lambda tx: read_holdings(tx, now))
            for panel in panels:
                fill_holdings(panel, told)


def note_holding(tx: Transaction, before: Position | None, fill: Fill, now: datetime) -> None:
    """Keep what a fill, which is stored, has made of a position.

    `now` is the market time at which we learned of it: a bar that had ended by then was judged
    without it, and a restart must find it so.
    """
    after = take_fill(before, fill)
    goes_on = before is not None and before.quantity * after.quantity > 0
    known = _stored(tx, fill.instrument) if goes_on else None
    if goes_on and known is None:  # it was opened before this was kept
        known = _from_fills(tx.orders.fills_of(fill.instrument))
        _put(tx, fill.instrument, known)
        return
    known_ms = to_ms(now)
    if known is None:
        stakes: tuple[Stake, ...] = ()
        opened_ms = min(to_ms(fill.at), known_ms) if after.quantity else 0
    else:
        stakes, opened_ms = known.stakes, known.opened_ms
        known_ms = max(known_ms, stakes[-1].known_ms)
    stakes = (*stakes, _stake(known_ms, after))[-MOST_STAKES:]
    _put(tx, fill.instrument, Holding(opened_ms, stakes))


def note_correction(tx: Transaction, before: Position, after: Position, now: datetime) -> None:
    """Keep that a position is another than its fills tell; since when it is held nobody knows."""
    goes_on = before.quantity * after.quantity > 0
    known = _stored(tx, after.instrument) if goes_on else None
    stakes = () if known is None else known.stakes
    known_ms = max([to_ms(now), *(one.known_ms for one in stakes[-1:])])
    opened_ms = 0 if known is None else known.opened_ms
    stakes = (*stakes, _stake(known_ms, after))[-MOST_STAKES:]
    _put(tx, after.instrument, Holding(opened_ms, stakes))


Told: TypeAlias = "tuple[dict[InstrumentId, Holding], frozenset[InstrumentId]]"
"""The positions that there are or were, and the instruments of which nobody can tell."""


def read_holdings(tx: Transaction, now: datetime) -> Told:
    """Return what is known of all positions now.

    Where no fill tells since when something is held, that is known from now on.
    """
    told: dict[InstrumentId, Holding] = {}
    for position in tx.orders.positions():
        name = position.instrument
        found = _stored(tx, name)
        if found is None or not _is_of(found, position):
            found = _from_fills(tx.orders.fills_of(name))
        if not _is_of(found, position):
            found = Holding(0, (_stake(to_ms(now) - 1, position),))
        told[name] = found
    return told, frozenset()


def holdings_at(tx: Transaction, at: datetime) -> Told:
    """Return what was known of all positions at a moment, as far as fills tell it."""
    told: dict[InstrumentId, Holding] = {}
    untold: set[InstrumentId] = set()
    for position in tx.orders.positions():
        name = position.instrument
        found, fills = _stored(tx, name), tx.orders.fills_of(name)
        if found is not None and _is_of(found, position) and found.stakes[0].known_ms < to_ms(at):
            told[name] = found
        elif not _is_of(_from_fills(fills), position):
            untold.add(name)
        elif before := [one for one in fills if one.at < at]:
            told[name] = _from_fills(before)
    return told, frozenset(untold)


def fill_holdings(panel: PositionPanel | None, told: Told) -> None:
    """Tell one panel what is held; nothing where there is none."""
    if panel is not None:
        panel.tell(*told)


def sellable(tx: Transaction, instrument: InstrumentId) -> Decimal:
    """Return what is held and not being sold already."""
    return closable(tx, instrument, PositionSide.LONG)


def closable(tx: Transaction, instrument: InstrumentId, side: PositionSide) -> Decimal:
    """Return how much of a position of this side there is and is not being closed already.

    A stop that rests at the venue does not count: it is cancelled before anything is closed.
    """
    position = tx.orders.position(instrument)
    closing = (
        order.remaining
        for order in tx.orders.in_states(GOING)
        if order.instrument == instrument
        and order.position is side
        and not (order.is_entry or is_venue_stop(order))
    )
    held = Decimal(0) if position is None else position.quantity * side.sign
    return max(Decimal(0), held - sum(closing, Decimal(0)))


def in_use(tx: Transaction) -> list[InstrumentId]:
    """Return what is protected, held or on order, what is protected first: its prices matter most.

    An instrument may be told more than once.
    """
    protected = [one.instrument for one in read_protections(tx)]
    held = [one.instrument for one in tx.orders.positions() if one.quantity]
    return protected + held + [order.instrument for order in tx.orders.in_states(OPEN)]


def _from_fills(fills: Iterable[Fill]) -> Holding:
    """Return what fills, in the order in which they were taken, have come to."""
    position: Position | None = None
    opened_ms, stakes = 0, list[Stake]()
    for fill in fills:
        after = take_fill(position, fill)
        if position is None or position.quantity * after.quantity <= 0:
            opened_ms, stakes = to_ms(fill.at) if after.quantity else 0, []
        known_ms = max(to_ms(fill.at), stakes[-1].known_ms if stakes else 0)
        stakes.append(_stake(known_ms, after))
        position = after
    return Holding(opened_ms, tuple(stakes[-MOST_STAKES:]))


def _stake(known_ms: int, position: Position) -> Stake:
    return Stake(known_ms, float(position.quantity), float(position.average_price))


def _is_of(holding: Holding, position: Position) -> bool:
    """Tell whether a holding ends as a position stands."""
    newest = holding.stakes[-1] if holding.stakes else Stake(0, 0.0, 0.0)
    return newest == _stake(newest.known_ms, position)


def _stored(tx: Transaction, instrument: InstrumentId) -> Holding | None:
    kept = tx.documents.get(_HELD + instrument)
    if kept is None:
        return None
    return Holding(int(kept["opened_ms"]), tuple(Stake(*one) for one in kept["stakes"]))


def _put(tx: Transaction, instrument: InstrumentId, holding: Holding) -> None:
    stakes = [[one.known_ms, one.quantity, one.price] for one in holding.stakes]
    tx.documents.put(_HELD + instrument, {"opened_ms": holding.opened_ms, "stakes": stakes})
