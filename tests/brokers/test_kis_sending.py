"""What an answer to an order proves: refused for certain, or unknown; never sent a second time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from brokers.kis_codes import is_surely_refused, reason_of
from market.errors import OrderError, OrderRejected, OutcomeUnknown
from sandbox.order_faults import Channel, OrderFault
from tests.brokers.kis_venue import ACCOUNT, KisVenue, run
from tests.contracts.broker_contract import order

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "kis"


def answering(
    folder: Path, answer: Callable[[httpx.Request], httpx.Response], name: str = "order-cash"
) -> OrderError:
    """Return the error of an order whose POST is answered so; it is posted once."""
    caught: list[OrderError] = []

    async def scenario(venue: KisVenue) -> None:
        inner = venue.wire.handle_async_request

        async def handle(request: httpx.Request) -> httpx.Response:
            answered = await inner(request)
            return answer(request) if request.url.path.endswith(name) else answered

        venue.wire.handle_async_request = handle  # type: ignore[method-assign]
        with pytest.raises(OrderError) as error:
            await venue.broker.place(order(quantity=Decimal(1)))
        caught.append(error.value)
        assert venue.orders_sent == 1

    run(folder, scenario)
    return caught[0]


def told(status: int, **fields: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=fields)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("APBK0918", "closed"),
        ("APBK0952", "cash"),
        ("APBK0400", "no_position"),
        ("40070000", "untradable"),
        ("40240000", "no_position"),
        ("40100000", "closed"),
        ("EGW00201", "busy"),
        ("OPSQ2000", "other"),
        ("EGW02004", "other"),
    ],
)
def test_a_refusal_is_known_by_its_code_whatever_the_status(
    tmp_path: Path, code: str, reason: str, status: int
) -> None:
    error = answering(tmp_path, told(status, rt_cd="1", msg_cd=code, msg1=""))
    assert isinstance(error, OrderRejected)
    assert error.code == reason


@pytest.mark.parametrize(
    "answer",
    [
        told(200, rt_cd="1", msg_cd="IGW00009", msg1="응답전문 구성 중 오류가 발생하였습니다."),
        told(200, rt_cd="1", msg_cd="EGW00215", msg1=""),
        told(500, rt_cd="1", msg_cd="EGW00300", msg1=""),
        told(200, rt_cd="1", msg_cd="", msg1=""),
        told(200, rt_cd="1", msg_cd="XYZ12345", msg1=""),
        told(200, rt_cd="0", msg_cd="APBK0013", output={}),
        told(200, rt_cd="0", msg_cd="APBK0013", output={"ODNO": "0000000000"}),
        told(200, rt_cd="0", msg_cd="APBK0013"),
        told(200),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(302, headers={"location": "/"}),
        lambda _: httpx.Response(504),
    ],
)
def test_what_proves_nothing_is_unknown(
    tmp_path: Path, answer: Callable[[httpx.Request], httpx.Response]
) -> None:
    assert isinstance(answering(tmp_path, answer), OutcomeUnknown)


def test_a_server_that_cannot_be_reached_has_no_order(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.accounts()  # with a token
        venue.wire.is_cut = True
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(order())
        assert caught.value.code == "unavailable"
        venue.wire.is_cut = False
        await venue.broker.place(order())

    run(tmp_path, scenario)


def test_without_a_token_nothing_is_sent(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.wire.is_cut = True
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(order())
        assert caught.value.code == "unavailable"
        assert venue.orders_sent == 0
        venue.wire.is_cut = False
        await venue.broker.place(order())

    run(tmp_path, scenario)


def test_a_refused_token_costs_one_order_and_is_replaced(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.accounts()
        await venue.wait(23 * 3600)
        venue.keys.lapse()
        with pytest.raises(OrderRejected):
            await venue.broker.place(order())
        assert venue.orders_sent == 1
        await venue.broker.place(order())
        assert venue.orders_sent == 2

    run(tmp_path, scenario)


def test_a_read_with_a_refused_token_is_asked_again(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        await venue.broker.accounts()
        venue.keys.lapse()
        assert (await venue.broker.accounts())[0].cash == 1_000_000

    run(tmp_path, scenario)


def test_a_busy_gateway_has_no_order(tmp_path: Path) -> None:
    async def scenario(venue: KisVenue) -> None:
        venue.plan.script(Channel.ORDER, OrderFault.BUSY)
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(order())
        assert caught.value.code == "busy"
        assert venue.account.orders == []
        assert await venue.broker.find(order()) is None

    run(tmp_path, scenario)


def test_an_error_never_shows_the_account(tmp_path: Path) -> None:
    text = f"계좌번호 {ACCOUNT[:8]}-{ACCOUNT[8:]} / {ACCOUNT} 를 확인하세요"
    error = answering(tmp_path, told(200, rt_cd="7", msg_cd="APBK1234", msg1=text))
    assert ACCOUNT[:8] not in f"{error} {error!r}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("order_cash_reject_market_closed.shape.json", "closed"), ("error_EGW00201.json", "busy")],
)
def test_recorded_refusals_are_certain(name: str, reason: str) -> None:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    fields = orjson.loads(path.read_bytes())
    assert is_surely_refused(fields["msg_cd"])
    assert reason_of(fields["msg_cd"], fields["msg1"]) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("모의투자 장종료 입니다.", "closed"),
        ("모의투자 주문가능금액이 부족합니다.", "cash"),
        ("주문가능수량을 초과하였습니다.", "no_position"),
        ("호가단위 오류입니다.", "price"),
        ("원주문번호가 없습니다.", "closed"),
        ("주문수량을 확인하세요.", "quantity"),
        ("처리할 수 없습니다.", "other"),
    ],
)
def test_unknown_codes_are_explained_by_their_text(text: str, reason: str) -> None:
    assert reason_of("40999999", text) == reason


@pytest.mark.parametrize(("is_virtual", "most"), [(False, 20), (True, 2)])
def test_what_is_too_much_for_a_second_was_surely_not_ordered(
    tmp_path: Path, most: int, *, is_virtual: bool
) -> None:
    async def scenario(venue: KisVenue) -> None:
        for number in range(most):
            await venue.broker.place(order(f"one{number}", quantity=Decimal(1)))
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.place(order("over", quantity=Decimal(1)))
        assert caught.value.code == "busy"
        assert await venue.broker.find(order("over")) is None
        assert len(venue.account.orders) == most
        with pytest.raises(OutcomeUnknown):  # reads are asked again, in the same second here
            await venue.broker.accounts()
        await venue.wait(1)
        await venue.broker.place(order("over", quantity=Decimal(1)))
        assert len(venue.account.orders) == most + 1

    cash = Decimal(100_000_000)
    run(tmp_path, scenario, is_virtual=is_virtual, pace=None, cash=cash)
