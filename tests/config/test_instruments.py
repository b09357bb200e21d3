"""instruments.yaml, and the ids by which files name what stands in it."""

from __future__ import annotations

import pytest

from config.instruments import read_id, read_instruments
from config.load import PACKAGED
from config.strict_yaml import load_yaml, parse_yaml
from market.types import Instrument, Kind, Venue

SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
ECOPRO = Instrument(Venue.KRX, "086520", "에코프로", "KOSDAQ")
KODEX = Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF)
KNOWN = {each.id: each for each in (SAMSUNG, ECOPRO, KODEX)}


def test_instruments_are_read_in_order() -> None:
    text = """\
- {code: 005930, name: 삼성전자, market: KOSPI}
- {code: 086520, name: 에코프로, market: KOSDAQ, kind: stock}
- {code: 069500, name: KODEX 200, market: KOSPI, kind: etf}
"""
    assert read_instruments(parse_yaml(text, "i.yaml")) == KNOWN


def test_coins_are_read_with_the_market_they_trade_in() -> None:
    text = """\
- {code: KRW-BTC, name: 비트코인, market: UPBIT}
- {code: BTC-ETH, name: Ethereum in bitcoin, market: UPBIT, kind: coin}
- {code: BTCUSDT, name: Bitcoin, market: BINANCE}
- {code: BTCUSDT.P, name: Bitcoin perpetual, market: BINANCE-FUTURES}
"""
    found = read_instruments(parse_yaml(text, "i.yaml"))
    assert list(found) == [
        "UPBIT:KRW-BTC",
        "UPBIT:BTC-ETH",
        "BINANCE:BTCUSDT",
        "BINANCE:BTCUSDT.P",
    ]
    assert [one.segment for one in found.values()] == ["KRW", "BTC", "USDT", "USDT-M"]
    assert {one.kind for one in found.values()} == {Kind.COIN}


def test_packaged_instruments_are_48_with_distinct_names() -> None:
    found = read_instruments(load_yaml(PACKAGED / "instruments.yaml"))
    assert len(found) == 48
    assert len({each.name for each in found.values()}) == 48
    assert found["KRX:005930"] == SAMSUNG
    assert found["KRX:086520"] == ECOPRO
    assert found["KRX:069500"] == KODEX


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0001A0", "KRX:0001A0"),
        ("KRX:005930", "KRX:005930"),
        ("UPBIT:KRW-BTC", "UPBIT:KRW-BTC"),
        ("BINANCE:BTCUSDT", "BINANCE:BTCUSDT"),
        ("BINANCE:1000SHIBUSDT.P", "BINANCE:1000SHIBUSDT.P"),
    ],
)
def test_an_id_names_its_venue_unless_it_is_krx(text: str, expected: str) -> None:
    assert read_id(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5930", "'5930' is not a code of 6 digits or capital letters; did you mean '005930'?"),
        ("KRW-BTC", "'KRW-BTC' needs its venue; did you mean 'UPBIT:KRW-BTC'?"),
        ("BTCUSDT", "'BTCUSDT' needs its venue; did you mean 'BINANCE:BTCUSDT'?"),
        ("krw-btc", "is not a code of Upbit, which are written KRW-BTC; did you mean 'KRW-BTC'?"),
        ("UPBIT:BTC", "'BTC' is not a code of Upbit, which are written KRW-BTC"),
        ("BINANCE:btcusdt", "futures; did you mean 'BTCUSDT'?"),
        ("UPBTI:KRW-BTC", "unknown venue 'UPBTI'; did you mean 'UPBIT'?"),
    ],
)
def test_what_is_no_id_is_refused_with_what_may_be_meant(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the message is looked at below
        read_id(text)
    assert message in str(caught.value)
