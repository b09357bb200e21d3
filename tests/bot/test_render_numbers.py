"""Numbers, times and directions in words."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from bot import render_numbers as numbers


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.won(Decimal(71500), "ko"), "71,500원"),
        (numbers.won(0.1234567, "en"), "0.1235 KRW"),
        (numbers.won(math.nan, "ko"), "–"),
        (numbers.price(Decimal("1234.5")), "1,235"),
        (numbers.won(0.00123456, "ko"), "0.001235원"),
        (numbers.money(95_123_000.0, "KRW", "ko"), "95,123,000원"),
        (numbers.money(95_123.4, "USDT", "ko"), "95,123.40 USDT"),
        (numbers.money(2.1, "USDT", "en"), "2.10 USDT"),
        (numbers.money(0.53214567, "USDT", "en"), "0.532146 USDT"),
        (numbers.money(0.00001234, "BTC", "en"), "0.00001234 BTC"),
        (numbers.money(0.0, "USDT", "en"), "0.00 USDT"),
        (numbers.money(math.nan, "USDT", "en"), "–"),
        (numbers.turnover(1_234_567.8, "USDT", "ko"), "1,234,568 USDT"),
        (numbers.turnover(12_345.678, "USDT", "ko"), "12,345.68 USDT"),
        (numbers.turnover(1.23e9, "USDT", "ko"), "12.3억 USDT"),
        (numbers.turnover(1.23e9, "USDT", "en"), "1,230M USDT"),
        (numbers.short_count(0.01234567, "ko"), "0.01235"),
        (numbers.quantity(Decimal("0.00105"), "ko", "BTC"), "0.00105 BTC"),
        (numbers.signed_amount(Decimal("45000.4"), "KRW", "ko"), "+45,000원"),
        (numbers.signed_amount(Decimal(-5), "KRW", "ko"), "-5원"),
        (numbers.signed_amount(Decimal("12.345"), "USDT", "en"), "+12.35 USDT"),
        (numbers.amount(Decimal(1200), "USDT", "ko"), "1,200.00 USDT"),
        (numbers.quantity(Decimal("10.00"), "ko"), "10주"),
        (numbers.quantity(Decimal(1000), "en"), "1,000 shares"),
        (numbers.quantity(Decimal(1), "en"), "1 share"),
        (numbers.percent(0.0341), "3.41%"),
        (numbers.percent(Decimal("-0.00001")), "0.00%"),
        (numbers.short_percent(9.9999, "en"), "999.99%"),
        (numbers.short_percent(10.0, "ko"), "10.0배"),
        (numbers.short_percent(-10.0, "en"), "-10.0x"),
        (numbers.short_percent(123.4, "en"), "123x"),
        (numbers.short_percent(1e9, "ko"), ">99,999배"),
        (numbers.short_percent(-1e9, "en"), "->99,999x"),
        (numbers.short_percent(math.nan, "en"), "–"),
        (numbers.short_count(99_999_999.0, "en"), "99,999,999"),
        (numbers.short_count(123_456_789.0, "ko"), "1.2억"),
        (numbers.short_count(123_456_789_000.0, "en"), "123,457M"),
        (numbers.change(0.0214), "🔺 +2.14%"),
        (numbers.change(-0.0214), "🔻 -2.14%"),
        (numbers.change(0.00001), "▫️ 0.00%"),
        (numbers.change(math.nan), "▫️ –"),
        (numbers.span(12, "en"), "12s"),
        (numbers.span(192, "en"), "3m12s"),
        (numbers.span(7500, "en"), "2h05m"),
        (numbers.span(-3, "ko"), "0초"),
        (numbers.span(192, "ko"), "3분 12초"),
        (numbers.span(7205, "ko"), "2시간"),
        (numbers.minutes(35.0, "en"), "35 min"),
        (numbers.minutes(390.0, "ko"), "390분"),
        (numbers.of_day(570.0), "09:30"),
        (numbers.of_day(0.0), "00:00"),
        (numbers.grouped(math.inf), "–"),
    ],
)
def test_numbers_read_as_people_expect(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(
    ("number", "korean", "english"),
    [
        (99_999_999.0, "99,999,999원", "99,999,999 KRW"),
        (100_000_000.0, "1억원", "100M KRW"),
        (74_490_676_700.0, "744.9억원", "74,491M KRW"),
        (float("nan"), "–", "–"),
    ],
)
def test_turnover_is_told_as_people_say_it(number: float, korean: str, english: str) -> None:
    assert numbers.turnover(number, "KRW", "ko") == korean
    assert numbers.turnover(number, "KRW", "en") == english
