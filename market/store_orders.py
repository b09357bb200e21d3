"""Orders, their events, fills and positions in the store."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from market.errors import IllegalTransition
from market.orders import (
    TRANSITIONS,
    Fill,
    Order,
    OrderState,
    Otherwise,
    Position,
    PositionSide,
    Side,
)
from market.tables import table
from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from market.clock import Clock
    from market.types import InstrumentId

_ORDERS = table("orders")
_EVENTS = table("order_events")
_FILLS = table("fills")
_POSITIONS = table("positions")
_ORDER_FIELDS = tuple(field.name for field in fields(Order))
_FILL_FIELDS = tuple(field.name for field in fields(Fill))
_POSITION_FIELDS = tuple(field.name for field in fields(Position))
_NOTES = frozenset({"broker_order_id", "code", "is_cancel_requested"})


class OrderTable:
    """Orders as they stand, every state they reached, what traded and what is held."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def put(self, order: Order) -> None:
        """Keep an order's next state; IllegalTransition where the table has no way.

        An identical order changes nothing. A new proposal of a proposal needs the next version,
        every other change keeps it. Within a state only the broker's id, the code and the cancel
        request may change.
        """
        order = _to_the_millisecond(order)
        stored = self.get(order.id)
        if stored == order:
            return
        values = {name: getattr(order, name) for name in _ORDER_FIELDS}
        if stored is None:
            self._connection.execute(_INSERT_ORDER, values)
        else:
            _check_successor(stored, order)
            self._connection.execute(_UPDATE_ORDER, {**values, "which": order.id})
        self._append_event(order)

    def get(self, order_id: str) -> Order | None:
        """Return an order as it stands."""
        found = self._orders(_ORDER_BY_ID, id=order_id)
        return found[0] if found else None

    def in_states(self, states: Iterable[OrderState]) -> list[Order]:
        """Return the orders in any of these states, oldest first."""
        return self._orders(_ORDERS_IN_STATES, states=[state.value for state in states])

    def venues_in(self, states: Iterable[OrderState]) -> set[str]:
        """Return the venues of all orders in any of these states."""
        venue = func.substr(_ORDERS.c.instrument, 1, func.instr(_ORDERS.c.instrument, ":") - 1)
        wanted = [state.value for state in states]
        found = select(venue).where(_ORDERS.c.state.in_(wanted)).distinct()
        return set(self._connection.execute(found).scalars())

    def recent(self, count: int) -> list[Order]:
        """Return the newest orders, newest first."""
        return self._orders(_RECENT_ORDERS, count=count)

    def since(self, at: datetime) -> list[Order]:
        """Return the orders proposed at or after a time, oldest first."""
        return self._orders(_ORDERS_SINCE, at=at)

    def events(self, order_id: str) -> list[tuple[int, OrderState, datetime, str]]:
        """Return (version, state, at, code) of everything an order went through, oldest first."""
        rows = self._connection.execute(_EVENTS_OF, {"order_id": order_id})
        return [(version, OrderState(state), at, code) for version, state, at, code in rows]

    def add_fill(self, fill: Fill, broker: str) -> bool:
        """Keep a broker's fill; False if it told that id before. StoreError if no such order is."""
        values = {"broker": broker, **{name: getattr(fill, name) for name in _FILL_FIELDS}}
        return self._connection.execute(_ADD_FILL, values).rowcount == 1

    def fills(self, order_id: str) -> list[Fill]:
        """Return an order's fills, oldest first."""
        return [_fill(row) for row in self._connection.execute(_FILLS_OF, {"order_id": order_id})]

    def fills_of(self, instrument: InstrumentId) -> list[Fill]:
        """Return an instrument's fills, in the order in which they were taken."""
        rows = self._connection.execute(_FILLS_IN, {"instrument": instrument})
        return [_fill(row) for row in rows]

    def last_fill_id(self, broker: str) -> str:
        """Return the greatest id of a broker's fills, "" before the first."""
        return self._connection.execute(_LAST_FILL, {"broker": broker}).scalar_one() or ""

    def positions(self) -> list[Position]:
        """Return every position that was ever kept, by instrument."""
        return [Position(*row) for row in self._connection.execute(_ALL_POSITIONS)]

    def position(self, instrument: InstrumentId) -> Position | None:
        """Return the position in an instrument."""
        row = self._connection.execute(_POSITION, {"instrument": instrument}).one_or_none()
        return None if row is None else Position(*row)

    def put_position(self, position: Position) -> None:
        """Keep a position in place of the one before."""
        values = {name: getattr(position, name) for name in _POSITION_FIELDS}
        self._connection.execute(_PUT_POSITION, values)

    def _orders(self, statement: Select[Any], **asked: object) -> list[Order]:
        return [_order(row) for row in self._connection.execute(statement, asked)]

    def _append_event(self, order: Order) -> None:
        self._connection.execute(
            _INSERT_EVENT,
            {
                "order_id": order.id,
                "version": order.version,
                "state": order.state,
                "at": self._clock.now(),
                "code": order.code,
            },
        )


