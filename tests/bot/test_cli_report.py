"""`ticktalk report`."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from engine.day_report import DayReport, Difference, Hidden, write_report
from market.clock import ManualClock
from market.sessions import KST
from market.store import Store
from market.types import to_ms

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

DAY = date(2026, 11, 24)
AT = to_ms(datetime(2026, 11, 24, 9, 20, tzinfo=KST))
KEY = "series/KRX/5m"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ticktalk.sqlite"
    monkeypatch.setenv("TICKTALK_STORE_PATH", str(path))
    return path


def keep(path: Path, **reports: DayReport) -> None:
    store = Store.open(path, ManualClock(datetime(2026, 11, 24, 8, tzinfo=KST)))
    for day, one in reports.items():
        kept = date(2026, 11, int(day[1:]))
        asyncio.run(store.write(partial(write_report, series_key=KEY, day=kept, report=one)))
    store.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["report", *words])


FLAWED = DayReport(
    bars=2400,
    equal=2328,
    close=2376,
    lacking=3,
    invented=1,
    fired=7,
    fired_equal=6,
    early=2,
    hidden_count=1,
    worst=(Difference("KRX:005930", AT, "volume", 1_234_000.0, 1_243_210.0),),
    hidden=(Hidden("volume-breakout", "KRX:005930", AT),),
    unread=("KRX:000660",),
    is_over=True,
)


def test_a_day_is_told_with_its_differences(database: Path) -> None:
    keep(database, d24=FLAWED)
    output = run("2026-11-24").output
    assert "2026-11-24 KRX 5m bars\n" in output
    assert "early    2 alerts of bars that still formed are not compared\n" in output
    assert "2,328 of 2,400 equal the venue's chart (97.00 %;" in output
    assert "in close and volume 99.00 %), 3 were missed, 1 are not in it" in output
    assert "6 of 7 stood on the venue's own bar" in output
    assert "09:20 volume-breakout 삼성전자 KRX:005930" in output
    assert "volume: ours 1,234,000, the venue's 1,243,210 (0.74 %)" in output
    assert "1 chart could not be had: SK하이닉스" in output


def test_without_a_day_it_is_the_newest(database: Path) -> None:
    keep(database, d20=FLAWED, d24=DayReport(bars=10, equal=10, close=10, is_over=True))
    result = run()
    assert result.exit_code == 0
    assert "2026-11-24 KRX" in result.output
    assert "10 of 10 equal the venue's chart (100.00 %;" in result.output


def test_a_repair_that_goes_on_says_so(database: Path) -> None:
    keep(database, d24=DayReport(bars=10, equal=10))
    assert "(so far)" in run().output


@pytest.mark.parametrize("word", ["yesterday", "2026-13-01", "24.11.2026", "２０２６-11-24"])
def test_what_is_no_day_is_refused(database: Path, word: str) -> None:
    keep(database, d24=FLAWED)
    result = run(word)
    assert result.exit_code != 0
    assert f"'{word}' is not a day: write it as 2026-11-24" in result.output


def test_a_day_that_was_not_watched_says_how_it_would_be(database: Path) -> None:
    keep(database, d24=FLAWED)
    assert "2026-11-23 not has been compared" not in run("2026-11-23").output
    assert "2026-11-23 has not been compared yet" in run("2026-11-23").output


def test_without_a_database_it_says_what_writes_it(database: Path) -> None:
    result = run()
    assert result.exit_code != 0
    assert "ticktalk run" in result.output
