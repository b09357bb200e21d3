"""Files of bars as a source, and every way in which they can be odd."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx
import pytest

from config.settings import ReplaySettings, Settings
from crawlers.bar_files import read_bar_file
from crawlers.replay import replay
from crawlers.replay_bars import BarFolder
from crawlers.source import LiveSource
from market.clock import ManualClock
from market.errors import SourceChanged, SourceUnavailable
from market.sessions import KST, AlwaysOpen, KrxCalendar
from market.types import Timeframe, Venue, from_ms
from tests.contracts.source_contract import SourceContract, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from crawlers.bar_files import BarColumns
    from market.sessions import Calendar
    from market.types import Bar

CALENDARS: dict[Venue, Calendar] = {
    Venue.KRX: KrxCalendar({}),
    Venue.UPBIT: AlwaysOpen(),
    Venue.BINANCE: AlwaysOpen(),
}
NAMES = ("KRX:005930", "KRX:000660")
HEADER = "time,open,high,low,close,volume"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KST)


def minutes(day: str, count: int, first: str = "09:00") -> list[str]:
    """Return rows of a day's minutes, their close one won higher each."""
    start = at(f"{day} {first}")
    return [
        f"{start + timedelta(minutes=n):%Y-%m-%d %H:%M},{100 + n},{102 + n},{99 + n},{101 + n},10"
        for n in range(count)
    ]


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


