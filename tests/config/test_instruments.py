"""instruments.yaml and universes."""

from __future__ import annotations

from config.instruments import read_id, read_instruments, read_universe
from config.load import PACKAGED
from config.strict_yaml import load_yaml, parse_yaml
from market.types import Instrument, Kind, Venue

SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
ECOPRO = Instrument(Venue.KRX, "086520", "에코프로", "KOSDAQ")
KODEX = Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF)
KNOWN = {each.id: each for each in (SAMSUNG, ECOPRO, KODEX)}


def universe(text: str) -> tuple[str, ...]:
    return read_universe(parse_yaml(text, "u.yaml"), KNOWN).members


def test_instruments_are_read_in_order() -> None:
    text = """\
- {code: 005930, name: 삼성전자, market: KOSPI}
- {code: 086520, name: 에코프로, market: KOSDAQ, kind: stock}
- {code: 069500, name: KODEX 200, market: KOSPI, kind: etf}
"""
    assert read_instruments(parse_yaml(text, "i.yaml")) == KNOWN


def test_packaged_instruments_are_48_with_distinct_names() -> None:
    found = read_instruments(load_yaml(PACKAGED / "instruments.yaml"))
    assert len(found) == 48
    assert len({each.name for each in found.values()}) == 48
    assert found["KRX:005930"] == SAMSUNG
    assert found["KRX:086520"] == ECOPRO
    assert found["KRX:069500"] == KODEX


def test_universe_lists_instruments_in_order() -> None:
    assert universe("name: u\ninstruments: [086520, KRX:005930]") == ("KRX:086520", "KRX:005930")


def test_universe_can_be_a_market() -> None:
    assert universe("name: u\nmarket: KOSDAQ") == (ECOPRO.id,)
    assert universe("name: u\nmarket: all") == (SAMSUNG.id, ECOPRO.id, KODEX.id)


def test_universe_has_a_description() -> None:
    found = read_universe(parse_yaml("name: u\ndescribe: mine\nmarket: all", "u.yaml"), KNOWN)
    assert (found.name, found.describe) == ("u", "mine")


def test_code_may_contain_letters() -> None:
    assert read_id("0001A0") == "KRX:0001A0"
