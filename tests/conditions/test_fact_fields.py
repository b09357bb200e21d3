"""Tests of daily facts in conditions: what each bar sees, their units, and what is refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from conditions.explain import explain, overlays
from conditions.fact_fields import FACT_FIELDS
from conditions.near import near
from conditions.ready import make_ready
from market.errors import ConfigError
from market.fact_panel import FactPanel, day_start
from market.facts import FACT_NAMES, DailyFacts
from market.panel import Panel
from market.sessions import KST
from market.types import Bar, Timeframe
from tests.conditions.walked_market import condition_of, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("KRX:000000", "KRX:000001", "KRX:000002")
MONDAY = date(2026, 1, 5)
NAN = float("nan")


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def at(number: int, hour: int = 9) -> datetime:
    return datetime(2026, 1, 5, hour, tzinfo=KST) + timedelta(days=number)


def panel_of(
    bars: Sequence[datetime | str],
    *facts: DailyFacts,
    timeframe: Timeframe = Timeframe.M30,
    longer: Sequence[Timeframe] = (),
) -> Panel:
    """Return a panel in which all have a bar at these times, and that was told these facts."""
    panel = Panel(timeframe, NAMES, 30, longer, FactPanel(NAMES))
    for start in bars:
        for name in NAMES:
            assert isinstance(start, datetime)
            panel.append([Bar(name, timeframe, start, 50.0, 51.0, 49.0, 50.0, 10.0, 500.0)])
    assert panel.facts is not None
    for one in facts:
        panel.facts.put(day_start(one.instrument, one.day), [one])
    return panel


def told(number: int, name: str = NAMES[0], **facts: Any) -> DailyFacts:
    return DailyFacts(name, day(number), **facts)


def seen(number: str, panel: Panel, row: int = 0) -> list[float]:
    """Return what the instrument's bars see."""
    count = int(panel.counts[row])
    found: list[float] = values_of(number, panel)[row, panel.depth - count :].tolist()
    return found


def test_every_fact_has_a_field() -> None:
    assert tuple(FACT_FIELDS) == FACT_NAMES


def test_a_bar_sees_the_day_that_was_over_before_its_session_began() -> None:
    panel = panel_of([at(0), at(0, 15), at(1), at(2)], *(told(one, per=one) for one in (-3, 0, 1)))
    assert seen("facts.per", panel) == [-3, -3, 0, 1]


def test_a_daily_bar_does_not_see_its_own_day() -> None:
    facts = [told(one, per=one) for one in range(3)]
    panel = panel_of([at(0), at(1), at(2)], *facts, timeframe=Timeframe.D1)
    np.testing.assert_equal(seen("facts.per", panel), [NAN, 0, 1])
    np.testing.assert_equal(seen("facts.per[1]", panel), [NAN, NAN, 0])
    np.testing.assert_equal(seen("sma(facts.per, 2)", panel), [NAN, NAN, 0.5])


def test_what_is_older_than_five_sessions_is_unknown() -> None:
    panel = panel_of([at(one) for one in (1, 4, 7, 8)], told(0, per=8.0))
    np.testing.assert_equal(seen("facts.per", panel), [8, 8, 8, NAN])


def test_a_long_holiday_does_not_make_facts_old() -> None:
    # the exchange rested from 3 to 9 October 2025
    before = DailyFacts(NAMES[0], date(2025, 10, 2), per=8.0)
    panel = panel_of([datetime(2025, 10, 10, 9, tzinfo=KST)], before)
    assert seen("facts.per", panel) == [8.0]


def test_what_the_newest_day_does_not_tell_is_unknown() -> None:
    panel = panel_of([at(2)], told(0, per=8.0, pbr=1.0), told(1, pbr=2.0), told(1, NAMES[1]))
    np.testing.assert_equal(seen("facts.per", panel), [NAN])
    assert seen("facts.pbr", panel) == [2.0]
    np.testing.assert_equal(seen("facts.pbr", panel, row=2), [NAN])


def test_without_facts_in_the_panel_they_are_unknown() -> None:
    panel = Panel(Timeframe.M30, NAMES, 30)
    panel.append([Bar(NAMES[0], Timeframe.M30, at(0), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)])
    np.testing.assert_equal(seen("facts.per", panel), [NAN])


