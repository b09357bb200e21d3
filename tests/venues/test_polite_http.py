"""Politeness: what is retried, what is not, how failures are told, and the pace."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx
import pytest
import respx

from market.errors import SourceChanged, SourceError, SourceUnavailable
from venues.polite_http import (
    FRAGMENT_LENGTH,
    Pace,
    PoliteHttp,
    Refused,
    burst_within,
    fragment,
    retry_after_seconds,
    shown_address,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

URL = "https://prices.example/api/now"
FAST = Pace(requests_per_second=10_000, timeout_seconds=1, first_pause_seconds=0)


def ask(
    answers: Sequence[httpx.Response | Exception], params: dict[str, str] | None = None
) -> tuple[bytes | SourceError, respx.Route]:
    """Return what one GET gives when the host answers so, and the route with its calls."""

    async def scenario() -> tuple[bytes | SourceError, respx.Route]:
        async with respx.mock(assert_all_called=False) as mock, httpx.AsyncClient() as client:
            route = mock.get(URL).mock(side_effect=list(answers))
            try:
                return await PoliteHttp(client, FAST, {"Referer": "x"}).get(URL, params), route
            except SourceError as error:
                return error, route

    return asyncio.run(scenario())


def test_get_returns_the_body_and_sends_headers() -> None:
    body, route = ask([httpx.Response(200, content=b"ok")])
    sent = route.calls.last.request.headers
    assert body == b"ok"
    assert sent["User-Agent"].startswith("Mozilla/5.0")
    assert sent["Referer"] == "x"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503),
        httpx.Response(500),
        httpx.Response(429),
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.Response(418),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
    ids=str,
)
def test_get_asks_again_after_trouble_that_passes(trouble: httpx.Response | Exception) -> None:
    body, route = ask([trouble, httpx.Response(200, content=b"ok")])
    assert body == b"ok"
    assert route.call_count == 2


def test_get_gives_up_after_three_attempts() -> None:
    error, route = ask([httpx.Response(503)] * 3)
    assert isinstance(error, SourceUnavailable)
    assert str(error) == "prices.example/api/now answered 503"
    assert route.call_count == 3


@pytest.mark.parametrize("status", [301, 302, 307, 400, 403, 404, 410, 204])
def test_get_never_repeats_what_will_not_pass(status: int) -> None:
    headers = {"Location": "https://elsewhere.example/"}
    error, route = ask([httpx.Response(status, headers=headers, text="gone\n for good")])
    assert isinstance(error, SourceChanged)
    assert str(status) in str(error)
    assert route.call_count == 1


def test_get_does_not_wait_in_place_for_a_long_rest_and_keeps_it() -> None:
    async def scenario() -> tuple[list[str], int]:
        texts = []
        async with respx.mock() as mock, httpx.AsyncClient() as client:
            route = mock.get(URL).respond(429, headers={"Retry-After": "120"})
            http = PoliteHttp(client, FAST, {})
            for _ in range(2):
                with pytest.raises(SourceUnavailable) as caught:
                    await http.get(URL)
                texts.append(str(caught.value))
            return texts, route.call_count

    texts, calls = asyncio.run(scenario())
    assert texts[0].endswith("answered 429")
    assert "left alone for 120 more seconds" in texts[1]
    assert calls == 1


def test_a_refusal_keeps_status_and_body() -> None:
    error, _ = ask([httpx.Response(400, json={"code": -1121})])
    assert isinstance(error, Refused)
    assert (error.status, error.body) == (400, b'{"code":-1121}')


def test_a_watch_may_ask_for_a_rest_after_a_good_answer() -> None:
    async def scenario() -> tuple[bytes, int]:
        async with respx.mock() as mock, httpx.AsyncClient() as client:
            route = mock.get(URL).respond(200, content=b"ok", headers={"Used": "99"})
            watch = {"99": 60.0}
            http = PoliteHttp(
                client, FAST, {}, watch=lambda answer: watch.get(answer.headers["Used"])
            )
            body = await http.get(URL)
            with pytest.raises(SourceUnavailable, match="left alone for 60 more seconds"):
                await http.get(URL)
            return body, route.call_count

    assert asyncio.run(scenario()) == (b"ok", 1)


def test_errors_tell_no_query_and_no_text_of_the_client() -> None:
    secret = "s3cr3t"
    trouble = httpx.ConnectError(f"cannot open {URL}?key={secret}")
    error, _ = ask([trouble] * 3, {"key": secret})
    assert str(error) == "prices.example/api/now did not answer (ConnectError)"
    error, _ = ask([httpx.Response(404)], {"key": secret})
    assert secret not in str(error)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@a.example:8080/x/y?token=1#f", "a.example:8080/x/y"),
        ("https://api.telegram.org/bot12345:AA-b_c/getMe", "api.telegram.org/***/getMe"),
        ("https://a.example/k/" + "f" * 64 + "/z", "a.example/k/***/z"),
        ("https://a.example/stock/005930,000660", "a.example/stock/005930,000660"),
    ],
)
def test_shown_address_hides_secrets(url: str, shown: str) -> None:
    assert shown_address(url) == shown


def test_shown_address_and_fragment_are_short() -> None:
    codes = ",".join(["005930"] * 200)
    assert len(shown_address(f"https://a.example/stock/{codes}")) == FRAGMENT_LENGTH
    assert len(fragment(b"x" * 5000)) == FRAGMENT_LENGTH
    assert fragment("두 \n\t 줄".encode()) == "두 줄"
    assert fragment(b"") == "(empty)"


@pytest.mark.parametrize(
    ("header", "sent", "seconds"),
    [
        (None, None, None),
        ("7", None, 7.0),
        ("Wed, 09 Sep 2026 00:00:30 GMT", "Wed, 09 Sep 2026 00:00:00 GMT", 30.0),
        ("Wed, 09 Sep 2026 00:00:00 GMT", "Wed, 09 Sep 2026 00:00:09 GMT", 0.0),
        ("Wed, 09 Sep 2026 00:00:30 GMT", None, None),
        ("soon", "Wed, 09 Sep 2026 00:00:00 GMT", None),
        ("-1", None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    header: str | None, sent: str | None, seconds: float | None
) -> None:
    assert retry_after_seconds(header, sent) == seconds


class Host(httpx.AsyncBaseTransport):
    """A host that counts how many requests are open at once; it answers when released."""

    def __init__(self, *, waits: bool = False) -> None:
        self.open = 0
        self.most = 0
        self.times: list[float] = []
        self.full = asyncio.Event()
        self.release = asyncio.Event()
        if not waits:
            self.release.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.times.append(time.monotonic())
        self.open += 1
        self.most = max(self.most, self.open)
        if self.open == 2:
            self.full.set()
        await self.release.wait()
        self.open -= 1
        return httpx.Response(200, content=b"ok")


def test_get_bounds_the_open_requests_of_a_host() -> None:
    async def scenario() -> int:
        host = Host(waits=True)
        pace = Pace(requests_per_second=10_000, timeout_seconds=5, at_once=2)
        async with httpx.AsyncClient(transport=host) as client:
            http = PoliteHttp(client, pace, {})
            asked = [asyncio.create_task(http.get(URL)) for _ in range(6)]
            await asyncio.wait_for(host.full.wait(), 5)
            host.release.set()
            await asyncio.gather(*asked)
        return host.most

    assert asyncio.run(scenario()) == 2


def test_get_spaces_requests_evenly() -> None:
    async def scenario() -> list[float]:
        host = Host()
        pace = Pace(requests_per_second=50, timeout_seconds=5)
        async with httpx.AsyncClient(transport=host) as client:
            http = PoliteHttp(client, pace, {})
            await asyncio.gather(*(http.get(URL) for _ in range(5)))
        return host.times

    times = asyncio.run(scenario())
    assert times[-1] - times[0] >= 4 / 50 - 0.005


def test_get_lets_a_burst_through_after_a_quiet_moment() -> None:
    async def scenario() -> list[float]:
        host = Host()
        pace = Pace(requests_per_second=20, timeout_seconds=5, burst=3)
        async with httpx.AsyncClient(transport=host) as client:
            http = PoliteHttp(client, pace, {})
            await asyncio.gather(*(http.get(URL) for _ in range(4)))
        return host.times

    times = asyncio.run(scenario())
    assert times[2] - times[0] < 1 / 20 < times[3] - times[0] + 0.005


@pytest.mark.parametrize(
    ("allowed", "rate", "burst"), [(10, 8, 2), (19, 15, 4), (19, 3, 1), (2, 2, 1), (10, 1000, 1)]
)
def test_no_second_sees_more_than_is_allowed(allowed: int, rate: int, burst: int) -> None:
    assert burst_within(allowed, rate) == burst


def test_one_polite_http_serves_several_event_loops() -> None:
    async def ask_in_a_loop(http: list[PoliteHttp]) -> bytes:
        async with httpx.AsyncClient(transport=Host()) as client:
            if not http:
                http.append(PoliteHttp(client, FAST, {}))
            http[0]._client = client
            return await http[0].get(URL)

    kept: list[PoliteHttp] = []
    assert asyncio.run(ask_in_a_loop(kept)) == b"ok"
    assert asyncio.run(ask_in_a_loop(kept)) == b"ok"