# Statements are built once: to build one takes longer than to execute it.
_SELECT_ORDERS = select(*(_ORDERS.c[name] for name in _ORDER_FIELDS))
_BY_AGE = (_ORDERS.c.proposed_at, _ORDERS.c.number)
_INSERT_ORDER = insert(_ORDERS)
_UPDATE_ORDER = update(_ORDERS).where(_ORDERS.c.id == bindparam("which"))
_ORDER_BY_ID = _SELECT_ORDERS.where(_ORDERS.c.id == bindparam("id"))
_ORDERS_IN_STATES = _SELECT_ORDERS.where(
    _ORDERS.c.state.in_(bindparam("states", expanding=True))
).order_by(*_BY_AGE)
_RECENT_ORDERS = _SELECT_ORDERS.order_by(*(one.desc() for one in _BY_AGE)).limit(bindparam("count"))
_ORDERS_SINCE = _SELECT_ORDERS.where(_ORDERS.c.proposed_at >= bindparam("at")).order_by(*_BY_AGE)
_INSERT_EVENT = insert(_EVENTS)
_EVENTS_OF = (
    select(_EVENTS.c.version, _EVENTS.c.state, _EVENTS.c.at, _EVENTS.c.code)
    .where(_EVENTS.c.order_id == bindparam("order_id"))
    .order_by(_EVENTS.c.number)
)
_ADD_FILL = upsert(_FILLS).on_conflict_do_nothing(index_elements=["broker", "id"])
_SELECT_FILLS = select(*(_FILLS.c[name] for name in _FILL_FIELDS))
_FILLS_OF = _SELECT_FILLS.where(_FILLS.c.order_id == bindparam("order_id")).order_by(
    _FILLS.c.at, _FILLS.c.number
)
_FILLS_IN = _SELECT_FILLS.where(_FILLS.c.instrument == bindparam("instrument")).order_by(
    _FILLS.c.number
)
_LAST_FILL = select(func.max(_FILLS.c.id)).where(_FILLS.c.broker == bindparam("broker"))
_ALL_POSITIONS = select(_POSITIONS).order_by(_POSITIONS.c.instrument)
_POSITION = select(_POSITIONS).where(_POSITIONS.c.instrument == bindparam("instrument"))
_INSERT_POSITION = upsert(_POSITIONS)
_PUT_POSITION = _INSERT_POSITION.on_conflict_do_update(
    index_elements=["instrument"],
    set_={name: _INSERT_POSITION.excluded[name] for name in _POSITION_FIELDS},
)


def _check_successor(stored: Order, order: Order) -> None:
    is_reproposal = stored.state is order.state is OrderState.PROPOSED
    if order.version != stored.version + int(is_reproposal):
        raise IllegalTransition(
            f"order {order.id}: {stored.state} version {stored.version} cannot become "
            f"{order.state} version {order.version}"
        )
    if order.state in TRANSITIONS[stored.state] or _differs_in_notes_alone(stored, order):
        return
    raise IllegalTransition(f"order {order.id}: {stored.state} cannot become {order.state}")


def _differs_in_notes_alone(stored: Order, order: Order) -> bool:
    return replace(stored, **{name: getattr(order, name) for name in _NOTES}) == order


def _to_the_millisecond(order: Order) -> Order:
    return replace(
        order,
        proposed_at=from_ms(to_ms(order.proposed_at)),
        expires_at=from_ms(to_ms(order.expires_at)),
        reference_at=from_ms(to_ms(order.reference_at)),
    )


def _order(row: Row[Any]) -> Order:
    values = dict(row._mapping)  # noqa: SLF001  # the public way of SQLAlchemy to name columns
    values["side"] = Side(values["side"])
    values["state"] = OrderState(values["state"])
    values["otherwise"] = Otherwise(values["otherwise"])
    values["position"] = PositionSide(values["position"])
    values["facts"] = tuple((name, fact) for name, fact in values["facts"])
    return Order(**values)


def _fill(row: Row[Any]) -> Fill:
    values = dict(row._mapping)  # noqa: SLF001  # the public way of SQLAlchemy to name columns
    values["side"] = Side(values["side"])
    return Fill(**values)
