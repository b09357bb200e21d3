"""How the pretend Binance knows who asks: keys, signatures, times, listen keys."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

from market.types import to_ms
from sandbox.binance_rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LONGEST_WINDOW_MS = 60_000
AHEAD_MS = 1_000
LISTEN_KEY_MS = 60 * 60_000


class BinanceKeys:
    """One account's key and secret, and its listen key."""

    def __init__(self, api_key: str, api_secret: str) -> None:
        self._key = api_key
        self._secret = api_secret
        self._listen_until_ms = -1
        self._listen_count = 0
        self.is_revoked = False

    def verify(self, key: str | None, payload: str, now: datetime) -> dict[str, str]:
        """Return the parameters of a signed request; raises Refusal.

        What is signed is what was sent, character by character: query, then body.
        """
        self.know(key)
        signed, _, signature = payload.rpartition("&signature=")
        params = dict(parse_qsl(signed, keep_blank_values=True))
        self._check_time(params, now)
        if not hmac.compare_digest(self._sign(signed), signature):
            raise Refusal(-1022, "Signature for this request is not valid.")
        return params

    def verify_message(self, params: Mapping[str, object], now: datetime) -> None:
        """Check a request of the websocket API, signed in the order of its parameters' names."""
        texts = {name: str(value) for name, value in sorted(params.items())}
        signature = texts.pop("signature", "")
        self.know(texts.get("apiKey"))
        self._check_time(texts, now)
        if not hmac.compare_digest(self._sign(urlencode(texts, quote_via=quote)), signature):
            raise Refusal(-1022, "Signature for this request is not valid.")

    def know(self, key: str | None) -> None:
        """Check a key; raises Refusal (401)."""
        if not key:
            raise Refusal(-2014, "API-key format invalid.", 401)
        if key != self._key or self.is_revoked:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def listen(self, now: datetime) -> str:
        """Return the listen key: the one that is alive, for another hour, or a new one."""
        if not self.is_listening(now):
            self._listen_count += 1
        self._listen_until_ms = to_ms(now) + LISTEN_KEY_MS
        return self.listen_key

    def keep(self, now: datetime) -> None:
        """Let the listen key live for another hour; raises Refusal where there is none."""
        if not self.is_listening(now):
            raise Refusal(-1125, "This listenKey does not exist.")
        self._listen_until_ms = to_ms(now) + LISTEN_KEY_MS

    def expire(self) -> None:
        """Let the listen key end at once."""
        self._listen_until_ms = -1

    def is_listening(self, now: datetime) -> bool:
        """Tell whether the listen key is alive."""
        return to_ms(now) < self._listen_until_ms

    @property
    def listen_key(self) -> str:
        """Return the newest listen key, alive or not."""
        return self._sign(f"listen {self._listen_count}")

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    def _check_time(self, params: Mapping[str, str], now: datetime) -> None:
        sent, window = params.get("timestamp", ""), params.get("recvWindow", "5000")
        if not sent.isdigit():
            text = "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."
            raise Refusal(-1102, text)
        if not window.isdigit() or int(window) > LONGEST_WINDOW_MS:
            raise Refusal(-1131, "recvWindow must be less than 60000.")
        age = to_ms(now) - int(sent)
        if age < -AHEAD_MS:
            text = f"Timestamp for this request was {AHEAD_MS}ms ahead of the server's time."
            raise Refusal(-1021, text)
        if age > int(window):
            raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")
