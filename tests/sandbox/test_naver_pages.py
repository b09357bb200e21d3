"""The pretend Naver's older pages: recorded markup, quirks, Korean bytes."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Kind, Venue
from sandbox.market import Simulator
from sandbox.naver import Fault, Faults, naver_routes

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "naver"
NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
EVENING = NOW.replace(hour=19)
KNOWN = [Instrument(Venue.KRX, f"{100 + at:06}", f"회사 {at}", "KOSPI") for at in range(70)]
FUND = Instrument(Venue.KRX, "0195S0", "TIGER <반도체>", "KOSPI", Kind.ETF)
SIMULATOR = Simulator([*KNOWN, FUND], KrxCalendar({}), seed=5, halted="", illiquid="")
TIME = "/item/sise_time.naver?code=000100&thistime=20260909180000"
PAGES = [
    "/item/sise_time.naver?code=000100&thistime=20260909180000",
    "/item/sise_day.naver?code=000100",
    "/item/frgn.naver?code=000100",
    "/sise/sise_market_sum.naver?sosok=0",
    "/sise/sise_deal_rank_iframe.naver?sosok=01&investor_gubun=9000&type=buy",
]


def get(path: str, at: datetime = EVENING, fault: Fault | None = None) -> httpx.Response:
    """Return what the pretend Naver answers at a moment."""

    async def scenario() -> httpx.Response:
        faults = Faults()
        if fault is not None:
            faults.fail(fault)
        app = Starlette(routes=naver_routes(SIMULATOR, ManualClock(at), faults))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://naver") as client:
            return await client.get(path)

    return asyncio.run(scenario())


def html(path: str, at: datetime = EVENING, fault: Fault | None = None) -> str:
    return get(path, at, fault).content.decode("cp949")


def recorded(name: str) -> str:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return path.read_bytes().decode("cp949")


def heads(text: str) -> list[str]:
    return re.findall(r"<th[^>]*>([^<]+)</th>", text)


def labels(text: str) -> list[str]:
    return re.findall(r'<span class="tah p10 gray03">([^<]+)</span>', text)


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_korean_bytes(path: str) -> None:
    answer = get(path)
    assert answer.headers["content-type"] == "text/html;charset=EUC-KR"
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("utf-8")


@pytest.mark.parametrize("path", PAGES)
def test_a_redesign_has_other_heads_and_an_empty_page_no_rows(path: str) -> None:
    text = html(path)
    renamed, empty = (html(path, fault=fault) for fault in (Fault.RENAMED, Fault.EMPTY))
    assert len(heads(renamed)) == len(heads(text))
    assert not set(heads(text)) & set(heads(renamed)) - {"회원사", "거래량"}
    assert empty.count("<tr") < text.count("<tr")


def test_times_have_the_markup_of_the_reconstructed_page() -> None:
    expected = recorded("sise_time_005930_page1.reconstructed.euckr.html")
    ours = html(TIME)
    assert heads(ours) == heads(expected)
    first = expected.partition('<table cellspacing="0" class="type2">')[2].partition("</table>")[0]
    mine = ours.partition('class="type2"')[2].partition("</table>")[0]
    assert len(re.findall("<tr", mine)) == len(re.findall("<tr", first))
    assert re.findall(r'colspan="7" height="[18]"', mine) == re.findall(
        r'colspan="7" height="[18]"', first
    )
    assert set(re.findall(r"bu_p\w*", mine)) <= {"bu_p", "bu_pup", "bu_pdn"}


def test_times_without_a_day_are_empty_as_the_reconstructed_page() -> None:
    expected = recorded("sise_time_empty.reconstructed.euckr.html")
    for path in (TIME.partition("&")[0], TIME.replace("000100", "999999")):
        ours = html(path)
        assert heads(ours) == heads(expected)
        assert labels(ours) == []


def test_times_are_newest_first_ten_a_page_and_the_last_one_repeats() -> None:
    assert labels(html(TIME))[:2] == ["15:30", "15:19"]
    pages = [labels(html(f"{TIME}&page={page}")) for page in range(1, 42)]
    full = [page for page in pages if len(page) == 10]
    assert len(full) > 25
    assert pages[: len(full)] == full
    assert pages[-1] == pages[-2] == labels(html(f"{TIME}&page=99"))
    assert pages[-1][-1] == "09:00"


def test_times_are_at_or_before_the_moment_that_is_sent() -> None:
    assert labels(html(TIME.replace("180000", "100059")))[0] == "10:00"
    assert labels(html(TIME, at=NOW))[0] == "10:30"


def test_flows_come_in_the_last_table_with_the_caption_twenty_a_page() -> None:
    expected = recorded("frgn_097950.recorded_row.euckr.html")
    ours = html("/item/frgn.naver?code=000100")
    caption = "<caption>외국인 기관 순매매 거래량</caption>"
    assert caption in expected
    table = ours.partition(caption)[2]
    assert table
    assert heads(table) == heads(expected.partition(caption)[2])
    assert len(labels(table)) == 20
    assert labels(table)[0] == "2026.09.09"
    assert labels(html("/item/frgn.naver?code=000100", at=NOW))[0] == "2026.09.08"
    assert '<span class="tah p11">+' in table


def test_the_list_has_fifty_lines_a_page_and_a_link_to_the_last_one() -> None:
    first, second = (html(f"{PAGES[3]}&page={page}") for page in (1, 2))
    codes = [re.findall(r"code=([0-9A-Z]{6})", page) for page in (first, second)]
    assert [len(page) for page in codes] == [50, 21]
    assert 'class="pgRR"><a href="/sise/sise_market_sum.naver?sosok=0&amp;page=2"' in first
    assert 'class="pgRR"' not in second
    assert html(f"{PAGES[3]}&page=3") == second
    assert "TIGER &lt;반도체&gt;" in first + second


def test_the_ranking_has_two_days_that_are_over_the_older_first() -> None:
    def days(at: datetime) -> list[str]:
        return re.findall(r'sise_guide_date">([0-9.]+)<', html(PAGES[4], at))

    assert days(EVENING) == ["26.09.08", "26.09.09"]
    assert days(NOW) == ["26.09.07", "26.09.08"]
    expected = recorded("sise_deal_rank_iframe_kospi_foreign_buy.recorded_trimmed.euckr.html")
    assert heads(html(PAGES[4])) == heads(expected)
    assert html(PAGES[4]).count('<p class="tit">') == 40
    assert re.search(r'<td class="number">-[0-9]', html(PAGES[4].replace("=buy", "=sell")))


def test_older_days_are_a_list_in_the_writing_of_python() -> None:
    path = "/siseJson.naver?symbol=000100&requestType=1&startTime=20260907&endTime=20260909"
    text = get(f"{path}&timeframe=day").content.decode("utf-8")
    names = "'날짜', '시가', '고가', '저가', '종가', '거래량', '외국인소진율'"
    assert text.startswith(f"\n [[{names}],\n")
    assert re.findall(r'\["([0-9]{8})", ', text) == ["20260907", "20260908", "20260909"]
    assert "\t\t\n[" in text
    expected = FIXTURES / "siseJson_day_005930.recorded_values.txt"
    if expected.exists():
        assert (
            expected.read_text(encoding="utf-8").split("\n\n")[0].strip()
            == text.split("\n\n")[0].strip()
        )


def test_funds_are_listed() -> None:
    body = get("/api/sise/etfItemList.nhn").content.decode("cp949")
    assert '"itemcode":"0195S0"' in body
