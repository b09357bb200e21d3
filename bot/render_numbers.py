"""Numbers, times and directions as people in Korea read them."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from market.currency import KRW
from market.sessions import KST

if TYPE_CHECKING:
    from datetime import datetime

UP, DOWN, FLAT = "🔺", "🔻", "▫️"
"""Red for up and blue for down is the Korean habit; these are the signs that keep it."""

MILLION, HUNDRED_MILLION = 1_000_000, 100_000_000
FEW = 100
DAY_MINUTES = 24 * 60
TIMES, MOST_TIMES = 10.0, 99_999
"""Ratios that read better as so many times, and those beyond which nobody counts any more."""


def grouped(number: Decimal | float, places: int = 0) -> str:
    """Return a number with thousands separators, rounded half up; unknown is a dash."""
    if isinstance(number, float) and not math.isfinite(number):
        return "–"
    unit = Decimal(1).scaleb(-places)
    exact = Decimal(str(number)).quantize(unit, rounding=ROUND_HALF_UP)
    return f"{exact + 0:,}"


def price(number: Decimal | float) -> str:
    """Return a price in won: whole from 1000 up, below with four places, or four digits."""
    if isinstance(number, float) and not math.isfinite(number):
        return "–"
    exact = Decimal(str(number))
    if exact == exact.to_integral_value() or abs(exact) >= 1000:
        return grouped(exact)
    return f"{_places(exact, max(4, 3 - exact.adjusted())).normalize():,f}"


def coin_price(number: Decimal | float) -> str:
    """Return a price in another currency: six digits, at least two places after the point."""
    if isinstance(number, float) and not math.isfinite(number):
        return "–"
    exact = Decimal(str(number))
    shown = _places(exact, max(2, 5 - exact.adjusted())).normalize()
    return f"{_places(shown, 2) if _decimals(shown) < 2 else shown:,f}"


def money(number: Decimal | float, currency: str, language: str) -> str:
    """Return an amount of a currency; unknown is a dash."""
    if currency == KRW:
        return won(number, language)
    shown = coin_price(number)
    return shown if shown == "–" else f"{shown} {currency}"


def amount(number: Decimal, currency: str, language: str) -> str:
    """Return an amount of money in whole won, or with two places in another currency."""
    if currency == KRW:
        return won(whole(number), language)
    return f"{grouped(number, 2)} {currency}"


def signed_amount(number: Decimal, currency: str, language: str) -> str:
    """Return a profit or loss with its sign, as `amount` shows it."""
    return f"{'+' if number > 0 else ''}{amount(number, currency, language)}"


def unit_of(currency: str, language: str) -> str:
    """Return what stands behind a number of a currency: `원`, ` KRW`, ` USDT`."""
    return "원" if currency == KRW and language == "ko" else f" {currency}"


def won(number: Decimal | float, language: str) -> str:
    """Return an amount of won; unknown is a dash."""
    if isinstance(number, float) and not math.isfinite(number):
        return "–"
    return f"{price(number)}원" if language == "ko" else f"{price(number)} KRW"


def turnover(number: float, currency: str, language: str) -> str:
    """Return money traded as people say it: from a hundred million on in 억 (or millions)."""
    if not abs(number) >= HUNDRED_MILLION:
        is_rough = currency != KRW and abs(number) >= MILLION
        return f"{grouped(number)} {currency}" if is_rough else money(number, currency, language)
    if language == "ko":
        unit = "원" if currency == KRW else f" {currency}"
        return f"{price(round(number / HUNDRED_MILLION, 1))}억{unit}"
    return f"{price(round(number / MILLION, 1))}M {currency}"


def quantity(number: Decimal, language: str, coin: str = "") -> str:
    """Return a number of shares, or of a coin by its sign."""
    shown = f"{number.normalize():,f}"
    if coin:
        return f"{shown} {coin}"
    if language == "ko":
        return f"{shown}주"
    return f"{shown} share" if number == 1 else f"{shown} shares"


def percent(ratio: Decimal | float, places: int = 2) -> str:
    """Return a ratio in per cent without a sign for gains."""
    if isinstance(ratio, float) and not math.isfinite(ratio):
        return "–"
    return f"{grouped(Decimal(str(ratio)) * 100, places)}%"


def short_percent(ratio: float, language: str) -> str:
    """Return a ratio in per cent, from a thousand per cent on as how many times it is."""
    if not abs(ratio) >= TIMES:
        return percent(ratio)
    if abs(ratio) > MOST_TIMES:
        shown = f"{'-' if ratio < 0 else ''}>{grouped(MOST_TIMES)}"
    else:
        shown = grouped(ratio, 0 if abs(ratio) >= 100 else 1)
    return f"{shown}배" if language == "ko" else f"{shown}x"


def short_count(number: float, language: str) -> str:
    """Return a count without unit, from a hundred million on in 억 (or millions).

    Small ones have places: coins are counted in parts.
    """
    if abs(number) < FEW:
        return price(number)
    if not abs(number) >= HUNDRED_MILLION:
        return grouped(number)
    if language == "ko":
        return f"{price(round(number / HUNDRED_MILLION, 1))}억"
    return f"{price(round(number / MILLION, 1))}M"


def change(ratio: Decimal | float) -> str:
    """Return a change with its direction: 🔺 up, 🔻 down."""
    exact = Decimal(str(ratio)) if not isinstance(ratio, float) or math.isfinite(ratio) else None
    if exact is None:
        return f"{FLAT} –"
    shown = Decimal(str(exact * 100)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    if shown == 0:
        return f"{FLAT} 0.00%"
    return f"{UP} +{shown:,}%" if shown > 0 else f"{DOWN} {shown:,}%"


def minutes(number: float, language: str) -> str:
    """Return a length of time in minutes, from a day on in days."""
    if abs(number) >= DAY_MINUTES:
        days = price(round(number / DAY_MINUTES, 1))
        return f"{days}일" if language == "ko" else f"{days} days"
    return f"{grouped(number)}분" if language == "ko" else f"{grouped(number)} min"


def of_day(number: float) -> str:
    """Return a time of day of its minutes since midnight."""
    hours, rest = divmod(round(number), 60)
    return f"{hours:02}:{rest:02}"


def clock(at: datetime) -> str:
    """Return hours, minutes and seconds in Korea."""
    return at.astimezone(KST).strftime("%H:%M:%S")


def minute(at: datetime) -> str:
    """Return month, day, hours and minutes in Korea."""
    return at.astimezone(KST).strftime("%m-%d %H:%M")


def span(seconds: float, language: str) -> str:
    """Return a length of time: 12s, 3m12s, 2h05m, or 12초, 3분 12초, 2시간 5분."""
    whole_seconds = max(0, int(seconds))
    hours, rest = divmod(whole_seconds, 3600)
    minutes, left = divmod(rest, 60)
    if language == "ko":
        parts = ((hours, "시간"), (minutes, "분"), (0 if hours else left, "초"))
        return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0초"
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{left:02}s" if minutes else f"{left}s"


def span_between(earlier: datetime, later: datetime, language: str) -> str:
    """Return the length of time from one moment to another, never negative."""
    return span(max(later - earlier, timedelta(0)).total_seconds(), language)


def whole(number: Decimal) -> Decimal:
    """Return an amount rounded half up to whole won."""
    return number.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def _places(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
