"""Edits at any point of an hour leave alone what they are not about, with or without a kill."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.engine.pipeline_world import World, condition, told
from tests.engine.test_pipeline_restart import EVERYONE, SWEEPS, UNIVERSE, wild_hour
from tests.engine.traded_market import HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conditions.compile import Condition

Signals = list[str]


def conditions(*words: str, universe: str = UNIVERSE) -> tuple[Condition, ...]:
    """Return conditions whose instruments do not touch one another."""
    return (
        condition("close > 108", *words, universe=universe),
        condition(
            "close > sma(close, 5)",
            "for: 2 bars",
            "clear: close < 104",
            *words,
            name="held",
            universe=universe,
        ),
        condition("volume > 1.3 * sma(volume, 3)", *words, name="busy", universe=universe),
        condition("close < 97", "keep_for: 7 minutes", *words, name="low", universe=universe),
        condition("close > 100", "expires: 12 minutes", *words, name="brief", universe=universe),
    )


def hour(
    path: Path, edits: Mapping[int, tuple[Condition, ...]], *, is_killed: bool = False
) -> Signals:
    """Return what fires in an hour in which conditions are edited before some of the sweeps."""
    world = World(path / "x.sqlite", *conditions(), start=kst("10:00"))

    async def scenario() -> Signals:
        wild_hour(world)
        await world.boot()
        for number, at in enumerate(SWEEPS):
            world.clock.move_to(at)
            if number in edits:
                await world.exchange(*edits[number])
                if is_killed:
                    await world.boot()
            await world.pipeline.crawl()
        return sorted(f"{one.condition} {told(one)}" for one in await world.signals())

    try:
        return asyncio.run(scenario())
    finally:
        world.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Signals:
    return hour(tmp_path_factory.mktemp("undisturbed"), {})


POINTS = (0, 1, 15, 16, 44, 90, 119)


def test_the_hour_is_worth_the_test(undisturbed: Signals) -> None:
    assert {one.split()[0] for one in undisturbed} == {"high", "held", "busy", "low", "brief"}
    assert all(any(one.code in line for line in undisturbed) for one in EVERYONE)


@pytest.mark.parametrize("point", POINTS)
def test_new_words_and_another_order_change_nothing(
    tmp_path: Path, undisturbed: Signals, point: int
) -> None:
    edit = conditions("describe: in other words")[::-1]
    assert hour(tmp_path, {point: edit, point + 7: conditions()}) == undisturbed


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("point", POINTS)
def test_an_instrument_that_leaves_and_comes_back_touches_no_other(
    tmp_path: Path, undisturbed: Signals, point: int, *, is_killed: bool
) -> None:
    fewer = conditions(universe=f"[{SAMSUNG.id}, {HYNIX.id}]")
    found = hour(tmp_path, {point: fewer, point + 20: conditions()}, is_killed=is_killed)
    others = [line for line in undisturbed if SAMSUNG.code in line or HYNIX.code in line]
    assert [line for line in found if SAMSUNG.code in line or HYNIX.code in line] == others


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_after_an_edit_changes_nothing(tmp_path: Path, point: int) -> None:
    edit = (*conditions(), condition("close > 101", "for: 2 bars", name="new", universe=UNIVERSE))
    alive, killed = tmp_path / "alive", tmp_path / "killed"
    for folder in (alive, killed):
        folder.mkdir()
    assert hour(killed, {point: edit}, is_killed=True) == hour(alive, {point: edit})
