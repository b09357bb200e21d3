"""Tests of where sessions begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from conditions.engine import evaluate_columns
from conditions.openings import find_openings
from market.panel import Panel
from market.types import Bar, Timeframe, to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conditions.compile import Condition

NINE = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
"""Nine o'clock of a Monday in Seoul."""
SLOT = timedelta(minutes=5)


def starts_of(*moments: datetime | None) -> np.ndarray:
    return np.array([[0 if one is None else to_ms(one) for one in moments]], dtype=np.int64)


def openings(is_korean: bool, *moments: datetime | None) -> list[float]:
    found: list[float] = find_openings(starts_of(*moments), [is_korean])[0].tolist()
    return found


def test_a_session_begins_on_another_korean_day() -> None:
    evening = NINE + timedelta(hours=6, minutes=25)
    tuesday = NINE + timedelta(days=1)
    found = openings(True, NINE + SLOT, evening, tuesday + 2 * SLOT, tuesday + 3 * SLOT)
    assert found == [0.0, 0.0, 1.0, 0.0]


def test_a_coin_begins_with_the_utc_day() -> None:
    midnight = datetime(2026, 1, 6, tzinfo=UTC)
    found = openings(False, midnight - 2 * SLOT, midnight - SLOT, midnight, midnight + SLOT)
    assert found == [0.0, 0.0, 1.0, 0.0]


def test_a_rows_first_bar_begins_only_at_the_usual_hour() -> None:
    assert openings(True, NINE)[0] == 1.0
    assert openings(True, NINE + SLOT)[0] == 0.0
    assert openings(False, NINE)[0] == 1.0  # that is midnight in UTC
    assert openings(False, NINE + timedelta(hours=9))[0] == 0.0


def test_no_bar_is_unknown() -> None:
    assert np.isnan(openings(True, None, None, NINE)[:2]).all()
    assert openings(True, None, None, NINE)[2] == 1.0


def bars(instrument: str, first: datetime, count: int) -> Iterable[Bar]:
    for place in range(count):
        price = 100.0 + place
        yield Bar(
            instrument, Timeframe.M5, first + place * SLOT, price, price, price, price, 1.0, price
        )


def test_the_mean_of_a_session_is_unknown_until_one_begins(
    compiled: Callable[..., Condition],
) -> None:
    panel = Panel(Timeframe.M5, ["KRX:005930", "KRX:000660", "UPBIT:KRW-BTC"])
    panel.append(bars("KRX:005930", NINE, 4))
    panel.append(bars("KRX:000660", NINE + SLOT, 3))
    panel.append(bars("UPBIT:KRW-BTC", NINE - 2 * SLOT, 4))
    condition = compiled("close >= vwap()")
    found = evaluate_columns(condition, panel, np.arange(3), 4).when
    assert found.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1]]
    assert evaluate_columns(condition, panel, np.array([2]), 1).when.tolist() == [[1]]
