"""Recorded days as a source: what was seen by now, what charts told, and what cannot be played."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import httpx
import pytest

from config.settings import ReplaySettings, Settings
from crawlers.replay import RecordedLiveSource, RecordedSource
from crawlers.source import SOURCES, Update
from market.clock import ManualClock
from market.errors import SourceChanged, SourceUnavailable
from market.record import RawRecord
from market.sessions import KST, AlwaysOpen, KrxCalendar
from market.types import Bar, Tick, Timeframe, Venue
from tests.contracts.source_contract import SourceContract, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

    from market.sessions import Calendar

T = TypeVar("T")

CALENDARS: dict[Venue, Calendar] = {
    Venue.KRX: KrxCalendar({}),
    Venue.UPBIT: AlwaysOpen(),
    Venue.BINANCE: AlwaysOpen(),
}
NAMES = ("KRX:005930", "KRX:0001A0")
COIN = "UPBIT:KRW-BTC"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-24 {text}").replace(tzinfo=KST)


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


def tick(name: str, seen_at: datetime, price: float = 100.0) -> Tick:
    return Tick(name, seen_at - timedelta(seconds=1), seen_at, price, day_volume=price)


def minute(start: datetime, close: float = 100.0, name: str = NAMES[0]) -> Bar:
    return Bar(name, Timeframe.M1, start, 100, max(close, 100), min(close, 100), close, 5, 500)


def day(start: datetime, *, is_complete: bool = True) -> Bar:
    return Bar(NAMES[0], Timeframe.D1, start, 100, 120, 90, 110, 5, 500, is_complete)


class Recorded:
    """A record that is written at given times, and the clock of a replay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clock = ManualClock(at("08:50"))
        self.record = RawRecord(folder, self._clock, 100, flush_seconds=0)
        self.clock = ManualClock(at("08:50"))

    def __enter__(self) -> Recorded:
        return self

    def __exit__(self, *_: object) -> None:
        self.record.close()

    def moved(self, text: str) -> RawRecord:
        """Return the record, its clock moved on."""
        self._clock.move_to(at(text))
        return self.record

    def source(self) -> RecordedSource:
        return RecordedSource(self.folder, self.clock, CALENDARS)

    def live(self) -> RecordedLiveSource:
        return RecordedLiveSource(self.folder, self.clock, CALENDARS)

    async def prices(self, source: RecordedSource, text: str) -> dict[str, float]:
        """Return what the source shows at a later time."""
        self.clock.move_to(at(text))
        return {one.instrument: one.price for one in await source.ticks(NAMES)}

    async def closes(
        self, source: RecordedSource, text: str, start: str, end: str
    ) -> list[tuple[str, float]]:
        """Return the minutes that the source tells at a later time."""
        self.clock.move_to(at(text))
        bars = await source.bars(NAMES[0], at(start), at(end))
        return [(f"{bar.start.astimezone(KST):%H:%M}", bar.close) for bar in bars]


def hour(recorded: Recorded) -> None:
    """Record an hour of sweeps and what the charts told of it."""
    chart = [minute(at("09:00") + timedelta(minutes=n), 100.0 + n) for n in range(60)]
    days = [day(at("09:00") - timedelta(days=n)) for n in range(20, 0, -1)]
    for name in NAMES:
        told = [minute(bar.start, bar.close, name) for bar in chart]
        recorded.moved("10:00").bars("naver", name, at("08:00"), at("10:00"), told)
    goes_on = [*days, day(at("09:00"), is_complete=False)]
    recorded.record.days("naver", NAMES[0], at("09:00") - timedelta(days=40), at("10:00"), goes_on)
    recorded.moved("10:00:02").ticks("naver", [tick(name, at("10:00:02")) for name in NAMES])


