"""Signing requests to Upbit: a token for each, which also covers what is asked.

Claims and the form of the hash after docs.upbit.com, "Authentication" (2026-09): the query, or the
fields of a JSON body written like one, in the order sent and not percent-encoded.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import uuid4

import httpx
import jwt
import orjson

from market.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from config.settings import UpbitSettings

_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_HIDDEN = "***"


def new_nonce() -> str:
    """Return a word that was never used; Upbit refuses a token whose nonce it has seen."""
    return str(uuid4())


class UpbitAuth(httpx.Auth):
    """Signs every attempt of a request anew, as it is about to be sent; never shows a key.

    Raises ConfigError, which names the variables to set, where a key is missing.
    """

    requires_request_body = True

    def __init__(self, settings: UpbitSettings, nonce: Callable[[], str] = new_nonce) -> None:
        keys = {
            "TICKTALK_UPBIT_ACCESS_KEY": settings.access_key,
            "TICKTALK_UPBIT_SECRET_KEY": settings.secret_key,
        }
        missing = [
            Problem.about(
                name, "is not set; Upbit's Open API page gives both keys, put them in .env"
            )
            for name, key in keys.items()
            if key is None
        ]
        if settings.access_key is None or settings.secret_key is None:
            raise ConfigError(tuple(missing))
        self._access_key = settings.access_key
        self._secret_key = settings.secret_key
        self._nonce = nonce

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the token of exactly this request into its header."""
        request.headers["Authorization"] = self.bearer(signed_text(request))
        yield request

    def bearer(self, asked: str = "") -> str:
        """Return the header's value for a request that asks so; "" where it has no parameters."""
        claims = {"access_key": self._access_key.get_secret_value(), "nonce": self._nonce()}
        if asked:
            claims["query_hash"] = hashlib.sha512(asked.encode()).hexdigest()
            claims["query_hash_alg"] = "SHA512"
        secret = self._secret_key.get_secret_value()
        return f"Bearer {jwt.encode(claims, secret, algorithm='HS256')}"

    def hide(self, text: str) -> str:
        """Return a text of somebody else's without anything that is secret here."""
        for key in (self._access_key, self._secret_key):
            text = text.replace(key.get_secret_value(), _HIDDEN)
        return _TOKEN.sub(_HIDDEN, text)


def signed_text(request: httpx.Request) -> str:
    """Return what the hash of a request is made over."""
    if request.content:
        fields = orjson.loads(request.content)
        return "&".join(f"{name}={value}" for name, value in fields.items())
    return unquote(request.url.query.decode())
