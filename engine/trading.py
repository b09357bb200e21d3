"""Whether we trade: active or paused, kept in the store so that a restart changes nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from market.types import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from market.store import Transaction

_KEY = "trading"


class TradingState(StrEnum):
    """What may be sent: everything, or only what reduces a position."""

    ACTIVE = "active"
    PAUSED = "paused"


def read_trading(tx: Transaction) -> TradingState:
    """Return the kept state; active if nobody ever paused."""
    value = tx.documents.get(_KEY)
    return TradingState.ACTIVE if value is None else TradingState(value["state"])


def write_trading(tx: Transaction, state: TradingState, user_id: int, at: datetime) -> None:
    """Keep the state, with who changed it and when."""
    tx.documents.put(_KEY, {"state": state.value, "user_id": user_id, "at": to_ms(at)})
