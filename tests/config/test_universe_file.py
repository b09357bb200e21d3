"""Universe files: lists, markets, rankings, and who is in or out whatever those say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from config.load import PACKAGED
from config.schema_universe import universe_schema
from config.strict_yaml import load_yaml, parse_yaml
from config.universe_file import (
    RANKING_KEYS,
    UNIVERSE_KEYS,
    UniverseSpec,
    read_universe,
)
from market.errors import ConfigError
from market.types import Instrument, Kind, Venue

DOCUMENT = Path(__file__).parents[2] / "docs" / "universes.md"
SAMSUNG = Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI")
ECOPRO = Instrument(Venue.KRX, "086520", "에코프로", "KOSDAQ")
KODEX = Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF)
BITCOIN = Instrument(Venue.UPBIT, "KRW-BTC", "비트코인", "KRW", Kind.COIN)
KNOWN = {each.id: each for each in (SAMSUNG, ECOPRO, KODEX, BITCOIN)}
RANKED = """\
name: smart
ranking:
  of: KOSPI+KOSDAQ
  by: (facts.institutions_5 + facts.foreigners_5) / facts.listed_shares
  where: facts.market_cap > 100_000_000_000 KRW
  top: 480
"""


def spec(text: str) -> UniverseSpec:
    return read_universe(parse_yaml(text, "u.yaml"), KNOWN)


def known(text: str) -> tuple[str, ...]:
    return spec(text).known(KNOWN.values())


def test_a_list_keeps_its_order() -> None:
    assert known("name: u\ninstruments: [086520, KRX:005930, UPBIT:KRW-BTC]") == (
        ECOPRO.id,
        SAMSUNG.id,
        BITCOIN.id,
    )


def test_all_is_what_the_file_of_instruments_lists() -> None:
    everything = spec("name: u\ndescribe: mine\nmarket: all")
    assert everything.known(KNOWN.values()) == tuple(KNOWN)
    assert everything.segments == ()
    assert (everything.name, everything.describe) == ("u", "mine")


def test_a_market_is_told_by_its_list_and_known_in_part_before() -> None:
    kospi = spec("name: u\nmarket: KOSPI")
    assert kospi.segments == ("KOSPI",)
    assert kospi.known(KNOWN.values()) == (SAMSUNG.id, KODEX.id)
    assert known("name: u\nmarket: KRW") == (BITCOIN.id,)


def test_a_kind_narrows_a_market() -> None:
    assert known("name: u\nmarket: KOSPI\nkind: etf") == (KODEX.id,)
    assert known("name: u\nmarket: all\nkind: stock") == (SAMSUNG.id, ECOPRO.id)


def test_always_and_never_win() -> None:
    text = "name: u\nmarket: KOSPI\nalways: [086520, 999999]\nnever: [005930]"
    assert known(text) == (KODEX.id, ECOPRO.id, "KRX:999999")


def test_a_ranking_is_kept_as_it_was_written() -> None:
    found = spec(RANKED)
    assert found.ranking is not None
    assert found.ranking.segments == found.segments == ("KOSPI", "KOSDAQ")
    assert found.ranking.venue is Venue.KRX
    assert (found.ranking.top, found.ranking.is_least_first) == (480, False)
    assert found.ranking.by.text.startswith("(facts.institutions_5 +")
    assert found.ranking.where is not None
    problem = found.ranking.where.problem("here", 6)
    assert (problem.line, problem.column) == (5, 16)
    assert found.known(KNOWN.values()) == ()


def test_markets_of_a_ranking_may_be_a_list_and_the_order_turned() -> None:
    text = "name: u\nranking: {of: [USDT, USDT-M], by: day.change, top: 1_000, order: least}"
    found = spec(text).ranking
    assert found is not None
    assert found.segments == ("USDT", "USDT-M")
    assert (found.top, found.is_least_first) == (1000, True)


@pytest.mark.parametrize(
    "change",
    [
        ("top: 480", "top: 481"),
        ("KOSPI+KOSDAQ", "KOSPI"),
        ("institutions_5", "institutions_1"),
        ("100_000", "200_000"),
        ("name: smart", "name: smart\nkind: stock"),
        ("name: smart", "name: smart\nnever: [005930]"),
        ("top: 480", "top: 480\n  order: least"),
    ],
)
def test_another_meaning_is_another_version(change: tuple[str, str]) -> None:
    assert spec(RANKED.replace(*change)).version != spec(RANKED).version


def test_other_words_are_the_same_version() -> None:
    other = RANKED.replace("name: smart", "name: smart\ndescribe: other words  # and a comment")
    assert spec(other).version == spec(RANKED).version
    spaced = RANKED.replace("facts.foreigners_5)", "  facts.foreigners_5 )")
    assert replace(spec(spaced), name="x").version != ""


@pytest.mark.parametrize("of", ["", "+", "[]", "[[KOSPI]]", "KOSPI + KOSDAC", "KOSPI+KOSPI"])
def test_no_market_is_refused(of: str) -> None:
    with pytest.raises(ConfigError):
        spec(f"name: u\nranking: {{of: {of}, by: value, top: 3}}")


def test_a_mistake_in_a_row_of_markets_is_told_at_its_place() -> None:
    with pytest.raises(ConfigError, match=r"u.yaml:2:23: unknown market 'KOSDAC'; did you mean"):
        spec("name: u\nranking: {of: KOSPI + KOSDAC, by: value, top: 3}")


@pytest.mark.parametrize("path", sorted((PACKAGED / "universes").glob("*.yaml")), ids=str)
def test_every_shipped_universe_can_be_read(path: Path) -> None:
    found = read_universe(load_yaml(path), None)
    assert found.describe
    assert found.name == path.stem


def test_the_schema_knows_every_key() -> None:
    properties = universe_schema()["properties"]
    assert list(properties) == list(UNIVERSE_KEYS)
    assert list(properties["ranking"]["properties"]) == list(RANKING_KEYS)


def test_every_key_and_shipped_universe_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for key in (*UNIVERSE_KEYS, *RANKING_KEYS):
        assert f"| `{key}` |" in text, key
    for path in (PACKAGED / "universes").glob("*.yaml"):
        assert f"| `{path.stem}` |" in text, path.stem


def test_the_universes_in_the_document_can_be_read() -> None:
    blocks = re.findall(r"```yaml\n# universes/(\S+)\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)
    names = [read_universe(parse_yaml(text, file), None).name for file, text in blocks]
    assert names == [file.removesuffix(".yaml") for file, _ in blocks]
    assert len(names) == 3
