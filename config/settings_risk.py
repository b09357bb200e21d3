"""Settings of what no order passes, and of how orders are confirmed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal

from pydantic import Field

from config.settings_base import Money, Ratio, Section, Tethers, TotpSecret
from market.currency import COUNTED, KRW


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
    max_order_usdt: Tethers = Field(
        default=Decimal(2_000), gt=0, description="Most money in one order (USDT)"
    )
    max_day_usdt: Tethers = Field(
        default=Decimal(15_000), gt=0, description="Most money in a day's purchases (USDT)"
    )
    max_position_usdt: Tethers = Field(
        default=Decimal(4_000), gt=0, description="Most money in one instrument (USDT)"
    )
    max_market_usdt: Tethers = Field(
        default=Decimal(8_000), gt=0, description="Most money in one market (USDT)"
    )
    max_total_usdt: Tethers = Field(
        default=Decimal(15_000), gt=0, description="Most money in all positions (USDT)"
    )
    max_daily_loss_usdt: Tethers = Field(
        default=Decimal(400), gt=0, description="A day's loss that ends its purchases (USDT)"
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

    def bounds(self, currency: str) -> Bounds:
        """Return the bounds in a currency; LookupError where there are none."""
        if currency not in COUNTED:
            raise LookupError(f"no bounds are set in {currency}")
        end = "" if currency == KRW else f"_{currency.lower()}"
        return Bounds(*(getattr(self, f"{one.name}{end}") for one in fields(Bounds)))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds on money in one currency; nothing is ever exchanged into another."""

    max_order: Decimal
    max_day: Decimal
    max_position: Decimal
    max_market: Decimal
    max_total: Decimal
    max_daily_loss: Decimal


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
