"""What a condition waits for on an instrument before it can fire."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from conditions.days import length_ms
from conditions.fact_fields import fact_fields_in
from conditions.larger import needs
from conditions.position_fields import position_field, positions_in
from market.sessions import KST
from market.signals import Phase
from market.types import Timeframe, Verdict, from_ms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, time

    from conditions.compile import Condition
    from config.condition_file import ConditionSpec
    from market.panel import Panel
    from market.sessions import Calendar
    from market.signals import LifecycleState


class WaitFor(StrEnum):
    """A reason why nothing fires now."""

    WARM_UP = "warm_up"
    LONGER_WARM_UP = "longer_warm_up"
    LONGER_CHART = "longer_chart"
    FACTS = "facts"
    NOT_HELD = "not_held"
    POSITIONS = "positions"
    MISSING = "missing"
    CHART = "chart"
    UNKNOWN = "unknown"
    FALSE = "false"
    HOLD = "hold"
    CLEAR = "clear"
    KEEP = "keep"
    EXPIRES = "expires"
    MUTED = "muted"
    COOLDOWN = "cooldown"
    HOURS = "hours"
    HOURS_NOW = "hours_now"
    HOURS_END = "hours_end"
    LIMIT = "limit"
    NO_TRADE = "no_trade"
    BEHIND = "behind"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing waited for: `has` of `needs` (bars, signals), or a moment.

    FACTS names the daily facts that are not told. NOT_HELD is that the bar knows of no position,
    POSITIONS that nobody can tell what is or was held. BEHIND and NO_TRADE have `has` slots since
    the bar that `at` names; HOURS names the hours that the bar which ended `at` lies outside of,
    MUTED the condition that silences this one.
    """

    reason: WaitFor
    has: int = 0
    needs: int = 0
    at: datetime | None = None
    hours: tuple[time, time] | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known beside bars and states when somebody asks why.

    `judged_ms` is the start of the newest slot that was judged (0: none), `fired_today` how many
    signals of the condition count towards its limit. `is_held_back` tells that the venue's chart
    is asked before anything is concluded from the instrument's bars. `muted_by` is the condition
    that silences this one as of the newest bar, "" for none. With `is_forming` that bar has not
    closed yet.
    """

    now: datetime
    calendar: Calendar
    judged_ms: int = 0
    fired_today: int = 0
    is_held_back: bool = False
    muted_by: str = ""
    is_forming: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a condition stands on one row after its newest bar.

    `seen_ms` is the moment up to which that bar was seen if it is still forming, else 0.
    """

    condition: Condition
    panel: Panel
    row: int
    verdict: Verdict
    state: LifecycleState
    start_ms: int
    end_ms: int
    seen_ms: int = 0

    @property
    def now_ms(self) -> int:
        """Return the moment that the bar stands for: its end, or the present while it forms."""
        return min(self.end_ms, self.seen_ms) if self.seen_ms else self.end_ms


def waits(standing: Standing, moment: Moment) -> tuple[Wait, ...]:
    """Return what the condition waits for on the row, in the order in which it matters."""
    return (
        *_unknown(standing, moment),
        *_lifecycle(standing),
        *([Wait(WaitFor.MUTED, name=moment.muted_by)] if moment.muted_by else ()),
        *_market(standing, moment),
    )


def _unknown(standing: Standing, moment: Moment) -> Iterator[Wait]:
    count, warm_up = int(standing.panel.counts[standing.row]), standing.condition.warmup
    is_missing = bool(standing.panel.missing[standing.row])
    if moment.is_held_back:
        yield Wait(WaitFor.CHART)
    elif is_missing:
        yield Wait(WaitFor.MISSING)
    if standing.verdict is not Verdict.UNKNOWN:
        return
    untold = (*_longer(standing), *_facts(standing), *_position(standing))
    yield from untold
    if count < warm_up:
        yield Wait(WaitFor.WARM_UP, count, warm_up)
    elif not is_missing and not untold:
        yield Wait(WaitFor.UNKNOWN)


def _longer(standing: Standing) -> Iterator[Wait]:
    """Yield what lacks of bars of longer timeframes."""
    for timeframe, warm_up in sorted(needs(standing.condition.when).items()):
        panel = standing.panel.larger.get(timeframe)
        if panel is None or panel.missing[standing.row]:
            yield Wait(WaitFor.LONGER_CHART, name=timeframe)
        count = 0 if panel is None else _closed(panel, standing.row, standing.now_ms)
        if count < warm_up:
            yield Wait(WaitFor.LONGER_WARM_UP, count, warm_up, name=timeframe)


