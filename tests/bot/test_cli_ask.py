"""`ticktalk why` and `ticktalk near`, on a database that a bot has written or is writing."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from conditions.compile import compile_all
from engine.look import live_looks
from engine.series import build_series
from market.store import Store
from tests.bot.asked_market import HYNIX, SAMSUNG, fill
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

    from engine.series import Series
    from market.store import Transaction
    from market.types import Bar

CONDITION = "volume-breakout"
NOW = datetime(2025, 11, 20, 1, 30, tzinfo=UTC)
"""When the bot wrote last: a Thursday, 10:30 in Korea; the console asks later."""


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Work in a folder of our own."""
    monkeypatch.chdir(tmp_path_factory.mktemp("ask"))
    for name in [name for name in os.environ if name.startswith("TICKTALK_")]:
        monkeypatch.delenv(name)


def make_series() -> Series:
    """Return the series that watches the condition."""
    config = packaged_config()
    condition = next(one for one in compile_all(config.conditions) if one.name == CONDITION)
    universe = ((condition, (SAMSUNG, HYNIX)),)
    return build_series(universe, config.calendars, 400)[0]


def write(tx: Transaction, series: Series, bars: list[Bar]) -> None:
    """Store what a bot stores after it has judged those bars."""
    tx.bars.put(bars)
    tx.documents.put(series.key, series.position(series.judged_ms, ()))
    (watch,) = series.watches
    kept = watch.states.to_mapping(series.panel.instruments)
    tx.signals.save_states(watch.condition.name, watch.condition.version, kept)


@pytest.fixture
def stored() -> Iterator[Series]:
    """Return a series in which Samsung has just fired; its store stays open as of a running bot."""
    series = make_series()
    bars = fill(series, jump=1.08, burst=40, until=NOW)
    store = Store.open("ticktalk.sqlite")
    asyncio.run(store.write(lambda tx: write(tx, series, bars)))
    yield series
    store.close()


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--language", "en"])


def told(*arguments: str) -> str:
    """Return the answer to a question that has one."""
    result = asked(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: str) -> str:
    """Return what a question is told that cannot be answered."""
    result = asked(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output


def test_why_tells_what_the_running_bot_would(stored: Series) -> None:
    output = told("why", CONDITION, "005930")
    assert "volume-breakout · 삼성전자 (005930)" in output
    assert "Fired on this bar." in output
    assert "✅ volume > 6 * sma(volume, 20)" in output
    assert "🔒 Has fired; waits to be armed again." in output
    assert "Armed again only after:" in output
    (look,) = live_looks([stored], CONDITION, SAMSUNG)
    assert look.why(SAMSUNG, NOW, 0).fires


def test_why_takes_a_name_in_several_words_and_speaks_korean(stored: Series) -> None:
    result = CliRunner().invoke(main, ["why", CONDITION, "SK", "하이닉스"])
    assert result.exit_code == 0, result.output
    assert "▫️ 거짓 · 비교 3개 중" in result.output


def test_why_of_the_past_replays_the_stored_bars(stored: Series) -> None:
    output = told("why", CONDITION, "005930", "--at", "2025-11-20 10:25")
    assert "5m bar of 11-20 10:20" in output
    assert "Not true" in output
    assert "As of 11-20 10:25: replayed over 99 stored bars from 11-18 15:00 on" in output
    assert "not judged yet" not in output
    later = told("why", CONDITION, "005930", "--at", "2025-11-20 10:41")
    assert "Fired on this bar." in later
    assert "No trade in the 2 slots since." in later


def test_near_ranks_and_counts(stored: Series) -> None:
    output = told("near", CONDITION)
    assert "2 ranked" in output
    first, second = (output.index(name) for name in ("삼성전자", "SK하이닉스"))
    assert first < second
    assert "SK하이닉스" not in told("near", CONDITION, "--top", "1")


@pytest.mark.parametrize(
    "command", [("why", "volume-brekout", "005930"), ("near", "volum-breakout")]
)
def test_an_unknown_condition_is_told_what_is_like_it(
    command: tuple[str, ...], stored: Series
) -> None:
    assert "did you mean 'volume-breakout'?" in refused(*command)


def test_what_is_off_is_told_where_it_is(stored: Series) -> None:
    output = refused("near", "band-reversion-buy")
    assert "condition 'band-reversion-buy' is off" in output
    assert "ticktalk init config" in output
    assert "config/conditions/band_reversion.yaml" in output


def test_an_unknown_instrument_is_told_what_is_like_it(stored: Series) -> None:
    output = refused("why", CONDITION, "삼성")
    assert "unknown instrument '삼성'; did you mean 삼성전자 (005930)" in output
    assert "write its code or its name" in refused("why", CONDITION, "zzzzzz")


def test_an_instrument_that_is_not_watched_is_told(stored: Series) -> None:
    code = next(
        one.code
        for one in packaged_config().directory
        if one.id not in packaged_config().universes["korea-leaders"]
    )
    assert "'rsi-rebound' does not watch" in refused("why", "rsi-rebound", code)


def test_an_instrument_without_bars_is_told(stored: Series) -> None:
    assert "no 5m bars of NAVER are stored" in refused("why", CONDITION, "NAVER")
    output = refused("why", CONDITION, "005930", "--at", "2024-11-20 11:00")
    assert "that had closed by 11-20 11:00 are stored" in output


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("noon", "write 10:05"),
        ("2025-01-04 11:00", "not in a session"),
        ("2099-01-02 11:00", "yet"),
    ],
)
def test_a_time_of_which_nothing_is_known_is_told(at: str, words: str, stored: Series) -> None:
    assert words in refused("why", CONDITION, "005930", "--at", at)


@pytest.mark.parametrize("command", [("why", CONDITION, "005930"), ("near", CONDITION)])
def test_without_a_database_it_says_who_writes_one(command: tuple[str, ...]) -> None:
    assert "ticktalk run" in refused(*command)
    Store.open("ticktalk.sqlite").close()
    assert "are stored: `ticktalk run` fetches" in refused(*command)


@pytest.mark.parametrize("command", ["why", "near"])
def test_help_is_short(command: str) -> None:
    result = asked(command, "--help")
    assert result.exit_code == 0
    assert "--config" in result.output
