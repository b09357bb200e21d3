from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from brokers.binance_refusals import Refused, complaint, failure
from market.errors import OutcomeUnknown

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "binance"


def answer(status: int, code: int | None, text: str = "x") -> httpx.Response:
    if code is None:
        return httpx.Response(status, text=text)
    return httpx.Response(status, json={"code": code, "msg": text})


@pytest.mark.parametrize(
    ("status", "code", "text", "expected"),
    [
        (400, -1021, "Timestamp for this request is outside of the recvWindow.", "clock"),
        (400, -1022, "Signature for this request is not valid.", "keys"),
        (401, -2015, "Invalid API-key, IP, or permissions for action.", "keys"),
        (400, -2010, "Account has insufficient balance for requested action.", "cash"),
        (400, -2010, "Duplicate order sent.", "duplicate"),
        (400, -2010, "Market is closed.", "halted"),
        (400, -2010, "Order would immediately match and take.", "price"),
        (400, -2010, "A reason that was never told before", "other"),
        (400, -1013, "Filter failure: NOTIONAL", "least"),
        (400, -1013, "Filter failure: MIN_NOTIONAL", "least"),
        (400, -1013, "Filter failure: LOT_SIZE", "quantity"),
        (400, -1013, "Filter failure: MARKET_LOT_SIZE", "quantity"),
        (400, -1013, "Filter failure: PRICE_FILTER", "price"),
        (400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE", "price"),
        (400, -1111, "Precision is over the maximum defined for this asset.", "quantity"),
        (400, -1111, "Parameter 'price' has too much precision.", "price"),
        (400, -1121, "Invalid symbol.", "instrument"),
        (400, -2011, "Unknown order sent.", "unknown_order"),
        (400, -2019, "Margin is insufficient.", "cash"),
        (400, -2022, "ReduceOnly Order is rejected.", "no_position"),
        (400, -4118, "ReduceOnly Order Failed.", "no_position"),
        (400, -4014, "Price not increased by tick size.", "price"),
        (400, -4116, "clientOrderId is duplicated", "duplicate"),
        (400, -4164, "Order's notional must be no smaller than 100", "least"),
        (400, -4120, "Order type not supported for this endpoint.", "other"),
        (503, -1008, "Server is currently overloaded with other requests.", "busy"),
        (503, 0, "Service Unavailable.", "busy"),
        (429, -1003, "Too many requests; current limit is 2400.", "busy"),
        (429, -1015, "Too many new orders.", "busy"),
        (418, -1003, "Way too many requests; IP banned until 1795151999000.", "busy"),
        (403, None, "<html>403 Forbidden</html>", "busy"),
    ],
)
def test_a_clear_refusal_was_not_executed(
    status: int, code: int | None, text: str, expected: str
) -> None:
    error = failure("POST /order", answer(status, code, text))
    assert isinstance(error, Refused)
    assert error.code == expected


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (500, None, "Internal Server Error"),
        (502, None, "<html>502 Bad Gateway</html>"),
        (504, None, ""),
        (503, None, "<html>System Maintenance</html>"),
        (503, -1007, "Timeout waiting for response from backend server."),
        (503, 0, "Unknown error, please check your request or try again later."),
        (400, -1006, "An unexpected response was received from the message bus."),
        (400, -1007, "Send status unknown; execution status unknown."),
        (400, -1001, "Internal error; unable to process your request."),
        (400, -1000, "An unknown error occurred while processing the request."),
        (408, None, "Request Timeout"),
        (408, -4000, "whatever it says"),
        (400, None, "<html>Bad Request</html>"),
        (302, None, ""),
        (204, None, ""),
    ],
)
def test_nothing_follows_from_what_is_not_clear(status: int, code: int | None, text: str) -> None:
    assert isinstance(failure("POST /order", answer(status, code, text)), OutcomeUnknown)


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b'{"code": "-1"}', b'{"msg": "x"}', b"\xff"])
def test_a_body_without_a_code_complains_of_nothing(body: bytes) -> None:
    assert complaint(body)[0] == 0


def test_every_recorded_error_is_judged() -> None:
    if not FIXTURES.is_dir():
        pytest.skip("the recorded answers are not beside this repository")
    recorded = json.loads((FIXTURES / "errors.json").read_text(encoding="utf-8"))
    unknown = set()
    for status, bodies in recorded.items():
        for body in bodies:
            error = failure("POST /order", httpx.Response(int(status), json=body))
            if isinstance(error, OutcomeUnknown):
                unknown.add(body["code"])
    assert unknown == {-1007}
