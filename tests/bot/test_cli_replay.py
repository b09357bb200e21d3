"""`ticktalk replay`: bars of files, recorded days with two sources, and what cannot be played."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bot.cli import main
from market.clock import ManualClock
from market.errors import SourceUnavailable
from market.record import RawRecord
from market.sessions import KST
from market.store import Store
from market.types import Bar, Tick, Timeframe

if TYPE_CHECKING:
    from click.testing import Result

SAMSUNG, HYNIX = "KRX:005930", "KRX:000660"
RULE = """
name: above
universe: [KRX:005930, KRX:000660]
timeframe: 5m
when: close > 110
cooldown: 0 minutes
order: {side: buy, size: 500_000 KRW, confirm: {within: 90s, max_drift: 1%}}
"""


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder of our own, with one condition."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TICKTALK_")]:
        monkeypatch.delenv(name)
    conditions = tmp_path / "config" / "conditions"
    conditions.mkdir(parents=True)
    (tmp_path / "config" / "settings.yaml").write_text("broker: {name: paper}\n")
    (conditions / "above.yaml").write_text(RULE)


def kst(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24 {text}").replace(tzinfo=KST)


def replayed(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["replay", *arguments])


def price(minute: int) -> float:
    """Return the close of a minute of the day: above the rule's limit from 09:20 to 09:30."""
    return 120.0 if 20 <= minute < 30 else 100.0


def write_bars(folder: Path) -> None:
    folder.mkdir()
    rows = ["time,open,high,low,close,volume"]
    for minute in range(60):
        at, close = kst("09:00") + timedelta(minutes=minute), price(minute)
        rows.append(f"{at:%Y-%m-%d %H:%M},100,{max(close, 100)},100,{close},10")
    (folder / "005930.csv").write_text("\n".join(rows))


def test_bars_of_files_fire_what_they_should(tmp_path: Path) -> None:
    write_bars(tmp_path / "bars")
    result = replayed("--bars", "bars", "--keep", "kept.sqlite")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert any(line.startswith("11-24 09:25:02  above") for line in lines)
    assert "삼성전자 (KRX:005930)" in result.output
    assert "1 signal" in lines[-2]
    assert lines[-1].startswith("not compared with what fired live: ")
    assert Path("kept.sqlite").exists()
    again = replayed("--bars", "bars", "--keep", "kept.sqlite")
    assert again.exit_code == 2
    assert "--keep kept.sqlite: there is such a file; name a new one" in again.output


def test_a_part_of_a_day(tmp_path: Path) -> None:
    write_bars(tmp_path / "bars")
    later = replayed("2026-11-24", "--bars", "bars", "--from", "09:40")
    assert "0 signals" in later.output
    earlier = replayed("2026-11-24", "--bars", "bars", "--until", "09:25", "--speed", "1000000")
    assert "0 signals" in earlier.output


def minutes(start: str, end: str) -> list[Bar]:
    """Return what the chart tells of Samsung from one time to another."""
    at, found = kst(start), []
    while at < kst(end):
        close = price(int((at - kst("09:00")) / timedelta(minutes=1)))
        found.append(Bar(SAMSUNG, Timeframe.M1, at, 100, max(close, 100), 100, close, 10, 1000))
        at += timedelta(minutes=1)
    return found


def tick(traded_at: datetime, seen_at: datetime, trades: int) -> Tick:
    """Return what a sweep shows after so many minutes of one trade each."""
    return Tick(
        SAMSUNG,
        traded_at,
        seen_at,
        price(trades - 1),
        day_volume=10.0 * trades,
        day_value=1000.0 * trades,
        day_open=100.0,
    )


def record_day() -> None:
    """Record half an hour in which Naver fails and KIS stands in, and what the chart told."""
    clock = ManualClock(kst("08:59:30"))
    record = RawRecord(Path("record"), clock, 10, flush_seconds=0)
    for name in (SAMSUNG, HYNIX):
        record.bars("naver", name, kst("08:00") - timedelta(days=9), clock.now(), [])
    at = kst("09:00:02")
    while at <= kst("09:31"):
        clock.move_to(at)
        source = "kis" if kst("09:10") < at < kst("09:12") else "naver"
        if source == "kis":
            record.failed("naver", "ticks", SourceUnavailable("busy"), "KRX")
        trades = int((at - kst("09:00")) / timedelta(minutes=1))
        if trades:
            last = kst("09:00") + timedelta(minutes=trades, seconds=-30)
            record.ticks(source, [tick(last, at, trades)])
        else:
            record.ticks(source, [])
        record.flush()
        at += timedelta(seconds=10)
    clock.advance(timedelta(minutes=5))
    record.bars("naver", SAMSUNG, kst("09:00"), kst("09:31"), minutes("09:00", "09:31"))
    record.bars("naver", HYNIX, kst("09:00"), kst("09:31"), [])
    record.close()


def test_a_recorded_day_beside_what_fired_live() -> None:
    record_day()
    result = replayed("2026-11-24", "--keep", "first.sqlite")
    assert result.exit_code == 0, result.output
    assert "not compared" in result.output
    with Store.read_only("first.sqlite") as store:
        [signal] = store.read(lambda tx: tx.signals.recent(9))
    assert (signal.instrument, signal.bar_start) == (SAMSUNG, kst("09:20"))

    live = Store.open("ticktalk.sqlite")
    asyncio.run(live.write(lambda tx: tx.signals.add(signal)))
    live.close()
    compared = replayed("2026-11-24").output.splitlines()
    assert compared[-1] == "1 signal: 1 same"
    assert compared[-2].endswith("  same")


def test_a_signal_that_only_one_side_has() -> None:
    record_day()
    replayed("2026-11-24", "--keep", "first.sqlite")
    with Store.read_only("first.sqlite") as store:
        [signal] = store.read(lambda tx: tx.signals.recent(9))
    Store.open("ticktalk.sqlite").close()
    assert replayed("2026-11-24").output.splitlines()[-1] == "1 signal: 1 only replay"

    live = Store.open("ticktalk.sqlite")
    asyncio.run(live.write(lambda tx: tx.signals.add(signal)))
    live.close()
    rule = Path("config/conditions/above.yaml")
    rule.write_text(RULE.replace("110", "130"))
    assert replayed("2026-11-24").output.splitlines()[-1] == "1 signal: 1 only live"


def test_what_was_lost_of_the_record_is_told() -> None:
    record_day()
    path = Path("record/2026-11-24/0001.rec")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    result = replayed("2026-11-24")
    assert result.exit_code == 0, result.output
    assert "lost of the record: record/2026-11-24/0001.rec, byte " in result.output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "name a DAY that was recorded (2026-11-20), or --bars FOLDER"),
        (("yesterday",), "'yesterday' is no day such as 2026-11-20"),
        (("2026-11-24",), "there is no folder record. `ticktalk run` writes it"),
        (("2026-11-24", "--until", "10"), "'10' is no time such as 10:05"),
        (("--bars", "config"), "config holds no bars shorter than a day; add some"),
    ],
)
def test_what_cannot_be_played_is_said(arguments: tuple[str, ...], text: str) -> None:
    result = replayed(*arguments)
    assert result.exit_code == 2
    assert text in result.output


def test_a_day_without_prices_is_said() -> None:
    record = RawRecord(Path("record"), ManualClock(kst("09:00")), 10)
    record.bars("naver", SAMSUNG, kst("08:00"), kst("09:00"), [])
    record.close()
    result = replayed("2026-11-24")
    assert result.exit_code == 2
    assert "no prices were recorded on that day; play another" in result.output
