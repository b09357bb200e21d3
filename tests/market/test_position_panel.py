"""Tests of positions as moments know them."""

from __future__ import annotations

import numpy as np

from market.panel import Panel
from market.position_panel import Holding, PositionPanel, Stake
from market.types import Timeframe

NAMES = ("KRX:000000", "KRX:000001", "KRX:000002")
ROWS = np.arange(3)
NAN = float("nan")

BOUGHT = Holding(50, (Stake(100, 10.0, 70.0), Stake(200, 30.0, 72.0)))
SOLD = Holding(0, (Stake(150, 0.0, 0.0),))


def panel(told: dict[str, Holding] | None = None) -> PositionPanel:
    made = PositionPanel(NAMES)
    if told is not None:
        made.tell(told)
    return made


def seen(made: PositionPanel, *moments: int) -> list[list[list[float]]]:
    held = made.as_of(ROWS, np.tile(np.array(moments), (3, 1)))
    return [one.tolist() for one in (held.quantity, held.price, held.opened_ms)]


def test_a_moment_knows_what_was_learned_before_it() -> None:
    quantity, price, opened = seen(panel({NAMES[0]: BOUGHT}), 100, 101, 200, 201)
    np.testing.assert_equal(quantity[0], [NAN, 10.0, 10.0, 30.0])
    np.testing.assert_equal(price[0], [NAN, 70.0, 70.0, 72.0])
    np.testing.assert_equal(opened[0], [NAN, 50.0, 50.0, 50.0])


def test_nothing_held_is_a_known_quantity_without_price_and_opening() -> None:
    quantity, price, opened = seen(panel({NAMES[1]: SOLD}), 150, 151)
    np.testing.assert_equal(quantity, [[0.0, 0.0], [NAN, 0.0], [0.0, 0.0]])
    assert np.isnan(price).all()
    assert np.isnan(opened).all()


def test_an_opening_that_is_not_known_leaves_the_rest_known() -> None:
    quantity, price, opened = seen(panel({NAMES[0]: Holding(0, BOUGHT.stakes)}), 101)
    assert (quantity[0], price[0]) == ([10.0], [70.0])
    np.testing.assert_equal(opened[0], [NAN])


def test_without_being_told_everything_is_unknown() -> None:
    made = panel()
    assert np.isnan(seen(made, 1)).all()
    assert not made.is_told(0)


def test_telling_again_replaces_all_and_other_instruments_are_ignored() -> None:
    made = panel({NAMES[0]: BOUGHT, "KRX:999999": BOUGHT})
    made.tell({NAMES[1]: BOUGHT})
    assert [one[0] for one in seen(made, 300)[0]] == [0.0, 30.0, 0.0]


def test_a_part_of_a_panel_takes_its_rows_along() -> None:
    whole = Panel(Timeframe.M5, NAMES, 4, positions=panel({NAMES[2]: BOUGHT}))
    part = whole.part(np.array([2, 1]))
    assert part.positions is not None
    held = part.positions.as_of(np.arange(2), np.array([[300], [300]]))
    assert held.quantity.tolist() == [[30.0], [0.0]]
    assert Panel(Timeframe.M5, NAMES, 4).part(np.array([0])).positions is None


def test_rows_taken_over_are_known_as_far_as_they_were() -> None:
    here = PositionPanel(NAMES)
    here.take_rows(np.array([0, 1]), panel({NAMES[1]: BOUGHT}), np.array([1, 0]))
    assert [here.is_told(row) for row in range(3)] == [True, True, False]
    np.testing.assert_equal([one[0] for one in seen(here, 300)[0]], [30.0, 0.0, NAN])
    here.take_rows(np.array([0]), panel({}), np.array([2]))
    np.testing.assert_equal([one[0] for one in seen(here, 300)[0]], [0.0, 0.0, NAN])
