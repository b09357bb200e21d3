"""The pretend Naver: shapes as recorded, quirks included, and faults on demand."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Kind, Venue
from sandbox.market import Simulator
from sandbox.naver import Fault, Faults, naver_routes

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "naver"
NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
INSTRUMENTS = [
    Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI"),
    Instrument(Venue.KRX, "086520", "에코프로", "KOSDAQ"),
    Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF),
]
SIMULATOR = Simulator(INSTRUMENTS, KrxCalendar({}), seed=5, halted="086520")
POLLING = "/api/realtime/domestic/stock/"
CHART = "/chart/domestic/item/005930/minute"


def get(
    path: str,
    at: datetime = NOW,
    prepare: Callable[[Faults], None] = lambda _: None,
    span: dict[str, str] | None = None,
) -> httpx.Response:
    """Return what the pretend Naver answers at a moment."""

    async def scenario() -> httpx.Response:
        faults = Faults()
        prepare(faults)
        app = Starlette(routes=naver_routes(SIMULATOR, ManualClock(at), faults))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://naver") as client:
            return await client.get(path, params=span)

    return asyncio.run(scenario())


def rows(codes: str, at: datetime = NOW) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(POLLING + codes, at).json()["datas"]
    return found


def chart(start: str, end: str, at: datetime = NOW) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(
        CHART, at, span={"startDateTime": start, "endDateTime": end}
    ).json()
    return found


def shape(value: object) -> object:
    """Return the types of a JSON value, by field."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value)


def recorded(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return orjson.loads(path.read_bytes())


def test_polling_has_every_field_of_the_recorded_answer() -> None:
    answer = recorded("polling_domestic_stock_005930_035420.recorded_trimmed.json")
    ours = get(POLLING + "005930").json()
    assert set(answer) == set(ours)
    expected, given = shape(answer["datas"][0]), shape(ours["datas"][0])
    assert isinstance(expected, dict)
    assert isinstance(given, dict)
    assert {name: given.get(name) for name in expected} == expected


def test_minutes_have_the_fields_of_the_recorded_answer() -> None:
    answer = recorded("api_stock_minute_005930_20260928_1525-1545.recorded.json")
    ours = chart("202609090900", "202609090901")
    assert shape(answer[0]) == shape(ours[0])
    assert list(answer[0]) == list(ours[0])


def test_polling_shows_numbers_as_people_and_as_programs_read_them() -> None:
    (row,) = rows("005930")
    price = int(row["closePriceRaw"])
    assert row["closePrice"] == f"{price:,}"
    assert int(row["accumulatedTradingVolume"].replace(",", "")) == int(
        row["accumulatedTradingVolumeRaw"]
    )
    change = int(row["compareToPreviousClosePriceRaw"])
    assert row["compareToPreviousClosePrice"] == f"{change:,}"
    assert row["accumulatedTradingValueRaw"].endswith(".000")
    assert "억" in row["accumulatedTradingValue"]
    assert row["localTradedAt"].endswith("+09:00")
    assert row["marketStatus"] == "OPEN"


def test_polling_knows_exchange_halt_and_second_venue() -> None:
    samsung, ecopro, etf = rows("005930,086520,069500")
    assert [samsung["stockExchangeType"]["code"], ecopro["stockExchangeType"]["code"]] == [
        "KS",
        "KQ",
    ]
    assert samsung["tradeStopType"]["name"] == "TRADING"
    assert ecopro["tradeStopType"]["name"] != "TRADING"
    assert "closePriceRaw" in samsung["overMarketPriceInfo"]
    assert etf["overMarketPriceInfo"] is None


def test_polling_leaves_out_unknown_codes() -> None:
    assert [row["itemCode"] for row in rows("999999,005930")] == ["005930"]
    assert rows("999999") == []


def test_polling_slows_down_when_the_market_is_closed() -> None:
    closed = get(POLLING + "005930", NOW.replace(hour=20)).json()
    assert closed["pollingInterval"] == 70000
    assert closed["datas"][0]["marketStatus"] == "CLOSE"
    assert closed["time"] == "20260909203015"
    assert get(POLLING + "005930").json()["pollingInterval"] == 7000


def test_minutes_count_each_minute_and_include_the_end() -> None:
    times = [row["localDateTime"] for row in chart("202609090900", "202609090903")]
    assert times == [f"2026090909{minute:02}00" for minute in range(4)]
    volumes = [row["accumulatedTradingVolume"] for row in chart("202609090900", "202609091030")]
    assert sorted(volumes) != volumes
    (row,) = rows("005930")
    assert sum(volumes) == int(row["accumulatedTradingVolumeRaw"])


def test_minutes_know_the_closing_auction_and_the_after_hours_trades() -> None:
    at = NOW.replace(hour=16)
    times = [row["localDateTime"][8:12] for row in chart("202609091518", "202609091545", at)]
    assert times == ["1518", "1519", "1530", "1540", "1541", "1542", "1543", "1544"]


def test_minutes_of_no_trades_are_an_empty_list() -> None:
    assert chart("202609090700", "202609090800") == []


@pytest.mark.parametrize("span", [{}, {"startDateTime": "now"}, {"startDateTime": "202613010900"}])
def test_minutes_refuse_a_span_that_is_none(span: dict[str, str]) -> None:
    assert get(CHART, span=span).status_code == 400


def test_minutes_refuse_an_unknown_code() -> None:
    span = {"startDateTime": "202609090900", "endDateTime": "202609090901"}
    assert get(CHART.replace("005930", "999999"), span=span).status_code == 409


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.BUSY, 429),
        (Fault.BROKEN, 503),
        (Fault.GONE, 410),
        (Fault.MOVED, 302),
        (Fault.PAGE, 200),
    ],
)
@pytest.mark.parametrize("path", [POLLING + "005930", CHART])
def test_a_fault_is_the_whole_answer(fault: Fault, status: int, path: str) -> None:
    answer = get(path, prepare=lambda faults: faults.fail(fault))
    assert answer.status_code == status
    assert answer.headers.get("content-type", "") != "application/json;charset=UTF-8"


def test_a_redesign_renames_and_an_empty_page_has_no_rows() -> None:
    renamed = get(POLLING + "005930", prepare=lambda faults: faults.fail(Fault.RENAMED)).json()
    assert "closePriceRaw" not in renamed["datas"][0]
    empty = get(POLLING + "005930", prepare=lambda faults: faults.fail(Fault.EMPTY)).json()
    assert empty["datas"] == []


def test_a_fault_lasts_for_as_many_requests_as_asked() -> None:
    async def scenario() -> tuple[list[Fault | None], int]:
        faults = Faults()
        faults.fail(Fault.BUSY, times=2)
        return [await faults.next() for _ in range(3)], faults.requests

    assert asyncio.run(scenario()) == ([Fault.BUSY, Fault.BUSY, None], 3)


def test_a_cleared_fault_is_over() -> None:
    def prepare(faults: Faults) -> None:
        faults.fail(Fault.GONE)
        faults.clear()

    assert get(POLLING + "005930", prepare=prepare).status_code == 200


def test_a_slow_answer_comes_when_it_is_released() -> None:
    async def scenario() -> int:
        faults = Faults()
        faults.fail(Fault.SLOW)
        app = Starlette(routes=naver_routes(SIMULATOR, ManualClock(NOW), faults))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://naver") as client:
            asked = asyncio.create_task(client.get(POLLING + "005930"))
            await asyncio.wait_for(faults.arrived.wait(), 5)
            assert not asked.done()
            faults.release.set()
            return (await asyncio.wait_for(asked, 5)).status_code

    assert asyncio.run(scenario()) == 200


def days(code: str, start: str, end: str, at: datetime = NOW) -> list[dict[str, Any]]:
    span = {"startDateTime": start, "endDateTime": end}
    found: list[dict[str, Any]] = get(f"/chart/domestic/item/{code}/day", at, span=span).json()
    return found


def test_the_daily_chart_sums_up_the_trades_of_each_session() -> None:
    rows = days("005930", "20260907", "202609082359")
    assert [row["localDate"] for row in rows] == ["20260907", "20260908"]
    minutes = chart("202609080900", "202609081600")
    assert rows[1]["openPrice"] == minutes[0]["openPrice"]
    assert rows[1]["highPrice"] == max(minute["highPrice"] for minute in minutes)
    assert rows[1]["lowPrice"] == min(minute["lowPrice"] for minute in minutes)
    assert rows[1]["closePrice"] == minutes[-1]["currentPrice"]
    volumes = [minute["accumulatedTradingVolume"] for minute in minutes]
    assert rows[1]["accumulatedTradingVolume"] == sum(volumes)


def test_the_daily_chart_reaches_far_back_and_to_now() -> None:
    rows = days("005930", "20250101", "20260909")
    assert len(rows) > 400
    today = rows[-1]
    assert today["localDate"] == "20260909"
    assert days("005930", "20260909", "20260909", NOW.replace(hour=16))[0] != today
    assert days("005930", "20250101", "20260909")[:-1] == rows[:-1]


def test_the_daily_chart_of_a_halted_instrument_has_zeros_beside_its_price() -> None:
    (row,) = days("086520", "20260907", "20260907")
    assert row["closePrice"] > 0
    names = ("openPrice", "highPrice", "lowPrice", "accumulatedTradingVolume")
    assert [row[name] for name in names] == [0, 0, 0, 0]


def test_the_daily_chart_refuses_what_it_does_not_know() -> None:
    span = {"startDateTime": "20260907", "endDateTime": "20260907"}
    assert get("/chart/domestic/item/999999/day", span=span).status_code == 409
    assert get("/chart/domestic/item/005930/day").status_code == 400
