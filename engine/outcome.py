"""What became of a tap or a command on an order, as a text key with facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from market.orders import Order


@dataclass(frozen=True, slots=True)
class Outcome:
    """`order` as it stands afterwards; `code` keys the text, `facts` are texts for it."""

    order: Order | None
    code: str
    facts: Mapping[str, str] = field(default_factory=dict)
