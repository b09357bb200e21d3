"""Every name that stands for a series by itself or with a part: the bar, the day, the facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conditions.calls import usage, usage_of
from conditions.clock_fields import CLOCK_FIELDS, clock_field
from conditions.cross import BREADTH, RANK
from conditions.day_fields import DAY, DAY_FIELDS, day_field
from conditions.elsewhere import OF, USAGE
from conditions.fact_fields import FACT_FIELDS, FACTS, fact_field
from conditions.functions import FUNCTIONS
from conditions.indicators import EVENTS, INDICATORS, SHORTHANDS
from conditions.larger import PREFIXES
from conditions.limit_fields import LIMIT_FIELDS, limit_field
from conditions.mistake import Mistake
from conditions.position_fields import POSITION, POSITION_FIELDS, position_field
from conditions.series import Field
from conditions.units import Unit
from config.registry import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conditions.nodes import Call, Name
    from conditions.series import Series
    from market.types import Timeframe


@dataclass(frozen=True, slots=True)
class BarPart:
    """What a field of the bar measures and means."""

    unit: Unit
    meaning: str


BAR_FIELDS = {
    "open": BarPart(Unit.PRICE, "The bar's first price."),
    "high": BarPart(Unit.PRICE, "Its highest price."),
    "low": BarPart(Unit.PRICE, "Its lowest price."),
    "close": BarPart(Unit.PRICE, "Its last price."),
    "volume": BarPart(Unit.VOLUME, "Shares traded in it."),
    "value": BarPart(Unit.VALUE, "Money traded in it."),
}
"""The fields of a bar."""

FIELDS = (*BAR_FIELDS, *CLOCK_FIELDS, *LIMIT_FIELDS)
"""Every name that stands for a series by itself."""

SCOPES = {
    OF: USAGE,
    RANK: f"{RANK}(change(1))",
    BREADTH: f"{BREADTH}(close > open)",
}
"""What looks beyond the instrument's own bars, and how it is written."""

PARTS: Mapping[str, Mapping[str, object]] = {
    DAY: DAY_FIELDS,
    FACTS: FACT_FIELDS,
    POSITION: POSITION_FIELDS,
}
"""Names that stand for a series with a part behind them only."""

RESERVED = frozenset({*FIELDS, *SCOPES, *PREFIXES, *PARTS})
"""Names that no named expression may have."""


def named_field(node: Name, timeframe: Timeframe | None) -> Series:
    """Return the series that a name stands for; raises Mistake where it is none."""
    if node.name in BAR_FIELDS:
        unit = BAR_FIELDS[node.name].unit
        return Field(node=node, unit=unit, key=node.name, is_level=unit is Unit.PRICE)
    if node.name in CLOCK_FIELDS:
        return clock_field(node.name)
    if node.name in LIMIT_FIELDS:
        return limit_field(node.name, timeframe)
    raise _no_field(node)


def field_of(owner: Name, part: str, timeframe: Timeframe | None) -> Series:
    """Return the series of `owner.part`; raises Mistake where there is none."""
    parts = PARTS.get(owner.name, {})
    if part in parts and owner.name == DAY:
        return day_field(part, timeframe)
    if part in parts:
        return fact_field(part) if owner.name == FACTS else position_field(part)
    near = suggestion(part, parts) if parts else suggestion(owner.name, PARTS)
    if parts and not near:
        near = f"; it has {', '.join(parts)}"
    raise Mistake(owner.start, f"'{owner.name}' has no part '{part}'{near}")


def unknown_call(call: Call, name: str) -> Mistake:
    """Return the mistake of calling something that does not exist."""
    if name in FIELDS:
        return Mistake(call.start, f"'{name}' is a series and takes no arguments")
    if name == OF:
        return Mistake(call.start, f"'{OF}' needs a part behind it: {USAGE}")
    if name in RESERVED:
        return Mistake(call.start, f"'{name}' is not called with ( )")
    near = suggestion(name, [*INDICATORS, *EVENTS, *SHORTHANDS, *FUNCTIONS, RANK, BREADTH])
    return Mistake(call.start, f"unknown indicator '{name}'{near}")


def _no_field(node: Name) -> Mistake:
    name = node.name
    needs = _needs(name)
    if needs:
        return Mistake(node.start, f"'{name}' {needs}")
    for owner, parts in ((FACTS, FACT_FIELDS), (POSITION, POSITION_FIELDS)):
        if name in parts:
            return Mistake(node.start, f"unknown name '{name}'; did you mean '{owner}.{name}'?")
    words = [*FIELDS, *PARTS, *SCOPES, *INDICATORS, *EVENTS, *SHORTHANDS, *FUNCTIONS]
    near = suggestion(name, [*words, "and", "or", "not"])
    return Mistake(node.start, f"unknown name '{name}'{near or '; known: ' + ', '.join(FIELDS)}")


def _needs(name: str) -> str:
    """Return what a word lacks that is none by itself, "" for an unknown one."""
    if name in PARTS:
        return f"needs a part: {', '.join(f'{name}.{part}' for part in PARTS[name])}"
    if name in PREFIXES:
        return f"needs a part: {name}.close, {name}.sma(close, 20)"
    if name in SCOPES:
        return f"needs arguments: {SCOPES[name]}"
    if name in INDICATORS:
        return f"needs arguments: {usage(name, INDICATORS.get(name))}"
    for registry in (EVENTS, SHORTHANDS):
        if name in registry:
            called = registry.get(name)
            needs = "needs arguments" if called.series else "is called with ( )"
            return f"{needs}: {usage_of(name, called)}"
    return f"needs arguments: {name}(a, b)" if name in FUNCTIONS else ""
