"""Killed between alert and confirmation: one alert, one card, one order."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.demo_world import CHANNEL, START, VISITOR, World, open_world
from bot.market_time import ScaledTime
from config.load import write_folder
from market.clock import SystemClock
from market.orders import OrderState
from market.store import Store
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from asyncio.subprocess import Process

PROCESS = Path(__file__).with_name("bot_process.py")
SPEED = 20
DEADLINE_SECONDS = 60.0
CONFIRM = "oc:"
BEFORE_THE_BURST = START + timedelta(minutes=10)


async def start(world: World, folder: Path, anchors: tuple[str, str]) -> Process:
    telegram = world.config.settings.telegram
    assert telegram.token is not None
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROCESS.parents[2]),
        "TICKTALK_TELEGRAM_BASE_URL": world.serving.url,
        "TICKTALK_TELEGRAM_TOKEN": telegram.token.get_secret_value(),
        "TICKTALK_TELEGRAM_CHANNEL": str(CHANNEL),
        "TICKTALK_NAVER_POLLING_URL": world.serving.url,
        "TICKTALK_NAVER_CHART_URL": world.serving.url,
        "TICKTALK_NAVER_REQUESTS_PER_SECOND": "100",
        "TICKTALK_STORE_PATH": str(folder / "bot.sqlite"),
    }
    arguments = (str(folder / "config"), *anchors, str(SPEED))
    return await asyncio.create_subprocess_exec(
        sys.executable, str(PROCESS), *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL
    )


async def kill(process: Process) -> None:
    process.kill()
    await process.wait()


def cards(world: World) -> list[Any]:
    return [
        one
        for one in world.core.messages(VISITOR)
        if any(b.data.startswith(CONFIRM) for row in one.buttons for b in row)
    ]


def market_orders(folder: Path) -> None:
    """Let the condition propose market orders that bear any move: the test is about the kill."""
    path = folder / "conditions" / "volume_breakout.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("  price:")]
    text = "\n".join(kept).replace("max_drift: 0.3%", "max_drift: 20%")
    path.write_text(text, encoding="utf-8")


def test_a_kill_between_alert_and_confirmation_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        write_folder(tmp_path / "config")
        market_orders(tmp_path / "config")
        wall = SystemClock()
        time = ScaledTime(wall, BEFORE_THE_BURST, SPEED)
        anchors = (wall.now().isoformat(), time.now().isoformat())
        config = packaged_config()
        world = await open_world(config, tmp_path, market=time, wall=wall)
        try:
            process = await start(world, tmp_path, anchors)
            try:
                await world.core.wait(lambda: cards(world), DEADLINE_SECONDS)
            finally:
                await kill(process)
            process = await start(world, tmp_path, anchors)
            try:
                await confirm(world)
            finally:
                await kill(process)
        finally:
            await world.close()
        await check(world, tmp_path)

    asyncio.run(scenario())


async def confirm(world: World) -> None:
    """Tap Confirm as a person would: where the card came again, the newest one counts."""
    core = world.core
    while True:
        newest = cards(world)[-1]
        data = next(b.data for row in newest.buttons for b in row if b.data.startswith(CONFIRM))
        tap = core.user_taps(VISITOR, VISITOR, newest.id, data)
        await core.wait(lambda: core.callback(tap).answer is not None, DEADLINE_SECONDS)  # noqa: B023  # awaited before the next round
        if not cards(world) or cards(world)[-1].id == newest.id:
            break
    await core.wait(lambda: filled(world), DEADLINE_SECONDS)


def filled(world: World) -> bool:
    return any("체결 완료" in one.text for one in world.core.messages(VISITOR))


async def check(world: World, folder: Path) -> None:
    store = Store.open(folder / "bot.sqlite")
    try:
        signals = await store.read(lambda tx: tx.signals.recent(100))
        orders = await store.read(lambda tx: tx.orders.recent(100))
        placed = await store.read(lambda tx: tx.documents.items("paper/order/"))
    finally:
        store.close()
    posts = [one for one in world.core.messages(CHANNEL) if one.photo is not None]
    captions = [one.text for one in posts]
    assert len(captions) == len(set(captions)), "an alert was posted twice"
    assert len(posts) <= len(signals)
    assert len([one for one in orders if one.state is OrderState.FILLED]) == 1
    assert len(placed) == 1
