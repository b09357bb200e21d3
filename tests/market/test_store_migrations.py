"""A store of an earlier version is brought up to date and keeps what it holds."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.desk_fills import last_fill_id
from market.errors import StoreError
from market.fact_groups import FactGroup
from market.facts import DailyFacts
from market.orders import Order, OrderState, Side
from market.signals import Explanation, LifecycleState, Phase, Signal, Snapshot
from market.store import Store, StoreReader
from market.store_migrations import MIGRATIONS
from market.tables import SCHEMA_VERSION
from market.types import Timeframe, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from market.store import Transaction

FIRST_LIFECYCLE = """
CREATE TABLE lifecycle (
    condition VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    instrument VARCHAR NOT NULL,
    phase INTEGER NOT NULL,
    held INTEGER NOT NULL,
    fired_ms BIGINT NOT NULL,
    bar_ms BIGINT NOT NULL,
    PRIMARY KEY (condition, version, instrument)
)
"""
"""The table as version 1 wrote it."""

SINCE_SECOND = ("listing", "daily_facts", "universes", "universe_members")
"""Tables that version 2 did not have."""

NOON = datetime(2026, 11, 20, 3, tzinfo=UTC)
SIGNAL = Signal(
    id="a:v:KRX:005930:0",
    condition="a",
    version="v",
    instrument="KRX:005930",
    timeframe=Timeframe.M5,
    bar_start=NOON,
    fired_at=NOON,
    price=110.0,
    explanation=Explanation(Verdict.TRUE, ()),
    snapshot=Snapshot(Timeframe.M5, (0,), (1.0,), (1.0,), (1.0,), (1.0,), (1.0,)),
)
ORDER = Order(
    id="a",
    version=1,
    instrument="KRX:005930",
    side=Side.BUY,
    quantity=Decimal(10),
    price=None,
    state=OrderState.PROPOSED,
    user_id=7,
    origin="command",
    proposed_at=NOON,
    expires_at=NOON,
    reference_price=Decimal(70_000),
    reference_at=NOON,
    max_drift=Decimal("0.003"),
)


def fifth_version(path: Path) -> Path:
    """Return a store of version 5 that holds an order."""
    store = Store.open(path)
    asyncio.run(store.write(lambda tx: tx.orders.put(ORDER)))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _drop_confirmation(connection)
        connection.execute("UPDATE schema SET version = 5")
        connection.execute("PRAGMA user_version = 5")
    return path


def third_version(path: Path) -> Path:
    """Return a store of version 3 that holds a signal."""
    store = Store.open(path)
    asyncio.run(store.write(lambda tx: tx.signals.add(SIGNAL)))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _drop_early(connection)
        connection.execute("UPDATE schema SET version = 3")
        connection.execute("PRAGMA user_version = 3")
    return path


def _drop_early(connection: sqlite3.Connection) -> None:
    """Take away what version 3 did not know of signals, and put back the ticks it had."""
    connection.execute("CREATE TABLE ticks (number INTEGER PRIMARY KEY, instrument VARCHAR)")
    connection.execute("INSERT INTO ticks (instrument) VALUES ('KRX:005930')")
    for name in ("is_intrabar", "has_held"):
        connection.execute(f"ALTER TABLE signals DROP COLUMN {name}")
    _drop_confirmation(connection)


def sixth_version(path: Path) -> Path:
    """Return a store of version 6 that holds an order."""
    store = Store.open(path)
    asyncio.run(store.write(lambda tx: tx.orders.put(ORDER)))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _drop_replacement(connection)
        connection.execute("UPDATE schema SET version = 6")
        connection.execute("PRAGMA user_version = 6")
    return path


SEVENTH_FILLS = """
CREATE TABLE fills (
    number INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    order_id VARCHAR NOT NULL,
    instrument VARCHAR NOT NULL,
    side VARCHAR NOT NULL,
    quantity VARCHAR NOT NULL,
    price VARCHAR NOT NULL,
    cost VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (id),
    FOREIGN KEY(order_id) REFERENCES orders (id)
)
"""
"""The table as version 7 wrote it."""


def eighth_version(path: Path) -> Path:
    """Return a store of version 8 that holds an order."""
    store = Store.open(path)
    asyncio.run(store.write(lambda tx: tx.orders.put(ORDER)))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _drop_position(connection)
        connection.execute("UPDATE schema SET version = 8")
        connection.execute("PRAGMA user_version = 8")
    return path


def _drop_position(connection: sqlite3.Connection) -> None:
    """Take away what version 8 did not know of orders."""
    connection.execute("ALTER TABLE orders DROP COLUMN position")


def seventh_version(path: Path, owner: str | None = None) -> Path:
    """Return a store of version 7 that holds an order, its fill and a fill of nobody's order."""
    store = Store.open(path)

    def write(tx: Transaction) -> None:
        tx.orders.put(ORDER)
        tx.documents.put("desk/foreign/000009", {"order": "?"})
        if owner is not None:
            tx.documents.put("desk/broker", {"name": owner})

    asyncio.run(store.write(write))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _drop_brokers(connection)
        connection.execute(
            "INSERT INTO fills VALUES "
            "(1, '000007', 'a', 'KRX:005930', 'buy', '10', '70000', '105', 1)"
        )
        connection.execute("UPDATE schema SET version = 7")
        connection.execute("PRAGMA user_version = 7")
    return path


def _drop_brokers(connection: sqlite3.Connection) -> None:
    """Take away what version 7 did not know of fills."""
    _drop_position(connection)
    connection.execute("DROP TABLE fills")
    connection.execute(SEVENTH_FILLS)
    connection.execute("CREATE INDEX ix_fills_order_id ON fills (order_id)")