def _facts(standing: Standing) -> Iterator[Wait]:
    """Yield which daily facts nobody has told of late, where there is a bar that asks for them."""
    if not standing.start_ms:
        return
    view = standing.condition.view(standing.panel, np.array([standing.row], dtype=np.int64))
    asked = {one.key: one for one in fact_fields_in(standing.condition.when.node)}
    untold = [key for key, one in asked.items() if np.isnan(one.values(view, 1)[0, -1])]
    if untold:
        yield Wait(WaitFor.FACTS, name=", ".join(untold))


def _position(standing: Standing) -> Iterator[Wait]:
    """Yield why the position that is asked for is not known, where there is a bar."""
    asked = {one.name for one in positions_in(standing.condition.when.node)}
    if not standing.start_ms or not asked:
        return
    panel, row = standing.panel, np.array([standing.row], dtype=np.int64)
    if panel.positions is None or not panel.positions.is_told(standing.row):
        yield Wait(WaitFor.POSITIONS)
        return
    view = standing.condition.view(panel, row)
    if any(np.isnan(position_field(name).values(view, 1)[0, -1]) for name in asked):
        yield Wait(WaitFor.NOT_HELD)


def _closed(panel: Panel, row: int, end_ms: int) -> int:
    """Return how many longer bars count at the end of a bar; days come once they are over."""
    starts = panel.starts[row]
    length = 0 if panel.timeframe is Timeframe.D1 else length_ms(panel.timeframe)
    return int(((starts > 0) & (starts + length <= end_ms)).sum())


def _lifecycle(standing: Standing) -> Iterator[Wait]:
    spec, state = standing.condition.spec, standing.state
    if standing.verdict is Verdict.FALSE:
        yield Wait(WaitFor.FALSE)
    is_over = state.phase is Phase.FIRING and not spec.fires_every_bar
    if standing.verdict is Verdict.TRUE and not is_over and state.held < spec.hold_bars:
        yield Wait(WaitFor.HOLD, state.held, spec.hold_bars)
    if is_over:
        yield from _rearming(spec, state)
    until = from_ms(state.fired_ms) + spec.cooldown
    if state.phase in {Phase.FIRING, Phase.COOLING} and from_ms(standing.now_ms) < until:
        yield Wait(WaitFor.COOLDOWN, at=until)
    if standing.start_ms:
        yield from _hours(standing)


def _hours(standing: Standing) -> Iterator[Wait]:
    """Yield that the bar is outside the hours, a forming one now or when it ends."""
    hours = standing.condition.spec.between
    asked = [(WaitFor.HOURS, standing.end_ms)]
    if standing.seen_ms:
        asked = [(WaitFor.HOURS_NOW, standing.now_ms), (WaitFor.HOURS_END, standing.end_ms)]
    for reason, moment_ms in asked:
        if not _is_within(hours, moment_ms):
            yield Wait(reason, at=from_ms(moment_ms), hours=hours)
            return


def _rearming(spec: ConditionSpec, state: LifecycleState) -> Iterator[Wait]:
    if state.clear_ms:
        yield Wait(WaitFor.KEEP, at=from_ms(state.clear_ms) + spec.keep_for)
    else:
        yield Wait(WaitFor.CLEAR)
    if spec.expires is not None:
        yield Wait(WaitFor.EXPIRES, at=from_ms(state.fired_ms) + spec.expires)


def _market(standing: Standing, moment: Moment) -> Iterator[Wait]:
    limit = standing.condition.spec.limit_per_day
    if limit is not None and moment.fired_today >= limit:
        yield Wait(WaitFor.LIMIT, moment.fired_today, limit)
    calendar, timeframe = moment.calendar, standing.panel.timeframe
    newest_ms = max(standing.start_ms, moment.judged_ms)
    if standing.start_ms and not standing.panel.missing[standing.row]:
        since = from_ms(standing.start_ms + 1)
        untraded = calendar.slots(since, from_ms(moment.judged_ms + 1), timeframe)
        if untraded:
            yield Wait(WaitFor.NO_TRADE, len(untraded), at=from_ms(standing.start_ms))
    if newest_ms:
        later = calendar.slots(from_ms(newest_ms + 1), moment.now, timeframe)
        closed = [one for one in later if calendar.slot_end(one, timeframe) <= moment.now]
        if closed:
            yield Wait(WaitFor.BEHIND, len(closed), at=from_ms(newest_ms))
    if not calendar.is_open(moment.now):
        yield Wait(WaitFor.SESSION, at=calendar.next_open(moment.now))


def _is_within(between: tuple[time, time] | None, end_ms: int) -> bool:
    """Tell whether a bar that ends then lies in the hours, as the lifecycle does."""
    if between is None:
        return True
    first, last = between
    at = from_ms(end_ms).astimezone(KST).time()
    return first <= at <= last if first <= last else at >= first or at <= last
