"""Tests of the panel of daily facts: days in order, whole records, and what was known when."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.fact_panel import FactPanel, day_start
from market.facts import FACT_NAMES, DailyFacts
from market.panel import Panel
from market.types import Timeframe

NAMES = ("KRX:000001", "KRX:000002", "KRX:000003")
MONDAY = date(2026, 1, 5)
DAY_MS = 86_400_000
NAN = float("nan")
STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=60)


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def begin(number: int) -> int:
    return day_start(NAMES[0], day(number))


def told(number: int, name: str = NAMES[0], **facts: Any) -> DailyFacts:
    return DailyFacts(name, day(number), **facts)


def panel_of(*facts: DailyFacts, depth: int = 4) -> FactPanel:
    panel = FactPanel(NAMES, depth)
    for one in facts:
        panel.put(day_start(one.instrument, one.day), [one])
    return panel


def as_of(panel: FactPanel, moment: int, row: int = 0, oldest: int = 0) -> float:
    rows, moments = np.array([row]), np.array([[moment]])
    found = panel.as_of("per", rows, moments, np.full(moments.shape, oldest))
    return float(found[0, 0])


def test_a_new_panel_knows_nothing() -> None:
    panel = FactPanel(NAMES)
    assert panel.days.tolist() == [0] * 40
    assert panel.known_until == 0
    assert all(panel.value(name).shape == (3, 40) for name in FACT_NAMES)
    assert np.isnan(panel.value("per")).all()
    assert np.isnan(as_of(panel, begin(9)))


def test_a_day_begins_by_the_clock_of_the_venue() -> None:
    assert day_start("KRX:005930", MONDAY) + 9 * 3_600_000 == day_start("UPBIT:KRW-BTC", MONDAY)


def test_days_keep_their_order_and_the_oldest_makes_room() -> None:
    panel = panel_of(*(told(number, per=float(number)) for number in (3, 1, 5, 2)))
    assert panel.days.tolist() == [begin(one) for one in (1, 2, 3, 5)]
    panel.put(begin(4), [told(4, per=4.0)])
    assert panel.value("per")[0].tolist() == [2, 3, 4, 5]
    panel.put(begin(1), [told(1, per=1.0)])
    assert panel.value("per")[0].tolist() == [2, 3, 4, 5]
    assert panel.known_until == begin(5)


def test_what_an_instrument_is_told_again_replaces_all_it_was_told_that_day() -> None:
    panel = panel_of(told(1, per=8.0, pbr=1.0), told(1, NAMES[1], per=9.0), told(1, pbr=2.0))
    assert panel.days.tolist() == [0, 0, 0, begin(1)]
    np.testing.assert_equal(panel.value("per")[:, -1], [NAN, 9.0, NAN])
    np.testing.assert_equal(panel.value("pbr")[:, -1], [2.0, NAN, NAN])


def test_instruments_without_a_row_are_ignored() -> None:
    assert panel_of(told(1, "KRX:999999", per=1.0)).known_until == 0


def test_a_day_that_does_not_begin_then_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-01-06 does not begin at"):
        FactPanel(NAMES).put(begin(1) + DAY_MS, [told(1)])


def test_a_day_counts_once_it_is_over_and_until_the_next_one_tells_anything() -> None:
    panel = panel_of(told(0, per=1.0), told(1, NAMES[1], per=9.0), told(2, pbr=2.0))
    assert np.isnan(as_of(panel, begin(1) - 1))
    assert as_of(panel, begin(1)) == 1.0
    assert as_of(panel, begin(3) - 1) == 1.0  # day 1 told nothing of it
    assert np.isnan(as_of(panel, begin(3)))  # day 2 told all but this fact
    assert as_of(panel, begin(9), row=1) == 9.0
    assert np.isnan(as_of(panel, begin(9), row=1, oldest=begin(2)))


def test_rows_are_taken_by_their_days() -> None:
    source = panel_of(*(told(number, per=float(number)) for number in (1, 2, 4)))
    target = panel_of(*(told(one, NAMES[2], per=90.0 + one) for one in (2, 3)), depth=3)
    target.put(begin(3), [told(3, NAMES[1], per=7.0)])
    target.take_rows(np.array([1]), source, np.array([0]))
    assert target.days.tolist() == [begin(one) for one in (2, 3, 4)]
    np.testing.assert_equal(target.value("per")[1], [2.0, NAN, 4.0])
    np.testing.assert_equal(target.value("per")[2], [92.0, 93.0, NAN])
    assert target.told[1].tolist() == [True, False, True]


def test_a_part_of_a_panel_takes_its_facts_along() -> None:
    panel = Panel(Timeframe.M5, NAMES, 3, facts=panel_of(told(1, NAMES[2], per=3.0)))
    part = panel.part(np.array([2, 0]))
    assert part.facts is not None
    assert part.facts.instruments == (NAMES[2], NAMES[0])
    np.testing.assert_equal(part.facts.value("per")[:, -1], [3.0, NAN])
    assert Panel(Timeframe.M5, NAMES, 3).part(np.array([0])).facts is None


TOLD = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 12)), st.one_of(st.none(), st.floats(1, 9))
)


@STEADY
@given(facts=TOLD, order=st.randoms(use_true_random=False), moment=st.integers(0, 15))
def test_it_answers_as_a_list_of_all_days_would(
    facts: dict[tuple[int, int], float | None], order: Any, moment: int
) -> None:
    entries = list(facts.items())
    order.shuffle(entries)
    panel = panel_of(
        *(told(number, NAMES[row], per=per) for (row, number), per in entries), depth=5
    )
    kept = sorted({number for _, number in facts})[-5:]
    for row in range(3):
        over = [number for one, number in facts if one == row and number in kept]
        over = [number for number in over if number < moment]
        expected = facts[row, max(over)] if over else None
        found = as_of(panel, begin(moment), row)
        assert np.isnan(found) if expected is None else found == expected
