"""All settings with their defaults and meanings; the environment can override every one."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from config.registry import suggestion
from config.values import read_money, read_ratio

LANGUAGES = ("ko", "en")

_BASE_URL = re.compile(
    r"https?://[A-Za-z0-9._-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:\d{1,5})?"
)


def _check_base(url: str) -> str:
    if _BASE_URL.fullmatch(url) is None:
        raise ValueError(f"'{url}' is not an address; write scheme://host:port without a path")
    return url


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


def _check_token(token: SecretStr) -> SecretStr:
    if re.fullmatch(r"[A-Za-z0-9:_-]+", token.get_secret_value()) is None:
        raise ValueError("not a token; it looks like 123456:ABC-def, without spaces and quotes")
    return token


BaseUrl = Annotated[str, AfterValidator(_check_base)]
"""scheme://host[:port], nothing after it."""
Url = Annotated[str, AfterValidator(_check_url)]
"""scheme://host[:port], a path is allowed; kept without a slash at its end."""
Money = Annotated[Decimal, _from_text(read_money)]
Language = Annotated[
    str, AfterValidator(_check_language), Field(json_schema_extra={"enum": list(LANGUAGES)})
]
Token = Annotated[SecretStr, AfterValidator(_check_token)]
Ratio = Annotated[Decimal, _from_text(read_ratio)]


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


class TelegramSettings(_Section):
    """How to speak to Telegram."""

    base_url: BaseUrl = Field(
        default="https://api.telegram.org",
        description="Bot API server as scheme://host:port; /bot and /file/bot are appended",
    )
    token: Token | None = Field(
        default=None,
        description="The bot's token from @BotFather; only from the environment or .env",
    )
    channel: int | None = Field(
        default=None, description="Chat id of a channel that gets every alert"
    )
    language: Language = Field(
        default="ko",
        description="Language of channels and of people without one",
    )
    messages_per_second: int = Field(
        default=30, ge=1, le=1000, description="Messages a second in all"
    )
    seconds_per_chat: float = Field(
        default=1.0, ge=0, le=60, description="Seconds between two messages to one chat"
    )
    messages_per_group_minute: int = Field(
        default=20, ge=1, le=1000, description="Messages a minute to one group or channel"
    )
    poll_timeout_seconds: int = Field(
        default=50, ge=0, le=50, description="Seconds one long poll waits for news"
    )


class NaverSettings(_Section):
    """How to ask Naver for prices."""

    polling_url: Url = Field(
        default="https://polling.finance.naver.com", description="Server of the batch price polling"
    )
    chart_url: Url = Field(
        default="https://api.stock.naver.com", description="Server of the minute charts"
    )
    codes_per_request: int = Field(
        default=100, ge=1, le=500, description="Codes in one polling request"
    )
    requests_per_second: float = Field(
        default=3, gt=0, le=1000, description="Requests a second at most"
    )
    timeout_seconds: float = Field(
        default=5, gt=0, le=60, description="Seconds to wait for an answer"
    )


class CrawlSettings(_Section):
    """When and from where prices are crawled."""

    source: str = Field(default="naver", min_length=1, description="Name of the market source")
    every_seconds: int = Field(default=10, ge=1, le=60, description="Seconds between two sweeps")
    offset_seconds: int = Field(
        default=2,
        ge=0,
        le=30,
        description="Seconds after a full minute at which its closing sweep runs",
    )
    history_bars: int = Field(
        default=400, ge=1, le=400, description="Bars back-filled at the start"
    )


class StoreSettings(_Section):
    """Where everything is kept."""

    path: str = Field(
        default="ticktalk.sqlite",
        min_length=1,
        description="Database file, from the working folder",
    )


class BrokerSettings(_Section):
    """Who executes orders, and what paper trading pretends."""

    name: str = Field(default="paper", min_length=1, description="Name of the broker")
    cash: Money = Field(
        default=Decimal(10_000_000), ge=0, description="Cash that paper trading starts with (KRW)"
    )
    fee: Ratio = Field(
        default=Decimal("0.00015"),
        ge=0,
        le=Decimal("0.1"),
        description="Fee as a ratio of what trades",
    )
    slippage_ticks: int = Field(
        default=0, ge=0, le=100, description="Ticks by which paper fills are worse than the quote"
    )


class RiskSettings(_Section):
    """Bounds that no order passes."""

    max_order: Money = Field(
        default=Decimal(3_000_000), gt=0, description="Most money in one order (KRW)"
    )
    max_position: Money = Field(
        default=Decimal(5_000_000), gt=0, description="Most money in one instrument (KRW)"
    )
    max_orders_per_minute: int = Field(
        default=10, ge=1, le=1000, description="Orders a minute at most"
    )
    duplicate_seconds: int = Field(
        default=10, ge=0, le=3600, description="Seconds in which a like order counts as a duplicate"
    )


class ConfirmSettings(_Section):
    """How long an order card may be confirmed."""

    within_seconds: int = Field(
        default=90, ge=1, le=3600, description="Seconds until a card lapses"
    )
    max_drift: Ratio = Field(
        default=Decimal("0.003"),
        ge=0,
        le=1,
        description="Ratio the price may move before asking again",
    )
    quote_age_seconds: float = Field(
        default=3, gt=0, le=60, description="Seconds that a quote may be old at confirmation"
    )


class Settings(_Section):
    """Everything that can be set, one section per part of the system."""

    telegram: TelegramSettings = TelegramSettings()
    naver: NaverSettings = NaverSettings()
    crawl: CrawlSettings = CrawlSettings()
    store: StoreSettings = StoreSettings()
    broker: BrokerSettings = BrokerSettings()
    risk: RiskSettings = RiskSettings()
    confirm: ConfirmSettings = ConfirmSettings()


def keys_of(section: str) -> tuple[str, ...]:
    """Return the names of a section's settings in order."""
    return tuple(_section(section).model_fields)


def environment_name(section: str, key: str) -> str:
    """Return the environment variable that overrides a setting."""
    return f"TICKTALK_{section}_{key}".upper()


def describe_settings() -> list[tuple[str, str, str, str]]:
    """Return (section.key, environment variable, default, meaning) of every setting, in order."""
    return [
        (f"{section}.{key}", environment_name(section, key), _shown(field.default), _meaning(field))
        for section in Settings.model_fields
        for key, field in _section(section).model_fields.items()
    ]


def _section(name: str) -> type[BaseModel]:
    kind = Settings.model_fields[name].annotation
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        raise TypeError(f"section {name} is not a model")
    return kind


def _shown(default: object) -> str:
    return "" if default is None else str(default)


def _meaning(field: Any) -> str:
    return field.description or ""
