"""The pretend Naver's JSON of lists, flows, figures and rankings: recorded shapes and quirks."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Kind, Venue
from sandbox.market import Simulator
from sandbox.naver import Faults, naver_routes

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "naver"
NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
EVENING = NOW.replace(hour=19)
KNOWN = [
    Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI"),
    Instrument(Venue.KRX, "000660", "SK하이닉스", "KOSPI"),
    Instrument(Venue.KRX, "086520", "에코프로", "KOSDAQ"),
    Instrument(Venue.KRX, "0195S0", "TIGER", "KOSPI", Kind.ETF),
]
MANY = [Instrument(Venue.KRX, f"{1 + at:06}", f"회사 {at}", "KOSDAQ") for at in range(120)]


def simulator(*known: Instrument, seed: int = 5) -> Simulator:
    """Return a quiet market in which 000660 is halted."""
    calendar = KrxCalendar({})
    return Simulator(known, calendar, seed, bursts=False, halted="000660", illiquid="")


SIMULATOR = simulator(*KNOWN, *MANY)
TREND = "/api/stock/005930/trend"
RANK = "/api/domestic/market/trend/trendForeignOrg"


def get(path: str, at: datetime = EVENING, market: Simulator = SIMULATOR) -> httpx.Response:
    """Return what the pretend Naver answers at a moment."""

    async def scenario() -> httpx.Response:
        app = Starlette(routes=naver_routes(market, ManualClock(at), Faults()))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://naver") as client:
            return await client.get(path)

    return asyncio.run(scenario())


def recorded(name: str) -> bytes:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return path.read_bytes()


def trend(query: str = "", at: datetime = EVENING) -> list[dict[str, str]]:
    found: list[dict[str, str]] = get(f"{TREND}?{query}", at).json()
    return found


def test_flows_have_the_fields_of_the_recorded_answer() -> None:
    (first, *_) = orjson.loads(recorded("m_stock_trend_196170.recorded.json"))
    ours = trend()[0]
    assert set(first) == set(ours)
    for name, value in first.items():
        assert type(value) is type(ours[name])
    assert ours["foreignerPureBuyQuant"][0] in "+-"
    assert ours["foreignerHoldRatio"].endswith("%")


def test_figures_have_the_fields_of_the_recorded_answer_in_korean_bytes() -> None:
    body = recorded("polling_service_item_005930_000660.recorded.euckr.json")
    expected = orjson.loads(body.decode("cp949"))
    answer = get("/api/realtime?query=SERVICE_ITEM:005930,999999,000660")
    assert answer.headers["content-type"] == "text/plain;charset=EUC-KR"
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("utf-8")
    ours = orjson.loads(answer.content.decode("cp949"))
    assert set(ours["result"]) == set(expected["result"])
    rows = ours["result"]["areas"][0]["datas"]
    assert [row["nm"] for row in rows] == ["삼성전자", "SK하이닉스"]
    names = set(expected["result"]["areas"][0]["datas"][0])
    unknown = {"keps", "cnsEps", "dv", "ul", "ll", "nxtOverMarketPriceInfo"}
    assert names - set(rows[0]) <= unknown
    assert set(rows[0]) <= names


def test_figures_have_decimal_literals_and_unsigned_changes() -> None:
    body = get("/api/realtime?query=SERVICE_ITEM:005930,086520,0195S0").content.decode("cp949")
    assert ".000," in body
    rows = orjson.loads(body)["result"]["areas"][0]["datas"]
    assert all(row["cv"] >= 0 and row["cr"] >= 0 for row in rows)
    for row in rows:
        sign = {"2": 1, "3": 0, "5": -1}[row["rf"]]
        assert row["nv"] - row["pcv"] == sign * row["cv"]
    assert (rows[2]["eps"], rows[2]["bps"]) == (None, None)
    assert rows[0]["lowPriceOf52Weeks"] < rows[0]["nv"] < rows[0]["highPriceOf52Weeks"]


def test_flows_are_the_same_whenever_they_are_asked() -> None:
    assert get(TREND, market=simulator(*KNOWN[:1], *MANY[:3])).json() == trend()
    later = trend("pageSize=20", EVENING.replace(day=11))
    assert [row for row in later if row["bizdate"] <= "20260909"][:10] == trend()[:10]
    assert get(TREND, market=simulator(*KNOWN, seed=6)).json() != trend()


def test_flows_of_a_day_that_goes_on_are_dashes() -> None:
    today, yesterday = trend("pageSize=2", NOW)
    assert today["bizdate"] == "20260909"
    names = [name for name in today if name.endswith("PureBuyQuant")]
    assert {today[name] for name in names} == {"-"}
    assert yesterday == trend("pageSize=2")[1]


def test_flows_are_paged_by_date_and_not_by_page() -> None:
    assert trend("pageSize=5&page=7") == trend("pageSize=5")
    assert len(trend()) == 10
    older = trend("pageSize=5&bizdate=20260903")
    assert older == trend("pageSize=9")[4:]
    assert get(f"{TREND}?pageSize=60").status_code == 200
    assert get(f"{TREND}?pageSize=61").status_code == 400
    assert get(f"{TREND}?bizdate=yesterday").status_code == 400
    assert get(TREND.replace("005930", "999999")).status_code == 409


def test_flows_of_a_halted_instrument_are_zero() -> None:
    rows = get(TREND.replace("005930", "000660"), NOW).json()
    assert {row["organPureBuyQuant"] for row in rows[1:]} == {"+0"}
    assert {row["closePrice"] for row in rows} == {rows[0]["closePrice"]}


def lines(page: int, size: int = 100) -> Any:
    return get(f"/api/stocks/marketValue/KOSDAQ?page={page}&pageSize={size}").json()


def test_lists_are_paged_by_market_value() -> None:
    first, second, past = lines(1), lines(2), lines(3)
    assert first["totalCount"] == second["totalCount"] == 121
    assert (len(first["stocks"]), len(second["stocks"]), past["stocks"]) == (100, 21, [])
    values = [int(row["marketValueRaw"]) for row in first["stocks"] + second["stocks"]]
    assert values == sorted(values, reverse=True)
    kospi = get("/api/stocks/marketValue/KOSPI?page=1&pageSize=100").json()["stocks"]
    kinds = {row["itemCode"]: row["stockEndType"] for row in kospi}
    assert kinds == {"005930": "stock", "000660": "stock", "0195S0": "etf"}


def test_a_list_of_more_than_a_hundred_lines_is_no_json() -> None:
    answer = get("/api/stocks/marketValue/KOSDAQ?page=1&pageSize=101")
    assert answer.status_code == 200
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(answer.content)


def ranking(investor: str = "FOREIGNER", at: datetime = EVENING) -> dict[str, Any]:
    query = f"investorType={investor}&tradeType=KRX&marketType=KOSDAQ&pageSize=20&periodType=DAY"
    found: dict[str, Any] = get(f"{RANK}?{query}", at).json()["sections"]
    return found


def test_rankings_are_by_won_and_what_was_sold_is_negative() -> None:
    sections = ranking()
    bought = [int(row["accTradeAmount"]) for row in sections["buyRankList"]]
    sold = [int(row["accTradeAmount"]) for row in sections["sellRankList"]]
    assert (len(bought), len(sold)) == (20, 20)
    assert bought == sorted(bought, reverse=True)
    assert sold == sorted(sold)
    assert bought[-1] > 0 > sold[-1]
    assert {row["bizdateTo"] for row in sections["buyRankList"]} == {"20260909"}
    assert ranking("ORGANIZATION") != sections
    assert get(f"{RANK}?investorType=INDIVIDUAL").status_code == 400


def test_rankings_agree_with_the_flows() -> None:
    first = ranking()["buyRankList"][0]
    rows = get(TREND.replace("005930", first["itemcode"])).json()
    assert rows[0]["foreignerPureBuyQuant"] == f"+{int(first['accTradeVolume']):,}"


@pytest.mark.parametrize(
    ("hour", "day", "is_estimate"),
    [(8, "20260908", False), (12, "20260909", True), (17, "20260909", True)],
)
def test_rankings_are_an_estimate_until_the_evening(hour: int, day: str, is_estimate: bool) -> None:
    row = ranking(at=NOW.replace(hour=hour))["buyRankList"][0]
    assert (row["bizdateTo"], row["estimated"]) == (day, is_estimate)
    assert (row["accTradeAmount"] == "0") is is_estimate
