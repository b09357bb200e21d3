"""Tests of every field and scope: live as in hindsight, the same for few rows as for all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conditions.clock_fields import CLOCK_FIELDS
from conditions.day_fields import DAY_FIELDS
from conditions.fields import RESERVED
from conditions.limit_fields import LIMIT_FIELDS
from market.errors import ConfigError
from market.panel import Panel
from tests.conditions.walked_market import (
    NAMES,
    condition_of,
    panel_of,
    take,
    values_of,
    walked_steps,
)

STEADY = settings(derandomize=True, database=None, deadline=None, max_examples=12)
NUMBERS = (
    *(f"day.{name}" for name in DAY_FIELDS),
    *CLOCK_FIELDS,
    *LIMIT_FIELDS,
    "day.volume[2]",
    "change(day.high, 1)",
    'of("KRX:000004").close',
    'of("KRX:000001").change(close, 2)',
    'of("KRX:000004").day.change[1]',
    'of("KRX:000004").rsi(3)',
    "rank(day.change)",
    "rank(sma(close, 3))",
    'rank(close - of("KRX:000004").close)',
    "sma(rank(volume), 3)",
    "breadth(close > sma(close, 3))",
    "breadth(day.change > 0.1% for 2 bars)",
    "breadth(rank(close) <= 2)",
    'of("KRX:000004").breadth(close > open)',
)


@pytest.mark.parametrize("number", NUMBERS)
@STEADY
@given(st.integers(0, 10_000))
def test_a_bar_has_the_value_that_it_had_when_it_was_the_newest(number: str, seed: int) -> None:
    # of a gap in which some slots are missing a panel does not keep which
    steps = walked_steps(seed, is_mixed="of(" not in number and "breadth" not in number)
    whole = panel_of(steps)
    hindsight = values_of(number, whole)
    panel = Panel(whole.timeframe, NAMES, whole.depth)
    for step in steps:
        rows = take(panel, step)
        live = values_of(number, panel, columns=1)[rows, -1]
        is_now = whole.starts[rows] == panel.starts[rows, -1:]
        np.testing.assert_allclose(live, hindsight[rows][is_now], rtol=1e-12)


@pytest.mark.parametrize("number", NUMBERS)
@STEADY
@given(st.integers(0, 10_000), st.lists(st.integers(0, 4), min_size=1, unique=True))
def test_few_rows_have_the_values_that_they_have_among_all(
    number: str, seed: int, picked: list[int]
) -> None:
    panel = panel_of(walked_steps(seed))
    rows = np.array(picked, dtype=np.int64)
    few = values_of(number, panel, rows)
    np.testing.assert_array_equal(few, values_of(number, panel)[rows])


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_is_known_of_an_empty_panel(number: str) -> None:
    assert np.isnan(values_of(number, panel_of([]))).all()


@pytest.mark.parametrize(
    ("when", "column", "message"),
    [
        ("day > 3", 1, "'day' needs a part: day.open, day.high"),
        ("day.opne > 3", 1, "'day' has no part 'opne'; did you mean 'open'?"),
        ("day(3) > 3", 1, "'day' is not called with ( )"),
        ("time(3) > 3", 1, "'time' is a series and takes no arguments"),
        ("close.top > 3", 1, "'close' has no part 'top'"),
        ("close > d1.clsoe", 9, "unknown name 'clsoe'; did you mean 'close'?"),
        (
            "close > m30.close",
            9,
            "'m30' is not longer than the condition's own bars (30m); use h1, d1",
        ),
        (
            "sma(d1.close, 3) > 1",
            5,
            "'sma' counts 30m bars, 'd1.close' is of 1d bars; write d1.sma(close, 20)",
        ),
        ("position < -3%", 1, "'position' needs a part: position.price, position.quantity"),
        ("position.gain < -3%", 1, "'position' has no part 'gain'; known: age, price, profit"),
        ("profit < -3%", 1, "unknown name 'profit'; did you mean 'position.profit'?"),
        ("tiem > 09:30", 1, "unknown name 'tiem'; did you mean 'time'?"),
        ("time > 9", 8, "a time of day cannot be compared with a bare number; a time of day is"),
        ("time - 10 > 09:30", 8, "a bare number cannot be subtracted from a time of day"),
        ("minutes_to_close < 09:30", 20, "a length of time cannot be compared with a time of day"),
        ("day.change > 3 KRW", 14, "a ratio (%) cannot be compared with an amount of money"),
        ("rank > 3", 1, "'rank' needs arguments: rank(change(1))"),
        ("rank(close, open) > 3", 1, "'rank' takes one number, by place"),
        ("rank(close > open) > 3", 6, "expected a number, found something true or false"),
        ("breadth(close) > 3%", 9, "expected a comparison, found only a number"),
        ("of(KRX) > 3", 1, "'of' needs a part behind it"),
        ("of(KRX).close > 3", 4, "an instrument stands in quotation marks"),
        ('of("005930").close > 3', 4, "'005930' is no instrument; expected VENUE:CODE"),
        ('of("KRX:005930", 2).close > 3', 1, "'of' takes one instrument"),
        ('of("UPBIT:BTC").close > 3', 4, "'UPBIT:BTC' trades at another venue than"),
        ('of("KRX:005930").sma(close) > 3', 1, "'window' is missing; expected sma"),
        ('of("KRX:005930").crosses_above(close, open) > 3', 1, "'crosses_above' is true or false"),
        ('close > "KRX:005930"', 9, "a text names an instrument and stands in"),
    ],
)
def test_what_cannot_be_asked_says_why_and_where(when: str, column: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        condition_of(f"'{when}'")
    problems = caught.value.problems
    assert [one.column for one in problems] == [column + len("when: '")]
    assert message in problems[0].message


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_named_expression_takes_the_name_of_a_field(name: str) -> None:
    with pytest.raises(ConfigError, match="choose another name"):
        condition_of(f"close > 1\nlet:\n  {name}: sma(close, 3)")
