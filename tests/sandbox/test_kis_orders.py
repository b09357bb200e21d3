"""The pretend KIS's account answers as documented, and is as strict as the real one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Kind, Venue
from sandbox.kis import Refusal
from sandbox.kis_order_pages import KisOrderPages
from sandbox.kis_order_rows import Owner
from sandbox.kis_orders import KisOrders

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "kis"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=KST)
INSTRUMENTS = [
    Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI"),
    Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF),
]
WHOSE = {"CANO": "12345678", "ACNT_PRDT_CD": "01"}
PAGE = {"CTX_AREA_FK100": "", "CTX_AREA_NK100": ""}


def pages(at: datetime = NOON, *, is_virtual: bool = False) -> KisOrderPages:
    bases = {one.code: Decimal(70_000) for one in INSTRUMENTS}
    account = KisOrders(
        INSTRUMENTS,
        KrxCalendar({}),
        ManualClock(at),
        Owner(),
        bases=bases,
        is_virtual=is_virtual,
    )
    return KisOrderPages(account)


def buy(**changes: Any) -> dict[str, Any]:
    body = {"PDNO": "005930", "ORD_DVSN": "00", "ORD_QTY": "10", "ORD_UNPR": "70000"}
    return WHOSE | body | {"EXCG_ID_DVSN_CD": "KRX"} | changes


def place(venue: KisOrderPages, tr_id: str = "TTTC0012U", **changes: Any) -> dict[str, Any]:
    return venue.post("order-cash", tr_id, buy(**changes))


def day(venue: KisOrderPages, tr_id: str = "TTTC0081R", more: str = "", **changes: str) -> Any:
    query = WHOSE | PAGE | {"INQR_STRT_DT": "20261124", "INQR_END_DT": "20261124"} | changes
    return venue.get("inquire-daily-ccld", tr_id, query, more, has_ghost=False)


def balance(venue: KisOrderPages, *, has_ghost: bool = False) -> Any:
    outputs, _ = venue.get("inquire-balance", "TTTC8434R", WHOSE | PAGE, "", has_ghost=has_ghost)
    return outputs


def keys(name: str, part: str) -> set[str]:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    found = orjson.loads(path.read_bytes())[part]
    return set(found[0] if isinstance(found, list) else found)


def test_answers_have_the_fields_that_were_recorded() -> None:
    venue = pages()
    taken = place(venue)
    assert set(taken) == keys("order_cash_ok.recorded_shape.json", "output")
    venue.account.trade("005930", Decimal(70_000))
    outputs, _ = day(venue)
    assert set(outputs["output1"][0]) <= keys("inquire_daily_ccld.shape.json", "output1")
    assert set(outputs["output2"]) == keys("inquire_daily_ccld.shape.json", "output2")
    held = balance(venue)
    assert set(held["output1"][0]) <= keys("inquire_balance.official_example.json", "output1")
    assert set(held["output2"][0]) <= keys("inquire_balance.official_example.json", "output2")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ORD_QTY": 10}, "OPSQ2001"),
        ({"ORD_QTY": "ten"}, "OPSQ2001"),
        ({"ORD_QTY": "0"}, "APBK0013"),
        ({"PDNO": "000000"}, "APBK0656"),
        ({"ORD_UNPR": "70050"}, "APBK0506"),
        ({"ORD_UNPR": "91100"}, "APBK0507"),
        ({"ORD_DVSN": "01"}, "APBK1943"),
        ({"ORD_DVSN": "41"}, "APBK0918"),
        ({"EXCG_ID_DVSN_CD": "NXT"}, "APBK5001"),
        ({"CANO": "87654321"}, "OPSQ2000"),
        ({"ORD_QTY": "1000"}, "APBK0952"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        place(pages(), **changes)
    assert caught.value.code == code


def test_each_server_knows_its_own_names_only() -> None:
    with pytest.raises(Refusal, match="없는 서비스"):
        place(pages(is_virtual=True))
    with pytest.raises(Refusal, match="없는 서비스"):
        day(pages(), "VTTC0081R")


def test_etfs_have_no_after_market() -> None:
    evening = pages(NOON + timedelta(hours=5))
    place(evening, ORD_DVSN="41")
    with pytest.raises(Refusal) as caught:
        place(evening, ORD_DVSN="41", PDNO="069500")
    assert caught.value.code == "APBK0918"


def test_pages_follow_each_other_by_marks_that_come_back_as_they_were() -> None:
    venue = pages(is_virtual=True)
    for _ in range(17):
        place(venue, "VTTC0012U", ORD_QTY="1")
    first, more = day(venue, "VTTC0081R")
    assert (len(first["output1"]), more) == (15, "F")
    marks = {name.upper(): first[name] for name in ("ctx_area_fk100", "ctx_area_nk100")}
    assert all(len(mark) == 100 for mark in marks.values())
    last, end = day(venue, "VTTC0081R", "N", **marks)
    assert (len(last["output1"]), end) == (2, "D")
    for odd in ({**marks, "CTX_AREA_NK100": "15"}, {**marks, "CTX_AREA_FK100": "x"}):
        with pytest.raises(Refusal):
            day(venue, "VTTC0081R", "N", **odd)
    with pytest.raises(Refusal):
        day(venue, "VTTC0081R", "", **marks)


def test_what_was_sold_out_stays_listed_with_nothing_left() -> None:
    venue = pages()
    place(venue)
    venue.account.trade("005930", Decimal(70_000))
    place(venue, "TTTC0011U")
    venue.account.trade("005930", Decimal(70_000))
    (row,) = balance(venue)["output1"]
    assert (row["hldg_qty"], row["thdt_buyqty"], row["thdt_sll_qty"]) == ("0", "10", "10")
    assert [one["pdno"] for one in balance(venue, has_ghost=True)["output1"]] == [
        "000660",
        "005930",
    ]


def test_a_cancel_has_a_number_of_its_own_and_frees_the_money() -> None:
    venue = pages()
    number = place(venue)["ODNO"]
    before = venue.account.power
    change = {
        "KRX_FWDG_ORD_ORGNO": "06590",
        "ORGN_ODNO": number,
        "ORD_DVSN": "00",
        "RVSE_CNCL_DVSN_CD": "02",
        "ORD_QTY": "0",
        "ORD_UNPR": "0",
        "QTY_ALL_ORD_YN": "Y",
        "EXCG_ID_DVSN_CD": "KRX",
    }
    answer = venue.post("order-rvsecncl", "TTTC0013U", WHOSE | change)
    assert answer["ODNO"] != number
    assert venue.account.power > before
    old, cancel = day(venue)[0]["output1"]
    assert (old["rmn_qty"], old["cnc_cfrm_qty"]) == ("0", "10")
    assert (cancel["orgn_odno"], cancel["cncl_yn"]) == (number, "Y")
    with pytest.raises(Refusal) as caught:
        venue.post("order-rvsecncl", "TTTC0013U", WHOSE | change)
    assert caught.value.code == "APBK0927"


def test_resting_orders_meet_the_prices_of_a_source() -> None:
    venue = pages()
    place(venue)
    shown = {"005930": Decimal(70_100)}
    venue.account.price_of = shown.get
    venue.account.touch()
    assert venue.account.orders[0].filled == 0
    shown["005930"] = Decimal(69_900)
    venue.account.touch()
    assert venue.account.orders[0].filled == 10
    assert venue.account.cash == 10_000_000 - 699_000 - 104
