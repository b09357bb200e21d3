"""What a condition file says, checked in form; its expressions are still located text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from config.strict_yaml import Located
from market.orders import Otherwise, PositionSide, action_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import time
    from decimal import Decimal

    from config.condition_tests import Trial
    from market.orders import Action, Side
    from market.protect import Protect
    from market.types import InstrumentId, Timeframe
    from market.unfilled import Unfilled

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


@dataclass(frozen=True, slots=True)
class ScorePart:
    """What a part of a score adds: `weight` where true, `otherwise` where false (None: nothing).

    `unknown` is what it adds where it is unknown; None: then the whole score is unknown.
    """

    when: Rule
    weight: Located
    otherwise: Located | None = None
    unknown: Located | None = None


@dataclass(frozen=True, slots=True)
class ScoreOf:
    """True where the sum of the parts lies above, or below, its threshold: exactly one is given.

    `located` is the word `score` in the file.
    """

    parts: tuple[ScorePart, ...]
    above: Located | None
    below: Located | None
    located: Located


Rule: TypeAlias = Located | AllOf | AnyOf | NotOf | ScoreOf
"""An expression, or expressions joined by all, any and not; a score stands only at the top."""


@dataclass(frozen=True, slots=True)
class Let:
    """A named expression; `hides` is the shared one of the same name, where there is one."""

    name: Located
    body: Located
    hides: Located | None = None


@dataclass(frozen=True, slots=True)
class Param:
    """A named number that a backtest may vary within its range, all three in one unit."""

    name: Located
    default: Located
    low: Located
    high: Located


class Unknown(StrEnum):
    """What an unknown verdict does to a condition that is firing."""

    HOLD = "hold"
    RESOLVE = "resolve"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Muting:
    """Another condition that silences this one while it fires, anywhere or on one instrument."""

    condition: Located
    instrument: InstrumentId | None = None


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """How a signal is told: how urgent, and with or without its chart."""

    severity: Severity = "normal"
    chart: bool = True


@dataclass(frozen=True, slots=True)
class ConfirmSpec:
    """How long a card may be confirmed, and how far (ratio) the price may have moved by then.

    An order worth less than `auto_below` (an amount and its currency) is confirmed without a tap;
    `otherwise` tells what becomes of a card that nobody answers.
    """

    within: timedelta
    max_drift: Decimal
    auto_below: tuple[Decimal, str] | None = None
    otherwise: Otherwise = Otherwise.DROP


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """The order that a signal proposes; without a price it is a market order.

    `unfilled` is what becomes of it some time after it was sent; None: it rests until its day ends.
    `protect` is what ends the position that it opens. `position` is what it opens or closes.
    """

    side: Side
    size: Located
    price: Located | None
    confirm: ConfirmSpec
    unfilled: Unfilled | None = None
    protect: Protect | None = None
    position: PositionSide = PositionSide.LONG

    @property
    def action(self) -> Action:
        """Return the word for what it does."""
        return action_of(self.side, self.position)


@dataclass(frozen=True, slots=True)
class ConditionSpec:
    """One condition file. `universe` is a universe's name or the instruments themselves.

    `hold_bars` is from `for: 2 bars`, or from the parameter that `hold` names. `limit_per_day`
    counts per condition, `between` is in KST. `lets` are the file's own named expressions, `shared`
    those of all files. A verdict that stays unknown for `unknown_bars` bars is told where
    `on_unknown` asks for it. With `is_intrabar` bars are judged while they form, too. One that is
    not enabled is checked and tested, but nobody watches it. `places` are where the file's keys are
    written.
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
    lets: tuple[Let, ...] = ()
    shared: tuple[Let, ...] = ()
    params: tuple[Param, ...] = ()
    keep_for: timedelta = timedelta(0)
    expires: timedelta | None = None
    on_unknown: Unknown = Unknown.HOLD
    unknown_bars: int = 3
    fires_every_bar: bool = False
    muted_by: Muting | None = None
    hold: Located | None = None
    is_intrabar: bool = False
    is_enabled: bool = True
    places: Mapping[str, Located] = field(default_factory=dict, compare=False, repr=False)
