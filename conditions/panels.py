"""The panel that conditions of one timeframe need: longer bars, facts, positions where they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from market.fact_panel import FactPanel
from market.panel import Panel
from market.position_panel import PositionPanel
from market.types import Timeframe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conditions.compile import Condition
    from market.types import InstrumentId


def panel_for(
    conditions: Sequence[Condition], instruments: Sequence[InstrumentId], depth: int
) -> Panel:
    """Return an empty panel of these instruments that holds what any of the conditions asks for."""
    asked = {timeframe for one in conditions for timeframe in one.larger}
    larger = [timeframe for timeframe in Timeframe if timeframe in asked]
    facts = FactPanel(instruments) if any(one.facts for one in conditions) else None
    asks_what_is_held = any(one.asks_what_is_held for one in conditions)
    positions = PositionPanel(instruments) if asks_what_is_held else None
    return Panel(conditions[0].timeframe, instruments, depth, larger, facts, positions)
