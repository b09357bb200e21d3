"""The pretend KIS: shapes as documented and recorded, its rules, and its quirks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from market.sessions import KST
from sandbox.kis_faults import Fault
from tests.sandbox.kis_house import (
    DAYS,
    INVESTORS,
    KEYS,
    NOW,
    PAST,
    PRICES,
    TODAY,
    House,
    recorded,
)


def hours(rows: list[dict[str, Any]]) -> list[str]:
    return [row["stck_cntg_hour"] for row in rows]


def test_a_token_has_the_recorded_fields_and_the_refusal_is_the_recorded_one() -> None:
    house = House()
    status, refusal = house.keys.issue(KEYS)
    assert (status, refusal) == (403, recorded("tokenP_403_EGW00133.json"))
    house.clock.advance(timedelta(minutes=1))
    status, token = house.keys.issue(KEYS)
    assert status == 200
    assert token.keys() == recorded("tokenP_200.json").keys()


def test_within_six_hours_the_token_stays_the_same() -> None:
    house = House()
    house.clock.advance(timedelta(hours=5))
    assert house.keys.issue(KEYS)[1]["access_token"] == house.token
    house.clock.advance(timedelta(hours=1, minutes=1))
    assert house.keys.issue(KEYS)[1]["access_token"] != house.token


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"appkey": "x"}, "EGW00103"), ({"appsecret": "x"}, "EGW00105"), ({}, "EGW00133")],
)
def test_tokens_are_for_the_right_key_only(changes: dict[str, str], code: str) -> None:
    assert House().keys.issue(KEYS | changes)[1]["error_code"] == code


def test_the_secret_of_an_approval_has_another_name() -> None:
    house = House()
    assert house.keys.approve(KEYS)[0] == 403
    status, answer = house.keys.approve({"appkey": "key", "secretkey": "secret"})
    assert status == 200
    assert answer.keys() == recorded("approval_200.json").keys()
    assert house.keys.is_approved(answer["approval_key"])
    house.clock.advance(timedelta(hours=24))
    assert not house.keys.is_approved(answer["approval_key"])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"appkey": "x"}, "EGW00103"),
        ({"appsecret": "x"}, "EGW00105"),
        ({"authorization": "Bearer x"}, "EGW00121"),
        ({"tr_id": "FHKST01010100"}, "OPSQ0002"),
    ],
)
def test_requests_need_key_token_and_service(headers: dict[str, str], code: str) -> None:
    answer = House().get(PRICES, {"FID_INPUT_ISCD_1": "005930"}, **headers)
    assert answer.json()["msg_cd"] == code


def test_a_token_that_has_lapsed_is_refused_as_recorded() -> None:
    for lapse in (True, False):
        house = House()
        if lapse:
            house.keys.lapse()
        else:
            house.clock.advance(timedelta(days=1))
        answer = house.get(PRICES, {"FID_INPUT_ISCD_1": "005930"})
        assert answer.status_code == 500
        assert answer.json() == recorded("error_EGW00123.json")


@pytest.mark.parametrize(
    ("fault", "status", "name"),
    [
        (Fault.BUSY, 500, "error_EGW00201.json"),
        (Fault.BUSY_WITH_200, 200, "error_EGW00201.json"),
        (Fault.COMPANY_BUSY, 500, "error_EGW00215.json"),
    ],
)
def test_pace_limits_are_the_recorded_ones(fault: Fault, status: int, name: str) -> None:
    house = House()
    house.faults.fail(fault, times=1)
    answer = house.get(PRICES, {"FID_INPUT_ISCD_1": "005930"})
    assert (answer.status_code, answer.json()) == (status, recorded(name))
    assert house.get(PRICES, {"FID_INPUT_ISCD_1": "005930"}).json()["rt_cd"] == "0"


def test_twenty_requests_a_second_are_answered() -> None:
    house = House()
    query = {"FID_INPUT_ISCD_1": "005930"}
    codes = [house.get(PRICES, query).json()["msg_cd"] for _ in range(21)]
    assert codes == ["MCA00000"] * 20 + ["EGW00201"]
    house.clock.advance(timedelta(seconds=1))
    assert house.get(PRICES, query).json()["msg_cd"] == "MCA00000"


def test_prices_are_of_thirty_codes_and_places_must_be_taken() -> None:
    house = House()
    many = {f"FID_INPUT_ISCD_{place}": "005930" for place in range(1, 40)}
    assert len(house.get(PRICES, many).json()["output"]) == 30
    empty = {"FID_INPUT_ISCD_1": "005930", "FID_INPUT_ISCD_2": ""}
    assert house.get(PRICES, empty).json()["msg_cd"] == "OPSQ2002"
    assert house.get(PRICES, {}).json()["msg_cd"] == "OPSQ2002"


def test_prices_are_text_with_sign_codes_and_an_order_book() -> None:
    query = {"FID_INPUT_ISCD_1": "005930", "FID_INPUT_ISCD_2": "086520", "FID_INPUT_ISCD_3": "x"}
    traded, halted, unknown = House().get(PRICES, query).json()["output"]
    assert {type(value) for value in traded.values()} == {str}
    change = int(traded["inter2_prpr"]) - int(traded["inter2_prdy_clpr"])
    assert traded["inter2_prdy_vrss"] == str(change)
    assert traded["prdy_vrss_sign"] == ("2" if change > 0 else "5" if change < 0 else "3")
    assert int(traded["total_askp_rsqn"]) > 0
    assert halted["total_askp_rsqn"] == halted["total_bidp_rsqn"] == "0"
    assert unknown["inter2_prpr"] == "0"


def test_todays_minutes_have_the_documented_fields() -> None:
    documented = recorded("inquire_time_itemchartprice.shape.json")
    query = {"FID_INPUT_ISCD": "005930", "FID_INPUT_HOUR_1": "103000", "FID_PW_DATA_INCU_YN": "Y"}
    ours = House().get(TODAY, query).json()
    assert ours.keys() == documented.keys()
    assert ours["output1"].keys() == documented["output1"].keys()
    assert ours["output2"][0].keys() == documented["output2"][0].keys()


def test_todays_minutes_are_thirty_newest_first_up_to_a_time() -> None:
    rows = House().minutes("101500")
    assert hours(rows) == sorted(hours(rows), reverse=True)
    assert len(rows) == 30
    assert rows[0]["stck_cntg_hour"] == "101500"
    totals = [int(row["acml_tr_pbmn"]) for row in rows]
    assert totals == sorted(totals, reverse=True)


def test_minutes_still_to_come_repeat_the_last_price() -> None:
    rows = House().minutes("104000")
    assert hours(rows)[:11] == [f"10{minute}00" for minute in range(40, 29, -1)]
    assert len({row["stck_prpr"] for row in rows[:11]}) == 1
    assert {row["cntg_vol"] for row in rows[:10]} == {"0"}


def test_a_minute_without_a_trade_yet_shows_the_volume_of_the_one_before() -> None:
    house = House(NOW.replace(second=1))
    while True:
        house.clock.advance(timedelta(minutes=1))
        now = house.clock.now().astimezone(KST)
        rows = house.minutes(f"{now:%H%M%S}", "069500")
        if rows[0]["acml_tr_pbmn"] == rows[1]["acml_tr_pbmn"]:
            break
    assert rows[0]["stck_cntg_hour"] == f"{now:%H%M}00"
    assert rows[0]["cntg_vol"] == rows[1]["cntg_vol"]


def test_early_minutes_go_on_into_the_day_before() -> None:
    house = House(NOW.replace(hour=9, minute=5))
    assert {row["stck_bsop_date"] for row in house.minutes("090500")} == {"20260909"}
    rows = house.minutes("090500", past="Y")
    assert len(rows) == 30
    assert [row["stck_bsop_date"] for row in rows][-1] == "20260908"


def test_past_minutes_are_a_hundred_and_twenty_of_one_day_for_a_year() -> None:
    house = House()
    rows = house.minutes("153000", day="20260907")
    assert len(rows) == 120
    assert {row["stck_bsop_date"] for row in rows} == {"20260907"}
    assert rows[0]["stck_cntg_hour"] == "153000"
    assert house.minutes("153000", day="20250905") == []


def test_the_server_of_virtual_accounts_has_no_past_minutes() -> None:
    query = {"FID_INPUT_ISCD": "005930", "FID_INPUT_HOUR_1": "1", "FID_INPUT_DATE_1": "1"}
    assert House(is_virtual=True).get(PAST, query).json()["msg_cd"] == "OPSQ0002"


@pytest.mark.parametrize("query", [{}, {"FID_INPUT_HOUR_1": "9"}, {"FID_INPUT_HOUR_1": "250000"}])
def test_charts_refuse_a_time_that_is_none(query: dict[str, str]) -> None:
    answer = House().get(TODAY, {"FID_INPUT_ISCD": "005930", **query})
    assert answer.json()["msg_cd"] == "OPSQ2001"


def test_days_are_a_hundred_newest_first_up_to_now() -> None:
    query = {
        "FID_INPUT_ISCD": "005930",
        "FID_INPUT_DATE_1": "20250101",
        "FID_INPUT_DATE_2": "20261231",
    }
    rows = House().get(DAYS, query).json()["output2"]
    assert len(rows) == 100
    assert rows[0]["stck_bsop_date"] == "20260909"
    assert [row["stck_bsop_date"] for row in rows] == sorted(
        (row["stck_bsop_date"] for row in rows), reverse=True
    )
    bad = query | {"FID_INPUT_DATE_2": "20261301"}
    assert House().get(DAYS, bad).json()["msg_cd"] == "OPSQ2001"


def test_investors_are_blank_until_the_close_and_add_up_to_nothing() -> None:
    def newest(house: House) -> dict[str, str]:
        rows = house.get(INVESTORS, {"FID_INPUT_ISCD": "005930"}).json()["output"]
        assert len(rows) == 30
        row: dict[str, str] = rows[0]
        return row

    names = [f"{name}_ntby_qty" for name in ("prsn", "frgn", "orgn")]
    assert [newest(House())[name] for name in names] == ["", "", ""]
    after = newest(House(NOW.replace(hour=16)))
    assert sum(int(after[name]) for name in names) == 0


def test_unknown_codes_are_refused() -> None:
    query = {"FID_INPUT_ISCD": "999999", "FID_INPUT_HOUR_1": "100000"}
    for service in (TODAY, INVESTORS):
        assert House().get(service, query).json()["msg_cd"] == "OPSQ2001"
