"""What brings a store of an earlier version up to the next, kept for every version there was."""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = {
    1: (
        "ALTER TABLE lifecycle ADD COLUMN clear_ms BIGINT DEFAULT '0' NOT NULL",
        "ALTER TABLE lifecycle ADD COLUMN unknown INTEGER DEFAULT '-1' NOT NULL",
    ),
}
"""SQL statements by the version that they start from."""
