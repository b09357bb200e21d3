"""Signing for Binance: the key, the secret, and the venue's time, which signatures carry.

HMAC-SHA256 over the parameters exactly as they are sent, percent-encoded (asked for since
2026-01-15; developers.binance.com, "Request Security", 2026-09).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import httpx
import orjson

from market.types import to_ms

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pydantic import SecretStr

    from market.clock import Clock

RECEIVE_WINDOW_MS = 5_000
"""A request that arrives later than so long after its timestamp is refused, for ever."""


class Signer:
    """Signs with one key; `offset_ms` is how far the venue's clock is ahead of ours."""

    def __init__(self, api_key: SecretStr, api_secret: SecretStr, wall_clock: Clock) -> None:
        self._key = api_key
        self._secret = api_secret
        self._clock = wall_clock
        self.offset_ms = 0

    @property
    def headers(self) -> dict[str, str]:
        """Return the header that names the key."""
        return {"X-MBX-APIKEY": self._key.get_secret_value()}

    def hide(self, text: str) -> str:
        """Return a text of somebody else's without anything that is secret here."""
        for key in (self._key, self._secret):
            text = text.replace(key.get_secret_value(), "***")
        return text

    def machine_ms(self) -> int:
        """Return our own time."""
        return to_ms(self._clock.now())

    def venue_ms(self) -> int:
        """Return the venue's time."""
        return self.machine_ms() + self.offset_ms

    def signed(self, params: Mapping[str, str], at_ms: int) -> str:
        """Return parameters as they are to be sent, with time and signature."""
        return self._with_signature(urlencode(params, quote_via=quote), at_ms)

    def resigned(self, query: str) -> str:
        """Return a query that is already encoded, with the time of now and its signature."""
        return self._with_signature(query, self.venue_ms())

    def subscription(self, number: int) -> str:
        """Return the message that subscribes to what becomes of spot orders.

        Here the parameters are signed in the order of their names.
        """
        params = {
            "apiKey": self._key.get_secret_value(),
            "recvWindow": str(RECEIVE_WINDOW_MS),
            "timestamp": str(self.venue_ms()),
        }
        signature = self._signature(urlencode(params, quote_via=quote))
        shown = {**params, "recvWindow": RECEIVE_WINDOW_MS, "timestamp": int(params["timestamp"])}
        message = {
            "id": str(number),
            "method": "userDataStream.subscribe.signature",
            "params": {**shown, "signature": signature},
        }
        return orjson.dumps(message).decode()

    def _with_signature(self, query: str, at_ms: int) -> str:
        timed = f"recvWindow={RECEIVE_WINDOW_MS}&timestamp={at_ms}"
        payload = f"{query}&{timed}" if query else timed
        return f"{payload}&signature={self._signature(payload)}"

    def _signature(self, payload: str) -> str:
        secret = self._secret.get_secret_value().encode()
        return hmac.new(secret, payload.encode(), hashlib.sha256).hexdigest()


class SignedReads(httpx.Auth):
    """Signs every attempt of a read anew, by the time at which it is made."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add time and signature to the query, and the key to the headers."""
        # httpx writes spaces as in forms
        query = request.url.query.decode("ascii").replace("+", "%20")
        query = self._signer.resigned(query)
        request.url = request.url.copy_with(query=query.encode("ascii"))
        request.headers.update(self._signer.headers)
        yield request
