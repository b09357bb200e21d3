"""Rankings: the language of conditions over one day of facts and listing words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from conditions.ranking import RankingRule, compile_universe, day_panel
from config.strict_yaml import parse_yaml
from config.universe_file import read_universe
from market.errors import ConfigError
from market.fact_groups import FactGroup
from market.facts import DailyFacts, Listing
from market.position_panel import Holding, Stake
from market.types import Instrument, Kind, Venue

DAY = date(2026, 11, 20)
CODES = ("000001", "000002", "000003", "000004")
LINES = [
    Listing(Instrument(Venue.KRX, "000001", "one", "KOSPI"), 100.0, value=5e9, change=0.25),
    Listing(Instrument(Venue.KRX, "000002", "two", "KOSPI"), 200.0, value=9e9, change=-0.10),
    Listing(Instrument(Venue.KRX, "000003", "three", "KOSPI"), 300.0, value=7e9, change=0.0),
    Listing(Instrument(Venue.KRX, "000004", "four", "KOSPI")),
]


def facts(code: str, cap: float | None, shares: float | None, five: float | None) -> DailyFacts:
    return DailyFacts(
        f"KRX:{code}",
        DAY,
        market_cap=cap,
        listed_shares=shares,
        institutions_5=five,
        foreigners_5=five,
    )


FACTS = [
    facts("000001", 2e11, 1e6, 100.0),
    facts("000002", 3e11, 1e7, 500.0),
    facts("000003", 5e10, 1e6, 900.0),
    facts("000004", None, None, None),
]


def rule(*lines: str, of: str = "KOSPI") -> RankingRule:
    text = "\n".join(["name: u", "ranking:", f"  of: {of}", "  top: 10", *lines])
    found = compile_universe(read_universe(parse_yaml(text, "u.yaml"), {}))
    assert found is not None
    return found


def ranked(*lines: str) -> list[tuple[str, float]]:
    panel = day_panel(LINES, FACTS, DAY)
    found = rule(*lines).rank(panel)
    return [
        (CODES[row], round(value, 12))
        for row, value in zip(found.rows.tolist(), found.values.tolist(), strict=True)
    ]


def problems(*lines: str, of: str = "KOSPI") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        rule(*lines, of=of)
    return [str(one) for one in caught.value.problems]


def test_the_smart_money_is_ranked_by_its_share_of_the_company() -> None:
    assert ranked(
        "  by: (facts.institutions_5 + facts.foreigners_5) / facts.listed_shares",
        "  where: facts.market_cap > 100_000_000_000 KRW",
    ) == [("000001", 0.0002), ("000002", 0.0001)]


def test_simple_words_of_the_list_rank_too() -> None:
    by_value = [("000002", 9e9), ("000003", 7e9), ("000001", 5e9)]
    assert ranked("  by: value") == by_value
    assert ranked("  by: day.value") == by_value
    by_change = [("000001", 0.25), ("000003", 0.0), ("000002", -0.1)]
    assert ranked("  by: change") == ranked("  by: day.change") == by_change
    assert ranked("  by: change(1)") == by_change
    assert ranked("  by: -change", "  order: least") == [
        (code, -value) for code, value in by_change
    ]
    assert ranked("  by: close", "  order: least")[0] == ("000001", 100.0)
    assert ranked("  by: max(change, 0)", "  where: change >= 0%") == by_change[:2]


def test_a_rank_may_be_made_of_ranks() -> None:
    found = ranked("  by: rank(value) + rank(facts.market_cap)", "  order: least")
    assert [code for code, _ in found] == ["000002", "000001", "000003"]


def test_equal_numbers_keep_the_order_of_the_list() -> None:
    assert [code for code, _ in ranked("  by: facts.foreigners_5 * 0")] == list(CODES[:3])


def test_who_takes_part_is_unknown_until_it_is_told() -> None:
    where = "  where: facts.market_cap > 100_000_000_000 KRW and facts.foreigners_5 > 0"
    told = rule("  by: facts.foreigners_5", where)
    listing_only = [replace(one, institutions_5=None, foreigners_5=None) for one in FACTS]
    panel = day_panel(LINES, listing_only, DAY)
    assert told.candidates(panel).tolist() == [0, 1, 3]  # the third is too small for certain
    assert told.rank(panel).rows.tolist() == []
    assert told.rank(day_panel(LINES, FACTS, DAY)).rows.tolist() == [1, 0]


def test_a_rule_tells_what_it_needs() -> None:
    assert rule("  by: value").needs is FactGroup.NONE
    assert rule("  by: facts.market_cap").needs is FactGroup.LISTING
    assert rule("  by: facts.per", "  where: facts.foreigners_1 > 0").needs == (
        FactGroup.FIGURES | FactGroup.FLOWS
    )


def test_every_mistake_is_told_at_its_place() -> None:
    assert problems(
        "  by: facts.forigners_5 / facts.listed_shares", "  where: facts.market_cap + 3"
    ) == [
        "u.yaml:5:7: 'facts' has no part 'forigners_5'; did you mean 'foreigners_5'?",
        "u.yaml:6:10: expected a comparison, found only a number",
    ]
    assert problems("  by: chnge") == ["u.yaml:5:7: unknown name 'chnge'; did you mean 'change'?"]
    assert problems("  by: value >") == [
        "u.yaml:5:14: expected a number, a name or '(', found the end of the expression"
    ]


def test_what_is_held_can_be_asked_for() -> None:
    holdings = {
        "KRX:000001": Holding(1_000, (Stake(1_000, 10.0, 80.0),)),
        "KRX:000002": Holding(2_000, (Stake(2_000, 5.0, 250.0),)),
    }
    panel = day_panel(LINES, FACTS, DAY, holdings)
    gains = rule("  by: position.profit").rank(panel)
    assert gains.rows.tolist() == [0, 1]
    assert gains.values.tolist() == pytest.approx([0.25, -0.2])
    free = rule("  by: value", "  where: position.quantity == 0").rank(panel)
    assert free.rows.tolist() == [2]
    assert rule("  by: position.profit").rank(day_panel(LINES, FACTS, DAY)).rows.tolist() == []


def test_a_longer_window_than_a_day_is_refused() -> None:
    [problem] = problems("  by: sma(close, 20)")
    assert "needs 20 bars, 2 are kept" in problem


def test_nobody_tells_who_bought_a_coin() -> None:
    assert problems("  by: facts.foreigners_5 / facts.listed_shares", of="KRW") == [
        "u.yaml:5:7: no source tells facts.foreigners_5 of UPBIT"
    ]


def test_coins_are_ranked_by_what_they_traded() -> None:
    lines = [
        Listing(Instrument(Venue.UPBIT, code, code, "KRW", Kind.COIN), 5.0, value=value)
        for code, value in (("KRW-BTC", 1e9), ("KRW-ETH", 3e9), ("KRW-XRP", 2e9))
    ]
    found = rule("  by: value", of="KRW").rank(day_panel(lines, [], DAY))
    assert found.rows.tolist() == [1, 2, 0]


def test_an_empty_list_ranks_nobody() -> None:
    assert rule("  by: value").rank(day_panel([], [], DAY)).rows.tolist() == []
