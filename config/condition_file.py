"""What a condition file says, checked in form; its expressions are still located text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from config.strict_yaml import Located

if TYPE_CHECKING:
    from datetime import time
    from decimal import Decimal

    from config.condition_tests import Trial
    from market.orders import Side
    from market.types import InstrumentId, Timeframe

Severity: TypeAlias = Literal["low", "normal", "high"]


@dataclass(frozen=True, slots=True)
class AllOf:
    """True where all items are; `located` is the word `all` in the file."""

    items: tuple[Rule, ...]
    located: Located


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True where any item is; `located` is the word `any` in the file."""

    items: tuple[Rule, ...]
    located: Located


@dataclass(frozen=True, slots=True)
class NotOf:
    """True where the item is false."""

    item: Rule


Rule: TypeAlias = Located | AllOf | AnyOf | NotOf
"""An expression, or expressions joined by all, any and not."""


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """How a signal is told: how urgent, and with or without its chart."""

    severity: Severity = "normal"
    chart: bool = True


@dataclass(frozen=True, slots=True)
class ConfirmSpec:
    """How long a card may be confirmed, and how far (ratio) the price may have moved by then."""

    within: timedelta
    max_drift: Decimal


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """The order that a signal proposes; without a price it is a market order."""

    side: Side
    size: Located
    price: Located | None
    confirm: ConfirmSpec


@dataclass(frozen=True, slots=True)
class ConditionSpec:
    """One condition file. `universe` is a universe's name or the instruments themselves.

    `hold_bars` is from `for: 2 bars`, `limit_per_day` counts per condition, `between` is in KST.
    """

    file: str
    name: str
    describe: str
    universe: Located | tuple[InstrumentId, ...]
    timeframe: Timeframe
    when: Rule
    hold_bars: int = 1
    clear: Rule | None = None
    cooldown: timedelta = timedelta(minutes=30)
    limit_per_day: int | None = None
    between: tuple[time, time] | None = None
    alert: AlertSpec = AlertSpec()
    order: OrderSpec | None = None
    tests: tuple[Trial, ...] = ()