def test_those_of_another_instrument_do_not_wait_for_it_to_trade() -> None:
    panel = panel_of([at(0)], told(0, per=8.0), told(0, NAMES[1], per=9.0))
    panel.append([Bar(NAMES[0], Timeframe.M30, at(1), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)])
    np.testing.assert_equal(seen(f'of("{NAMES[1]}").facts.per', panel), [NAN, 9.0])
    np.testing.assert_equal(seen(f'of("{NAMES[1]}").facts.per[1]', panel), [NAN, NAN])
    np.testing.assert_equal(seen('of("KRX:999999").facts.per', panel), [NAN, NAN])
    grouped = condition_of(f'of("{NAMES[1]}").(facts.per > 8 and close > 1)')
    assert grouped.when.verdicts(grouped.view(panel, np.array([0])), 2).tolist() == [[0, 1]]
    assert grouped.facts == {"per"}


def test_they_are_ranked_and_counted_over_the_universe() -> None:
    caps = [told(0, name, market_cap=cap) for name, cap in zip(NAMES, (5e9, 9e9, 7e9), strict=True)]
    panel = panel_of([at(1)], *caps)
    assert [seen("rank(facts.market_cap)", panel, row)[-1] for row in range(3)] == [3, 1, 2]
    assert seen("breadth(facts.market_cap > 6_000_000_000 KRW)", panel) == [2 / 3]


def test_behind_a_prefix_each_longer_bar_sees_the_day_before_it() -> None:
    facts = [told(one, institutions_1=10.0 + one) for one in range(4)]
    panel = panel_of([at(3), at(4)], *facts, longer=[Timeframe.D1])
    for number in range(4):
        bar = Bar(NAMES[0], Timeframe.D1, at(number), 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
        panel.larger[Timeframe.D1].append([bar])
    assert seen("d1.lowest(facts.institutions_1, 2)", panel) == [10.0, 11.0]
    assert seen("d1.sma(facts.institutions_1, 2)", panel) == [10.5, 11.5]


def test_it_is_explained_drawn_ranked_and_asks_for_facts() -> None:
    when = "close > 0.9 * facts.high_52w and facts.institutions_5 / facts.listed_shares > 0.5%"
    condition = condition_of(when)
    assert condition.facts == {"high_52w", "institutions_5", "listed_shares"}
    assert not condition_of("close > 1").facts
    facts = told(0, high_52w=60.0, institutions_5=3.0, listed_shares=100.0)
    panel = panel_of([at(1)], facts)
    leaves = explain(condition, panel, 0).leaves
    assert [(one.right, one.unit) for one in leaves] == [(54.0, "price"), (0.005, "ratio")]
    assert leaves[1].left == 0.03
    assert overlays(condition, panel, 0, 1)["facts.high_52w"].tolist() == [60.0]
    assert near(condition, panel, np.array([0])).unknown == 0
    make_ready([condition])


@pytest.mark.parametrize(
    "when",
    [
        "facts.institutions_5 + facts.foreigners_5 > 1_000 shares",
        "(facts.institutions_5 + facts.foreigners_5) * close > 1_000_000_000 KRW",
        "facts.market_cap / facts.listed_shares < close",
        "facts.market_cap >= 100_000_000_000 KRW",
        "close / facts.eps < facts.per",
        "facts.low_52w < close < facts.high_52w",
        "5 < facts.per < 10 and facts.pbr < 1",
    ],
)
def test_units_fit(when: str) -> None:
    assert condition_of(when).facts


@pytest.mark.parametrize(
    ("when", "column", "message"),
    [
        ("facts > 3", 1, "'facts' needs a part: facts.institutions_1, facts.institutions_5"),
        ("facts.pre > 3", 1, "'facts' has no part 'pre'; did you mean 'per'?"),
        ("facts.dividend > 3", 1, "'facts' has no part 'dividend'; it has institutions_1, "),
        ("per > 3", 1, "unknown name 'per'; did you mean 'facts.per'?"),
        ("close > fact.high_52w", 9, "'fact' has no part 'high_52w'; did you mean 'facts'?"),
        ("facts(3) > 3", 1, "'facts' is not called with ( )"),
        ("facts.per(3) > 3", 1, "'facts.per' cannot be called"),
        ("d1.facts.per > 3", 1, "'facts' are of days already; write facts.per"),
        ("facts.institutions_5 > close", 24, "a volume (shares) cannot be compared with a price"),
        ("facts.market_cap > close", 20, "a value (money traded) cannot be compared with a price"),
        ("facts.market_cap > 3%", 20, "a value (money traded) cannot be compared with a ratio"),
    ],
)
def test_what_cannot_be_asked_says_why_and_where(when: str, column: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        condition_of(f"'{when}'")
    problems = caught.value.problems
    assert [one.column for one in problems] == [column + len("when: '")]
    assert message in problems[0].message
