from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine.judge import Judge
from engine.muting import muters_first
from engine.series import Slot, build_series
from market.signals import Phase
from market.types import Bar, Timeframe, from_ms, to_ms
from tests.engine.pipeline_world import condition
from tests.engine.traded_market import CALENDARS, HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from conditions.compile import Condition

BOTH = f"[{SAMSUNG.id}, {HYNIX.id}]"
CRASH = condition("close < 50", name="crash", universe=f"[{SAMSUNG.id}, {HYNIX.id}, {NAVER.id}]")
HIGH = condition("close > 110", "muted_by: crash", universe=BOTH)
START_MS = to_ms(kst("09:00"))


class Market:
    """Two conditions on exact bars, one of which silences the other."""

    def __init__(self, *conditions: Condition) -> None:
        members = [(one, one.spec.universe) for one in conditions]
        self.series = build_series(members, CALENDARS, 10)[0]  # type: ignore[arg-type]  # lists of ids
        self.judge = Judge(None)  # type: ignore[arg-type]  # exact bars are not asked for
        self.count = 0

    def slot(self, *closes: float) -> dict[str, list[str]]:
        """Judge the next slot, keep its states, and return what fired."""
        start = from_ms(START_MS + 300_000 * self.count)
        self.count += 1
        bars = tuple(
            Bar(one.id, Timeframe.M5, start, close, close, close, close, 1.0, close)
            for one, close in zip((SAMSUNG, HYNIX, NAVER), closes, strict=False)
        )
        self.series.panel.append(bars)
        slot = Slot(start, bars, frozenset(one.instrument for one in bars))
        judged = asyncio.run(self.judge.judge(self.series, slot, bars, start, is_late=False))
        for one in judged.steps:
            one.watch.states = one.step.states
        return {
            one.watch.condition.name: [signal.instrument for signal in one.signals]
            for one in judged.steps
        }

    def phases(self, name: str) -> list[int]:
        (watch,) = (one for one in self.series.watches if one.condition.name == name)
        return watch.states.phase[watch.rows].tolist()  # type: ignore[no-any-return]  # of numpy


@pytest.mark.parametrize("conditions", [(CRASH, HIGH), (HIGH, CRASH)])
def test_a_signal_is_silenced_while_the_other_fires_anywhere(
    conditions: tuple[Condition, ...],
) -> None:
    market = Market(*conditions)
    assert market.slot(100, 100, 40) == {"crash": [NAVER.id], "high": []}
    assert market.slot(120, 100, 40) == {"crash": [], "high": []}
    assert market.phases("high") == [Phase.FIRING, Phase.INACTIVE]
    assert market.slot(120, 120, 60) == {"crash": [], "high": [HYNIX.id]}


def test_the_bar_on_which_the_other_begins_to_fire_is_silenced_too() -> None:
    assert Market(HIGH, CRASH).slot(120, 100, 40) == {"crash": [NAVER.id], "high": []}


def test_one_instrument_may_be_named() -> None:
    muting = f"muted_by: {{condition: crash, on: {HYNIX.code}}}"
    market = Market(condition("close > 110", muting, universe=BOTH), CRASH)
    assert market.slot(120, 100, 40)["high"] == [SAMSUNG.id]
    assert market.slot(100, 40, 40)["high"] == []
    assert market.slot(120, 40, 40)["high"] == []


def test_what_is_switched_off_or_elsewhere_silences_nobody() -> None:
    market = Market(HIGH, CRASH)
    assert market.slot(100, 100, 40) == {"crash": [NAVER.id], "high": []}
    next(one for one in market.series.watches if one.condition is CRASH).is_enabled = False
    assert market.slot(120, 100, 40) == {"high": [SAMSUNG.id]}
    assert Market(HIGH).slot(120) == {"high": [SAMSUNG.id]}


def test_who_is_silenced_still_silences() -> None:
    third = condition("close > 110", "muted_by: high", name="third", universe=BOTH)
    market = Market(third, HIGH, CRASH)
    assert market.slot(120, 100, 40) == {"crash": [NAVER.id], "high": [], "third": []}


def test_watches_are_ordered_even_in_a_circle() -> None:
    circle = [
        condition("close > 1", f"muted_by: {other}", name=name)
        for name, other in ("ab", "ba", "cd")
    ]
    members = [(one, (SAMSUNG.id,)) for one in (*circle, CRASH)]
    watches = build_series(members, CALENDARS, 10)[0].watches
    assert {one.condition.name for one in muters_first(watches)} == {"a", "b", "c", "crash"}
