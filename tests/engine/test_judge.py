from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from conditions.truths import Truth
from engine.exact import ExactBars
from engine.judge import Judge, Judgement
from engine.series import Series, Slot, Want, build_series
from market.clock import ManualClock
from market.errors import SourceUnavailable
from market.signals import Phase
from market.types import Bar, Timeframe, to_ms
from tests.engine.pipeline_world import condition
from tests.engine.traded_market import CALENDARS, HYNIX, SAMSUNG, TradedMarket, kst

if TYPE_CHECKING:
    import pytest

    from conditions.compile import Condition
    from conditions.view import View

NOW = kst("09:05:02")


class Court:
    """A judge with a series of two instruments and the market that it asks."""

    def __init__(self, *conditions: Condition) -> None:
        universe = (SAMSUNG.id, HYNIX.id)
        made = conditions or (condition(),)
        self.market = TradedMarket(ManualClock(NOW))
        self.series: Series = build_series([(one, universe) for one in made], CALENDARS, 10)[0]
        self.judge = Judge(ExactBars(self.market, CALENDARS))

    def rule(
        self, *bars: Bar, exact: frozenset[str] = frozenset(), late: bool = False
    ) -> Judgement:
        """Judge bars of the first slot."""
        self.series.panel.append(bars)
        slot = Slot(bars[0].start, bars, exact)
        return asyncio.run(self.judge.judge(self.series, slot, bars, NOW, is_late=late))


def bar(close: float, instrument: str = SAMSUNG.id, text: str = "09:00") -> Bar:
    return Bar(instrument, Timeframe.M5, kst(text), close, close, close, close, 10.0, close * 10)


def test_quiet_slot_asks_nobody() -> None:
    court = Court()
    judgement = court.rule(bar(100.0), bar(101.0, HYNIX.id))
    assert [one.signals for one in judgement.steps] == [()]
    assert court.market.asked == []
    assert court.series.watches[0].states.bar_ms.tolist() == [0, 0]


def test_signal_tells_why_with_the_venues_numbers() -> None:
    court = Court()
    court.market.trade(kst("09:01"), 130.0)
    signal = court.rule(bar(120.0)).steps[0].signals[0]
    assert signal.id == f"high:{condition().version}:{SAMSUNG.id}:{to_ms(kst('09:00'))}"
    assert (signal.price, signal.fired_at, signal.is_late) == (130.0, NOW, False)
    assert (signal.explanation.leaves[0].left, signal.explanation.leaves[0].right) == (130.0, 110.0)
    assert signal.snapshot.close == (130.0,)


def test_only_what_fires_is_verified() -> None:
    court = Court()
    court.market.trade(kst("09:01"), 130.0)
    judgement = court.rule(bar(120.0), bar(100.0, HYNIX.id))
    assert [name for name, _, _ in court.market.asked] == [SAMSUNG.id]
    assert [one.close for one in judgement.revised] == [130.0]


def test_exact_bar_that_does_not_fire_leaves_the_state_as_if_it_never_had() -> None:
    court = Court()
    court.market.trade(kst("09:01"), 105.0)
    step = court.rule(bar(120.0)).steps[0]
    assert step.signals == ()
    assert step.step.states.phase[0] == Phase.INACTIVE
    assert step.step.states.fired_ms[0] == 0


def test_bar_that_cannot_be_verified_is_not_judged() -> None:
    court = Court()
    court.market.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")
    court.market.trade(kst("09:01"), 130.0, of=HYNIX)
    judgement = court.rule(bar(120.0), bar(120.0, HYNIX.id))
    assert judgement.unknown == (SAMSUNG.id,)
    assert [one.instrument for one in judgement.steps[0].signals] == [HYNIX.id]
    assert judgement.steps[0].step.states.bar_ms.tolist() == [0, judgement.slot_ms]


def test_bar_that_the_chart_does_not_show_is_not_judged() -> None:
    court = Court()
    assert court.rule(bar(120.0)).unknown == (SAMSUNG.id,)


def test_exact_bars_need_no_second_look() -> None:
    court = Court()
    judgement = court.rule(bar(120.0), exact=frozenset({SAMSUNG.id}), late=True)
    assert court.market.asked == []
    assert judgement.steps[0].signals[0].is_late


def test_late_bar_of_an_instrument_that_has_newer_ones_is_not_judged() -> None:
    court = Court()
    court.series.panel.append([bar(120.0, text="09:05")])
    assert court.rule(bar(120.0)).steps[0].signals == ()


def test_who_fires_is_judged_among_all_on_exact_bars_too() -> None:
    court = Court(condition("rank(close) == 1 and breadth(close > 100) > 60%"))
    court.market.trade(kst("09:01"), 130.0)
    judgement = court.rule(bar(120.0), bar(110.0, HYNIX.id))
    assert [one.instrument for one in judgement.steps[0].signals] == [SAMSUNG.id]


def test_who_fires_only_once_another_bar_is_revised_is_verified_too() -> None:
    court = Court(condition("rank(close) == 1"))
    court.market.trade(kst("09:01"), 105.0)
    court.market.trade(kst("09:01"), 111.0, of=HYNIX)
    judgement = court.rule(bar(120.0), bar(110.0, HYNIX.id))
    assert [one.price for one in judgement.steps[0].signals] == [111.0]
    assert [one.close for one in judgement.revised] == [105.0, 111.0]


def test_another_instrument_that_is_held_back_is_unknown() -> None:
    when = f'of("{HYNIX.id}").close > 100'
    held, known = Court(condition(when)), Court(condition(when))
    for court in (held, known):
        court.series.panel.append([bar(120.0, HYNIX.id)])
    held.series.wants[HYNIX.id] = Want(kst("09:00"), kst("09:05"), kst("09:05"))
    exact = frozenset({SAMSUNG.id})
    assert held.rule(bar(120.0, text="09:05"), exact=exact).steps[0].signals == ()
    assert len(known.rule(bar(120.0, text="09:05"), exact=exact).steps[0].signals) == 1


def test_disabled_condition_is_not_judged() -> None:
    court = Court(condition(), condition("close > 50", name="low"))
    court.series.watches[1].is_enabled = False
    court.market.trade(kst("09:01"), 120.0)
    assert [one.watch.condition.name for one in court.rule(bar(120.0)).steps] == ["high"]


@dataclass(frozen=True, slots=True)
class Broken(Truth):
    """A rule that breaks whenever it is asked."""

    def verdicts(self, view: View, columns: int) -> Any:
        raise RuntimeError("a fault of ours")


def test_a_condition_that_breaks_is_unknown_and_leaves_the_others_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sound = condition()
    when = Broken(sound.when.node, "", 1, 1)
    court = Court(replace(sound, name="broken", when=when), sound)
    court.market.trade(kst("09:01"), 130.0)
    judgement = court.rule(bar(120.0))
    broken, good = judgement.steps
    assert broken.signals == ()
    assert broken.step.states.phase[0] == Phase.INACTIVE
    assert len(good.signals) == 1
    assert judgement.faulty == ("broken",)
    assert caplog.text.count("condition 'broken' breaks") == 1
