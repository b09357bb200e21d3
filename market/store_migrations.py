"""What brings a store of an earlier version up to the next, kept for every version there was."""

from __future__ import annotations

from typing import Final

_OWNER: Final = (
    "coalesce((SELECT json_extract(value, '$.name') FROM documents WHERE key = 'desk/broker'),"
    " 'paper')"
)
"""The broker to which a database of version 7 belonged, as engine/desk_owner.py kept it."""

MIGRATIONS: Final = {
    1: (
        "ALTER TABLE lifecycle ADD COLUMN clear_ms BIGINT DEFAULT '0' NOT NULL",
        "ALTER TABLE lifecycle ADD COLUMN unknown INTEGER DEFAULT '-1' NOT NULL",
    ),
    2: (
        "CREATE TABLE listing ("
        "instrument VARCHAR NOT NULL, name VARCHAR NOT NULL, segment VARCHAR NOT NULL, "
        "kind VARCHAR NOT NULL, first_day VARCHAR NOT NULL, last_day VARCHAR NOT NULL, "
        "price FLOAT, volume FLOAT, value FLOAT, change FLOAT, "
        "PRIMARY KEY (instrument)) WITHOUT ROWID",
        "CREATE TABLE daily_facts ("
        "day VARCHAR NOT NULL, instrument VARCHAR NOT NULL, told INTEGER NOT NULL, "
        "institutions_1 FLOAT, "
        "institutions_5 FLOAT, "
        "institutions_20 FLOAT, "
        "foreigners_1 FLOAT, "
        "foreigners_5 FLOAT, "
        "foreigners_20 FLOAT, "
        "individuals_1 FLOAT, "
        "individuals_5 FLOAT, "
        "individuals_20 FLOAT, "
        "market_cap FLOAT, "
        "listed_shares FLOAT, "
        "per FLOAT, "
        "pbr FLOAT, "
        "eps FLOAT, "
        "high_52w FLOAT, "
        "low_52w FLOAT, "
        "PRIMARY KEY (day, instrument)) WITHOUT ROWID",
        "CREATE TABLE universes ("
        "universe VARCHAR NOT NULL, day VARCHAR NOT NULL, spec VARCHAR NOT NULL, "
        "candidates INTEGER NOT NULL, "
        "PRIMARY KEY (universe, day))",
        "CREATE TABLE universe_members ("
        "universe VARCHAR NOT NULL, day VARCHAR NOT NULL, place INTEGER NOT NULL, "
        "instrument VARCHAR NOT NULL, why VARCHAR NOT NULL, rank INTEGER, value FLOAT, "
        "PRIMARY KEY (universe, day, place)) WITHOUT ROWID",
    ),
    3: (
        "ALTER TABLE signals ADD COLUMN is_intrabar BOOLEAN DEFAULT '0' NOT NULL",
        "ALTER TABLE signals ADD COLUMN has_held BOOLEAN",
    ),
    4: ("DROP TABLE ticks",),  # what was crawled is in the raw record (market/record.py)
    5: (
        "ALTER TABLE orders ADD COLUMN facts VARCHAR DEFAULT '[]' NOT NULL",
        "ALTER TABLE orders ADD COLUMN is_automatic BOOLEAN DEFAULT '0' NOT NULL",
        "ALTER TABLE orders ADD COLUMN otherwise VARCHAR DEFAULT 'drop' NOT NULL",
    ),
    6: (
        "ALTER TABLE orders ADD COLUMN unfilled VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE orders ADD COLUMN replaces VARCHAR",
    ),
    7: (  # fills are told apart by their broker; all of them are those of the one there was
        "CREATE TABLE fills_of_brokers ("
        "number INTEGER NOT NULL, broker VARCHAR NOT NULL, id VARCHAR NOT NULL, "
        "order_id VARCHAR NOT NULL, instrument VARCHAR NOT NULL, side VARCHAR NOT NULL, "
        "quantity VARCHAR NOT NULL, price VARCHAR NOT NULL, cost VARCHAR NOT NULL, "
        "at BIGINT NOT NULL, "
        "PRIMARY KEY (number), UNIQUE (broker, id), FOREIGN KEY(order_id) REFERENCES orders (id))",
        "INSERT INTO fills_of_brokers "  # noqa: S608  all of it stands in this file
        f"SELECT number, {_OWNER}, id, order_id, instrument, side, quantity, price, cost, at "
        "FROM fills",
        "DROP TABLE fills",
        "ALTER TABLE fills_of_brokers RENAME TO fills",
        "CREATE INDEX ix_fills_order_id ON fills (order_id)",
        "UPDATE documents "  # noqa: S608  as above
        f"SET key = 'desk/foreign/' || {_OWNER} || substr(key, 13) "
        "WHERE key LIKE 'desk/foreign/%'",
        "DELETE FROM documents WHERE key = 'reconcile/foreign'",  # told anew by the first look
    ),
    8: ("ALTER TABLE orders ADD COLUMN position VARCHAR DEFAULT 'long' NOT NULL",),
}
"""SQL statements by the version that they start from."""
