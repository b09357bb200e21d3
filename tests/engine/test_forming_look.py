"""A look at a condition that is judged while bars form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conditions.waits import WaitFor
from engine.look import live_looks, stored_look
from engine.series import Want
from market.signals import Phase
from market.types import Verdict
from tests.engine.pipeline_world import World, condition, quiet_morning
from tests.engine.traded_market import CALENDAR, HYNIX, SAMSUNG, kst

if TYPE_CHECKING:
    from conditions.compile import Condition
    from conditions.why import Why
    from tests.engine.pipeline_world import Live


def early(when: str = "close > 110", *lines: str, **names: str) -> Condition:
    return condition(when, "intrabar: true", *lines, **names)


def asked(world: World, name: str = "high") -> Why:
    (look,) = live_looks(world.pipeline.series, name, SAMSUNG.id)
    return look.why(SAMSUNG.id, world.clock.now(), 0)


def test_it_shows_the_bar_that_forms_with_what_it_has_fired(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:06")
        world.market.trade(kst("09:07:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:06:52")
        found = asked(world)
        assert (found.is_forming, found.bar_start, found.close) == (True, kst("09:05"), 100.0)
        assert (found.verdict, found.fires) == (Verdict.FALSE, False)
        await world.sweep("09:07:12")
        found = asked(world)
        assert (found.verdict, found.fires, found.close) == (Verdict.TRUE, True, 120.0)
        assert found.state.phase is Phase.FIRING
        await world.sweeps("09:07:22", "09:10:02")
        found = asked(world)
        assert (found.is_forming, found.fires, found.bar_start) == (False, True, kst("09:05"))

    live(scenario, early())


def test_others_show_the_newest_bar_that_has_closed(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:07")
        await world.boot()
        await world.sweeps("09:00:02", "09:06:52")
        found = asked(world, "slow")
        assert (found.is_forming, found.bar_start) == (False, kst("09:00"))
        (look,) = live_looks(world.pipeline.series, "high")
        assert look.forming == frozenset(), "what ranks a universe compares closed bars"

    live(scenario, early(), condition(name="slow"))


def test_a_bar_that_is_not_judged_early_is_not_shown(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:07")
        await world.boot()
        await world.sweeps("09:00:02", "09:06:52")
        series = world.pipeline.series[0]
        series.wants[SAMSUNG.id] = Want(kst("09:05"), kst("09:05"), kst("09:05"))
        assert not asked(world).is_forming

    live(scenario, early())


def test_the_store_knows_closed_bars_only(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:07")
        world.market.trade(kst("09:07:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:07:12")
        (one,) = world.conditions
        names = [SAMSUNG.id, HYNIX.id]
        look = await world.store.read(lambda tx: stored_look(tx, one, names, CALENDAR, 400))
        found = look.why(SAMSUNG.id, world.clock.now(), 0)
        assert (found.is_forming, found.bar_start) == (False, kst("09:00"))
        assert found.state.phase is Phase.FIRING

    live(scenario, early())


def test_it_tells_what_a_true_bar_still_waits_for(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        world.market.trade(kst("09:07:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:02:12")
        (wait,) = asked(world, "hours").waits
        assert (wait.reason, wait.at) == (WaitFor.HOURS_NOW, kst("09:02:12"))
        (wait,) = asked(world, "soon").waits
        assert (wait.reason, wait.at) == (WaitFor.HOURS_END, kst("09:05"))
        held = asked(world, "twice")
        assert [(one.reason, one.has, one.needs) for one in held.waits] == [(WaitFor.HOLD, 1, 2)]
        assert not held.fires
        await world.sweeps("09:02:22", "09:07:12")
        assert [one.reason for one in asked(world, "cool").waits] == [WaitFor.COOLDOWN]
        assert asked(world, "twice").fires

    live(
        scenario,
        early("close > 110", "between: 09:05-15:00", name="hours"),
        early("close > 110", "between: 09:00-09:04", name="soon"),
        early("close > 110", "for: 2 bars", name="twice"),
        early("close > 110", "fire: every bar", "cooldown: 10 minutes", name="cool"),
    )
