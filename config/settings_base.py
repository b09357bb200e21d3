"""What settings are made of: addresses, money, ratios, secrets, and the section itself."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from config.registry import suggestion
from config.values import read_money, read_ratio, read_tethers

LANGUAGES = ("ko", "en")
ORDER_MARKETS = ("spot", "futures", "both")

_BASE_URL = re.compile(
    r"https?://[A-Za-z0-9._-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:\d{1,5})?"
)


def _check_base(url: str) -> str:
    if _BASE_URL.fullmatch(url) is None:
        raise ValueError(f"'{url}' is not an address; write scheme://host:port without a path")
    return url


def _check_socket(url: str) -> str:
    base = re.sub(r"^ws(?=s?://)", "http", url)
    if base == url or _check_url(base) is None:
        raise ValueError(f"'{url}' is not an address; write ws://host:port or wss://host/path")
    return url.rstrip("/")


def _check_url(url: str) -> str:
    base = _BASE_URL.match(url)
    rest = url[base.end() :] if base else "?"
    if rest and re.fullmatch(r"/[^\s?#]*", rest) is None:
        raise ValueError(f"'{url}' is not an address; write scheme://host:port or .../path")
    return url.rstrip("/")


def _from_text(read: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _check_language(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"unknown language '{language}'{suggestion(language, LANGUAGES)}")
    return language


def _check_order_markets(markets: str) -> str:
    if markets not in ORDER_MARKETS:
        hint = suggestion(markets, ORDER_MARKETS)
        raise ValueError(f"unknown markets '{markets}'{hint}; write spot, futures or both")
    return markets


def _check_key(key: SecretStr) -> SecretStr:
    if re.fullmatch(r"[!-~]+", key.get_secret_value()) is None:
        raise ValueError("not a key; write it as it was given, without spaces and quotes")
    return key


def _check_kis_account(account: SecretStr) -> SecretStr:
    if re.fullmatch(r"\d{8}-?\d{2}", account.get_secret_value()) is None:
        raise ValueError("not an account; write its eight digits and its two, as 12345678-01")
    return account


def _check_totp(secret: SecretStr) -> SecretStr:
    if re.fullmatch(r"[A-Za-z2-7]{16,128}=*", secret.get_secret_value()) is None:
        raise ValueError("not a secret; write 16 or more letters and digits from 2 to 7 (Base32)")
    if len(secret.get_secret_value().rstrip("=")) % 8 in {1, 3, 6}:
        raise ValueError("not a whole secret; a letter or digit is missing or too much (Base32)")
    return secret


def _check_token(token: SecretStr) -> SecretStr:
    if re.fullmatch(r"[A-Za-z0-9:_-]+", token.get_secret_value()) is None:
        raise ValueError("not a token; it looks like 123456:ABC-def, without spaces and quotes")
    return token


BaseUrl = Annotated[str, AfterValidator(_check_base)]
"""scheme://host[:port], nothing after it."""
Url = Annotated[str, AfterValidator(_check_url)]
"""scheme://host[:port], a path is allowed; kept without a slash at its end."""
SocketUrl = Annotated[str, AfterValidator(_check_socket)]
"""ws(s)://host[:port], a path is allowed; kept without a slash at its end."""
Money = Annotated[Decimal, _from_text(read_money)]
Tethers = Annotated[Decimal, _from_text(read_tethers)]
Language = Annotated[
    str, AfterValidator(_check_language), Field(json_schema_extra={"enum": list(LANGUAGES)})
]
OrderMarkets = Annotated[
    str,
    AfterValidator(_check_order_markets),
    Field(json_schema_extra={"enum": list(ORDER_MARKETS)}),
]
"""Markets of Binance that orders may go to."""
Token = Annotated[SecretStr, AfterValidator(_check_token)]
Key = Annotated[SecretStr, AfterValidator(_check_key)]
"""A secret that some service gave its user."""
KisAccount = Annotated[SecretStr, AfterValidator(_check_kis_account)]
"""The eight digits of a KIS account and the two of its product; nobody else's business."""
TotpSecret = Annotated[SecretStr, AfterValidator(_check_totp)]
"""What an authenticator app makes its codes from, in Base32."""
Ratio = Annotated[Decimal, _from_text(read_ratio)]


class Section(BaseModel):
    """A part of the settings: no other keys than those it has, and none can be changed."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )
