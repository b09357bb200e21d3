"""The raw record in its folder: files, room, restarts, full disks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from market.clock import ManualClock
from market.errors import SourceChanged, SourceUnavailable
from market.record import RawRecord
from market.record_days import RecordedDay, days_in
from market.record_events import Break, Candle, Candles, Failure, Sweep, Told
from market.record_writer import ROOM_BYTES
from market.types import Timeframe
from tests.market.record_world import DAY, START, bar, events, sweeps, tick

BEGAN = Break(START, START, "recording began")
LATER = START + timedelta(seconds=10)


def opened(
    folder: Path, clock: ManualClock | None = None, megabytes: int = 10, file_bytes: int = 1 << 20
) -> RawRecord:
    """Return a record that writes at once."""
    clock = ManualClock(START) if clock is None else clock
    return RawRecord(folder, clock, megabytes, flush_seconds=0, file_bytes=file_bytes)


def test_everything_comes_back_in_order(tmp_path: Path) -> None:
    clock = ManualClock(START)
    record = opened(tmp_path, clock)
    minute = bar()
    day = replace(minute, timeframe=Timeframe.D1)
    record.ticks("naver", [tick("035420"), tick()])
    record.updates("upbit", [Candle(minute, START, START)])
    clock.move_to(LATER)
    record.bars("naver", "KRX:005930", START, LATER, [minute])
    record.days("naver", "KRX:005930", START, LATER, [day])
    record.failed("naver", "ticks", SourceUnavailable("no answer"), "KRX")
    record.failed("naver", "bars", SourceChanged("another page"), "KRX:005930")
    record.close()
    assert events(tmp_path) == [
        BEGAN,
        Sweep("naver", START, (tick(), tick("035420"))),
        Candles("upbit", START, (Candle(minute, START, START),)),
        Told("naver", LATER, "KRX:005930", Timeframe.M1, START, LATER, (minute,)),
        Told("naver", LATER, "KRX:005930", Timeframe.D1, START, LATER, (day,)),
        Failure("naver", LATER, "ticks", "KRX", False, "no answer"),
        Failure("naver", LATER, "bars", "KRX:005930", True, "another page"),
    ]


def test_that_nothing_changed_is_an_answer_too(tmp_path: Path) -> None:
    record = opened(tmp_path)
    record.updates("upbit", [])
    record.ticks("naver", [])
    record.close()
    assert events(tmp_path) == [
        BEGAN,
        Candles("upbit", START, ()),
        Sweep("naver", START, ()),
    ]


def test_a_day_has_its_own_folder(tmp_path: Path) -> None:
    clock = ManualClock(START)
    record = opened(tmp_path, clock)
    record.ticks("naver", [tick()])
    clock.move_to(START + timedelta(hours=15))  # midnight in Korea
    record.ticks("upbit", [tick()])
    record.close()
    assert days_in(tmp_path) == [DAY, DAY + timedelta(days=1)]
    assert [one.source for one in sweeps(tmp_path)] == ["naver"]
    assert [one.source for one in sweeps(tmp_path, DAY + timedelta(days=1))] == ["upbit"]


def test_a_file_that_is_full_is_followed_by_another(tmp_path: Path) -> None:
    clock = ManualClock(START)
    record = opened(tmp_path, clock, file_bytes=400)
    for _ in range(9):
        record.ticks("naver", [tick(at=clock.now())])
        record.flush()
        clock.advance(timedelta(seconds=10))
    record.close()
    assert len(list((tmp_path / "2026-11-24").iterdir())) > 2
    assert len(sweeps(tmp_path)) == 9


def test_a_restart_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for at in (START, LATER):
        record = opened(tmp_path, ManualClock(at))
        record.ticks("naver", [tick()])
        record.close()
    assert [path.name for path in (tmp_path / "2026-11-24").iterdir()] == ["0001.rec"]
    assert events(tmp_path) == [
        BEGAN,
        Sweep("naver", START, (tick(),)),
        Break(LATER, LATER, "recording began"),
        Sweep("naver", LATER, (tick(),)),
    ]


def test_a_torn_last_block_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for at in (START, LATER):
        record = opened(tmp_path, ManualClock(at))
        record.ticks("naver", [tick()])
        record.close()
    path = tmp_path / "2026-11-24" / "0001.rec"
    os.truncate(path, path.stat().st_size - 7)
    torn = RecordedDay(tmp_path, DAY)
    assert [one.at for one in torn.events()] == [START, START]
    assert "the last block is torn: 2 events of 09:00:12-09:00:12 are lost" in str(torn.losses[0])
    assert str(torn.losses[0]).startswith(f"{path}, byte ")
    record = opened(tmp_path, ManualClock(LATER))
    record.ticks("naver", [tick(price=80_000.0)])
    record.close()
    assert "of a torn block are cut off" in caplog.text
    assert sweeps(tmp_path)[-1].ticks == (tick(price=80_000.0),)


def days_before(folder: Path, *days: date) -> None:
    """Put a file of 400 KB into the folder of each day, and one of somebody else."""
    for day in days:
        place = folder / day.isoformat()
        place.mkdir()
        (place / "0001.rec").write_bytes(bytes(400_000))
        if day.day == 20:
            (place / "notes.txt").write_text("mine")


def test_the_oldest_days_make_room(tmp_path: Path) -> None:
    days_before(tmp_path, date(2026, 11, 20), date(2026, 11, 22), date(2026, 11, 23))
    (tmp_path / "readme.txt").write_text("mine")
    record = opened(tmp_path, megabytes=1)
    record.ticks("naver", [tick()])
    record.close()
    assert days_in(tmp_path) == [date(2026, 11, 22), date(2026, 11, 23), DAY]
    assert (tmp_path / "2026-11-20" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "readme.txt").exists()


def test_today_is_never_removed(tmp_path: Path) -> None:
    days_before(tmp_path, DAY)
    record = opened(tmp_path, megabytes=0)
    record.ticks("naver", [tick()])
    record.flush()
    assert record.trouble == "the raw record of today has reached record.max_megabytes"
    record.close()
    assert days_in(tmp_path) == [DAY]


def test_a_full_disk_stops_with_one_notice_and_goes_on_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, free = ManualClock(START), [10 * ROOM_BYTES]
    record = RawRecord(tmp_path, clock, 10, flush_seconds=0, free_bytes=lambda _: free[0])
    kept = []
    for number, room in enumerate((10, 0, 0, 0, 10, 10)):
        clock.advance(timedelta(seconds=10))
        free[0] = room * ROOM_BYTES
        record.ticks("naver", [tick(price=1000.0 + number), tick("000660")])
        record.flush()
        kept.append(record.trouble is None)
    record.close()
    assert kept == [True, False, False, False, True, True]
    assert caplog.text.count("(record.path) until this is mended: the disk of") == 1
    assert caplog.text.count("recording goes on") == 1
    first, missed, resumed = (START + timedelta(seconds=one) for one in (10, 20, 50))
    prices = [one.ticks[1].price for one in sweeps(tmp_path)]
    assert prices == [1000.0, 1004.0, 1005.0]
    [_, gap] = [one for one in events(tmp_path) if isinstance(one, Break)]
    assert (gap.since, gap.at) == (first, resumed)
    assert missed not in {one.at for one in events(tmp_path)}


def test_two_do_not_record_into_the_same_folder(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.ticks("naver", [tick()])
    first.flush()
    second.ticks("kis", [tick()])
    second.flush()
    assert second.trouble == f"another ticktalk records into {tmp_path}"
    first.close()
    second.ticks("kis", [tick()])
    second.flush()
    assert second.trouble is None
    second.close()
    assert [one.source for one in sweeps(tmp_path)] == ["naver", "kis"]


def test_a_folder_that_cannot_be_made_is_a_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    record = opened(tmp_path / "file" / "record")
    record.ticks("naver", [tick()])
    record.flush()
    assert record.trouble == "Not a directory"
    record.close()
    record.close()


def test_what_cannot_be_written_down_does_not_stop_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = opened(tmp_path)
    record.failed("naver", "no such call", SourceUnavailable("?"), "KRX")
    record.flush()
    assert "could not be recorded" in caplog.text
    record.ticks("naver", [tick()])
    record.close()
    assert [type(one) for one in events(tmp_path)] == [Break, Sweep]


def child(name: str, folder: Path) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("record_child.py")
    arguments = [sys.executable, str(script), name, str(folder)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own script


@pytest.mark.parametrize("lines", [1, 7, 23])
def test_a_kill_loses_no_more_than_was_not_flushed(tmp_path: Path, lines: int) -> None:
    for run in range(2):
        with child("record", tmp_path) as process:
            assert process.stdout is not None
            told = [int(process.stdout.readline()) for _ in range(lines)]
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        kept = [one for one in RecordedDay(tmp_path, DAY).events() if isinstance(one, Sweep)]
        numbers = [int(one.ticks[0].price) for one in kept]
        starts = [place for place, number in enumerate(numbers) if number == 1]
        assert len(starts) == run + 1
        newest = numbers[starts[-1] :]
        assert newest == list(range(1, len(newest) + 1))
        assert len(newest) >= told[-1]  # what the child knew to be flushed is there


def test_a_disk_that_is_full_in_earnest(tmp_path: Path) -> None:
    with child("fill", tmp_path) as process:
        out, _ = process.communicate(timeout=60)
    assert out.split() == ["True", "False", "True"]
    kept = [one.ticks[0].price for one in sweeps(tmp_path)]
    assert kept[0] == 1.0
    assert kept[-1] == 3.0
    assert [type(one) for one in events(tmp_path)].count(Break) == 2
