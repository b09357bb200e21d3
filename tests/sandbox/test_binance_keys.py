"""Who may ask the pretend Binance: keys, signatures, the window of a timestamp, listen keys."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from market.types import to_ms
from sandbox.binance_keys import LISTEN_KEY_MS, BinanceKeys
from sandbox.binance_rules import Refusal

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
KEY, SECRET = "key", "secret"


def signed(params: str, secret: str = SECRET) -> str:
    made = hmac.new(secret.encode(), params.encode(), hashlib.sha256).hexdigest()
    return f"{params}&signature={made}"


@pytest.mark.parametrize(
    ("key", "params", "secret", "code"),
    [
        (None, "timestamp={now}", SECRET, -2014),
        ("other", "timestamp={now}", SECRET, -2015),
        (KEY, "symbol=BTCUSDT", SECRET, -1102),
        (KEY, "timestamp=soon", SECRET, -1102),
        (KEY, "timestamp={late}", SECRET, -1021),
        (KEY, "timestamp={early}", SECRET, -1021),
        (KEY, "recvWindow=60001&timestamp={now}", SECRET, -1131),
        (KEY, "timestamp={now}", "guessed", -1022),
    ],
)
def test_who_asks_wrongly_is_turned_away(
    key: str | None, params: str, secret: str, code: int
) -> None:
    now = to_ms(NOW)
    asked = params.format(now=now, late=now - 5001, early=now + 1001)
    with pytest.raises(Refusal) as caught:
        BinanceKeys(KEY, SECRET).verify(key, signed(asked, secret), NOW)
    assert caught.value.code == code


def test_what_is_signed_is_what_was_sent() -> None:
    keys, now = BinanceKeys(KEY, SECRET), to_ms(NOW)
    params = keys.verify(KEY, signed(f"a=b%20c&recvWindow=5000&timestamp={now - 5000}"), NOW)
    assert params["a"] == "b c"
    with pytest.raises(Refusal):
        keys.verify(KEY, signed(f"a=b%20c&timestamp={now}").replace("%20", "+"), NOW)


def test_a_listen_key_lives_for_an_hour_and_longer_if_it_is_kept() -> None:
    keys, hour = BinanceKeys(KEY, SECRET), timedelta(milliseconds=LISTEN_KEY_MS)
    first = keys.listen(NOW)
    assert keys.listen(NOW + hour / 2) == first
    keys.keep(NOW + hour)
    assert keys.is_listening(NOW + 2 * hour - timedelta(milliseconds=1))
    with pytest.raises(Refusal) as caught:
        keys.keep(NOW + 2 * hour)
    assert caught.value.code == -1125
    assert keys.listen(NOW + 2 * hour) != first