class TestRecordedSource(SourceContract):
    """The contract of sources, for recorded days: what can go wrong there are files."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.place = tmp_path / "record"

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        recorded = Recorded(self.place)
        with recorded:
            hour(recorded)
        recorded.clock.move_to(at("10:00:05"))
        settings = Settings(replay=ReplaySettings(path=str(self.place)))
        async with httpx.AsyncClient() as http:
            source = SOURCES.get("replay")(http, settings, recorded.clock, CALENDARS)
            yield World(source, recorded.clock, NAMES, at("09:00"), at("10:00"), self.fail)

    def fail(self, fault: str) -> None:
        file = self.place / "2026-11-24" / "0001.rec"
        if fault == "unreachable":
            shutil.rmtree(self.place)
        elif fault == "broken":
            shutil.rmtree(self.place)
            self.place.write_text("a file in the place of the folder")
        elif fault == "busy":
            self.place.rename(self.place.with_name("elsewhere"))
        else:
            data = file.read_bytes()
            damaged = {
                "gone": b"",
                "moved": data[20:200],
                "empty": bytes(len(data)),
                "page": b"<html>" + data[9:],
                "renamed": data.replace(b"ttrec1", b"ttrec9"),
            }
            file.write_bytes(damaged[fault])

    def unknown(self) -> str:
        return "KRX:999999"


def test_a_sweep_is_shown_from_when_it_was_recorded(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        source = recorded.source()
        with pytest.raises(SourceUnavailable, match="nothing of KRX was recorded until now"):
            await recorded.prices(source, "09:00:00")
        assert await recorded.prices(source, "09:00:02") == {NAMES[0]: 1.0, NAMES[1]: 2.0}
        assert await recorded.prices(source, "09:00:11") == {NAMES[0]: 1.0, NAMES[1]: 2.0}
        assert await recorded.prices(source, "09:00:12") == {NAMES[1]: 3.0}

    with Recorded(tmp_path) as recorded:
        first = [tick(NAMES[0], at("09:00:02"), 1.0), tick(NAMES[1], at("09:00:02"), 2.0)]
        recorded.moved("09:00:02").ticks("naver", first)
        recorded.moved("09:00:12").ticks("naver", [tick(NAMES[1], at("09:00:12"), 3.0)])
    run(scenario(recorded))


def test_a_sweep_that_failed_fails_again(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        source = recorded.source()
        assert await recorded.prices(source, "09:00:02") == {NAMES[0]: 1.0}
        with pytest.raises(SourceUnavailable, match=r"^naver is busy$"):
            await recorded.prices(source, "09:00:12")
        with pytest.raises(SourceChanged, match=r"^another page$"):
            await recorded.prices(source, "09:00:22")
        assert await recorded.prices(source, "09:00:32") == {NAMES[0]: 2.0}
        assert source.tape.steps(Venue.KRX) == [
            at(text) for text in ("09:00:02", "09:00:12", "09:00:22", "09:00:32")
        ]

    with Recorded(tmp_path) as recorded:
        recorded.moved("09:00:02").ticks("naver", [tick(NAMES[0], at("09:00:02"), 1.0)])
        recorded.moved("09:00:12").failed(
            "naver", "ticks", SourceUnavailable("naver is busy"), "KRX"
        )
        recorded.moved("09:00:22").failed("naver", "ticks", SourceChanged("another page"), "KRX")
        recorded.moved("09:00:32").ticks("kis", [tick(NAMES[0], at("09:00:32"), 2.0)])
    run(scenario(recorded))


def two_answers(recorded: Recorded) -> None:
    """Record a sweep, a chart, a sweep, and a chart that says otherwise."""
    recorded.moved("09:05:02").ticks("naver", [tick(NAMES[0], at("09:05:02"))])
    first = [minute(at("09:00"), 101), minute(at("09:04"), 104)]
    recorded.moved("09:05:03").bars("naver", NAMES[0], at("09:00"), at("09:05:02"), first)
    recorded.moved("09:05:12").ticks("naver", [tick(NAMES[0], at("09:05:12"))])
    second = [minute(at("09:04"), 999), minute(at("09:05"), 105), minute(at("09:06"), 106)]
    recorded.moved("09:07:02").ticks("naver", [tick(NAMES[0], at("09:07:02"))])
    recorded.moved("09:07:03").bars("naver", NAMES[0], at("09:03"), at("09:07:02"), second)


def test_a_chart_tells_what_it_told_in_the_same_step(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        source = recorded.source()
        asked = ("09:00", "09:05:02")
        known = [("09:00", 101.0), ("09:04", 104.0)]
        assert await recorded.closes(source, "09:05:02", *asked) == known
        assert await recorded.closes(source, "09:05:13", *asked) == known
        later = [("09:00", 101.0), ("09:04", 999.0), ("09:05", 105.0)]
        assert await recorded.closes(source, "09:07:02", *asked) == later

    with Recorded(tmp_path) as recorded:
        two_answers(recorded)
    run(scenario(recorded))


def test_a_chart_would_have_told_what_was_over(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        source = recorded.source()
        told = await recorded.closes(source, "09:06:30", "09:04", "09:06:30")
        assert told == [("09:04", 104.0), ("09:05", 105.0)]  # 09:06 goes on

    with Recorded(tmp_path) as recorded:
        two_answers(recorded)
    run(scenario(recorded))


def test_minutes_that_nobody_asked_for_are_not_made_up(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        source = recorded.source()
        text = "minutes of KRX:005930 from 09:07 to 09:09: the venue was not asked"
        with pytest.raises(SourceUnavailable, match=text):
            await recorded.closes(source, "09:09:02", "09:00", "09:09:02")
        assert await recorded.closes(source, "09:09:02", "08:00", "08:50") == []

    with Recorded(tmp_path) as recorded:
        two_answers(recorded)
    run(scenario(recorded))


def test_a_chart_that_failed_fails_in_the_same_step_only(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        source = recorded.source()
        with pytest.raises(SourceUnavailable, match="no chart"):
            await recorded.closes(source, "09:05:02", "09:00", "09:05:02")
        told = await recorded.closes(source, "09:05:32", "09:00", "09:05:02")
        assert told == [("09:04", 104.0)]

    with Recorded(tmp_path) as recorded:
        recorded.moved("09:05:02").ticks("naver", [tick(NAMES[0], at("09:05:02"))])
        error = SourceUnavailable("no chart")
        recorded.moved("09:05:03").failed("naver", "bars", error, NAMES[0])
        recorded.moved("09:05:32").ticks("naver", [tick(NAMES[0], at("09:05:32"))])
        told = [minute(at("09:04"), 104)]
        recorded.moved("09:05:33").bars("naver", NAMES[0], at("09:00"), at("09:05:30"), told)
    run(scenario(recorded))


def candle(text: str, close: float, seen: str) -> Update:
    return Update(minute(at(text), close, COIN), at(seen), at(seen))


def test_candles_are_told_as_they_formed(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        source = recorded.live()

        async def told(text: str) -> list[tuple[str, float]]:
            recorded.clock.move_to(at(text))
            found = await source.updates([COIN, "UPBIT:KRW-ETH"])
            return [(f"{one.bar.start.astimezone(KST):%H:%M}", one.bar.close) for one in found]

        assert await told("09:01:03") == [("09:00", 2.0), ("09:01", 3.0)]
        assert await told("09:01:03") == []
        assert await told("09:01:20") == [("09:01", 5.0)]
        with pytest.raises(SourceUnavailable, match="silent"):
            await told("09:02:05")
        assert await told("09:02:20") == [("09:01", 6.0), ("09:02", 7.0)]
        assert [one.price for one in await source.ticks([COIN])] == [7.0]

    with Recorded(tmp_path) as recorded:
        recorded.moved("09:00:01").updates("upbit", [candle("08:59", 1, "09:00:00")])
        recorded.moved("09:00:30").updates("upbit", [candle("09:00", 2, "09:00:29")])
        recorded.moved("09:01:02").updates("upbit", [candle("09:01", 3, "09:01:01")])
        recorded.moved("09:01:10").updates("upbit", [candle("09:01", 4, "09:01:09")])
        recorded.moved("09:01:12").updates("upbit", [candle("09:01", 5, "09:01:11")])
        recorded.moved("09:02:00").updates("upbit", [candle("09:01", 6, "09:01:59")])
        recorded.moved("09:02:03").failed("upbit", "updates", SourceUnavailable("silent"), "UPBIT")
        recorded.moved("09:02:10").updates("upbit", [candle("09:02", 7, "09:02:09")])
    run(scenario(recorded))


def test_charts_of_days_before_are_known(tmp_path: Path) -> None:
    async def scenario(recorded: Recorded) -> None:
        recorded.clock.move_to(at("09:00:02") + timedelta(days=1))
        source = recorded.source()
        assert len(await source.bars(NAMES[0], at("09:00"), at("10:00"))) == 60
        assert len(await source.days(NAMES[0], at("09:00") - timedelta(days=40), at("09:00"))) == 20

    with Recorded(tmp_path) as recorded:
        hour(recorded)
        following = at("09:00:02") + timedelta(days=1)
        recorded._clock.move_to(following)
        recorded.record.ticks("naver", [tick(NAMES[0], following)])
    run(scenario(recorded))


def test_a_day_that_was_not_recorded_is_named_with_those_that_were(tmp_path: Path) -> None:
    with Recorded(tmp_path) as recorded:
        hour(recorded)
    recorded.clock.move_to(at("09:00") + timedelta(days=2))
    text = "has no 2026-11-26; days that were recorded: 2026-11-24"
    with pytest.raises(SourceUnavailable, match=text):
        run(recorded.source().ticks(NAMES))
    other = RecordedSource(tmp_path / "nowhere", recorded.clock, CALENDARS)
    with pytest.raises(SourceUnavailable, match=r"no folder .*nowhere.* record\.path"):
        run(other.ticks(NAMES))
    (tmp_path / "empty").mkdir()
    other = RecordedSource(tmp_path / "empty", recorded.clock, CALENDARS)
    with pytest.raises(SourceUnavailable, match="holds no recorded day"):
        run(other.ticks(NAMES))
