"""Naver's lists, flows, figures and rankings before the pretend Naver: both ways, and faults."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from crawlers.source import FlowSource, FundamentalSource, ListingSource, RankingSource
from market.errors import SourceChanged, SourceError, SourceUnavailable
from market.types import Instrument, Kind, Venue
from sandbox.naver_faults import Fault
from tests.crawlers.pretend_naver import EVENING, NOW, Naver, instruments, naver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crawlers.naver import NaverSource
    from market.types import Bar

T = TypeVar("T")
CODE = "000100"
ID = f"KRX:{CODE}"
LIST, LIST_PAGE = "/api/stocks/marketValue/KOSPI", "/sise/sise_market_sum.naver"
TREND, FLOW_PAGE = f"/api/stock/{CODE}/trend", "/item/frgn.naver"
RANK = "/api/domestic/market/trend/trendForeignOrg"
RANK_PAGE = "/sise/sise_deal_rank_iframe.naver"
DAYS, OLDER_DAYS = f"/chart/domestic/item/{CODE}/day", "/siseJson.naver"

WAYS: dict[str, tuple[Callable[[NaverSource], Awaitable[Any]], str, str]] = {
    "list": (lambda source: source.listing("KOSPI"), LIST, LIST_PAGE),
    "flows": (lambda source: source.flows(ID, 20), TREND, FLOW_PAGE),
    "ranking": (lambda source: source.ranking("KOSPI", "foreigners", "buy"), RANK, RANK_PAGE),
    "days": (
        lambda source: source.days(ID, EVENING - timedelta(days=30), EVENING),
        DAYS,
        OLDER_DAYS,
    ),
}
CHANGED = [Fault.GONE, Fault.MOVED, Fault.PAGE, Fault.RENAMED]
each_way = pytest.mark.parametrize("name", WAYS)


def run(scenario: Callable[[Naver], Awaitable[T]], **changes: Any) -> T:
    async def whole() -> T:
        async with naver(**changes) as world:
            return await scenario(world)

    return asyncio.run(whole())


def ask(name: str, prepare: Callable[[Naver], None]) -> tuple[Any, list[str]]:
    """Return what one question gives and the paths that were asked for."""

    async def scenario(world: Naver) -> tuple[Any, list[str]]:
        prepare(world)
        try:
            return await WAYS[name][0](world.source), world.wire.paths()
        except SourceError as error:
            return error, world.wire.paths()

    return run(scenario)


def test_naver_is_all_the_ports_of_facts() -> None:
    async def scenario(world: Naver) -> bool:
        ports = (ListingSource, FlowSource, FundamentalSource, RankingSource)
        return all(isinstance(world.source, port) for port in ports)

    assert run(scenario)


@each_way
@pytest.mark.parametrize("fault", CHANGED)
def test_a_first_way_that_changed_leads_to_the_second(
    name: str, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    _, first, second = WAYS[name]
    expected, paths = ask(name, lambda world: None)
    assert second not in paths
    with caplog.at_level(logging.WARNING):
        found, paths = ask(name, lambda world: world.faults.fail(fault, only=first))
    assert len(found) == len(expected)
    assert paths.count(first) == 1
    assert second in paths
    assert "taking the second one" in caplog.text


@each_way
@pytest.mark.parametrize("fault", CHANGED)
def test_where_both_ways_changed_the_error_names_both(name: str, fault: Fault) -> None:
    found, _ = ask(name, lambda world: world.faults.fail(fault))
    assert isinstance(found, SourceChanged)
    assert "; and in the second way: " in str(found)


@pytest.mark.parametrize("name", ["list", "flows", "ranking"])
def test_zero_rows_are_a_change_and_not_nothing(name: str) -> None:
    found, paths = ask(name, lambda world: world.faults.fail(Fault.EMPTY))
    assert isinstance(found, SourceChanged)
    assert WAYS[name][1] in paths


@each_way
@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.BROKEN])
def test_a_first_way_that_is_only_unavailable_is_not_left(name: str, fault: Fault) -> None:
    found, paths = ask(name, lambda world: world.faults.fail(fault))
    assert isinstance(found, SourceUnavailable)
    assert paths == [WAYS[name][1]] * 3


@each_way
def test_a_second_way_that_is_unavailable_is_unavailable(name: str) -> None:
    async def scenario(world: Naver) -> str:
        world.faults.fail(Fault.GONE)
        world.wire.lasts = 1
        with pytest.raises(SourceUnavailable) as caught:
            await WAYS[name][0](world.source)
        return str(caught.value)

    text = run(scenario)
    assert "410" in text
    assert "did not answer" in text


def test_the_list_has_every_line_once_greatest_first() -> None:
    known = [*instruments(230), Instrument(Venue.KRX, "086520", "에코프로", "KOSDAQ")]

    async def scenario(world: Naver) -> tuple[Any, Any, list[str]]:
        lines = await world.source.listing("KOSPI")
        asked = [str(url.params.get("page")) for url in world.wire.asked]
        return lines, await world.source.listing("KOSDAQ"), asked

    lines, kosdaq, asked = run(scenario, known=known)
    assert asked == ["1", "2", "3"]
    assert {line.instrument for line in lines} == set(instruments(230))
    caps = [line.market_cap for line in lines]
    assert caps == sorted(caps, reverse=True)
    assert [line.instrument.name for line in kosdaq] == ["에코프로"]
    assert all(line.price and line.volume and line.value for line in lines)


def test_both_ways_tell_the_same_list() -> None:
    first, _ = ask("list", lambda world: None)
    second, paths = ask("list", lambda world: world.faults.fail(Fault.GONE, only=LIST))
    assert paths.count(LIST_PAGE) == 1
    assert [line.instrument for line in second] == [line.instrument for line in first]
    assert {line.instrument.kind for line in second} == {Kind.STOCK, Kind.ETF}
    for older, newer in zip(second, first, strict=True):
        assert (older.price, older.volume) == (newer.price, newer.volume)
        assert older.market_cap == pytest.approx(newer.market_cap, rel=1e-3)
        assert older.change == pytest.approx(newer.change, abs=1e-4)
        assert older.listed == pytest.approx(newer.market_cap / newer.price, rel=1e-3)


def test_the_older_list_turns_its_pages() -> None:
    async def scenario(world: Naver) -> tuple[int, int]:
        world.faults.fail(Fault.GONE, only=LIST)
        lines = await world.source.listing("KOSPI")
        return len(lines), world.wire.paths().count(LIST_PAGE)

    assert run(scenario, known=instruments(120)) == (120, 3)


def test_both_ways_tell_the_same_flows_but_for_individuals() -> None:
    first, _ = ask("flows", lambda world: None)
    second, _ = ask("flows", lambda world: world.faults.fail(Fault.GONE, only=TREND))
    days = [flow.day for flow in first]
    assert days == sorted(set(days))
    assert len(days) == 20
    assert days[-1] == date(2026, 9, 9)
    assert all(flow.individuals is not None for flow in first)
    for older, newer in zip(second, first, strict=True):
        assert older.individuals is None
        assert (older.day, older.close) == (newer.day, newer.close)
        assert (older.institutions, older.foreigners) == (newer.institutions, newer.foreigners)


@pytest.mark.parametrize("only", ["nothing", TREND])
def test_the_day_that_goes_on_has_no_flows(only: str) -> None:
    async def scenario(world: Naver) -> list[date]:
        world.faults.fail(Fault.GONE, only=only)
        return [flow.day for flow in await world.source.flows(ID, 5)]

    days = run(scenario, at=NOW)
    assert len(days) == 5
    assert days[-1] == date(2026, 9, 8)


@pytest.mark.parametrize(("count", "asked"), [(1, 1), (5, 1), (58, 1), (150, 3)])
def test_flows_of_many_days_are_paged_by_date(count: int, asked: int) -> None:
    async def scenario(world: Naver) -> tuple[list[date], int]:
        flows = await world.source.flows(ID, count)
        return [flow.day for flow in flows], len(world.wire.asked)

    days, requests = run(scenario)
    assert days == sorted(set(days))
    assert (len(days), requests) == (count, asked)


def test_older_flows_end_where_the_last_page_repeats() -> None:
    async def scenario(world: Naver) -> tuple[list[date], int]:
        world.faults.fail(Fault.GONE, only=TREND)
        flows = await world.source.flows(ID, 1000)
        return [flow.day for flow in flows], world.wire.paths().count(FLOW_PAGE)

    days, pages = run(scenario)
    assert days == sorted(set(days))
    assert len(days) > 100
    assert -(-len(days) // 20) <= pages <= len(days) // 20 + 1


def test_figures_are_asked_fifty_at_once() -> None:
    known = instruments(120)

    async def scenario(world: Naver) -> tuple[Any, list[str]]:
        ids = [one.id for one in known]
        found = await world.source.fundamentals([*ids, "KRX:999999", "UPBIT:KRW-BTC"])
        return found, [url.query.decode() for url in world.wire.asked]

    found, queries = run(scenario, known=known)
    assert [one.instrument for one in found] == [one.id for one in known]
    assert len(queries) == 3
    assert queries[0].startswith(f"query=SERVICE_ITEM:{CODE},000101,")
    assert all(one.listed and one.high_52w and one.low_52w for one in found)
    has_earnings = {one.id: one.kind is Kind.STOCK for one in known}
    for one in found:
        assert (one.eps is not None, one.bps is not None) == (has_earnings[one.instrument],) * 2
    assert run(lambda world: world.source.fundamentals([])) == []


@pytest.mark.parametrize("fault", [*CHANGED, Fault.EMPTY])
def test_figures_that_changed_have_no_second_way(fault: Fault) -> None:
    async def scenario(world: Naver) -> None:
        world.faults.fail(fault)
        await world.source.fundamentals([ID])

    with pytest.raises(SourceChanged):
        run(scenario)


@pytest.mark.parametrize("investor", ["foreigners", "institutions"])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_both_ways_tell_the_same_ranking(investor: str, side: str) -> None:
    async def scenario(world: Naver) -> tuple[Any, Any]:
        first = await world.source.ranking("KOSPI", investor, side)
        world.faults.fail(Fault.GONE, only=RANK)
        return first, await world.source.ranking("KOSPI", investor, side)

    first, second = run(scenario, known=instruments(60))
    sign = 1 if side == "buy" else -1
    values = [sign * line.value for line in first]
    assert values == sorted(values, reverse=True)
    assert values[-1] > 0
    assert len(first) == 20
    for newer, older in zip(first, second, strict=True):
        assert (newer.instrument, newer.name, newer.day) == (
            older.instrument,
            older.name,
            older.day,
        )
        assert older.shares == pytest.approx(newer.shares, abs=1000)
        assert older.value == pytest.approx(newer.value, abs=1e6)
    assert {line.day for line in second} == {date(2026, 9, 9)}


def test_a_ranking_in_the_middle_of_the_day_is_not_told() -> None:
    async def scenario(world: Naver) -> list[str]:
        with pytest.raises(SourceUnavailable, match="estimate"):
            await world.source.ranking("KOSPI", "foreigners", "buy")
        return world.wire.paths()

    assert run(scenario, at=NOW) == [RANK]


@pytest.mark.parametrize(
    ("segment", "investor", "side"),
    [
        ("KRW", "foreigners", "buy"),
        ("KOSPI", "individuals", "buy"),
        ("KOSPI", "foreigners", "hold"),
    ],
)
def test_what_naver_has_not_is_an_error(segment: str, investor: str, side: str) -> None:
    async def scenario(world: Naver) -> None:
        if segment == "KRW":
            with pytest.raises(SourceError, match="KOSPI and KOSDAQ"):
                await world.source.listing(segment)
        await world.source.ranking(segment, investor, side)

    with pytest.raises(SourceError, match="naver knows no"):
        run(scenario)


def test_flows_of_another_venue_are_an_error() -> None:
    with pytest.raises(SourceError, match="KRX instruments only"):
        run(lambda world: world.source.flows("UPBIT:KRW-BTC", 5))


def test_both_ways_tell_the_same_days() -> None:
    first, _ = ask("days", lambda world: None)
    second, _ = ask("days", lambda world: world.faults.fail(Fault.GONE, only=DAYS))
    assert len(first) > 15
    assert second == first


def test_days_of_an_unknown_instrument_are_a_change_in_both_ways() -> None:
    async def scenario(world: Naver) -> list[Bar]:
        return await world.source.days("KRX:999999", EVENING - timedelta(days=9), EVENING)

    with pytest.raises(SourceChanged, match="second way"):
        run(scenario)


def test_a_budget_is_shared_by_all_that_naver_is_asked() -> None:
    async def scenario(world: Naver) -> int:
        await world.source.ticks([ID])
        await world.source.flows(ID, 5)
        with pytest.raises(SourceUnavailable, match="used up; none until 2026-09-10 00:00 KST"):
            await world.source.fundamentals([ID])
        requests = len(world.wire.asked)
        world.clock.advance(timedelta(hours=6))
        await world.source.fundamentals([ID])
        return requests

    assert run(scenario, requests_per_day=2) == 2
