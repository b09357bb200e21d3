"""What a judged slot leads to: stored in one transaction, then told, then proposed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from conditions.lifecycle import changed
from engine.fire_notices import FireNotices, is_first_today, midnight, owners
from engine.holdings import closable
from engine.ticket import signal_ticket
from market.errors import StoreError
from market.signals import signal_id
from market.types import Bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from engine.desk import Desk
    from engine.health import Notice
    from engine.judge import Fired, Judgement
    from engine.ports import Cards, Events
    from engine.series import Series
    from market.clock import Clock
    from market.directory import Directory
    from market.messages import Message, Person
    from market.signals import Signal
    from market.store import Store, Transaction
    from market.types import Instrument

logger = logging.getLogger(__name__)

RECENT = 500
"""Signals looked through at a start for orders that were not proposed yet."""

BAR_FACTS = tuple(one.name for one in fields(Bar))


@dataclass(slots=True)
class _Stored:
    """What a transaction has brought: known only once it is committed."""

    signals: list[Signal] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


class Fire:
    """Stores what fired with its messages, and asks the desk for the orders it calls for."""

    def __init__(
        self,
        *,
        store: Store,
        desk: Desk,
        cards: Cards,
        events: Events,
        directory: Directory,
        channel: int | None,
        conditions: Mapping[str, Condition],
        wall_clock: Clock,
    ) -> None:
        self._store = store
        self._desk = desk
        self._cards = cards
        self._events = events
        self._directory = directory
        self._channel = channel
        self._conditions = conditions
        self._wall_clock = wall_clock
        self._unproposed: dict[str, Signal] = {}
        self._untold: list[Notice] = []
        self._notices = FireNotices(cards, directory)

    async def commit(
        self, series: Series, bars: Sequence[Bar], judgement: Judgement, now: datetime
    ) -> None:
        """Write bars, states, signals and messages of the series' first pending slot at once.

        The orders that the signals call for wait for `propose`.
        """
        stored = await self._store.write(self._record(series, bars, judgement, now))
        for fired in judgement.steps:
            fired.watch.states = fired.step.states
        series.judged_ms = max(series.judged_ms, judgement.slot_ms)
        for bar in {one.instrument: one for one in (*bars, *judgement.revised)}.values():
            self._events.emit("bar", **{name: getattr(bar, name) for name in BAR_FACTS})
        self._announce(stored)

    async def bring_forward(self, series: Series, early: Sequence[Fired], now: datetime) -> None:
        """Write what fired on bars that still form: states, signals and messages at once."""

        def write(tx: Transaction) -> _Stored:
            stored = _Stored()
            for fired in early:
                self._record_one(tx, stored, series, fired, now)
            return stored

        stored = await self._store.write(write)
        for fired in early:
            fired.watch.states = fired.step.states
        self._announce(stored)

    async def propose(self, now: datetime) -> None:
        """Ask the desk for the orders that fresh signals call for, each once.

        What the store refuses is tried again at the next call, as long as the signal is fresh.
        """
        while self._unproposed:
            signal = self._unproposed.pop(next(iter(self._unproposed)))
            try:
                await self._propose(signal, now)
            except StoreError:
                self._unproposed[signal.id] = signal
                raise

    async def resume(self, now: datetime) -> None:
        """Propose again for fresh signals: a kill between alert and proposal loses no order.

        The desk knows a signal's order by its key, so one that was proposed stays as it is.
        """
        recent = await self._store.read(lambda tx: tx.signals.recent(RECENT))
        self._unproposed = {one.id: one for one in reversed(recent)} | self._unproposed
        await self.propose(now)

    async def tell(self, notice: Notice | None) -> None:
        """Send the owner a notice, if there is one, and those that could not be stored before."""
        if notice is not None:
            self._untold.append(notice)
            self._events.emit("notice", code=notice.code, **notice.facts)
        if not self._untold:
            return

        def write(tx: Transaction) -> list[Message]:
            stored = _Stored()
            for one in self._untold:
                self._enqueue(tx, stored, self._cards.notice(one.code, owners(tx), **one.facts))
            return stored.messages

        messages = await self._store.write(write)
        self._untold.clear()
        self._tell_events(messages)

    def _record(
        self, series: Series, bars: Sequence[Bar], judgement: Judgement, now: datetime
    ) -> Callable[[Transaction], _Stored]:
        position = series.position(judgement.slot_ms, islice(series.pending, 1, None))

        def write(tx: Transaction) -> _Stored:
            stored = _Stored()
            tx.bars.put(bars)
            tx.bars.put(judgement.revised)
            tx.documents.put(series.key, position)
            for fired in judgement.steps:
                self._record_one(tx, stored, series, fired, now)
                _settle(tx, series, fired, judgement.slot_ms)
            for name in judgement.faulty:
                self._enqueue(tx, stored, self._notices.faulty(tx, name, now))
            return stored

        return write

    def _record_one(
        self, tx: Transaction, stored: _Stored, series: Series, fired: Fired, now: datetime
    ) -> None:
        condition, states = fired.watch.condition, fired.step.states
        held_back = [series.panel.row(name) for name in series.wants]  # judged up to their own bar
        rows = changed(fired.watch.states, states, condition.spec.hold_bars)
        rows = np.union1d(rows, np.array(held_back, dtype=rows.dtype))
        kept = states.to_mapping(series.panel.instruments, rows)
        tx.signals.save_states(condition.name, condition.version, kept)
        if fired.step.unknown.size:
            names = [series.panel.instruments[row] for row in fired.step.unknown.tolist()]
            self._enqueue(tx, stored, self._notices.unknown(tx, condition, names))
        if not fired.signals:
            return
        within = self._within_limit(tx, stored, condition, fired.signals, now)
        new = [signal for signal in within if tx.signals.add(signal)]
        readers = tx.people.all()
        for signal in new:
            self._enqueue(tx, stored, self._alert(condition, signal, readers))
        stored.signals += new

    def _within_limit(
        self,
        tx: Transaction,
        stored: _Stored,
        condition: Condition,
        signals: Sequence[Signal],
        now: datetime,
    ) -> Sequence[Signal]:
        """Return the signals that the day's limit leaves room for; the owner hears of it once."""
        limit = condition.spec.limit_per_day
        if limit is None:
            return signals
        room = max(0, limit - tx.signals.count_since(condition.name, midnight(now)))
        if len(signals) > room and is_first_today(tx, f"limit/{condition.name}", now):
            dropped = [signal.instrument for signal in signals[room:]]
            self._enqueue(tx, stored, self._notices.limit(tx, condition, dropped))
        return signals[:room]

    def _alert(
        self, condition: Condition, signal: Signal, readers: Sequence[Person]
    ) -> tuple[Message, ...]:
        instrument = self._instrument(signal)
        return self._cards.alert(signal, instrument, condition.spec.alert, readers, self._channel)

    def _enqueue(self, tx: Transaction, stored: _Stored, messages: Sequence[Message]) -> None:
        for message in messages:
            tx.outbox.enqueue(message, self._wall_clock.now())
        stored.messages += messages

    def _announce(self, stored: _Stored) -> None:
        for signal in stored.signals:
            self._events.emit(
                "signal", id=signal.id, instrument=signal.instrument, is_late=signal.is_late
            )
            self._unproposed[signal.id] = signal
        self._tell_events(stored.messages)

    def _tell_events(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._events.emit("message", chat=message.chat_id, card=message.card)

    async def _propose(self, signal: Signal, now: datetime) -> None:
        condition = self._conditions.get(signal.condition)
        if condition is None or condition.version != signal.version or signal.is_late:
            return
        order = condition.spec.order
        if order is None or now - signal.fired_at > order.confirm.within:
            return
        instrument = self._instrument(signal)
        owner, held = await self._store.read(
            lambda tx: (tx.people.owner(), closable(tx, instrument.id, order.position))
        )
        if order.side is order.position.exit and not held:
            logger.info("%s calls for an exit, but nothing is there to be closed", signal.id)
        elif owner is None:
            logger.warning("%s calls for an order but nobody has claimed the bot", signal.id)
        else:
            await self._desk.propose(signal_ticket(condition, order, signal, instrument, owner.id))

    def _instrument(self, signal: Signal) -> Instrument:
        instrument = self._directory.get(signal.instrument)
        if instrument is None:
            raise LookupError(f"{signal.instrument} is watched but not in the directory")
        return instrument


def _settle(tx: Transaction, series: Series, fired: Fired, slot_ms: int) -> None:
    """Note of what fired while the bar was forming whether it held at its close."""
    condition, step = fired.watch.condition, fired.step
    for row, when in zip(step.early.tolist(), step.early_when.tolist(), strict=True):
        name = series.panel.instruments[row]
        if when:
            known = signal_id(condition.name, condition.version, name, slot_ms)
            tx.signals.settle(known, has_held=when > 0)
