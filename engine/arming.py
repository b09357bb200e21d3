"""Whether the live broker is armed: nothing is bought there before somebody arms it in chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from market.types import from_ms, to_ms

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from market.store import Transaction

_KEY = "arming"


@dataclass(frozen=True, slots=True)
class Arming:
    """Armed by somebody since `at`; last used for an order at `used_at` (both wall clock)."""

    user_id: int
    at: datetime
    used_at: datetime

    def ends_at(self, idle: timedelta) -> datetime:
        """Return when it ends by itself if it is not used until then."""
        return self.used_at + idle


def read_arming(tx: Transaction, now: datetime, idle: timedelta) -> Arming | None:
    """Return who armed the broker and when, None where it is disarmed or has idled too long."""
    arming = read_kept_arming(tx)
    return None if arming is None or now >= arming.ends_at(idle) else arming


def read_kept_arming(tx: Transaction) -> Arming | None:
    """Return what is kept, though it may be over."""
    value = tx.documents.get(_KEY)
    if value is None:
        return None
    at, used_at = (from_ms(int(value[name])) for name in ("at", "used_at"))
    return Arming(int(value["user_id"]), at, used_at)


def write_arming(tx: Transaction, arming: Arming | None) -> None:
    """Keep that the broker is armed, or that it is not."""
    if arming is None:
        tx.documents.delete(_KEY)
        return
    value = {"user_id": arming.user_id, "at": to_ms(arming.at), "used_at": to_ms(arming.used_at)}
    tx.documents.put(_KEY, value)
