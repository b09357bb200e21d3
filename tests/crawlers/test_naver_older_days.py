"""Naver's older daily chart: a list in the writing of Python, recorded and mutilated."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.naver_parsers import parse_sise_days
from market.errors import SourceChanged
from market.sessions import KST, KrxCalendar
from tests.crawlers.mutilated import mutilated

if TYPE_CHECKING:
    from market.types import Bar

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "naver"
SEEN_AT = datetime(2026, 9, 28, 8, 0, tzinfo=UTC)


def older(text: str) -> list[Bar]:
    return parse_sise_days(text.encode(), "KRX:005930", KrxCalendar({}), SEEN_AT)


SISE_HEADS = "['날짜', '시가', '고가', '저가', '종가', '거래량', '외국인소진율']"


def test_older_days_read_the_recorded_values() -> None:
    path = FIXTURES / "siseJson_day_005930.recorded_values.txt"
    if not path.exists():
        pytest.skip("recorded answers are kept outside the repository")
    bars = older(path.read_text(encoding="utf-8"))
    days = [bar.start.astimezone(KST).strftime("%m-%d %H:%M") for bar in bars]
    assert days == ["08-28 09:00", "08-31 09:00", "09-01 09:00"]
    first = bars[0]
    assert (first.open, first.high, first.low, first.close) == (262500, 266000, 256000, 257000)
    assert (first.volume, first.is_complete) == (15106746, True)


def test_older_days_without_a_trade_have_no_bar() -> None:
    rows = '["20260928", 0, 0, 0, 257000, 0, 46.72],\n["20260923", 1, 3, 1, 2, 5, None]'
    (bar,) = older(f"\n [{SISE_HEADS},\n{rows}\n]\n")
    assert (bar.start, bar.volume) == (datetime(2026, 9, 23, 9, tzinfo=KST), 5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        f"[{SISE_HEADS}]",
        "<html>",
        "{'날짜': 1}",
        f'[{SISE_HEADS}, ["20260928", 1, 1, 1, 1]]',
        f"[{SISE_HEADS}, 5]",
        f'[{SISE_HEADS}, ["2026-09-28", 1, 1, 1, 1, 1, 1]]',
        f'[{SISE_HEADS.replace("시가", "고가")}, ["20260928", 1, 1, 1, 1, 1, 1]]',
        f'[{SISE_HEADS.replace("종가", "값")}, ["20260928", 1, 1, 1, 1, 1, 1]]',
    ],
)
def test_older_days_of_another_shape_are_changed(text: str) -> None:
    with pytest.raises(SourceChanged):
        older(text)


@given(st.data())
def test_a_mutilated_chart_is_read_or_changed(data: st.DataObject) -> None:
    rows = '["20260928", 1, 3, 1, 2, 5, 46.72],\n["20260923", 1, 3, 1, 2, 5, 46.7]'
    body = data.draw(mutilated(f"\n [{SISE_HEADS},\n\n\t\t\n{rows}\n\n]\n".encode()))
    with suppress(SourceChanged):
        parse_sise_days(body, "KRX:005930", KrxCalendar({}), SEEN_AT)
