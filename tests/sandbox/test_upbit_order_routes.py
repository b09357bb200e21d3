"""The pretend Upbit's exchange on its wires: tokens, faults and limits."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from market.clock import ManualClock
from sandbox.order_faults import Channel, FaultPlan, OrderFault
from sandbox.upbit import Allowance
from sandbox.upbit_keys import RequestRefused, UpbitKeys
from sandbox.upbit_order_routes import UpbitExchange
from sandbox.upbit_orders import UpbitOrders

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
ACCESS, SECRET = "access", "secret-0123456789abcdefghijklmnop"
LIMIT = {"market": "KRW-BTC", "side": "bid", "ord_type": "limit", "price": "100000", "volume": "1"}


def coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def token(secret: str = SECRET, alg: str = "HS256", **claims: Any) -> str:
    made = {"access_key": ACCESS, "nonce": "n", **claims}
    text = f"{coded(orjson.dumps({'alg': alg}))}.{coded(orjson.dumps(made))}"
    signed = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"Bearer {text}.{coded(signed)}"


def hashed(asked: str) -> dict[str, str]:
    return {"query_hash": hashlib.sha512(asked.encode()).hexdigest(), "query_hash_alg": "SHA512"}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (None, "no_authorization_token"),
        ("Basic abc", "no_authorization_token"),
        ("Bearer a.b", "jwt_verification"),
        ("Bearer a.b.c", "jwt_verification"),
        (token("another"), "jwt_verification"),
        (token(alg="none"), "jwt_verification"),
        (token(nonce=""), "jwt_verification"),
        (token(access_key="nobody"), "invalid_access_key"),
        (token(nonce="used"), "nonce_used"),
        (token(), "invalid_query_payload"),
        (token(**hashed("a=2")), "invalid_query_payload"),
        (token(query_hash=hashed("a=1")["query_hash"]), "invalid_query_payload"),
    ],
)
def test_who_is_not_known_is_turned_away(header: str | None, name: str) -> None:
    keys = UpbitKeys(ACCESS, SECRET)
    keys.verify(token(nonce="used"), "")
    with pytest.raises(RequestRefused) as caught:
        keys.verify(header, "a=1")
    assert (caught.value.status, caught.value.name) == (401, name)


def test_a_token_of_exactly_this_request_is_taken_once() -> None:
    keys = UpbitKeys(ACCESS, SECRET)
    keys.verify(token(**hashed("a=1")), "a=1")
    with pytest.raises(RequestRefused, match="nonce_used"):
        keys.verify(token(**hashed("a=1")), "a=1")
    keys.is_revoked = True
    with pytest.raises(RequestRefused, match="expired_access_key"):
        keys.verify(token(nonce="m", **hashed("a=1")), "a=1")


class _Signed(httpx.Auth):
    requires_request_body = True

    def __init__(self) -> None:
        self.count = 0

    def auth_flow(self, request: httpx.Request) -> Any:
        self.count += 1
        fields = orjson.loads(request.content) if request.content else {}
        body = "&".join(f"{name}={value}" for name, value in fields.items())
        asked = body or unquote(request.url.query.decode())
        claims = hashed(asked) if asked else {}
        request.headers["Authorization"] = token(nonce=f"n{self.count}", **claims)
        yield request


def ask(
    *requests: tuple[str, str],
    plan: FaultPlan | None = None,
    allowances: dict[str, Allowance] | None = None,
) -> list[httpx.Response | str]:
    async def one(http: httpx.AsyncClient, method: str, path: str) -> httpx.Response | str:
        try:
            if method == "POST":
                return await http.post(path, content=orjson.dumps({**LIMIT, "identifier": "i"}))
            return await http.request(method, path)
        except httpx.TransportError as error:
            return type(error).__name__

    async def scenario() -> list[httpx.Response | str]:
        orders = UpbitOrders(ManualClock(NOW), Decimal(1_000_000))
        keys, faults = UpbitKeys(ACCESS, SECRET), plan or FaultPlan()
        exchange = UpbitExchange(orders, keys, faults, allowances)
        transport = httpx.ASGITransport(Starlette(routes=exchange.routes()))
        async with httpx.AsyncClient(
            transport=transport, base_url="https://upbit.example", auth=_Signed()
        ) as http:
            return [await one(http, method, path) for method, path in requests]

    return asyncio.run(scenario())


ORDER = ("GET", "/v1/order?identifier=i")
PLACE = ("POST", "/v1/orders")


def shown(answer: httpx.Response | str) -> str | int:
    return answer if isinstance(answer, str) else answer.status_code


@pytest.mark.parametrize(
    ("fault", "answer", "later"),
    [
        (None, 201, 200),
        (OrderFault.LOST_REQUEST, "ReadError", 404),
        (OrderFault.LATE_REQUEST, "ReadTimeout", 404),
        (OrderFault.BROKEN_BEFORE, 502, 404),
        (OrderFault.LOST_ANSWER, "ReadError", 200),
        (OrderFault.LATE_ANSWER, "ReadTimeout", 200),
        (OrderFault.BROKEN_AFTER, 502, 200),
        (OrderFault.ODD_ANSWER, 200, 200),
        (OrderFault.BUSY, 429, 404),
        (OrderFault.MAINTENANCE, 403, 404),
        (OrderFault.REVOKED, 401, 404),
    ],
)
def test_a_fault_executes_or_does_not(
    fault: OrderFault | None, answer: str | int, later: int
) -> None:
    plan = FaultPlan()
    plan.script(Channel.ORDER, fault)
    answers = ask(PLACE, ORDER, plan=plan)
    assert [shown(one) for one in answers] == [answer, later]
    assert sum(plan.counts.values()) == (fault is not None)


def test_the_same_seed_makes_the_same_faults() -> None:
    chances = {Channel.READ: {OrderFault.BUSY: 0.3, OrderFault.LOST_ANSWER: 0.3}}
    first, second = (FaultPlan(chances, seed=7) for _ in range(2))
    drawn = [first.next(Channel.READ) for _ in range(200)]
    assert drawn == [second.next(Channel.READ) for _ in range(200)]
    assert {OrderFault.BUSY, OrderFault.LOST_ANSWER, None} == set(drawn)
    assert first.next(Channel.ORDER) is None
    first.heal()
    assert first.next(Channel.READ) is None


def test_a_request_too_many_in_a_second_is_refused_and_then_shut_out() -> None:
    allowances = {"default": Allowance(3)}
    answers = ask(*[ORDER] * 9, allowances=allowances)
    assert [shown(one) for one in answers] == [404] * 3 + [429] * 4 + [418] * 2
    first = answers[0]
    assert isinstance(first, httpx.Response)
    assert first.headers["Remaining-Req"] == "group=default; min=120; sec=2"
