"""What a judged slot leads to: stored in one transaction, then told, then proposed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engine.ticket import Ticket
from market.messages import Role
from market.sessions import KST
from market.types import from_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from conditions.compile import Condition
    from config.condition_file import OrderSpec
    from engine.desk import Desk
    from engine.health import Notice
    from engine.judge import Fired, Judgement
    from engine.ports import Cards, Events
    from engine.series import Series
    from market.clock import Clock
    from market.directory import Directory
    from market.messages import Message, Person
    from market.orders import Order
    from market.signals import Signal
    from market.store import Store, Transaction
    from market.types import Bar, Instrument

logger = logging.getLogger(__name__)


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

    async def commit(
        self, series: Series, bars: Sequence[Bar], judgement: Judgement, now: datetime
    ) -> None:
        """Write bars, states, signals and messages at once; then propose the orders."""
        stored = await self._store.write(self._record(series, bars, judgement, now))
        for fired in judgement.steps:
            fired.watch.states = fired.step.states
        series.judged_ms = judgement.slot_ms
        start = from_ms(judgement.slot_ms)
        self._events.emit("bar", timeframe=series.timeframe, start=start, count=len(bars))
        for condition, signal in stored:
            self._events.emit(
                "signal", id=signal.id, instrument=signal.instrument, is_late=signal.is_late
            )
            await self._propose(condition, signal)

    def _record(
        self, series: Series, bars: Sequence[Bar], judgement: Judgement, now: datetime
    ) -> Callable[[Transaction], list[tuple[Condition, Signal]]]:
        def write(tx: Transaction) -> list[tuple[Condition, Signal]]:
            tx.bars.put(bars)
            tx.bars.put(judgement.revised)
            tx.documents.put(series.key, {"judged_ms": judgement.slot_ms})
            stored: list[tuple[Condition, Signal]] = []
            for fired in judgement.steps:
                stored += self._record_one(tx, series, fired, now)
            return stored

        return write

    def _record_one(
        self, tx: Transaction, series: Series, fired: Fired, now: datetime
    ) -> list[tuple[Condition, Signal]]:
        condition = fired.watch.condition
        states = fired.step.states.to_mapping(series.panel.instruments)
        tx.signals.save_states(condition.name, condition.version, states)
        readers = tx.people.all()
        within = fired.signals
        limit = condition.spec.limit_per_day
        if limit is not None:
            today = tx.signals.count_since(condition.name, _start_of_day(now))
            within = fired.signals[: max(0, limit - today)]
        if len(within) < len(fired.signals):
            self._tell_limit(tx, condition, fired.signals[len(within) :])
        new = [signal for signal in within if tx.signals.add(signal)]
        for signal in new:
            self._enqueue(tx, self._alert(condition, signal, readers))
        return [(condition, signal) for signal in new]

    def _alert(
        self, condition: Condition, signal: Signal, readers: Sequence[Person]
    ) -> tuple[Message, ...]:
        instrument = self._instrument(signal)
        return self._cards.alert(signal, instrument, condition.spec.alert, readers, self._channel)

    def _tell_limit(self, tx: Transaction, condition: Condition, dropped: Sequence[Signal]) -> None:
        names = ", ".join(self._directory.name(signal.instrument) for signal in dropped)
        facts = {
            "condition": condition.name,
            "limit": str(condition.spec.limit_per_day),
            "names": names,
        }
        notices = self._cards.notice("condition.limit_reached", _owners(tx), **facts)
        self._enqueue(tx, notices)

    def _enqueue(self, tx: Transaction, messages: Sequence[Message]) -> None:
        for message in messages:
            tx.outbox.enqueue(message, self._wall_clock.now())
            self._events.emit("message", chat=message.chat_id, card=message.card)

    async def _propose(self, condition: Condition, signal: Signal) -> Order | None:
        if condition.spec.order is None or signal.is_late:
            return None
        owner = await self._store.read(lambda tx: tx.people.owner())
        if owner is None:
            logger.warning("%s calls for an order but nobody has claimed the bot", signal.id)
            return None
        return await self._desk.propose(
            self._ticket(condition, condition.spec.order, signal, owner)
        )

    def _ticket(
        self, condition: Condition, order: OrderSpec, signal: Signal, person: Person
    ) -> Ticket:
        return Ticket(
            key=f"signal:{signal.id}",
            instrument=self._instrument(signal),
            side=order.side,
            quantity=None,
            size=condition.size,
            price=None,
            price_rule=condition.price,
            user_id=person.id,
            origin=f"condition:{condition.name}",
            within=order.confirm.within,
            max_drift=order.confirm.max_drift,
            signal_id=signal.id,
        )

    def _instrument(self, signal: Signal) -> Instrument:
        instrument = self._directory.get(signal.instrument)
        if instrument is None:
            raise LookupError(f"{signal.instrument} is watched but not in the directory")
        return instrument

    async def resume(self, now: datetime) -> None:
        """Propose again for fresh signals: a kill between alert and proposal loses no order.

        The desk knows a signal's order by its key, so one that was proposed stays as it is.
        """
        recent = await self._store.read(lambda tx: tx.signals.recent(50))
        for signal in reversed(recent):
            condition = self._conditions.get(signal.condition)
            order = condition.spec.order if condition else None
            if condition and order and now - signal.fired_at <= order.confirm.within:
                await self._propose(condition, signal)

    async def tell(self, notice: Notice | None) -> None:
        """Send the owner a notice, if there is one."""
        if notice is None:
            return

        def write(tx: Transaction) -> None:
            messages = self._cards.notice(notice.code, _owners(tx), **notice.facts)
            self._enqueue(tx, messages)

        await self._store.write(write)
        self._events.emit("error", code=notice.code, **notice.facts)


def _owners(tx: Transaction) -> list[Person]:
    return [one for one in tx.people.all() if one.role is Role.OWNER]


def _start_of_day(now: datetime) -> datetime:
    return now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)
