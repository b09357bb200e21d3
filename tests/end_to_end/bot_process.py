"""A bot in a process of its own, so that it can be killed: pointed at a world of the test's.

Arguments: configuration folder, wall anchor and market anchor (ISO), speed. The addresses, the
token and the database come from the environment, as they do for `ticktalk run`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

from bot.app import Outside, build
from bot.demo_world import welcome
from bot.events import EventLog
from bot.market_time import ScaledTime
from bot.runner import Runner
from config.load import find_settings, load
from market.clock import ManualClock, SystemClock


async def main(folder: str, wall_anchor: str, market_anchor: str, speed: str) -> None:
    """Run until killed."""
    config = load(find_settings(Path(folder), {}), os.environ)
    started = ManualClock(datetime.fromisoformat(wall_anchor))
    time = ScaledTime(started, datetime.fromisoformat(market_anchor), float(speed))
    time._wall = SystemClock()  # the same market time as the test's, from the same anchors
    wall = SystemClock()
    app = build(config, Outside(wall, time, EventLog(wall, sys.stdout.buffer)))
    await welcome(app, "ko")
    await Runner(app, time).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
