"""Rows about an account, as recorded and as documented: read, or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from brokers.kis_rows import (
    number_of,
    read_buyable,
    read_cash,
    read_orders,
    read_positions,
    read_power,
    read_sellable,
)
from market.errors import SourceChanged
from market.orders import OrderState, Side

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "kis"


def recorded(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    return orjson.loads(path.read_bytes())


def row(**changes: str) -> dict[str, str]:
    made = {
        "ord_dt": "20261120",
        "ord_gno_brno": "06010",
        "odno": "0000117057",
        "orgn_odno": "",
        "sll_buy_dvsn_cd": "02",
        "pdno": "005930",
        "ord_qty": "10",
        "ord_unpr": "70000",
        "ord_tmd": "121520",
        "tot_ccld_qty": "0",
        "tot_ccld_amt": "0",
        "cncl_yn": "N",
        "ord_dvsn_cd": "00",
        "cnc_cfrm_qty": "0",
        "rmn_qty": "10",
        "rjct_qty": "0",
        "infm_tmd": "121521",
    }
    return made | changes


def state(changes: dict[str, str], *, is_over: bool = False) -> OrderState:
    (order,) = read_orders([{"output1": [row(**changes)]}])
    return order.state(is_over=is_over)


def test_the_documented_day_is_read() -> None:
    (order,) = read_orders([recorded("inquire_daily_ccld.shape.json")])
    assert (order.number, order.branch, order.parent) == ("0000117057", "06010", "")
    assert (order.side, order.instrument, order.division) == (Side.BUY, "KRX:005930", "00")
    assert (order.quantity, order.price, order.filled) == (Decimal(10), Decimal(70_000), Decimal(4))
    assert (order.average_price, order.remaining) == (Decimal(69_950), Decimal(6))
    assert order.at == datetime(2026, 11, 20, 3, 15, 20, tzinfo=UTC)
    assert order.state(is_over=False) is OrderState.PARTIALLY_FILLED
    assert order.state(is_over=True) is OrderState.EXPIRED


def test_numbers_of_what_is_not_held_are_empty() -> None:
    assert read_sellable({"output": {"pdno": "005930", "ord_psbl_qty": ""}}) == 0
    assert read_sellable({"output": {"pdno": "005930", "ord_psbl_qty": "7"}}) == 7
    oddities: list[Any] = [[], {}, {"ord_psbl_qty": "seven"}]
    for odd in [{}, *({"output": one} for one in oddities)]:
        with pytest.raises(SourceChanged):
            read_sellable(odd)


def test_a_day_without_orders_is_an_empty_list() -> None:
    assert read_orders([recorded("inquire_daily_ccld_empty.recorded_virtual_output2.json")]) == []


def test_the_documented_balance_is_read() -> None:
    page = recorded("inquire_balance.official_example.json")
    (position,) = read_positions([page])
    assert (position.instrument, position.quantity) == ("KRX:009150", Decimal(1657))
    assert position.average_price == Decimal("135440.2517")
    assert read_cash([page]) == 346_455


def test_the_recorded_power_is_that_without_credit() -> None:
    assert read_power(recorded("inquire_psbl_order.recorded_virtual.json")) == 9_998_580
    assert read_buyable(recorded("inquire_psbl_order.recorded_virtual.json")) == 146


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, OrderState.ACCEPTED),
        ({"tot_ccld_qty": "10", "rmn_qty": "0"}, OrderState.FILLED),
        ({"cnc_cfrm_qty": "10", "rmn_qty": "0"}, OrderState.CANCELED),
        ({"cncl_yn": "Y", "rmn_qty": "0"}, OrderState.CANCELED),
        ({"tot_ccld_qty": "4", "cnc_cfrm_qty": "6", "rmn_qty": "0"}, OrderState.CANCELED),
        ({"rjct_qty": "10", "rmn_qty": "0"}, OrderState.REJECTED),
        ({"tot_ccld_qty": "4", "rjct_qty": "6", "rmn_qty": "0"}, OrderState.CANCELED),
        ({"rmn_qty": "0"}, OrderState.EXPIRED),
    ],
)
def test_where_an_order_stands(changes: dict[str, str], expected: OrderState) -> None:
    assert state(changes) is expected


def test_a_resting_order_of_a_day_that_is_over_has_expired() -> None:
    assert state({}, is_over=True) is OrderState.EXPIRED


def test_the_other_spelling_of_a_cancellation_is_read() -> None:
    other = row(rmn_qty="0", cncl_cfrm_qty="10")
    del other["cnc_cfrm_qty"]
    (order,) = read_orders([{"output1": [other]}])
    assert order.state(is_over=False) is OrderState.CANCELED


def test_a_row_on_two_pages_counts_once_as_it_was_told_last() -> None:
    later = row(tot_ccld_qty="4", tot_ccld_amt="280000", rmn_qty="6")
    (order,) = read_orders([{"output1": [row()]}, {"output1": [later]}])
    assert order.filled == 4


def test_cash_and_credit_rows_of_a_code_are_one_position() -> None:
    rows = [
        {"pdno": "005930", "hldg_qty": quantity, "pchs_avg_pric": price}
        | {"thdt_buyqty": "0", "thdt_sll_qty": "0", "prpr": "0"}
        for quantity, price in (("1", "70000.0000"), ("3", "74000.0000"), ("0", "0.0000"))
    ]
    (position,) = read_positions([{"output1": rows}])
    assert (position.quantity, position.average_price) == (Decimal(4), Decimal(73_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"ord_qty": ""},
        {"ord_qty": "many"},
        {"ord_qty": "NaN"},
        {"ord_tmd": "256199"},
        {"ord_dt": "soon"},
        {"odno": "0000000000"},
        {"sll_buy_dvsn_cd": "00"},
        {"pdno": ""},
        {"cnc_cfrm_qty": "x"},
    ],
)
def test_odd_rows_are_a_change_and_never_left_out(changes: dict[str, str]) -> None:
    with pytest.raises(SourceChanged):
        read_orders([{"output1": [row(**changes)]}])


@pytest.mark.parametrize("page", [{}, {"output1": None}, {"output1": {}}, {"output1": ["x"]}])
def test_pages_without_rows_are_a_change(page: dict[str, Any]) -> None:
    with pytest.raises(SourceChanged):
        read_orders([page])
    with pytest.raises(SourceChanged):
        read_positions([page])
    with pytest.raises(SourceChanged):
        read_cash([page])
    with pytest.raises(SourceChanged):
        read_power(page)


@pytest.mark.parametrize(
    ("text", "number"),
    [("6555", "0000006555"), ("0000006555", "0000006555"), (" ", ""), (None, ""), ("0000", "")],
)
def test_numbers_have_ten_digits(text: object, number: str) -> None:
    assert number_of(text) == number
