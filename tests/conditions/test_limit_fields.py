"""Tests of the day's price limits against those of market.prices."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest

from conditions.limit_fields import price_limits
from conditions.reference import Reference
from market import prices
from market.directory import Directory
from market.panel import Panel
from market.sessions import KST
from market.types import Bar, Instrument, Kind, Timeframe, Venue
from tests.conditions.walked_market import values_of

BASES = sorted(
    {
        *range(1, 12_000),
        *range(12_000, 1_200_000, 97),
        *(border + off for border in (20_000, 50_000, 200_000, 500_000) for off in range(-60, 60)),
    }
)


@pytest.mark.parametrize("kind", [Kind.STOCK, Kind.ETF])
def test_limits_are_those_of_the_market_to_the_won(kind: Kind) -> None:
    lower, upper = price_limits(np.array(BASES, dtype=np.float64), kind)
    expected = [prices.price_limits(Decimal(base), kind) for base in BASES]
    np.testing.assert_array_equal(lower, [float(one) for one, _ in expected])
    np.testing.assert_array_equal(upper, [float(one) for _, one in expected])


def test_limits_of_an_unknown_price_are_unknown() -> None:
    assert np.isnan(price_limits(np.array([np.nan]), Kind.STOCK)).all()


REFERENCE = Reference(
    {}, Directory([Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF)])
)


@pytest.mark.parametrize(
    ("name", "upper", "lower"),
    [
        ("KRX:005930", 60_400.0, 32_550.0),  # steps of 50 below 50,000, of 100 from there on
        ("KRX:069500", 60_450.0, 32_550.0),
        ("UPBIT:KRW-BTC", np.nan, np.nan),
    ],
)
def test_limits_follow_from_the_close_before_by_kind(name: str, upper: float, lower: float) -> None:
    panel = Panel(Timeframe.D1, [name], 10)
    for day in range(2):
        start = datetime(2026, 1, 5 + day, 9, tzinfo=KST)
        panel.append([Bar(name, Timeframe.D1, start, 9.0, 9.0, 9.0, 46_500.0, 1.0, 9.0)])
    found = [
        values_of(word, panel, reference=REFERENCE)[0, -2:]
        for word in ("upper_limit", "lower_limit")
    ]
    np.testing.assert_array_equal(found, [[np.nan, upper], [np.nan, lower]])
