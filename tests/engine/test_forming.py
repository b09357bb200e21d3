"""Conditions with `intrabar: true`: alerts before the close, and what the close makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.forming import usable
from market.errors import SourceUnavailable, StoreFull
from market.sessions import KST
from market.signals import Phase
from tests.engine.pipeline_world import OWNER, Killed, World, condition, quiet_morning
from tests.engine.traded_market import HYNIX, NAVER, SAMSUNG, kst

if TYPE_CHECKING:
    from conditions.compile import Condition
    from tests.engine.pipeline_world import Live

EARLY = "intrabar: true"
ALL = f"[{SAMSUNG.id}, {HYNIX.id}, {NAVER.id}]"


def early(when: str = "close > 110", *lines: str, **names: str) -> Condition:
    return condition(when, EARLY, *lines, **names)


async def told(world: World) -> list[str]:
    """Return what fired: code, Korean start of the bar, time of firing, and what became of it."""
    held = {True: " held", False: " gone", None: ""}
    return [
        f"{one.instrument[4:]} {one.bar_start.astimezone(KST):%H:%M}"
        f" {one.fired_at.astimezone(KST):%H:%M:%S}{' early' * one.is_intrabar}{held[one.has_held]}"
        for one in await world.signals()
    ]


async def phase(world: World, name: str = "high", of: str = SAMSUNG.id) -> Phase:
    (one,) = (one for one in world.conditions if one.name == name)
    states = await world.store.read(lambda tx: tx.signals.states(one.name, one.version))
    return states[of].phase


def test_it_fires_at_the_next_sweep_and_not_again_at_the_close(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:01")
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        assert await told(world) == ["005930 09:00 09:02:12 early"]
        assert len(await world.texts()) == 1
        (signal,) = await world.signals()
        assert (signal.price, signal.snapshot.close[-1]) == (120.0, 120.0)
        assert signal.explanation.leaves[0].left == 120.0
        await world.sweeps("09:05:02", "09:10:02")
        assert await told(world) == ["005930 09:00 09:02:12 early held"]
        assert len(await world.texts()) == 1

    live(scenario, early())


def test_the_panel_knows_closed_bars_only(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        assert world.pipeline.series[0].panel.counts.tolist() == [0, 0]
        assert await world.bars() == []
        await world.sweep("09:05:02")
        assert await world.bars() == [("09:00", 120.0, 10.0)]

    live(scenario, early())


def test_what_is_gone_at_the_close_is_noted_and_nobody_is_told(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        world.market.trade(kst("09:04:05"), 100.0)
        world.market.trade(kst("09:06:05"), 130.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        assert await told(world) == ["005930 09:00 09:02:12 early gone"]
        assert await phase(world) is Phase.INACTIVE
        assert len(await world.texts()) == 1
        await world.sweeps("09:05:12", "09:06:12")
        assert (await told(world))[1:] == ["005930 09:05 09:06:12 early"], "it is armed again"

    live(scenario, early())


def test_the_close_is_judged_on_the_venues_own_bar(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        world.market.chart_prices[SAMSUNG.id, kst("09:02")] = 105.0
        await world.boot()
        asked = len(world.market.asked)
        await world.sweeps("09:00:02", "09:04:52")
        assert len(world.market.asked) == asked, "no chart shows a bar that still forms"
        await world.sweep("09:05:02")
        assert await told(world) == ["005930 09:00 09:02:12 early gone"]
        assert await world.bars() == [("09:00", 105.0, 10.0)]

    live(scenario, early())


def test_a_close_that_cannot_be_checked_waits_for_its_chart(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        world.market.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")
        await world.sweeps("09:05:02", "09:05:12")
        assert await told(world) == ["005930 09:00 09:02:12 early"]
        world.market.chart_errors.clear()
        await world.sweeps("09:05:22", "09:05:52")
        assert await told(world) == ["005930 09:00 09:02:12 early held"]

    live(scenario, early())


def test_without_the_key_nothing_fires_before_the_close(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        assert await told(world) == [
            "005930 09:00 09:02:12 early held",
            "005930 09:00 09:05:02",
        ]
        assert world.pipeline.series[0].forming == {}

    live(scenario, early(name="fast"), condition())


def test_only_what_has_grown_is_judged_again(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:05")
        await world.boot()
        await world.sweeps("09:00:02", "09:00:32")
        series = world.pipeline.series[0]
        assert sorted(series.forming) == [HYNIX.id, SAMSUNG.id]
        assert series.grown == set()
        before = dict(series.forming)
        await world.sweep("09:00:42")
        assert series.forming == before

    live(scenario, early())


def test_the_bar_of_the_start_is_not_judged_early(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "10:01")
        world.market.trade(kst("10:02:35"), 120.0)
        world.market.trade(kst("10:06:35"), 121.0)
        world.clock.move_to(kst("10:02:20"))
        await world.boot()
        await world.sweeps("10:02:22", "10:04:52")
        assert await told(world) == []
        await world.sweeps("10:05:02", "10:07:02")
        assert await told(world) == ["005930 10:00 10:05:02"]

    live(scenario, early())


def test_what_waits_for_its_chart_is_not_judged_early(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:19")
        world.market.trade(kst("09:11:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:08:02")
        world.market.hidden = {SAMSUNG.id}
        await world.sweeps("09:08:12", "09:10:02")
        world.market.chart_errors[SAMSUNG.id] = SourceUnavailable("no chart")
        world.market.hidden = set()
        await world.sweeps("09:10:12", "09:11:22")
        series = world.pipeline.series[0]
        assert SAMSUNG.id in series.wants
        assert SAMSUNG.id in series.forming
        assert SAMSUNG.id not in usable(series, series.panel)
        assert await told(world) == []

    live(scenario, early())


def test_a_row_that_is_missing_or_a_bar_that_has_closed_does_not_form(live: Live) -> None:
    async def scenario(world: World) -> None:
        quiet_morning(world, "09:06")
        await world.boot()
        await world.sweeps("09:00:02", "09:05:42")
        series = world.pipeline.series[0]
        bar = series.forming[SAMSUNG.id]
        assert SAMSUNG.id in usable(series, series.panel)
        for other in (replace(bar, is_complete=False), replace(bar, start=kst("09:00"))):
            series.forming[SAMSUNG.id] = other
            assert SAMSUNG.id not in usable(series, series.panel)
        series.forming[SAMSUNG.id] = bar
        series.panel.mark_missing([series.panel.row(SAMSUNG.id)])
        assert SAMSUNG.id not in usable(series, series.panel)

    live(scenario, early())


@pytest.mark.parametrize("kill_after", [0, 1])
def test_a_restart_fires_no_second_time(live: Live, kill_after: int) -> None:
    """The process dies after the write of the signal, or of the bar that has closed."""

    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:02:02")
        world.store.kill_after = world.store.writes + kill_after
        with pytest.raises(Killed):
            await world.sweeps("09:02:12", "09:05:12")
        await world.boot()
        await world.sweeps("09:05:22", "09:10:02")
        (signal,) = await world.signals()
        assert signal.has_held
        assert len(await world.texts()) == 1
        assert len(world.desk.tickets) == 1

    order = ("order:", "  side: buy", "  size: 1", "  confirm: {within: 10m, max_drift: 1%}")
    live(scenario, early("close > 110", *order))


def test_a_full_disk_puts_it_off_to_the_next_sweep(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:02:02")
        world.store.is_full = lambda number: True
        with pytest.raises(StoreFull):
            await world.sweep("09:02:12")
        assert world.pipeline.series[0].watches[0].states.phase.tolist() == [0, 0]
        world.store.is_full = lambda number: False
        await world.sweep("09:02:22")
        assert await told(world) == ["005930 09:00 09:02:22 early"]

    live(scenario, early())


def test_every_bar_is_once_a_bar(live: Live) -> None:
    async def scenario(world: World) -> None:
        for minute in range(15):
            world.market.trade(kst(f"09:{minute:02}:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:15:02")
        assert await told(world) == [
            "005930 09:00 09:00:12 early held",
            "005930 09:05 09:05:12 early held",
            "005930 09:10 09:10:12 early held",
        ]

    live(scenario, early("close > 110", "fire: every bar"))


def test_the_days_limit_counts_early_signals(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:05"), 120.0)
        world.market.trade(kst("09:02:05"), 120.0, of=HYNIX)
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        assert await told(world) == ["005930 09:00 09:01:12 early held"]
        texts = await world.texts()
        assert [one.split(":")[0] for one in texts[1:]] == ["notice condition.limit_reached"]

    live(scenario, early("close > 110", "limit: 1 per day"))


def test_who_silences_does_so_for_forming_bars(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:00:05"), 100.0, of=HYNIX)
        world.market.trade(kst("09:01:05"), 40.0, of=NAVER)
        world.market.trade(kst("09:02:05"), 120.0)
        world.market.trade(kst("09:06:05"), 100.0, of=NAVER)
        world.market.trade(kst("09:11:05"), 120.0, of=HYNIX)
        await world.boot()
        await world.sweeps("09:00:02", "09:11:12")
        assert await told(world) == [
            "035420 09:00 09:01:12 early held",
            "000660 09:10 09:11:12 early",
        ]

    crash = early("close < 50", name="crash", universe=ALL)
    live(scenario, early("close > 110", "muted_by: crash", universe=ALL), crash)


def test_one_that_is_judged_at_closes_silences_too(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:05"), 40.0, of=NAVER)
        world.market.trade(kst("09:02:05"), 120.0)
        world.market.trade(kst("09:06:05"), 121.0, of=HYNIX)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        assert await told(world) == ["005930 09:00 09:02:12 early"]
        await world.sweeps("09:05:02", "09:10:02")
        assert [one for one in await told(world) if "000660" in one] == []

    crash = condition("close < 50", name="crash", universe=ALL)
    live(scenario, early("close > 110", "muted_by: crash", universe=ALL), crash)


def test_a_forming_bar_is_compared_with_those_of_others(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:05"), 120.0)
        world.market.trade(kst("09:02:05"), 130.0, of=HYNIX)
        world.market.trade(kst("09:03:05"), 140.0, of=NAVER)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        await world.sweep("09:05:02")
        assert await told(world) == [
            "005930 09:00 09:01:12 early gone",
            "000660 09:00 09:02:12 early gone",
            "035420 09:00 09:03:12 early held",
        ]

    live(scenario, early("rank(close) == 1", universe=ALL))


def test_another_instrument_that_moves_may_change_a_verdict(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:01:05"), 120.0)
        world.market.trade(kst("09:02:05"), 130.0, of=NAVER)
        world.market.trade(kst("09:03:05"), 100.0, of=NAVER)
        await world.boot()
        await world.sweeps("09:00:02", "09:04:52")
        assert await told(world) == ["005930 09:00 09:03:12 early"]

    when = f'close > of("{NAVER.id}").close'
    live(scenario, early(when, universe=f"[{SAMSUNG.id}]"))


def test_an_order_is_proposed_at_once(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:02:12")
        assert len(world.desk.tickets) == 1
        await world.sweeps("09:02:22", "09:05:02")
        assert len(world.desk.tickets) == 1

    live(scenario, early("close > 110", "order: {side: buy, size: 1}"))


def test_a_condition_that_breaks_fires_nothing_and_others_go_on(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        watch = world.pipeline.series[0].watches[0]
        broken = replace(watch.condition.when, left=None)  # type: ignore[call-arg]  # breaks
        watch.condition = replace(watch.condition, when=broken)
        await world.sweeps("09:00:02", "09:04:52")
        assert await told(world) == ["005930 09:00 09:02:12 early"]
        assert sum("breaks" in record.message for record in caplog.records) == 1

    live(scenario, early(name="broken"), early())


def test_exchanged_conditions_judge_the_bar_that_forms(live: Live) -> None:
    async def scenario(world: World) -> None:
        world.market.trade(kst("09:02:05"), 120.0)
        await world.boot()
        await world.sweeps("09:00:02", "09:03:02")
        await world.exchange(early("close > 115"))
        await world.sweep("09:03:12")
        assert await told(world) == ["005930 09:00 09:03:12 early"]
        await world.exchange(early("close > 118"))
        await world.sweeps("09:03:22", "09:05:02")
        assert [one[:25] for one in await told(world)] == [
            "005930 09:00 09:03:12 ear",
            "005930 09:00 09:03:22 ear",
        ]

    live(scenario, condition())


def test_the_owner_hears_of_each_once(live: Live) -> None:
    async def scenario(world: World) -> None:
        for at, price in (("09:01", 120), ("09:02", 100), ("09:03", 120), ("09:04", 100)):
            world.market.trade(kst(f"{at}:05"), price)
        await world.boot()
        await world.sweeps("09:00:02", "09:05:02")
        assert len(await world.texts(OWNER.id)) == 1
        assert [facts["id"] for facts in world.events.facts("signal")] == [
            (await world.signals())[0].id
        ]

    live(scenario, early())
