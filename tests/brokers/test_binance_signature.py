from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import orjson
from pydantic import SecretStr

from brokers.binance_signature import SignedReads, Signer
from market.clock import ManualClock

# the example of Binance's own documentation of signed requests ("SIGNED request example (HMAC)")
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
AT_MS = 1_499_827_319_559
EXPECTED = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
PARAMS = {
    "symbol": "LTCBTC",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "1",
    "price": "0.1",
}


def signer() -> Signer:
    clock = ManualClock(datetime(2017, 7, 12, 2, 41, 59, 559_000, tzinfo=UTC))
    return Signer(SecretStr(KEY), SecretStr(SECRET), clock)


def test_the_documented_request_gets_the_documented_signature() -> None:
    payload = signer().signed(PARAMS, AT_MS)
    assert payload == (
        f"{urlencode(PARAMS)}&recvWindow=5000&timestamp={AT_MS}&signature={EXPECTED}"
    )


def test_what_is_not_ascii_is_encoded_before_it_is_signed() -> None:
    payload = signer().signed({"symbol": "币安人生USDT"}, AT_MS)
    signed, _, signature = payload.rpartition("&signature=")
    assert signed.startswith("symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&")
    assert signature == hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()


def test_a_read_is_signed_as_it_goes_over_the_wire() -> None:
    request = httpx.Request("GET", "https://api.binance.com/api/v3/order", params={"a": "b c&d"})
    (sent,) = SignedReads(signer()).auth_flow(request)
    query = sent.url.query.decode()
    signed, _, signature = query.rpartition("&signature=")
    assert signed == f"a=b%20c%26d&recvWindow=5000&timestamp={AT_MS}"
    assert signature == hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert sent.headers["X-MBX-APIKEY"] == KEY


def test_the_offset_of_the_clocks_goes_into_the_timestamp() -> None:
    one = signer()
    one.offset_ms = -250
    assert f"timestamp={AT_MS - 250}&" in one.resigned("")


def test_a_subscription_is_signed_in_the_order_of_names() -> None:
    message = orjson.loads(signer().subscription(3))
    params = message["params"]
    signed = f"apiKey={KEY}&recvWindow=5000&timestamp={AT_MS}"
    expected = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert message["id"] == "3"
    assert message["method"] == "userDataStream.subscribe.signature"
    assert (params["timestamp"], params["signature"]) == (AT_MS, expected)


def test_neither_key_nor_secret_is_shown() -> None:
    shown = f"{signer()!r} {vars(signer())!r} {SignedReads(signer())!r}"
    assert KEY not in shown
    assert SECRET not in shown
