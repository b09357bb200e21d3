"""Finding instruments by what people type."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from market.directory import Directory
from market.types import Instrument, Kind, Venue


def krx(code: str, name: str, kind: Kind = Kind.STOCK) -> Instrument:
    return Instrument(Venue.KRX, code, name, "KOSPI", kind)


SAMSUNG = krx("005930", "삼성전자")
SAMSUNG_SDI = krx("006400", "삼성SDI")
HYNIX = krx("000660", "SK하이닉스")
KODEX = krx("069500", "KODEX 200", Kind.ETF)
NEW_ETF = krx("0126Z0", "삼성에피스홀딩스")
XRP = Instrument(Venue.UPBIT, "KRW-XRP", "리플", "KRW", Kind.COIN)
ALL = (SAMSUNG, SAMSUNG_SDI, HYNIX, KODEX, NEW_ETF, XRP)
DIRECTORY = Directory(ALL)


@pytest.mark.parametrize(
    ("text", "instrument"),
    [
        ("005930", SAMSUNG),
        ("KRX:005930", SAMSUNG),
        ("krx:005930", SAMSUNG),
        ("삼성전자", SAMSUNG),
        (" 삼성 전자 ", SAMSUNG),
        ("sk하이닉스", HYNIX),
        ("삼성sdi", SAMSUNG_SDI),
        ("kodex200", KODEX),
        ("0126z0", NEW_ETF),
        ("krw-xrp", XRP),
        ("ＳＫ하이닉스", HYNIX),
        (normalize("NFD", "삼성전자"), SAMSUNG),
    ],
)
def test_find_by_code_id_or_name(text: str, instrument: Instrument) -> None:
    assert DIRECTORY.find(text) == instrument


@pytest.mark.parametrize("text", ["", "5930", "삼성", "삼성전자우"])
def test_find_is_none_for_what_is_not_exact(text: str) -> None:
    assert DIRECTORY.find(text) is None


def test_find_does_not_confuse_an_instrument_without_name_with_no_text() -> None:
    nameless = Directory([krx("005930", "")])
    assert nameless.find("") is None
    assert nameless.find("005930") is not None


def test_get_and_name_take_ids() -> None:
    assert DIRECTORY.get("KRX:000660") == HYNIX
    assert DIRECTORY.get("000660") is None
    assert DIRECTORY.name("KRX:000660") == "SK하이닉스"
    assert DIRECTORY.name("KRX:999999") == "999999"


def test_suggest_begins_then_contains_then_looks_alike() -> None:
    assert DIRECTORY.suggest("삼성") == [SAMSUNG, SAMSUNG_SDI, NEW_ETF]
    assert DIRECTORY.suggest("하이닉스") == [HYNIX]
    assert DIRECTORY.suggest("삼송전자") == [SAMSUNG]
    assert DIRECTORY.suggest("SK하이넥스") == [HYNIX]


def test_suggest_names_each_instrument_once_and_no_more_than_asked() -> None:
    assert DIRECTORY.suggest("0", limit=3) == [SAMSUNG, SAMSUNG_SDI, HYNIX]


@pytest.mark.parametrize("text", ["", "  ", "qqqqqq"])
def test_suggest_is_empty_for_nothing_alike(text: str) -> None:
    assert DIRECTORY.suggest(text) == []


def test_iteration_is_in_the_order_added() -> None:
    assert tuple(DIRECTORY) == ALL


def test_add_replaces_an_instrument_and_forgets_its_old_name() -> None:
    directory = Directory(ALL)
    renamed = krx("000660", "하이닉스")
    directory.add(renamed)
    assert directory.find("하이닉스") == directory.find("000660") == renamed
    assert directory.find("SK하이닉스") is None
    assert len(list(directory)) == len(ALL)


def test_add_leaves_a_shared_name_to_the_first() -> None:
    directory = Directory([SAMSUNG, Instrument(Venue.UPBIT, "KRW-SAM", "삼성전자", "KRW")])
    assert directory.find("삼성전자") == SAMSUNG
