from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from config.load import write_folder

CONDITION = """\
name: high
universe: [KRX:005930]
timeframe: 5m
when: close > 50_000
tests:
  - name: fires above
    bars: {close: "40_000 60_000 ?"}
    expect: {fires_at: [1]}
"""


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TICKTALK_")]:
        monkeypatch.delenv(name)
    write_folder(Path("mine"))
    for shipped in (Path("mine") / "conditions").glob("*.yaml"):
        if shipped.stem != "market_crash":  # each would be tested anew every time
            shipped.unlink()


def check(condition: str, *options: str) -> Result:
    (Path("mine") / "conditions" / "high.yaml").write_text(condition, encoding="utf-8")
    return CliRunner().invoke(main, ["check", "--config", "mine", *options])


def test_shipped_conditions_are_tested_in_all_their_outcomes() -> None:
    result = CliRunner().invoke(main, ["check", "--verbose"])
    assert result.exit_code == 0
    assert "volume-breakout (5m): proposes to buy; 4 tests, 12 of 12 outcomes" in result.output
    assert "rsi-rebound (5m): alerts; 4 tests, 6 of 6 outcomes" in result.output
    assert "rebound (5m): off; 4 tests, 9 of 9 outcomes" in result.output
    assert "never" not in result.output


def test_a_tested_condition_is_counted() -> None:
    assert "high (5m): alerts; 1 test, 3 of 3 outcomes" in check(CONDITION).output


def test_what_is_off_is_tested_all_the_same() -> None:
    off = f"enabled: false\n{CONDITION}"
    assert "high (5m): off; 1 test, 3 of 3 outcomes" in check(off).output
    assert "expected to fire at slot 0, did not" in check(off.replace("[1]", "[0]")).output
    assert "unknown name 'clos'" in check(off.replace("when: close", "when: clos")).output


def test_a_test_that_fails_is_a_mistake_with_its_place() -> None:
    result = check(CONDITION.replace("[1]", "[0]"))
    assert result.exit_code == 2
    assert "high.yaml:8:25: test 'fires above': expected to fire at slot 0, did" in result.output
    assert "'close > 50_000' is false (40_000 > 50_000)" in result.output
    assert "1 problem found" in result.output
    assert "all is well" not in result.output


def test_missing_outcomes_are_listed_on_request() -> None:
    text = CONDITION.replace("40_000 60_000 ?", "60_000x2").replace("[1]", "[0]")
    assert "1 test, 1 of 3 outcomes" in check(text).output
    line = "    in when, never false and never unknown: close > 50_000"
    assert line not in check(text).output.splitlines()
    assert line in check(text, "--verbose").output.splitlines()


def test_a_condition_without_tests_is_told_so() -> None:
    text = CONDITION.partition("tests:")[0]
    assert "high (5m): alerts; no tests" in check(text).output


def test_what_can_never_be_is_a_mistake_like_others() -> None:
    result = check(CONDITION.replace("close > 50_000", "close > 50_000 and close < 1_000"))
    assert result.exit_code == 2
    assert "high.yaml:4:26: 'close < 1_000' can never be true together with" in result.output
    assert "test 'fires above': expected to fire at slot 1, did not" in result.output
    assert "2 problems found" in result.output


def test_what_is_surely_not_meant_is_warned_of() -> None:
    result = check(CONDITION.replace("close > 50_000", "close > 50_000 and volume >= 0"))
    assert result.exit_code == 0
    assert "high.yaml:4:26: warning: 'volume >= 0' is always true" in result.output


def test_notes_are_told_on_request() -> None:
    text = CONDITION.partition("tests:")[0]
    assert "note" not in check(text).output
    assert "high.yaml:1:7: note: condition 'high' has no tests" in check(text, "--verbose").output


def test_being_silenced_by_what_is_off_is_warned_of() -> None:
    result = check(f"muted_by: market-crash\n{CONDITION}")
    assert result.exit_code == 0
    assert "high.yaml:1:11: warning: 'market-crash' is off (enabled: false)" in result.output


def test_a_coin_that_is_not_listed_is_told_with_the_line_to_add() -> None:
    output = check(CONDITION.replace("KRX:005930", "BINANCE:BTCUSDT.P")).output
    assert "unknown instrument 'BINANCE:BTCUSDT.P'" in output
    line = "{code: BTCUSDT.P, name: BTCUSDT.P, market: BINANCE-FUTURES, kind: coin}"
    assert f"add there: - {line}" in output
    with (Path("mine") / "instruments.yaml").open("a", encoding="utf-8") as file:
        file.write(f"- {line}\n")
    ordering = f"{CONDITION}order: {{side: buy, size: 10_000 KRW}}\n"
    told = check(ordering.replace("KRX:005930", "BINANCE:BTCUSDT.P")).output
    assert "KRW, but all it watches is paid in USDT" in told
    told = check(ordering.replace("KRX:005930", "BINANCE:BTCUSDT.P").replace("KRW", "USDT")).output
    assert "high (5m): proposes to buy; 1 test, 3 of 3 outcomes" in told
    told = check(ordering.replace("KRW", "USDT")).output
    assert "USDT, but all it watches is paid in KRW" in told


def test_a_short_order_that_would_be_denied_is_told() -> None:
    told = check(f"{CONDITION}order: {{side: short, size: 1}}\n").output
    assert "proposes to short" in told
    assert "only alerts for what cannot be sold short (only USDT-M futures can): KRX:005930" in told
    assert "opening short positions is off (risk.shorts: false)" in told
