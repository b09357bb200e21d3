"""What users write for times, money and ratios; every refusal is a ValueError fit for a person."""

from __future__ import annotations

import re
from datetime import time, timedelta
from decimal import Decimal, InvalidOperation

from config.registry import suggestion
from market.currency import KRW, USDT
from market.types import Timeframe

_DURATION = re.compile(r"(\d+)\s*([a-z]+)", re.ASCII)
_SECONDS = {
    **dict.fromkeys(("s", "second", "seconds"), 1),
    **dict.fromkeys(("m", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
}
_LONGEST_SECONDS = 366 * 86_400
_NUMBER = re.compile(r"[+-]?\d+(_\d+)*(\.\d+)?|[+-]?\.\d+", re.ASCII)
_CLOCK = r"(\d{1,2}):(\d{2})"
_BETWEEN = re.compile(rf"{_CLOCK}\s*-\s*{_CLOCK}", re.ASCII)
_NAME = re.compile(r"[^\W_][\w-]{0,39}")
_COUNT = re.compile(r"(\d+)\s*([a-z]*)", re.ASCII)


def read_duration(text: str) -> timedelta:
    """Return a length of time written like `90s`, `30 minutes` or `2 hours`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or found[2] not in _SECONDS:
        raise ValueError(f"'{text}' is not a length of time; write 90s, 30 minutes or 2 hours")
    seconds = _whole(found[1], text) * _SECONDS[found[2]]
    if seconds > _LONGEST_SECONDS:
        raise ValueError(f"'{text}' is longer than a year")
    return timedelta(seconds=seconds)


def read_within(text: str) -> timedelta:
    """Return how long a card may be confirmed: from 1 second to 1 hour."""
    within = read_duration(text)
    if not timedelta(seconds=1) <= within <= timedelta(hours=1):
        raise ValueError(f"'{text}': a card can wait from 1 second to 1 hour")
    return within


def read_number(text: str) -> Decimal:
    """Return a plain decimal number; digits may be grouped by `_`."""
    written = text.strip()
    try:
        if _NUMBER.fullmatch(written) is not None:
            return Decimal(written.replace("_", ""))
    except InvalidOperation as error:
        raise ValueError(f"'{text}' is not a number") from error
    raise ValueError(f"'{text}' is not a number; write 0.003 or 10_000_000")


def read_ratio(text: str) -> Decimal:
    """Return a ratio written as `0.3%` or `0.003`."""
    written = text.strip()
    if written.endswith("%"):
        return read_number(written[:-1]) / 100
    return read_number(written)


def read_drift(text: str) -> Decimal:
    """Return how far (ratio) a price may move: from 0 to 100 %."""
    drift = read_ratio(text)
    if not 0 <= drift <= 1:
        raise ValueError(f"'{text}' must lie between 0% and 100%")
    return drift


def read_money(text: str) -> Decimal:
    """Return an amount written as `10_000_000` or `10_000_000 KRW`."""
    written = text.strip()
    if written.endswith(("USDT", "USD")):
        raise ValueError(f"'{text}' must be in KRW")
    return read_number(written.removesuffix("KRW"))


def read_tethers(text: str) -> Decimal:
    """Return an amount written as `2_000` or `2_000 USDT`."""
    written = text.strip()
    if written.endswith("KRW"):
        raise ValueError(f"'{text}' must be in USDT")
    return read_number(written.removesuffix("USDT"))


def read_auto(text: str) -> tuple[Decimal, str]:
    """Return the bound of `below 300_000 KRW` or `below 300 USDT`, and its currency.

    Orders worth less are confirmed without a tap.
    """
    word, _, amount = text.strip().partition(" ")
    if word != "below" or not amount.strip():
        raise ValueError(f"'{text}' is not a bound; write below 300_000 KRW, or below 300 USDT")
    currency = USDT if amount.strip().endswith(USDT) else KRW
    bound = read_tethers(amount) if currency == USDT else read_money(amount)
    if bound <= 0:
        raise ValueError(f"'{text}': the bound must be more than 0 {currency}")
    return bound, currency


def read_between(text: str) -> tuple[time, time]:
    """Return the start and end of a time of day written like `09:10-15:15`."""
    found = _BETWEEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is not a time of day; write 09:10-15:15")
    try:
        start, end = (time(int(found[at]), int(found[at + 1])) for at in (1, 3))
    except ValueError as error:
        raise ValueError(f"'{text}': hours go from 00 to 23, minutes from 00 to 59") from error
    if start >= end:
        raise ValueError(f"'{text}': the end must be after the start")
    return start, end


def read_bars(text: str) -> int:
    """Return a count of bars written like `2 bars`; at least 1."""
    found = _COUNT.fullmatch(text.strip())
    if found is None or found[2] not in {"bar", "bars"}:
        raise ValueError(f"'{text}' is not a count of bars; write 2 bars")
    bars = _whole(found[1], text)
    if not 1 <= bars <= 400:
        raise ValueError(f"'{text}': from 1 to 400 bars can be asked for")
    return bars


def read_limit(text: str) -> int:
    """Return a daily limit written like `20 per day`; at least 1."""
    found = re.fullmatch(r"(\d+)\s+per\s+day", text.strip(), re.ASCII)
    if found is None:
        raise ValueError(f"'{text}' is not a limit; write 20 per day")
    limit = _whole(found[1], text)
    if not 1 <= limit <= 10_000:
        raise ValueError(f"'{text}': from 1 to 10000 a day can be asked for")
    return limit


def read_truth(text: str) -> bool:
    """Return true or false; only these two words."""
    if text not in {"true", "false"}:
        raise ValueError(f"'{text}' must be true or false")
    return text == "true"


def read_timeframe(text: str) -> Timeframe:
    """Return the length of a bar, one of the known ones."""
    if text not in set(Timeframe):
        raise ValueError(f"unknown timeframe '{text}'{suggestion(text, Timeframe)}")
    return Timeframe(text)


def read_name(text: str) -> str:
    """Return a name: up to 40 letters, digits, `-` and `_`, begun by a letter or digit."""
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"'{text}' is not a name; use letters, digits, '-' and '_', at most 40")
    return text


def _whole(digits: str, text: str) -> int:
    if len(digits) > 9:
        raise ValueError(f"'{text}' is far too large")
    return int(digits)