def _drop_replacement(connection: sqlite3.Connection) -> None:
    """Take away what version 6 did not know of orders."""
    _drop_brokers(connection)
    for name in ("unfilled", "replaces"):
        connection.execute(f"ALTER TABLE orders DROP COLUMN {name}")


def _drop_confirmation(connection: sqlite3.Connection) -> None:
    """Take away what version 5 did not know of orders."""
    _drop_replacement(connection)
    for name in ("facts", "is_automatic", "otherwise"):
        connection.execute(f"ALTER TABLE orders DROP COLUMN {name}")


def second_version(path: Path) -> Path:
    """Return a store of version 2 that holds a document."""
    store = Store.open(path)
    asyncio.run(store.write(lambda tx: tx.documents.put("kept", {"is": True})))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name in SINCE_SECOND:
            connection.execute(f"DROP TABLE {name}")
        _drop_early(connection)
        connection.execute("UPDATE schema SET version = 2")
        connection.execute("PRAGMA user_version = 2")
    return path


def first_version(path: Path) -> Path:
    """Return a store of version 1 in which one condition fires."""
    Store.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE lifecycle")
        connection.execute(FIRST_LIFECYCLE)
        connection.execute("INSERT INTO lifecycle VALUES ('a', 'v', 'KRX:005930', 2, 3, 40, 50)")
        for name in SINCE_SECOND:
            connection.execute(f"DROP TABLE {name}")
        _drop_early(connection)
        connection.execute("UPDATE schema SET version = 1")
        connection.execute("PRAGMA user_version = 1")
    return path


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f"PRAGMA table_info({name})").fetchall() for (name,) in names
        }


def test_states_of_version_1_are_kept(tmp_path: Path) -> None:
    store = Store.open(first_version(tmp_path / "a.sqlite"))
    states = asyncio.run(store.read(lambda tx: tx.signals.states("a", "v")))
    store.close()
    assert states == {"KRX:005930": LifecycleState(Phase.FIRING, 3, 40, 50)}


def test_a_store_of_version_2_keeps_what_it_holds_and_learns_facts(tmp_path: Path) -> None:
    store = Store.open(second_version(tmp_path / "a.sqlite"))
    facts = DailyFacts("KRX:005930", date(2026, 11, 20), per=9.5)
    asyncio.run(store.write(lambda tx: tx.facts.put([facts], FactGroup.FIGURES)))
    assert asyncio.run(store.read(lambda tx: tx.documents.get("kept"))) == {"is": True}
    assert asyncio.run(store.read(lambda tx: tx.facts.of_day(facts.day))) == {"KRX:005930": facts}
    store.close()


def test_signals_of_version_3_are_those_of_closed_bars(tmp_path: Path) -> None:
    store = Store.open(third_version(tmp_path / "a.sqlite"))
    assert asyncio.run(store.read(lambda tx: tx.signals.get(SIGNAL.id))) == SIGNAL
    store.close()


@pytest.mark.parametrize(("owner", "name"), [("kis", "kis"), (None, "paper")])
def test_fills_of_version_7_are_those_of_its_broker(
    tmp_path: Path, owner: str | None, name: str
) -> None:
    store = Store.open(seventh_version(tmp_path / "a.sqlite", owner))

    def look(tx: Transaction) -> list[object]:
        ids = [one.id for one in tx.orders.fills("a")]
        return [ids, tx.orders.last_fill_id(name), last_fill_id(tx, name)]

    assert asyncio.run(store.read(look)) == [["000007"], "000007", "000009"]
    store.close()


def test_orders_of_version_8_are_of_long_positions(tmp_path: Path) -> None:
    store = Store.open(eighth_version(tmp_path / "a.sqlite"))
    assert asyncio.run(store.read(lambda tx: tx.orders.get("a"))) == ORDER
    store.close()


def test_orders_of_version_6_rest_and_replace_nothing(tmp_path: Path) -> None:
    store = Store.open(sixth_version(tmp_path / "a.sqlite"))
    assert asyncio.run(store.read(lambda tx: tx.orders.get("a"))) == ORDER
    store.close()


def test_orders_of_version_5_were_confirmed_by_a_tap(tmp_path: Path) -> None:
    store = Store.open(fifth_version(tmp_path / "a.sqlite"))
    assert asyncio.run(store.read(lambda tx: tx.orders.get("a"))) == ORDER
    store.close()


@pytest.mark.parametrize(
    "version",
    [
        first_version,
        second_version,
        third_version,
        fifth_version,
        sixth_version,
        seventh_version,
        eighth_version,
    ],
)
def test_an_upgraded_store_equals_a_new_one(
    tmp_path: Path, version: Callable[[Path], Path]
) -> None:
    old, new = version(tmp_path / "old.sqlite"), tmp_path / "new.sqlite"
    for path in (old, new):
        Store.open(path).close()
    assert columns(old) == columns(new)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT version FROM schema").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    Store.open(old).close()


def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = first_version(tmp_path / "a.sqlite")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE lifecycle ADD COLUMN unknown INTEGER")
    with pytest.raises(StoreError, match="duplicate column"):
        Store.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version FROM schema").fetchone() == (1,)
        names = [row[1] for row in connection.execute("PRAGMA table_info(lifecycle)")]
    assert "clear_ms" not in names


def test_a_reader_waits_for_the_upgrade(tmp_path: Path) -> None:
    path = first_version(tmp_path / "a.sqlite")
    with pytest.raises(StoreError, match="older ticktalk: `ticktalk run` brings it up to date"):
        StoreReader(path)
    Store.open(path).close()
    StoreReader(path).close()


def test_every_version_can_be_upgraded() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))
