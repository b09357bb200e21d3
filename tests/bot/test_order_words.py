"""Orders as people type them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.order_words import UnknownInstrument, read_order
from market.directory import Directory
from market.errors import UsageError
from market.types import Instrument, Kind, Venue

DIRECTORY = Directory(
    [
        Instrument(Venue.KRX, "005930", "삼성전자"),
        Instrument(Venue.KRX, "005935", "삼성전자우"),
        Instrument(Venue.KRX, "069500", "KODEX 200", kind=Kind.ETF),
        Instrument(Venue.KRX, "0126Z0", "삼성에피스홀딩스"),
        Instrument(Venue.UPBIT, "KRW-BTC", "비트코인", kind=Kind.COIN),
        Instrument(Venue.BINANCE, "BTCUSDT", "BTCUSDT", kind=Kind.COIN),
    ]
)


@pytest.mark.parametrize(
    ("line", "code", "quantity", "price"),
    [
        ("005930 10", "005930", "10", None),
        ("삼성전자 10", "005930", "10", None),
        ("삼성전자 10주 71,500", "005930", "10", "71500"),
        ("삼성전자 10주 71,500원", "005930", "10", "71500"),
        ("삼성전자 10 @71500", "005930", "10", "71500"),
        ("삼성전자 1,000 시장가", "005930", "1000", None),
        ("KODEX 200 10", "069500", "10", None),
        ("kodex 200 200 30,000", "069500", "200", "30000"),
        ("0126z0 3", "0126Z0", "3", None),
        ("００５９３０ １０", "005930", "10", None),
        ("  삼성 전자   7 ", "005930", "7", None),
        ("비트코인 0.01", "KRW-BTC", "0.01", None),
    ],
)
def test_typed_order_is_read(line: str, code: str, quantity: str, price: str | None) -> None:
    words = read_order(line, DIRECTORY)
    assert words.instrument.code == code
    assert words.quantity == Decimal(quantity)
    assert words.price == (None if price is None else Decimal(price))


@pytest.mark.parametrize(
    ("line", "amount"),
    [
        ("005930 500000원", 500_000),
        ("005930 500,000원", 500_000),
        ("005930 500000KRW", 500_000),
        ("삼성전자 ₩500,000원", 500_000),
        ("삼성전자 50만원", 500_000),
        ("삼성전자 50만 71,500", 500_000),
        ("KODEX 200 1.5만원", 15_000),
        ("BINANCE:BTCUSDT 100 USDT", 100),
    ],
)
def test_an_amount_is_money(line: str, amount: int) -> None:
    words = read_order(line, DIRECTORY)
    assert (words.quantity, words.amount, words.percent) == (None, Decimal(amount), None)
    assert words.is_sized
    assert words.price == (Decimal(71_500) if "71,500" in line else None)


@pytest.mark.parametrize(("word", "percent"), [("50%", "50"), ("12.5%", "12.5"), ("100％", "100")])
def test_a_part_is_per_cent(word: str, percent: str) -> None:
    words = read_order(f"005930 {word}", DIRECTORY)
    assert (words.quantity, words.percent) == (None, Decimal(percent))


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("0%", "usage.percent_range"),
        ("100.5%", "usage.percent_range"),
        ("-5%", "usage.percent_range"),
        ("0원", "usage.amount_unreadable"),
        ("-500원", "usage.amount_unreadable"),
        ("999999999999999만원", "usage.amount_unreadable"),
        ("50억", "usage.quantity_unreadable"),
    ],
)
def test_odd_amounts_are_refused(word: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_order(f"005930 {word}", DIRECTORY)
    assert caught.value.code == code


def test_amounts_go_with_the_suggestions() -> None:
    with pytest.raises(UnknownInstrument) as caught:
        read_order("삼성전지 50만원", DIRECTORY)
    assert caught.value.tail == "50만원"


@pytest.mark.parametrize("word", ["전부", "모두", "전량", "all", "ALL"])
def test_all_of_it(word: str) -> None:
    words = read_order(f"삼성전자 {word}", DIRECTORY)
    assert words.is_all
    assert words.quantity is None


def test_no_quantity_is_a_question() -> None:
    words = read_order("KODEX 200", DIRECTORY)
    assert (words.quantity, words.is_all) == (None, False)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "usage.no_instrument"),
        ("005930 0", "usage.quantity_not_positive"),
        ("005930 0주", "usage.quantity_not_positive"),
        ("005930 -1", "usage.quantity_not_positive"),
        ("005930 0.5", "usage.quantity_not_whole"),
        ("005930 1,0", "usage.quantity_unreadable"),
        ("005930 ten", "usage.quantity_unreadable"),
        ("005930 NaN", "usage.quantity_unreadable"),
        ("005930 Infinity", "usage.quantity_unreadable"),
        ("005930 10000000000", "usage.quantity_too_large"),
        ("005930 " + "9" * 200, "usage.quantity_unreadable"),
        ("005930 10 -3", "usage.price_not_positive"),
        ("005930 10 7만", "usage.price_unreadable"),
        ("005930 10 71500 3", "usage.too_many_words"),
    ],
)
def test_wrong_word_is_named(line: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_order(line, DIRECTORY)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("line", "tail"),
    [
        ("삼성 10", "10"),
        ("삼성 10주 71,500", "10주 71,500"),
        ("삼성 10 <b>", "10"),
        ("삼성", ""),
    ],
)
def test_unknown_name_suggests_and_keeps_the_rest(line: str, tail: str) -> None:
    with pytest.raises(UnknownInstrument) as caught:
        read_order(line, DIRECTORY)
    assert [one.code for one in caught.value.near][:2] == ["005930", "005935"]
    assert caught.value.tail == tail


def test_unknown_name_without_anything_near() -> None:
    with pytest.raises(UnknownInstrument) as caught:
        read_order("zzzzqqq 10", DIRECTORY)
    assert caught.value.near == ()
    assert caught.value.code == "instrument.unknown"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("BINANCE:BTCUSDT 50만원", "50만원"),
        ("BINANCE:BTCUSDT 1 90000원", "90000원"),
        ("005930 100 USDT", "100USDT"),
    ],
)
def test_other_money_than_the_instruments_is_not_exchanged(line: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_order(line, DIRECTORY)
    assert caught.value.code == "usage.other_money"
    assert caught.value.facts["word"] == word