class TestBarFolder(SourceContract):
    """The contract of sources, for files of bars: what can go wrong there are the files."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.place = tmp_path / "bars"

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        self.place.mkdir()
        calendar = CALENDARS[Venue.KRX]
        end = at("2026-11-24 10:30:10")
        days = calendar.slots(end - timedelta(days=25), end, Timeframe.D1)
        for name in NAMES:
            rows: list[str] = []
            for start in days:
                rows += minutes(start.astimezone(KST).date().isoformat(), 90)
            write(self.place / f"{name.replace(':', '_')}.csv", *rows)
        clock = ManualClock(end)
        settings = Settings(replay=ReplaySettings(path=str(self.place)))
        async with httpx.AsyncClient() as http:
            source = replay(http, settings, clock, CALENDARS)
            start = at("2026-11-24 09:00")
            yield World(source, clock, NAMES, start, at("2026-11-24 10:30"), self.fail)

    def fail(self, fault: str) -> None:
        path = self.place / "KRX_005930.csv"
        if fault == "unreachable":
            self.place.rename(self.place.with_name("elsewhere"))
        elif fault in {"broken", "busy"}:
            path.unlink()
            path.mkdir()
        else:
            good = minutes("2026-11-24", 90)
            told = {
                "gone": (HEADER,),
                "moved": (HEADER, *reversed(good)),
                "empty": (),
                "page": ("<html>", "<p>,no bars,here,", "</html>"),
                "renamed": (HEADER.replace("close", "last"), *good),
            }
            path.write_text("\n".join(told[fault]), encoding="utf-8")

    def unknown(self) -> str:
        return "KRX:999999"


def folder(path: Path, now: str) -> tuple[BarFolder, ManualClock]:
    clock = ManualClock(at(now))
    return BarFolder(path, clock, CALENDARS), clock


def test_a_bar_is_told_when_its_minute_is_over(tmp_path: Path) -> None:
    write(tmp_path / "005930.csv", *minutes("2026-11-24", 3))

    async def scenario() -> None:
        source, clock = folder(tmp_path, "2026-11-24 09:01:59")
        assert isinstance(source, LiveSource)
        asked = (NAMES[0], at("2026-11-24 09:00"), at("2026-11-24 09:30"))
        assert [bar.close for bar in await source.bars(*asked)] == [101.0]
        assert [one.bar.close for one in await source.updates(NAMES)] == [101.0]
        assert await source.updates(NAMES) == []
        clock.move_to(at("2026-11-24 09:03"))
        updates = await source.updates(NAMES)
        assert [one.bar.close for one in updates] == [102.0, 103.0]
        assert all(one.bar.is_complete and one.seen_at == clock.now() for one in updates)
        assert [tick.price for tick in await source.ticks(NAMES)] == [103.0]

    asyncio.run(scenario())


def test_a_day_that_goes_on_is_made_of_its_minutes(tmp_path: Path) -> None:
    write(tmp_path / "005930.csv", *minutes("2026-11-23", 390), *minutes("2026-11-24", 5))

    async def scenario() -> list[Bar]:
        source, _ = folder(tmp_path, "2026-11-24 09:03")
        return await source.days(NAMES[0], at("2026-11-01 00:00"), at("2026-11-25 00:00"))

    before, today = asyncio.run(scenario())
    assert (before.start, before.close, before.volume) == (at("2026-11-23 09:00"), 490.0, 3900.0)
    assert (before.is_complete, today.is_complete) == (True, False)
    assert (today.close, today.high) == (103.0, 104.0)


def test_daily_files_stand_beside_minutes(tmp_path: Path) -> None:
    write(tmp_path / "005930.csv", *minutes("2026-11-24", 3))
    rows = [f"2026-11-{day},100,200,10,{day},7" for day in (19, 20, 23, 24)]
    write(tmp_path / "KRX_005930.csv", *rows)

    async def scenario(now: str) -> list[tuple[datetime, float]]:
        source, _ = folder(tmp_path, now)
        found = await source.days(NAMES[0], at("2026-11-20 00:00"), at("2026-11-25 00:00"))
        assert all(bar.is_complete and bar.timeframe is Timeframe.D1 for bar in found)
        return [(bar.start, bar.close) for bar in found]

    over = [(at("2026-11-20 09:00"), 20.0), (at("2026-11-23 09:00"), 23.0)]
    assert asyncio.run(scenario("2026-11-24 09:03")) == over
    later = [*over, (at("2026-11-24 09:00"), 24.0)]
    assert asyncio.run(scenario("2026-11-24 15:31")) == later


def read(path: Path) -> list[BarColumns]:
    return list(read_bar_file(path))


def test_one_file_may_hold_many_instruments(tmp_path: Path) -> None:
    rows = [
        f"{row},{code}" for code in ("005930", "UPBIT:KRW-BTC") for row in minutes("2026-11-24", 2)
    ]
    path = write(tmp_path / "all.csv", *rows, header=f"{HEADER},Symbol")
    stock, coin = read(path)
    assert (stock.instrument, coin.instrument) == ("KRX:005930", "UPBIT:KRW-BTC")
    assert from_ms(int(stock.starts[0])) == at("2026-11-24 09:00")
    assert from_ms(int(coin.starts[0])) == at("2026-11-24 18:00")  # no zone: the venue's own time


def test_values_and_compressed_files(tmp_path: Path) -> None:
    path = tmp_path / "BINANCE_BTCUSDT.P.csv.gz"
    rows = ["2026-11-24T00:00:00Z,1,3,0.5,2,10,17", "2026-11-24T09:05:00+09:00,1,3,0.5,2,10,18"]
    text = "\n".join(["date,open,high,low,close,vol,turnover", *rows])
    path.write_bytes(gzip.compress(text.encode()))
    [found] = read(path)
    assert found.instrument == "BINANCE:BTCUSDT.P"
    assert found.value.tolist() == [17.0, 18.0]
    assert found.timeframe is Timeframe.M5
    assert np_minutes(found) == [0, 5]


def np_minutes(found: BarColumns) -> list[int]:
    return [int(one // 60_000) % 60 for one in found.starts]


@pytest.mark.parametrize("factor", [1, 1000])
def test_times_may_be_seconds_or_milliseconds(tmp_path: Path, factor: int) -> None:
    second = int(at("2026-11-24 09:00").timestamp())
    rows = [f"{(second + 60 * n) * factor},1,1,1,1,1" for n in range(3)]
    [found] = read(write(tmp_path / "005930.csv", *rows))
    assert from_ms(int(found.starts[2])) == at("2026-11-24 09:02")


GOOD = minutes("2026-11-24", 3)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([GOOD[1], GOOD[0]], "line 3 is older than the row before"),
        ([GOOD[0], GOOD[1], GOOD[1]], "line 4 has the start of the row before"),
        ([GOOD[0], "2026-11-24 09:01,1,2,0,1,5"], "line 3 has a price that is not above 0"),
        ([GOOD[0], "2026-11-24 09:01,3,2,1,1,5"], "line 3 has a high below its open or close"),
        ([GOOD[0], "2026-11-24 09:01,3,4,2,1,5"], "line 3 has a low above its open or close"),
        ([GOOD[0], "2026-11-24 09:01,3,4,1,x,5"], "line 3 has no number as its close"),
        ([GOOD[0], "2026-11-24 09:01,3,4,1,2,-5"], "line 3 has a volume or value below 0"),
        ([GOOD[0], "tomorrow,3,4,1,2,5"], "line 3 has no time"),
        (["20261124,3,4,1,2,5"], "line 2 has no time"),
        (["2026-11-24 09:00:30,3,4,1,2,5"], "line 2 does not start at a full minute"),
        ([], "has no rows"),
    ],
)
def test_odd_rows_are_named_with_their_line(tmp_path: Path, rows: list[str], text: str) -> None:
    path = write(tmp_path / "005930.csv", *rows)
    with pytest.raises(SourceChanged, match=text) as raised:
        read(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("time,open,high,low,close", "no column 'volume'.*add it"),
        ("time,open,high,low,closed,volume", "unknown column 'closed'; did you mean 'close'"),
        ("time,date,open,high,low,close,volume", "two columns mean 'start'; remove one"),
    ],
)
def test_odd_columns_are_named(tmp_path: Path, header: str, text: str) -> None:
    row = ",".join(["1"] * len(header.split(",")))
    with pytest.raises(SourceChanged, match=text):
        read(write(tmp_path / "005930.csv", row, header=header))


def test_a_file_must_say_whose_bars_it_holds(tmp_path: Path) -> None:
    with pytest.raises(SourceChanged, match="'samsung' names no instrument; write VENUE_CODE"):
        read(write(tmp_path / "samsung.csv", *GOOD))


def test_two_files_of_one_instrument_contradict_each_other(tmp_path: Path) -> None:
    write(tmp_path / "005930.csv", *GOOD)
    write(tmp_path / "KRX_005930.csv", *GOOD)
    source, _ = folder(tmp_path, "2026-11-24 09:03")
    with pytest.raises(SourceChanged, match="both hold KRX:005930; keep one of them"):
        asyncio.run(source.ticks(NAMES))


def test_a_folder_of_days_alone_has_nothing_to_play(tmp_path: Path) -> None:
    write(tmp_path / "005930.csv", *[f"2026-11-{day},1,1,1,1,1" for day in (23, 24)])
    source, _ = folder(tmp_path, "2026-11-24 09:03")
    with pytest.raises(SourceChanged, match="holds no bars shorter than a day"):
        asyncio.run(source.ticks(NAMES))


@pytest.mark.skipif(find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "005930.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(
        SourceUnavailable, match=r"install it \(pip install 'ticktalk\[history\]'\)"
    ):
        read(path)
