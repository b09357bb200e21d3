"""Settings of what no order passes, and of how orders are confirmed."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from config.settings_base import Money, Ratio, Section, TotpSecret


class RiskSettings(Section):
    """Bounds that no order passes."""

    max_order: Money = Field(
        default=Decimal(3_000_000), gt=0, description="Most money in one order (KRW)"
    )
    max_day: Money = Field(
        default=Decimal(20_000_000), gt=0, description="Most money in a day's purchases (KRW)"
    )
    max_position: Money = Field(
        default=Decimal(5_000_000), gt=0, description="Most money in one instrument (KRW)"
    )
    max_market: Money = Field(
        default=Decimal(10_000_000), gt=0, description="Most money in one market (KRW)"
    )
    max_total: Money = Field(
        default=Decimal(20_000_000), gt=0, description="Most money in all positions (KRW)"
    )
    max_daily_loss: Money = Field(
        default=Decimal(500_000), gt=0, description="A day's loss that ends its purchases (KRW)"
    )
    max_away: Ratio = Field(
        default=Decimal("0.1"),
        gt=0,
        le=1,
        description="Ratio by which a limit may be worse than the last price",
    )
    leveraged: bool = Field(default=False, description="Whether leveraged ETFs may be bought")
    shorts: bool = Field(
        default=False, description="Whether short positions may be opened (USDT-M futures)"
    )
    max_orders_per_minute: int = Field(
        default=10, ge=1, le=1000, description="Orders a minute at most"
    )
    duplicate_seconds: int = Field(
        default=10, ge=0, le=3600, description="Seconds in which a like order counts as a duplicate"
    )


class ConfirmSettings(Section):
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
    ask_exits: bool = Field(
        default=False, description="Whether the exits of `protect` wait for a tap, too"
    )


class AccessSettings(Section):
    """How the owner proves to be the owner before a live broker may buy."""

    totp_secret: TotpSecret | None = Field(
        default=None,
        description="Secret of an authenticator app for /arm; only from the environment or .env",
    )
    idle_hours: float = Field(
        default=8, gt=0, le=168, description="A live broker unused for so long is disarmed"
    )
