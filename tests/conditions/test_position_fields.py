"""Tests of `position.`: what each bar knows of it, units, refusals, live as in hindsight."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.engine import evaluate
from conditions.explain import explain, overlays
from conditions.lint import lint
from conditions.near import near
from conditions.panels import panel_for
from conditions.ready import make_ready
from market.errors import ConfigError
from market.panel import Panel
from market.position_panel import Holding, Marks, PositionPanel, Stake
from market.sessions import KST
from market.types import Bar, Timeframe, to_ms
from tests.conditions.held_market import empty, panel_of, see, tell, traded_steps
from tests.conditions.walked_market import MEMBERS, NAMES, condition_of, values_of

NAN = float("nan")
OPENING = datetime(2026, 1, 5, 9, tzinfo=KST)
SLOT = timedelta(minutes=30)
STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=15)
NUMBERS = (
    "position.quantity",
    "position.price",
    "position.profit",
    "position.age",
    "position.profit[2]",
    "sma(position.profit, 3)",
    "highest(position.profit, 4) - position.profit",
    "close - position.price",
)


def at(slots: float) -> int:
    return to_ms(OPENING + slots * SLOT)


def held(*closes: float, bought: Holding | None = None) -> Panel:
    """Return a panel in which the first instrument closes so, with what is held of it."""
    positions = PositionPanel(NAMES)
    positions.tell({} if bought is None else {NAMES[0]: bought})
    panel = Panel(Timeframe.M30, NAMES, 20, positions=positions)
    for place, close in enumerate(closes):
        start = OPENING + place * SLOT
        panel.append([Bar(NAMES[0], Timeframe.M30, start, *(close,) * 4, 10.0, close * 10)])
    return panel


def seen(number: str, panel: Panel) -> list[float]:
    found: list[float] = values_of(number, panel)[0, panel.depth - int(panel.counts[0]) :].tolist()
    return found


BOUGHT = Holding(at(1.5), (Stake(at(1.5), 10.0, 100.0),))
"""Bought in the middle of the second bar."""


def test_the_bar_in_which_it_was_bought_knows_it_as_it_ends() -> None:
    panel = held(90, 110, 120, 95, bought=BOUGHT)
    np.testing.assert_equal(seen("position.quantity", panel), [NAN, 10, 10, 10])
    np.testing.assert_equal(seen("position.price", panel), [NAN, 100, 100, 100])
    np.testing.assert_allclose(seen("position.profit", panel), [NAN, 0.1, 0.2, -0.05])
    np.testing.assert_equal(seen("position.age", panel), [NAN, 15, 45, 75])


def test_bought_as_a_bar_ends_is_known_by_the_next() -> None:
    panel = held(90, 110, bought=Holding(at(1), (Stake(at(1), 10.0, 100.0),)))
    np.testing.assert_equal(seen("position.quantity", panel), [NAN, 10])


def test_buying_more_and_selling_a_part_count_from_then_on() -> None:
    stakes = (*BOUGHT.stakes, Stake(at(2.5), 20.0, 105.0), Stake(at(3.5), 5.0, 105.0))
    panel = held(90, 110, 126, 84, bought=Holding(BOUGHT.opened_ms, stakes))
    np.testing.assert_equal(seen("position.quantity", panel), [NAN, 10, 20, 5])
    np.testing.assert_allclose(seen("position.profit", panel), [NAN, 0.1, 0.2, -0.2])
    np.testing.assert_equal(seen("position.age", panel), [NAN, 15, 45, 75])


def test_what_lasts_or_was_looks_at_the_present_position_only() -> None:
    panel = held(110, 110, 110, 95, bought=BOUGHT)

    def verdicts(when: str) -> list[int]:
        condition = condition_of(when)
        found: list[int] = condition.when.verdicts(condition.view(panel, np.array([0])), 4)[
            0
        ].tolist()
        return found

    assert verdicts("position.profit > 5%") == [0, 1, 1, -1]
    assert verdicts("position.profit > 5% for 2 bars") == [0, 0, 1, -1]
    assert verdicts("position.profit > 15% within 2 bars") == [0, 0, -1, -1]
    assert verdicts("crosses_below(position.profit, 0%)") == [0, 0, -1, 1]


def test_once_all_is_sold_the_quantity_alone_is_known() -> None:
    panel = held(90, 110, 120, bought=Holding(0, (Stake(at(1.5), 0.0, 0.0),)))
    np.testing.assert_equal(seen("position.quantity", panel), [NAN, 0, 0])
    np.testing.assert_equal(seen("position.profit", panel), [NAN] * 3)


def test_what_never_was_held_has_been_nothing_all_along() -> None:
    panel = held(90, 110)
    assert seen("position.quantity", panel) == [0, 0]
    np.testing.assert_equal(seen("position.age", panel), [NAN, NAN])
    assert np.isnan(values_of("position.quantity", panel)[1]).all()  # it has no bar


def test_without_positions_in_the_panel_all_is_unknown() -> None:
    panel = Panel(Timeframe.M30, NAMES, 20)
    panel.append([Bar(NAMES[0], Timeframe.M30, OPENING, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)])
    for number in NUMBERS:
        assert np.isnan(values_of(number, panel)).all()


def test_between_two_bars_the_newest_price_can_stand_for_the_newest_bar() -> None:
    panel = held(90, 110, bought=Holding(at(2.2), (Stake(at(2.2), 10.0, 100.0),)))
    assert panel.positions is not None
    panel.positions.marks = Marks(at(2.5), np.array([130.0, NAN, NAN, NAN, NAN]))
    np.testing.assert_allclose(seen("position.profit", panel), [NAN, 0.3])
    np.testing.assert_allclose(seen("position.age", panel), [NAN, 9])
    assert seen("close", panel) == [90, 110]


def test_a_bar_that_ends_with_the_session_is_as_old_as_that() -> None:
    start = datetime(2026, 1, 5, tzinfo=KST)
    positions = PositionPanel(NAMES)
    opened = to_ms(start + timedelta(hours=15))
    positions.tell({NAMES[0]: Holding(opened, (Stake(opened, 1.0, 1.0),))})
    panel = Panel(Timeframe.D1, NAMES, 5, positions=positions)
    for day in range(2):
        moment = start + timedelta(days=day)
        panel.append([Bar(NAMES[0], Timeframe.D1, moment, *(1.0,) * 6)])
    assert seen("position.age", panel) == [30, 24 * 60 + 30]


@pytest.mark.parametrize("number", NUMBERS)
@STEADY
@given(seed=st.integers(0, 10_000))
def test_a_bar_of_the_present_position_has_the_value_that_it_had_live(
    number: str, seed: int
) -> None:
    steps = traded_steps(seed)
    whole = panel_of(steps)
    hindsight, panel = values_of(number, whole), empty()
    quantity = values_of("position.quantity", whole)
    for traded in steps:
        rows = see(panel, traded)
        live = values_of(number, panel, columns=1)[rows, -1]
        is_now = whole.starts[rows] == panel.starts[rows, -1:]
        later = hindsight[rows][is_now]
        is_known = ~np.isnan(later)  # of earlier positions nothing is known any more
        np.testing.assert_allclose(live[is_known], later[is_known], rtol=1e-12)
        is_present = (quantity[rows][is_now] > 0) | np.isnan(live)
        if "(" not in number and "[" not in number:
            np.testing.assert_equal(np.isnan(later[is_present]), np.isnan(live[is_present]))
        tell(panel, traded)


@STEADY
@given(seed=st.integers(0, 10_000), picked=st.sets(st.integers(0, 4), min_size=1))
def test_few_rows_have_the_values_that_they_have_among_all(seed: int, picked: set[int]) -> None:
    panel, rows = panel_of(traded_steps(seed)), np.array(sorted(picked), dtype=np.int64)
    for number in NUMBERS:
        whole = values_of(number, panel)[rows]
        np.testing.assert_array_equal(values_of(number, panel, rows), whole)


def test_a_missing_slot_leaves_the_verdict_unknown() -> None:
    panel = held(90, 110, 130, bought=BOUGHT)
    condition = condition_of("position.profit > 5%")
    assert evaluate(condition, panel, np.array([0])).when.tolist() == [1]
    panel.mark_missing([0])
    assert evaluate(condition, panel, np.array([0])).when.tolist() == [0]


def test_it_is_explained_drawn_ranked_and_asks_for_positions() -> None:
    condition = condition_of("position.profit > 5% and position.age < 5 days")
    assert condition.asks_what_is_held
    assert not condition_of("close > 1").asks_what_is_held
    assert panel_for([condition], MEMBERS, 3).positions is not None
    assert panel_for([condition_of("close > 1")], MEMBERS, 3).positions is None
    panel = held(90, 110, bought=BOUGHT)
    leaves = explain(condition, panel, 0).leaves
    assert [(one.left, one.right, one.unit) for one in leaves] == [
        (pytest.approx(0.1), 0.05, "ratio"),
        (15.0, 7200.0, "time"),
    ]
    assert overlays(condition, panel, 0, 1)["position.price"].tolist() == [100.0]
    assert near(condition, panel, np.array([0])).unknown == 0
    make_ready([condition])


@pytest.mark.parametrize(
    "when",
    [
        "close < position.price - 2 * atr(14)",
        "position.quantity * close > 1_000_000 KRW",
        "position.quantity >= 10 shares",
        "position.quantity == 0",
        "position.age > 90 minutes",
        "position.age > 1 day",
        "-3% < position.profit < 6%",
        "position.profit < highest(position.profit, 20) - 2%",
    ],
)
def test_units_fit(when: str) -> None:
    assert condition_of(f"'{when}'").asks_what_is_held


@pytest.mark.parametrize(
    ("when", "column", "message"),
    [
        ("position.profit > 100 KRW", 19, "a ratio (%) cannot be compared with an amount of money"),
        ("position.age > 5 bars", 16, "a length of time cannot be compared with a number of bars"),
        ("position.price(3) > 3", 1, "'position.price' cannot be called"),
        ("position(3).price > 3", 1, "'position(3)' has no part 'price'"),
        ("d1.position.profit > 1%", 1, "write position.profit outside of d1."),
        ("d1.sma(position.profit, 3) > 1%", 8, "write position.profit outside of d1."),
        ("d1.(position.age > 1 day)", 5, "write position.age outside of d1."),
        (
            'of("KRX:000001").position.quantity > 0',
            1,
            "'position' is what is held of the instrument itself as its own bars end; write "
            'position.quantity outside of of("KRX:000001").',
        ),
        ("rank(position.profit) <= 3", 6, "write position.profit outside of rank( )"),
        ("breadth(position.quantity > 0) > 1%", 9, "outside of breadth( )"),
    ],
)
def test_what_cannot_be_asked_says_why_and_where(when: str, column: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        condition_of(f"'{when}'")
    problems = caught.value.problems
    assert [one.column for one in problems] == [column + len("when: '")]
    assert message in problems[0].message


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("position.age < 0 minutes", "can never be true; 'position.age' is never below 0"),
        ("position.profit > 6% and position.profit < -3%", "can never be true together with"),
    ],
)
def test_what_cannot_be_is_found(when: str, message: str) -> None:
    assert any(message in str(one) for one in lint(condition_of(f"'{when}'")))
