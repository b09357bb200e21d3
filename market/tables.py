"""The tables of the store; their columns bear the names of the fields that they keep."""

from __future__ import annotations

# Both are needed when SQLModel reads the annotations, not for typing alone.
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import BigInteger, Index, Integer, Table, UniqueConstraint
from sqlmodel import Field, SQLModel

from market.tables_types import DecimalText, JsonText, UnfilledText, UtcMilliseconds

SCHEMA_VERSION: Final = 9
"""The version this program writes; a change of any table below needs the next number.

And it needs the statements in store_migrations.py that bring a file of the version before up.
"""


class SchemaRow(SQLModel, table=True):
    """The one row that says whose database this is and of which version."""

    __tablename__ = "schema"
    program: str = Field(primary_key=True)
    version: int


class BarRow(SQLModel, table=True):
    """A bar; clustered by time, so that the close of a bar is written in one place."""

    __tablename__ = "bars"
    __table_args__ = ({"sqlite_with_rowid": False},)
    timeframe: str = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    instrument: str = Field(primary_key=True)
    open: float
    high: float
    low: float
    close: float
    volume: float | None
    value: float | None
    is_complete: bool


class BarStartRow(SQLModel, table=True):
    """A start that bars have: leads from an instrument to its bars without an index on each."""

    __tablename__ = "bar_starts"
    __table_args__ = ({"sqlite_with_rowid": False},)
    timeframe: str = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)


class OrderRow(SQLModel, table=True):
    """An order as it stands."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_state", "state"),
        Index("orders_proposed_at", "proposed_at"),
    )
    number: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    id: str = Field(unique=True)
    version: int
    instrument: str
    side: str
    quantity: Decimal = Field(sa_type=DecimalText)
    price: Decimal | None = Field(sa_type=DecimalText)
    state: str
    user_id: int = Field(sa_type=BigInteger)
    origin: str
    proposed_at: datetime = Field(sa_type=UtcMilliseconds)
    expires_at: datetime = Field(sa_type=UtcMilliseconds)
    reference_price: Decimal = Field(sa_type=DecimalText)
    reference_at: datetime = Field(sa_type=UtcMilliseconds)
    max_drift: Decimal = Field(sa_type=DecimalText)
    signal_id: str | None
    broker_order_id: str | None
    filled_quantity: Decimal = Field(sa_type=DecimalText)
    average_price: Decimal = Field(sa_type=DecimalText)
    cost: Decimal = Field(sa_type=DecimalText)
    code: str
    is_cancel_requested: bool
    facts: Any = Field(sa_type=JsonText, sa_column_kwargs={"server_default": "[]"})
    is_automatic: bool = Field(sa_column_kwargs={"server_default": "0"})
    otherwise: str = Field(sa_column_kwargs={"server_default": "drop"})
    unfilled: Any = Field(sa_type=UnfilledText, sa_column_kwargs={"server_default": ""})
    replaces: str | None
    position: str = Field(sa_column_kwargs={"server_default": "long"})


class OrderEventRow(SQLModel, table=True):
    """A state that an order reached; never changed."""

    __tablename__ = "order_events"
    number: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    order_id: str = Field(foreign_key="orders.id", index=True)
    version: int
    state: str
    at: datetime = Field(sa_type=UtcMilliseconds)
    code: str


class FillRow(SQLModel, table=True):
    """A part of an order that traded, under the id that its broker gave it; never changed."""

    __tablename__ = "fills"
    __table_args__ = (UniqueConstraint("broker", "id"),)
    number: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    broker: str
    id: str
    order_id: str = Field(foreign_key="orders.id", index=True)
    instrument: str
    side: str
    quantity: Decimal = Field(sa_type=DecimalText)
    price: Decimal = Field(sa_type=DecimalText)
    cost: Decimal = Field(sa_type=DecimalText)
    at: datetime = Field(sa_type=UtcMilliseconds)


class PositionRow(SQLModel, table=True):
    """What is held of an instrument."""

    __tablename__ = "positions"
    instrument: str = Field(primary_key=True)
    quantity: Decimal = Field(sa_type=DecimalText)
    average_price: Decimal = Field(sa_type=DecimalText)
    realized: Decimal = Field(sa_type=DecimalText)


class SignalRow(SQLModel, table=True):
    """A signal with its reasons and the bars it was decided on."""

    __tablename__ = "signals"
    __table_args__ = (Index("signals_fired", "condition", "fired_at"),)
    number: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    id: str = Field(unique=True)
    condition: str
    version: str
    instrument: str
    timeframe: str
    bar_start: datetime = Field(sa_type=UtcMilliseconds)
    fired_at: datetime = Field(sa_type=UtcMilliseconds)
    price: float
    explanation: Any = Field(sa_type=JsonText)
    snapshot: Any = Field(sa_type=JsonText)
    is_late: bool
    is_intrabar: bool = Field(sa_column_kwargs={"server_default": "0"})
    has_held: bool | None


class LifecycleRow(SQLModel, table=True):
    """Where a condition stands on an instrument."""

    __tablename__ = "lifecycle"
    condition: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    instrument: str = Field(primary_key=True)
    phase: int
    held: int
    fired_ms: int = Field(sa_type=BigInteger)
    bar_ms: int = Field(sa_type=BigInteger)
    clear_ms: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    unknown: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "-1"})


class OutboxRow(SQLModel, table=True):
    """A message on its way to a chat: queued, sending, sent or failed."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_state", "state", "chat_id"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    chat_id: int = Field(sa_type=BigInteger)
    text: str
    buttons: Any = Field(sa_type=JsonText)
    card: str | None
    chart: str | None
    is_silent: bool
    state: str
    enqueued_at: datetime = Field(sa_type=UtcMilliseconds)
    not_before: datetime = Field(sa_type=UtcMilliseconds)
    changed_at: datetime = Field(sa_type=UtcMilliseconds)
    attempts: int
    is_repeat: bool
    message_id: int | None = Field(sa_type=BigInteger)
    error: str


class CardRow(SQLModel, table=True):
    """The message in which a card lives."""

    __tablename__ = "cards"
    __table_args__ = (Index("cards_message", "chat_id", "message_id", unique=True),)
    chat_id: int = Field(primary_key=True, sa_type=BigInteger)
    card: str = Field(primary_key=True)
    message_id: int = Field(sa_type=BigInteger)
    is_photo: bool


class InboxRow(SQLModel, table=True):
    """An update that came in."""

    __tablename__ = "inbox"
    update_id: int = Field(primary_key=True, sa_type=BigInteger)
    payload: str
    received_at: datetime = Field(sa_type=UtcMilliseconds)
    done_at: datetime | None = Field(sa_type=UtcMilliseconds, index=True)


class KeyRow(SQLModel, table=True):
    """A key that works once, such as the id of a tap."""

    __tablename__ = "used_keys"
    key: str = Field(primary_key=True)
    used_at: datetime = Field(sa_type=UtcMilliseconds)


class PersonRow(SQLModel, table=True):
    """Somebody who may use the bot."""

    __tablename__ = "people"
    id: int = Field(primary_key=True, sa_type=BigInteger)
    role: str
    language: str
    name: str
    changed_at: datetime = Field(sa_type=UtcMilliseconds)


class DocumentRow(SQLModel, table=True):
    """A JSON object under a key."""

    __tablename__ = "documents"
    key: str = Field(primary_key=True)
    value: Any = Field(sa_type=JsonText)


def table(name: str) -> Table:
    """Return a table by name, for Core statements."""
    return SQLModel.metadata.tables[name]
