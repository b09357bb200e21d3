"""Pauses as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.pause_words import read_pause, read_scope
from engine.pauses import BUYS, EVERYTHING, Scope
from market.directory import Directory
from market.errors import UsageError
from market.orders import Side
from market.types import Instrument, Kind, Venue

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
"""10:30 in Korea."""
DIRECTORY = Directory(
    [
        Instrument(Venue.KRX, "005930", "삼성전자"),
        Instrument(Venue.KRX, "069500", "KODEX 200", kind=Kind.ETF),
    ]
)
NAMES = {"volume-breakout"}
SAMSUNG = "KRX:005930"
HALF = timedelta(minutes=30)


@pytest.mark.parametrize(
    ("typed", "scope", "after"),
    [
        ("", BUYS, None),
        ("KRX", Scope(venue="KRX", side=Side.BUY), None),
        ("krx buys 30m", Scope(venue="KRX", side=Side.BUY), HALF),
        ("30 minutes upbit", Scope(venue="UPBIT", side=Side.BUY), HALF),
        ("업비트 매수 30분", Scope(venue="UPBIT", side=Side.BUY), HALF),
        ("매도 30 분 동안", Scope(side=Side.SELL), HALF),
        ("buys sells", EVERYTHING, None),
        ("005930", Scope(instrument=SAMSUNG, side=Side.BUY), None),
        ("KRX:005930 sells", Scope(instrument=SAMSUNG, side=Side.SELL), None),
        ("KODEX 200 30분간", Scope(instrument="KRX:069500", side=Side.BUY), HALF),
        ("삼성전자 until 15:00", Scope(instrument=SAMSUNG, side=Side.BUY), timedelta(hours=4.5)),
        ("삼성전자 15:00까지", Scope(instrument=SAMSUNG, side=Side.BUY), timedelta(hours=4.5)),
        ("until 09:00", BUYS, timedelta(hours=22.5)),
        ("10:30", BUYS, timedelta(days=1)),
        ("volume-breakout", Scope(condition="volume-breakout"), None),
        (
            "005930 volume-breakout buys for 2h",
            Scope(condition="volume-breakout", instrument=SAMSUNG, side=Side.BUY),
            timedelta(hours=2),
        ),
    ],
)
def test_a_pause_is_read_in_any_order(typed: str, scope: Scope, after: timedelta | None) -> None:
    found = read_pause(typed, DIRECTORY, NAMES, NOW)
    assert found.of_pause == scope
    assert found.until == (None if after is None else NOW + after)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("samsnug", "samsnug"),
        ("KRX UPBIT", "UPBIT"),
        ("30m 15:00", "15:00"),
        ("0m", "0m"),
        ("005930 something", "005930 something"),
        ("30 parsecs", "30 parsecs"),
    ],
)
def test_a_word_that_says_nothing_is_named(typed: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_pause(typed, DIRECTORY, NAMES, NOW)
    assert caught.value.facts == {"word": word}


@pytest.mark.parametrize(
    ("typed", "scope"),
    [("", EVERYTHING), ("KRX", Scope(venue="KRX")), ("매도", Scope(side=Side.SELL))],
)
def test_a_resume_names_both_sides_unless_one_is_said(typed: str, scope: Scope) -> None:
    assert read_scope(typed, DIRECTORY, NAMES) == scope
