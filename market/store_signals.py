"""Signals and the lifecycle states of conditions in the store."""

from __future__ import annotations

from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from market.signals import (
    Explanation,
    Leaf,
    LifecycleState,
    Phase,
    Signal,
    Snapshot,
    reference_of,
)
from market.tables import table
from market.types import Timeframe, Verdict, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from market.types import InstrumentId

_SIGNALS = table("signals")
_LIFECYCLE = table("lifecycle")
_SERIES = ("open", "high", "low", "close", "volume")
_STATE = ("held", "fired_ms", "bar_ms", "clear_ms", "unknown")


class SignalTable:
    """What fired and why, and where every condition stands."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, signal: Signal) -> bool:
        """Keep a signal; False if its id is known."""
        statement = (
            upsert(_SIGNALS)
            .values(_signal_row(signal))
            .on_conflict_do_nothing(index_elements=["id"])
        )
        return self._connection.execute(statement).rowcount == 1

    def settle(self, signal_id: str, *, has_held: bool) -> None:
        """Note whether what fired on a forming bar held at its close; nothing for an unknown id."""
        held = update(_SIGNALS).where(_SIGNALS.c.id == signal_id).values(has_held=has_held)
        self._connection.execute(held)

    def get(self, signal_id: str) -> Signal | None:
        """Return a signal by id."""
        statement = select(_SIGNALS).where(_SIGNALS.c.id == signal_id)
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else _signal(row)

    def recent(self, count: int) -> list[Signal]:
        """Return the newest signals, newest first."""
        statement = select(_SIGNALS).order_by(_SIGNALS.c.number.desc()).limit(count)
        return [_signal(row) for row in self._connection.execute(statement)]

    def of_bars(self, timeframe: Timeframe, start: datetime, end: datetime) -> list[Signal]:
        """Return the signals whose bars of a timeframe start in [start, end), oldest first."""
        statement = (
            select(_SIGNALS)
            .where(
                _SIGNALS.c.timeframe == timeframe.value,
                _SIGNALS.c.bar_start >= start,
                _SIGNALS.c.bar_start < end,
            )
            .order_by(_SIGNALS.c.number)
        )
        return [_signal(row) for row in self._connection.execute(statement)]

    def referred(self, reference: str) -> Signal | None:
        """Return the signal with this short reference."""
        ids = self._connection.execute(select(_SIGNALS.c.id)).scalars()  # read from their index
        found = next((one for one in ids if reference_of(one) == reference), None)
        return None if found is None else self.get(found)

    def count_since(self, condition: str, at: datetime, until: datetime | None = None) -> int:
        """Return how often a condition fired at or after a market time, and before `until`."""
        statement = select(func.count()).where(
            _SIGNALS.c.condition == condition, _SIGNALS.c.fired_at >= at
        )
        if until is not None:
            statement = statement.where(_SIGNALS.c.fired_at < until)
        return int(self._connection.execute(statement).scalar_one())

    def save_states(
        self, condition: str, version: str, states: Mapping[InstrumentId, LifecycleState]
    ) -> None:
        """Keep where a condition stands on these instruments; others stay as they are."""
        rows = [
            {
                "condition": condition,
                "version": version,
                "instrument": instrument,
                "phase": int(state.phase),
                **{name: int(getattr(state, name)) for name in _STATE},
            }
            for instrument, state in states.items()
        ]
        if rows:
            self._connection.execute(_SAVE_STATES, rows)

    def states(self, condition: str, version: str) -> dict[InstrumentId, LifecycleState]:
        """Return where a version of a condition stands on every instrument it was kept for."""
        columns = (_LIFECYCLE.c[name] for name in ("instrument", "phase", *_STATE))
        statement = select(*columns).where(
            _LIFECYCLE.c.condition == condition, _LIFECYCLE.c.version == version
        )
        return {
            instrument: LifecycleState(Phase(phase), *numbers)
            for instrument, phase, *numbers in self._connection.execute(statement)
        }


_INSERT_STATES = upsert(_LIFECYCLE)
_SAVE_STATES = _INSERT_STATES.on_conflict_do_update(
    index_elements=["condition", "version", "instrument"],
    set_={name: _INSERT_STATES.excluded[name] for name in ("phase", *_STATE)},
)


def _signal_row(signal: Signal) -> dict[str, Any]:
    return {
        "id": signal.id,
        "condition": signal.condition,
        "version": signal.version,
        "instrument": signal.instrument,
        "timeframe": signal.timeframe.value,
        "bar_start": signal.bar_start,
        "fired_at": signal.fired_at,
        "price": float(signal.price),
        "explanation": _pack_explanation(signal.explanation),
        "snapshot": _pack_snapshot(signal.snapshot),
        "is_late": signal.is_late,
        "is_intrabar": signal.is_intrabar,
        "has_held": signal.has_held,
    }


def _signal(row: Row[Any]) -> Signal:
    return Signal(
        id=row.id,
        condition=row.condition,
        version=row.version,
        instrument=row.instrument,
        timeframe=Timeframe(row.timeframe),
        bar_start=row.bar_start,
        fired_at=row.fired_at,
        price=row.price,
        explanation=_unpack_explanation(row.explanation),
        snapshot=_unpack_snapshot(row.snapshot),
        is_late=row.is_late,
        is_intrabar=row.is_intrabar,
        has_held=row.has_held,
    )


def _pack_explanation(explanation: Explanation) -> dict[str, Any]:
    return {
        "verdict": int(explanation.verdict),
        "leaves": [
            [
                leaf.text,
                _pack(leaf.left),
                leaf.operator,
                _pack(leaf.right),
                leaf.unit,
                int(leaf.verdict),
                None if leaf.held_at is None else to_ms(leaf.held_at),
            ]
            for leaf in explanation.leaves
        ],
    }


def _unpack_explanation(document: dict[str, Any]) -> Explanation:
    leaves = tuple(_unpack_leaf(*leaf) for leaf in document["leaves"])
    return Explanation(Verdict(document["verdict"]), leaves)


def _unpack_leaf(
    text: str,
    left: float | None,
    operator: str,
    right: float | None,
    unit: str,
    verdict: int,
    held_ms: int | None = None,  # not kept with older signals
) -> Leaf:
    held_at = None if held_ms is None else from_ms(held_ms)
    values = (_unpack(left), operator, _unpack(right))
    return Leaf(text, *values, unit, Verdict(verdict), held_at)


def _pack_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "timeframe": snapshot.timeframe.value,
        "starts": [int(start) for start in snapshot.starts],
        "series": {name: _pack_all(getattr(snapshot, name)) for name in _SERIES},
        "overlays": {name: _pack_all(values) for name, values in snapshot.overlays.items()},
    }


def _unpack_snapshot(document: dict[str, Any]) -> Snapshot:
    return Snapshot(
        timeframe=Timeframe(document["timeframe"]),
        starts=tuple(document["starts"]),
        **{name: _unpack_all(document["series"][name]) for name in _SERIES},
        overlays={name: _unpack_all(values) for name, values in document["overlays"].items()},
    )


def _pack(value: float) -> float | str | None:
    # JSON has neither NaN (kept as null) nor infinity (kept as its text).
    if isnan(value):
        return None
    return float(value) if isfinite(value) else str(float(value))


def _unpack(value: float | str | None) -> float:
    return nan if value is None else float(value)


def _pack_all(values: Iterable[float]) -> list[float | str | None]:
    return [_pack(value) for value in values]


def _unpack_all(values: Iterable[float | str | None]) -> tuple[float, ...]:
    return tuple(_unpack(value) for value in values)
