"""An afternoon on which prices and charts fail: mended and told, and played once more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from bot.cli import main
from bot.demo_world import START
from config.load import PACKAGED
from market.clock import ManualClock
from sandbox.naver import Fault

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

Open = Callable[..., AbstractAsyncContextManager[Any]]

POLLING, CHART = "/api/realtime/domestic", "/chart/domestic"
UNTOLD = "018260"
"""Nobody tells the chart of this one in the evening."""


def at(text: str) -> datetime:
    hours, minutes = map(int, text.split(":"))
    return START.replace(hour=hours, minute=minutes)


async def go_through_the_afternoon(here: Any) -> None:
    """Lose the prices for twenty minutes, then the charts for half a minute."""
    faults = here.world.faults
    await sweep_until(here, "14:47")
    faults.fail(Fault.BROKEN, only=POLLING)
    await here.sweep()
    here.market.move_to(at("15:07") - timedelta(seconds=9))  # as all other sweeps until then
    await here.sweep()
    faults.fail(Fault.BROKEN, only=CHART)
    for _ in range(3):
        await here.sweep()
    faults.clear()
    await sweep_until(here, "15:21")
    here.market.move_to(at("15:29"))  # the closing auction prints nothing meanwhile
    await sweep_until(here, "15:31")
    here.market.move_to(at("15:45"))
    faults.fail(Fault.BROKEN, only=f"{CHART}/item/{UNTOLD}/")
    assert await here.app.repairs.step()
    faults.clear()
    await here.app.outbox.drain()


async def sweep_until(here: Any, text: str) -> None:
    while here.market.now() < at(text):
        await here.sweep()


def said(command: str, here: Any, *arguments: str) -> str:
    """Return what a command prints to a person in front of the bot's files."""
    settings = here.world.config.settings
    places = {
        "TICKTALK_STORE_PATH": settings.store.path,
        "TICKTALK_RECORD_PATH": settings.record.path,
    }
    line = [command, *arguments, "--config", str(PACKAGED)]
    result = CliRunner().invoke(main, line, env=places)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_afternoon_with_faults_is_mended_told_and_played_again(
    house: Open, tmp_path: Path
) -> None:
    async def scenario() -> tuple[Any, list[str], int]:
        async with house(market=ManualClock(at("14:44"))) as here:
            await go_through_the_afternoon(here)
            told = [one.text for one in here.said() if one.text.startswith("📋")]
            signals = await here.app.store.read(lambda tx: tx.signals.recent(1000))
            assert any(one.is_late for one in signals)
            assert any(not one.is_late for one in signals)
            return here, told, len(signals)

    here, (notice,), count = asyncio.run(scenario())
    day = START.date().isoformat()
    assert notice.startswith(f"📋 KRX/5m, {day}: 봉 ")
    assert f"알림 {count}건 중 0건이 차트와 다른 봉에서 울렸고" in notice
    assert "받지 못한 차트는 1개예요" in notice
    report = said("report", here)
    assert f"  alerts   {count} of {count} stood on the venue's own bar" in report
    assert "0 were missed, 0 are not in it" in report
    assert "  unread   1 chart could not be had: 삼성에스디에스" in report
    replayed = said("replay", here, day)
    assert f"{count} signals: {count} same" in replayed
