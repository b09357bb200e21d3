"""How Upbit's exchange API is asked: signed, at its pace, and what its answers prove."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from brokers.upbit_auth import UpbitAuth, new_nonce
from brokers.upbit_http import UpbitHttp
from config.settings import UpbitSettings
from market.errors import ConfigError, OrderError, OrderRejected, OutcomeUnknown
from tests.brokers.upbit_venue import ACCESS_KEY, SECRET_KEY
from tests.virtual_time import run_virtual

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FIELDS = {"market": "KRW-BTC", "side": "bid", "price": "140000000", "identifier": "tt-1"}
KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}


def settings(**changes: Any) -> UpbitSettings:
    return UpbitSettings.model_validate({**KEYS, "rest_url": "https://upbit.example", **changes})


def refused(name: str, status: int = 400, message: str = "왜") -> httpx.Response:
    return httpx.Response(status, json={"error": {"name": name, "message": message}})


def claims(header: str) -> dict[str, Any]:
    """Return the claims of a header whose signature is right."""
    head, body, signature = header.removeprefix("Bearer ").split(".")
    right = hmac.new(SECRET_KEY.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "==") == right
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] == "HS256"
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return read


def ask(
    answer: Callable[[httpx.Request], httpx.Response],
    scenario: Callable[[UpbitHttp], Awaitable[Any]],
) -> Any:
    async def body() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await scenario(UpbitHttp(client, settings(), UpbitAuth(settings())))

    return run_virtual(body())


def outcome(
    answer: Callable[[httpx.Request], httpx.Response], method: str = "post"
) -> tuple[OrderError, int]:
    """Return what a request came to that did not do, and how often it was sent."""
    sent: list[httpx.Request] = []

    def count(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer(request)

    async def scenario(http: UpbitHttp) -> OrderError:
        asking: Callable[[], Awaitable[Any]] = {
            "post": lambda: http.post("/v1/orders", FIELDS),
            "delete": lambda: http.delete("/v1/order", "identifier=tt-1"),
            "get": lambda: http.get("/v1/accounts"),
        }[method]
        with pytest.raises(OrderError) as caught:
            await asking()
        return caught.value

    return ask(count, scenario), len(sent)


def test_a_body_is_signed_as_it_is_sent() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.content) == FIELDS
        told = claims(request.headers["Authorization"])
        asked = "market=KRW-BTC&side=bid&price=140000000&identifier=tt-1"
        assert told["query_hash"] == hashlib.sha512(asked.encode()).hexdigest()
        assert (told["query_hash_alg"], told["access_key"]) == ("SHA512", ACCESS_KEY)
        assert UUID(told["nonce"]).version == 4
        return httpx.Response(201, json={"uuid": "u"})

    assert ask(answer, lambda http: http.post("/v1/orders", FIELDS)) == {"uuid": "u"}


def test_a_query_is_signed_without_percent_signs_and_brackets_stay() -> None:
    query = "states[]=wait&states[]=watch&page=1"

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.query == query.encode()
        told = claims(request.headers["Authorization"])
        assert told["query_hash"] == hashlib.sha512(query.encode()).hexdigest()
        assert "Origin" not in request.headers
        return httpx.Response(200, json=[])

    assert ask(answer, lambda http: http.get("/v1/orders/open", query)) == []


def test_percent_signs_of_a_query_are_not_signed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.query == b"identifier=tt-%26%EB%82%B4"
        told = claims(request.headers["Authorization"])
        assert told["query_hash"] == hashlib.sha512("identifier=tt-&내".encode()).hexdigest()
        return httpx.Response(200, json={})

    assert ask(answer, lambda http: http.delete("/v1/order", "identifier=tt-%26%EB%82%B4")) == {}


def test_what_asks_nothing_has_no_hash() -> None:
    told = claims(UpbitAuth(settings()).bearer())
    assert told.keys() == {"access_key", "nonce"}
    assert new_nonce() != new_nonce()


def test_every_attempt_has_a_nonce_of_its_own() -> None:
    nonces: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        nonces.append(claims(request.headers["Authorization"])["nonce"])
        return httpx.Response(502) if len(nonces) < 3 else httpx.Response(200, json=[])

    assert ask(answer, lambda http: http.get("/v1/accounts")) == []
    assert len(set(nonces)) == 3


def test_missing_keys_are_named_and_no_key_is_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        UpbitAuth(UpbitSettings())
    assert "TICKTALK_UPBIT_ACCESS_KEY" in str(caught.value)
    assert "TICKTALK_UPBIT_SECRET_KEY" in str(caught.value)
    auth = UpbitAuth(settings())
    shown = auth.hide(f"you sent {ACCESS_KEY}, {auth.bearer('a=b')} and {SECRET_KEY}")
    assert shown == "you sent ***, Bearer *** and ***"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("insufficient_funds_bid", 400, "cash"),
        ("insufficient_funds_ask", 400, "no_position"),
        ("under_min_total_bid", 400, "least"),
        ("under_min_total_ask", 400, "least"),
        ("over_krw_funds_bid", 400, "quantity"),
        ("invalid_price_bid", 400, "price"),
        ("invalid_price_ask", 400, "price"),
        ("duplicated_identifier", 400, "duplicate"),
        ("market_offline", 403, "closed"),
        ("out_of_scope", 403, "other"),
        ("out_of_scope", 401, "other"),
        ("no_authorization_ip", 401, "other"),
        ("no_authorization_i_p", 401, "other"),
        ("expired_access_key", 401, "other"),
        ("invalid_query_payload", 401, "other"),
        ("notfoundmarket", 400, "other"),
        ("a_new_one", 400, "other"),
    ],
)
def test_a_named_refusal_has_a_stable_code(name: str, status: int, code: str) -> None:
    error, sent = outcome(lambda request: refused(name, status))
    assert isinstance(error, OrderRejected)
    assert (error.code, sent) == (code, 1)
    assert name in str(error)


@pytest.mark.parametrize("method", ["post", "delete"])
@pytest.mark.parametrize(
    "answer",
    [
        refused("internal_server_error", 500),
        httpx.Response(502, text="Bad Gateway"),
        httpx.Response(504),
        httpx.Response(301, headers={"Location": "https://elsewhere.example"}),
        httpx.Response(400, text="<html>"),
        httpx.Response(403, text="<html>a wall before the venue</html>"),
        httpx.Response(408),
        httpx.Response(201, text="<html>"),
        httpx.Response(201, json=["odd"]),
        refused("nonce_used", 401),
    ],
    ids=lambda answer: f"{answer.status_code}",
)
def test_what_proves_nothing_is_unknown_and_sent_once(answer: httpx.Response, method: str) -> None:
    error, sent = outcome(lambda request: answer, method)
    assert isinstance(error, OutcomeUnknown)
    assert (error.code, sent) == ("unanswered", 1)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ConnectError, OrderRejected),
        (httpx.ConnectTimeout, OrderRejected),
        (httpx.PoolTimeout, OrderRejected),
        (httpx.ReadTimeout, OutcomeUnknown),
        (httpx.WriteTimeout, OutcomeUnknown),
        (httpx.ReadError, OutcomeUnknown),
        (httpx.WriteError, OutcomeUnknown),
        (httpx.RemoteProtocolError, OutcomeUnknown),
        (httpx.ProxyError, OutcomeUnknown),
        (httpx.DecodingError, OutcomeUnknown),
    ],
)
def test_only_a_connection_that_never_was_is_no_doubt(
    fault: type[httpx.RequestError], kind: type[OrderError]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise fault(f"sent {SECRET_KEY}")

    error, sent = outcome(answer)
    assert type(error) is kind
    assert sent == 1
    assert SECRET_KEY not in str(error)


def test_reads_are_asked_again_and_then_unknown() -> None:
    error, sent = outcome(lambda request: httpx.Response(500), "get")
    assert isinstance(error, OutcomeUnknown)
    assert (error.code, sent) == ("unavailable", 3)


@pytest.mark.parametrize(
    "answer",
    [
        refused("market_offline", 403),
        refused("expired_access_key", 401),
        httpx.Response(404, text="<html>"),
        httpx.Response(404, json={"error": {"name": 404, "message": "Code not found"}}),
        httpx.Response(200, text="<html>"),
    ],
    ids=lambda answer: f"{answer.status_code}",
)
def test_a_read_that_is_turned_away_says_nothing_of_orders(answer: httpx.Response) -> None:
    error, sent = outcome(lambda request: answer, "get")
    assert isinstance(error, OutcomeUnknown)
    assert (error.code, sent) == ("unavailable", 1)


def test_only_the_venue_itself_says_that_there_is_no_order() -> None:
    error, _ = outcome(lambda request: refused("order_not_found", 404), "get")
    assert isinstance(error, OrderRejected)
    assert error.code == "unknown_order"


def test_a_venue_that_echoes_what_was_sent_gives_no_key_away() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        text = f"{request.headers['Authorization']} {ACCESS_KEY} {SECRET_KEY}"
        return refused("validation_error", 400, text)

    for method in ("post", "delete", "get"):
        shown = str(outcome(answer, method)[0])
        assert ACCESS_KEY not in shown
        assert SECRET_KEY not in shown
        assert "eyJ" not in shown


def test_one_request_too_many_is_a_refusal_and_a_long_block_is_kept() -> None:
    answers = iter(
        [
            httpx.Response(429, text="Too many API requests."),
            httpx.Response(201, json={"uuid": "u"}),
            httpx.Response(
                418, json={"error": {"name": 418, "message": "Blocked for 30 seconds."}}
            ),
            httpx.Response(201, json={"uuid": "v"}),
        ]
    )
    sent: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(asyncio.get_running_loop().time())
        return next(answers)

    async def scenario(http: UpbitHttp) -> None:
        for number in (0, 2):
            with pytest.raises(OrderRejected) as caught:
                await http.post("/v1/orders", FIELDS)
            assert caught.value.code == "unavailable"
            if number == 0:
                assert await http.post("/v1/orders", FIELDS) == {"uuid": "u"}
        with pytest.raises(OrderRejected, match="left alone for 30 more seconds"):
            await http.post("/v1/orders", FIELDS)
        assert len(sent) == 3
        await asyncio.sleep(30)
        assert await http.post("/v1/orders", FIELDS) == {"uuid": "v"}

    ask(answer, scenario)
    assert sent[1] - sent[0] >= 1


def test_the_second_that_is_used_up_is_waited_for() -> None:
    sent: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(asyncio.get_running_loop().time())
        headers = {"Remaining-Req": "group=order; min=720; sec=0"}
        return httpx.Response(201, json={"uuid": "u"}, headers=headers)

    async def scenario(http: UpbitHttp) -> None:
        await http.post("/v1/orders", FIELDS)
        await http.post("/v1/orders", FIELDS)

    ask(answer, scenario)
    assert sent[1] - sent[0] >= 1


def test_orders_keep_below_twelve_in_any_second() -> None:
    sent: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(asyncio.get_running_loop().time())
        return httpx.Response(201, json={"uuid": "u"})

    async def scenario(http: UpbitHttp) -> None:
        await asyncio.gather(*(http.post("/v1/orders", FIELDS) for _ in range(40)))

    ask(answer, scenario)
    assert sent[3] - sent[0] < 0.01  # a few need not wait
    assert all(sum(at <= one < at + 1 for one in sent) <= 12 for at in sent)
