"""Tests of `position:` in the tests of a condition: what it says, and what is refused."""

from __future__ import annotations

import pytest

from config.condition_reader import parse_condition
from config.trial_position import TrialPosition
from market.errors import ConfigError

TEXT = """name: x
universe: all
timeframe: 5m
when: position.profit > 1%
tests:
  - name: a
    position: {position}
    bars: {{close: "5x9"}}
    expect: {{never: true}}
"""


def read(position: str) -> TrialPosition | None:
    return parse_condition(TEXT.format(position=position), "x.yaml").tests[0].position


def test_a_position_has_a_price_a_quantity_and_slots() -> None:
    assert read("{price: 70_000, quantity: 0.5, opened: 2, closed: 8}") == TrialPosition(
        70_000.0, 0.5, 2, 8
    )


def test_the_price_alone_is_one_share_held_from_the_first_slot_on() -> None:
    assert read("{price: 70_000}") == TrialPosition(70_000.0, 1.0, 0, None)


@pytest.mark.parametrize(
    ("position", "message"),
    [
        ("{quantity: 5}", "key 'price' is missing"),
        ("{price: 0}", "'0' must be more than 0"),
        ("{price: -5}", "'-5' must be more than 0"),
        ("{price: many}", "'many' is not a number; write"),
        ("{price: 5, quantity: 0}", "'0' must not be 0"),
        ("{price: 5, opened: 9}", "'9': slots go from 0 to 8"),
        ("{price: 5, opened: -1}", "'-1' is no slot; write 61"),
        ("{price: 5, opened: 2, closed: 2}", "'closed' must be a later slot than 'opened'"),
        ("{price: 5, closed: 2..3}", "'2..3' is no slot"),
        ("{prize: 5}", "unknown key 'prize'; did you mean 'price'?"),
        ("70_000", "must be a mapping with the keys price, quantity, opened, closed"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(position: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(position)
    assert any(message in one.message and one.line == 7 for one in caught.value.problems)
