"""Two sources that are compared while one of them is in use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine.comparison import AT_ONCE, FRESH
from market.errors import SourceUnavailable
from market.types import Instrument, Venue
from tests.engine.pipeline_world import OWNER
from tests.engine.test_lookout import Pair
from tests.engine.traded_market import HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

BOTH = f"[{SAMSUNG.id}, {HYNIX.id}]"


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    pair = Pair(tmp_path / "pair.sqlite", BOTH)
    pair.second.trades = {}
    for market in (pair.market, pair.second):
        market.trade(kst("09:00:30"), 100.0, 50_000.0)
        market.trade(kst("09:00:30"), 90.0, 50_000.0, of=HYNIX)
    return pair


def run(pair: Pair, scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        asyncio.run(scenario())
    finally:
        pair.close()


def waiting(pair: Pair) -> set[str]:
    return set(pair.pipeline.series[0].wants)


def test_sources_that_agree_are_believed(pair: Pair) -> None:
    async def scenario() -> None:
        await pair.boot()
        await pair.sweeps("09:00:02", "09:02:02")
        for _ in range(3):
            await pair.pipeline.compare(Venue.KRX)
        assert pair.troubles() == []
        assert waiting(pair) == set()
        assert pair.second.swept[0] == (SAMSUNG.id, HYNIX.id)

    run(pair, scenario)


@pytest.mark.parametrize(("price", "volume"), [(102.0, 1.0), (100.0, 20_000.0)])
def test_what_disagrees_twice_is_unknown_until_the_chart_has_told(
    pair: Pair, price: float, volume: float
) -> None:
    async def scenario() -> None:
        pair.second.trade(kst("09:01:00"), price, volume)
        await pair.boot()
        await pair.sweeps("09:00:02", "09:02:02")
        await pair.pipeline.compare(Venue.KRX)
        assert pair.troubles() == [], "once may be a price that moves"
        await pair.sweeps("09:02:12", "09:03:02")
        await pair.pipeline.compare(Venue.KRX)
        assert pair.troubles() == ["disagrees"]
        assert waiting(pair) == {SAMSUNG.id}
        panel = pair.pipeline.series[0].panel
        assert panel.missing[panel.row(SAMSUNG.id)]
        (trouble,) = pair.pipeline.health(Venue.KRX).troubles
        assert trouble.facts["names"] == SAMSUNG.id
        assert "naver" in trouble.facts["error"]
        assert "kis" in trouble.facts["error"]
        await pair.pipeline.compare(Venue.KRX)
        assert (await pair.texts()).count("notice source.disagrees") == 1
        await pair.sweeps("09:03:12", "09:05:12")
        assert ("09:00", 100.0, 50_000.0) in await pair.bars(), "the chart has told"

    run(pair, scenario)


def test_the_end_of_a_disagreement_is_told(pair: Pair) -> None:
    async def scenario() -> None:
        pair.second.trade(kst("09:01:00"), 103.0, 1.0)
        await pair.boot()
        await pair.sweeps("09:00:02", "09:02:02")
        for _ in range(2):
            await pair.pipeline.compare(Venue.KRX)
        pair.market.trade(kst("09:02:30"), 103.0, 1.0)
        await pair.sweeps("09:02:12", "09:03:02")
        await pair.pipeline.compare(Venue.KRX)
        assert "disagrees" not in pair.troubles()
        assert "notice source.disagrees.over" in await pair.texts()

    run(pair, scenario)


def test_a_second_source_without_an_answer_is_told_before_it_is_needed(pair: Pair) -> None:
    async def scenario() -> None:
        await pair.boot()
        await pair.sweeps("09:00:02", "09:01:02")
        pair.second.polling_error = SourceUnavailable("check the key")
        await pair.pipeline.compare(Venue.KRX)
        assert await pair.texts(OWNER.id) == [], "once may be an accident"
        await pair.sweeps("09:01:12", "09:02:12")
        await pair.pipeline.compare(Venue.KRX)
        (trouble,) = pair.pipeline.health(Venue.KRX).troubles
        assert trouble.code == "alone"
        assert trouble.facts == {"wanted": "naver", "source": "kis", "error": "check the key"}
        pair.second.polling_error = None
        await pair.pipeline.compare(Venue.KRX)
        texts = await pair.texts(OWNER.id)
        assert texts == ["notice source.alone", "notice source.alone.over"]

    run(pair, scenario)


def test_old_prices_are_not_compared(pair: Pair) -> None:
    async def scenario() -> None:
        await pair.boot()
        await pair.sweeps("09:00:02", "09:01:02")
        pair.clock.advance(2 * FRESH)
        await pair.pipeline.compare(Venue.KRX)
        assert pair.second.swept == []

    run(pair, scenario)


def test_many_are_compared_in_turn(tmp_path: Path) -> None:
    names = [Instrument(Venue.KRX, f"{one:06}", f"Company {one}") for one in range(2 * AT_ONCE + 5)]
    pair = Pair(tmp_path / "many.sqlite", "[" + ", ".join(one.id for one in names) + "]")

    async def scenario() -> None:
        for one in names:
            pair.market.trade(kst("09:00:01"), 100.0, of=one)
        await pair.boot()
        await pair.sweep("09:00:02")
        for _ in range(3):
            await pair.pipeline.compare(Venue.KRX)
        asked = [len(one) for one in pair.second.swept]
        assert asked == [AT_ONCE] * 3
        assert {name for one in pair.second.swept for name in one} == {one.id for one in names}

    run(pair, scenario)
