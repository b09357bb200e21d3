"""All settings with their defaults and meanings; the environment can override every one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from config.settings_base import LANGUAGES, BaseUrl, Language, Money, Ratio, Section, Tethers, Token
from config.settings_risk import AccessSettings, ConfirmSettings, RiskSettings
from config.settings_sources import (
    BinanceSettings,
    CrawlSettings,
    KisSettings,
    NaverSettings,
    RecordSettings,
    ReplaySettings,
    UpbitSettings,
)
from market.types import InstrumentId, Venue

__all__ = [
    "LANGUAGES",
    "AccessSettings",
    "BinanceSettings",
    "BrokerSettings",
    "ConfirmSettings",
    "CrawlSettings",
    "KisSettings",
    "NaverSettings",
    "RecordSettings",
    "ReplaySettings",
    "RiskSettings",
    "Settings",
    "StoreSettings",
    "TelegramSettings",
    "UpbitSettings",
    "describe_settings",
    "environment_name",
    "keys_of",
    "secret_values",
    "secrets",
]


class TelegramSettings(Section):
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


class StoreSettings(Section):
    """Where everything is kept."""

    path: str = Field(
        default="ticktalk.sqlite",
        min_length=1,
        description="Database file, from the working folder",
    )


class BrokerSettings(Section):
    """Who executes orders, and what paper trading pretends."""

    name: str = Field(default="paper", min_length=1, description="Name of the broker")
    krx: str = Field(default="", description="Another broker for KRX")
    upbit: str = Field(default="", description="Another broker for Upbit")
    binance: str = Field(default="", description="Another broker for Binance")
    cash: Money = Field(
        default=Decimal(10_000_000), ge=0, description="Cash that paper trading starts with (KRW)"
    )
    cash_usdt: Tethers = Field(
        default=Decimal(10_000), ge=0, description="Cash that paper trading starts with (USDT)"
    )
    fee: Ratio = Field(
        default=Decimal("0.00015"),
        ge=0,
        le=Decimal("0.1"),
        description="Fee at KRX as a ratio of what trades",
    )
    upbit_fee: Ratio = Field(
        default=Decimal("0.0005"),
        ge=0,
        le=Decimal("0.1"),
        description="Fee at Upbit as a ratio of what trades",
    )
    binance_fee: Ratio = Field(
        default=Decimal("0.001"),
        ge=0,
        le=Decimal("0.1"),
        description="Fee at Binance (spot) as a ratio of what trades",
    )
    binance_futures_fee: Ratio = Field(
        default=Decimal("0.0005"),
        ge=0,
        le=Decimal("0.1"),
        description="Fee at Binance (futures) as a ratio of what trades",
    )
    slippage_ticks: int = Field(
        default=0, ge=0, le=100, description="Ticks by which paper fills are worse than the quote"
    )
    volume_share: Ratio = Field(
        default=Decimal("0.1"),
        gt=0,
        le=1,
        description="Ratio of what trades that paper orders take at most",
    )
    latency_ms: int = Field(
        default=0,
        ge=0,
        le=60_000,
        description="Milliseconds until a paper order or cancel arrives",
    )

    def named_for(self, venue: str) -> str:
        """Return the broker named for a venue alone, "" where it is the one for all."""
        return str(getattr(self, venue.lower()))

    def fee_at(self, instrument: InstrumentId) -> Decimal:
        """Return the fee of what trades in an instrument, as a ratio: its venue's."""
        venue, _, code = instrument.partition(":")
        if venue == Venue.BINANCE:
            return self.binance_futures_fee if code.endswith(".P") else self.binance_fee
        return self.upbit_fee if venue == Venue.UPBIT else self.fee


class Settings(Section):
    """Everything that can be set, one section per part of the system."""

    telegram: TelegramSettings = TelegramSettings()
    naver: NaverSettings = NaverSettings()
    upbit: UpbitSettings = UpbitSettings()
    binance: BinanceSettings = BinanceSettings()
    kis: KisSettings = KisSettings()
    crawl: CrawlSettings = CrawlSettings()
    record: RecordSettings = RecordSettings()
    replay: ReplaySettings = ReplaySettings()
    store: StoreSettings = StoreSettings()
    broker: BrokerSettings = BrokerSettings()
    risk: RiskSettings = RiskSettings()
    confirm: ConfirmSettings = ConfirmSettings()
    access: AccessSettings = AccessSettings()


def keys_of(section: str) -> tuple[str, ...]:
    """Return the names of a section's settings in order."""
    return tuple(_section(section).model_fields)


def secrets() -> tuple[tuple[str, str], ...]:
    """Return section and key of every setting that is secret: none of them stands in a file."""
    return tuple(
        (section, key)
        for section in Settings.model_fields
        for key, field in _section(section).model_fields.items()
        if "SecretStr" in str(field.annotation)
    )


def secret_values(settings: Settings) -> list[str]:
    """Return the secrets that are set, so that no log shows them."""
    found = (getattr(getattr(settings, section), key) for section, key in secrets())
    values = [one.get_secret_value() for one in found if isinstance(one, SecretStr)]
    # an account is sent in two parts, and told without its dash
    account = "" if settings.kis.account is None else settings.kis.account.get_secret_value()
    parts = [account.replace("-", ""), account[:8]] if account else []
    return [*values, *(part for part in parts if part not in values)]


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
