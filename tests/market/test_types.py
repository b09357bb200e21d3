"""The shared nouns: times as milliseconds, ids, timeframes, verdicts, the forms of a tick."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.sessions import KST
from market.types import (
    Bar,
    Instrument,
    Tick,
    Timeframe,
    Venue,
    Verdict,
    from_ms,
    to_ms,
)

AT = datetime(2026, 11, 20, 0, 0, 5, tzinfo=UTC)


@given(milliseconds=st.integers(0, 4_102_444_800_000))
def test_milliseconds_survive_the_way_there_and_back(milliseconds: int) -> None:
    assert to_ms(from_ms(milliseconds)) == milliseconds


def test_to_ms_takes_any_timezone_and_drops_what_is_finer() -> None:
    assert to_ms(datetime(1970, 1, 1, 9, 0, 0, 1_999, tzinfo=KST)) == 1


def test_from_ms_is_in_utc() -> None:
    assert from_ms(1_000).tzinfo is UTC


def test_to_ms_refuses_a_time_without_zone() -> None:
    with pytest.raises(TypeError):
        to_ms(AT.replace(tzinfo=None))


def test_instrument_id_keeps_the_code_as_text() -> None:
    assert Instrument(Venue.KRX, "0126Z0", "삼성에피스홀딩스").id == "KRX:0126Z0"


@pytest.mark.parametrize(
    ("name", "minutes"),
    [("1m", 1), ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60), ("1d", 24 * 60)],
)
def test_timeframe_is_read_as_users_write_it(name: str, minutes: int) -> None:
    assert Timeframe(name).length == timedelta(minutes=minutes)


def test_every_timeframe_has_a_length() -> None:
    lengths = [timeframe.length for timeframe in Timeframe]
    assert lengths == sorted(set(lengths))


def test_verdicts_combine_by_least_greatest_and_minus() -> None:
    assert min(Verdict.TRUE, Verdict.UNKNOWN) is Verdict.UNKNOWN
    assert max(Verdict.FALSE, Verdict.UNKNOWN) is Verdict.UNKNOWN
    assert min(Verdict.FALSE, Verdict.UNKNOWN) is Verdict.FALSE
    assert Verdict(-Verdict.UNKNOWN) is Verdict.UNKNOWN
    assert Verdict(-Verdict.TRUE) is Verdict.FALSE


@pytest.mark.parametrize("forms", [{}, {"volume": 1.0, "day_volume": 2.0}])
def test_tick_needs_exactly_one_form_of_volume(forms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="volume or day_volume"):
        Tick("KRX:005930", AT, AT, 100.0, **forms)


@pytest.mark.parametrize("form", ["volume", "day_volume"])
def test_tick_takes_a_volume_of_zero(form: str) -> None:
    zero: dict[str, Any] = {form: 0.0}
    assert Tick("KRX:005930", AT, AT, 100.0, **zero).price == 100


def test_bar_is_complete_and_fixed() -> None:
    bar = Bar("KRX:005930", Timeframe.M5, AT, 1, 2, 0.5, 1, 10, 12)
    assert bar.is_complete
    with pytest.raises(FrozenInstanceError):
        bar.close = 2  # type: ignore[misc]  # the very thing that must fail
