"""Measure how long a tap on Confirm takes to become an order at the venue, over loopback.

Run it as `python benchmarks/tap_to_order.py [--broker upbit|kis] [--taps N] [--seed S]`. The bot is
wired as `ticktalk run` does it and has a process of its own; here are a pretend Telegram and a
pretend venue. Each order is asked for by `/buy`, and its card is tapped at some moment of the next
second or so, whatever the sweeps are doing then. Measured is from the moment the tap waits at the
Bot API to the moment the order's POST is here, and how old the price was by then that the order
was checked with. The last line is for machines.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import orjson
import pyotp

from benchmarks.tap_venues import STAGES, Shifted, Stage
from bot.app import Outside, build
from bot.demo_world import CHANNEL, VISITOR, welcome
from bot.events import EventLog
from bot.runner import Runner
from config.load import load, write_folder
from sandbox.server import serve
from sandbox.site import site
from sandbox.telegram_api import telegram_routes
from sandbox.telegram_core import TelegramCore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

BOT = "--bot"
TAPS = 200
DEADLINE_SECONDS = 30.0
TRADE_EVERY_SECONDS = 0.3
TOKEN = "7000000001:pretend-token-of-the-benchmark-00000"  # noqa: S105  of no real bot
TOTP_SECRET = pyotp.random_base32()
UNBOUND = {
    "TICKTALK_ACCESS_TOTP_SECRET": TOTP_SECRET,
    "TICKTALK_RISK_MAX_ORDERS_PER_MINUTE": "1000",
    "TICKTALK_RISK_DUPLICATE_SECONDS": "0",
    **dict.fromkeys(
        [f"TICKTALK_RISK_MAX_{of}" for of in ("ORDER", "DAY", "POSITION", "MARKET", "TOTAL")],
        "90000000000",
    ),
    "TICKTALK_RISK_MAX_DAILY_LOSS": "90000000000",
    "TICKTALK_CONFIRM_MAX_DRIFT": "20%",
}
"""So many orders in so short a time would be stopped by every limit."""


async def be_bot(folder: Path, shift: timedelta) -> None:
    """Run the bot until the other process closes our input; facts go out as lines of JSON."""
    logging.basicConfig(level=logging.WARNING)
    time = Shifted(shift)  # the venue's for everything: its orders carry times
    config = load(folder / "settings.yaml", os.environ)
    app = build(config, Outside(time, time, EventLog(time, sys.stdout.buffer)))
    try:
        await welcome(app, "ko")
        stop = asyncio.Event()
        running = asyncio.create_task(Runner(app, time).run(stop))
        await asyncio.to_thread(sys.stdin.read)
        stop.set()
        await running
    finally:
        await app.close()


class Gate:
    """Notes when an order's POST has arrived, before anybody deals with it."""

    def __init__(self, path: str, time: Shifted) -> None:
        self._path = path
        self._time = time
        self.arrived: asyncio.Queue[tuple[float, datetime]] = asyncio.Queue()

    def before(self, app: ASGIApp) -> ASGIApp:
        """Return an application that notes what comes and hands it on."""

        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", self._path):
                self.arrived.put_nowait((perf_counter(), self._time.now()))
            await app(scope, receive, send)

        return noting


class Bot:
    """The other process, and the facts that it tells."""

    def __init__(self, folder: Path, shift: timedelta, environment: Mapping[str, str]) -> None:
        self.facts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(  # noqa: S603  # this very file
            [sys.executable, __file__, BOT, str(folder), str(shift.total_seconds())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    async def heard(self, kind: str) -> dict[str, Any]:
        """Return the next fact of a kind; those of others are gone."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (fact := await self.facts.get())["event"] != kind:
                if fact["event"] == "ended":
                    raise SystemExit("the bot has ended")
        return fact

    async def end(self) -> None:
        """Let the bot stop, and wait for it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.to_thread(self._process.wait)
        self._reader.join()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._loop.call_soon_threadsafe(self.facts.put_nowait, orjson.loads(line))
        self._loop.call_soon_threadsafe(self.facts.put_nowait, {"event": "ended"})


class Visitor:
    """The person in front of the chat."""

    def __init__(self, core: TelegramCore, gate: Gate, bot: Bot, some: random.Random) -> None:
        self._core = core
        self._gate = gate
        self._bot = bot
        self._some = some

    async def buy(self, command: str) -> tuple[float, float]:
        """Order something; return the milliseconds of the tap and the seconds of the price."""
        message, data = await self._card(command)
        await asyncio.sleep(self._some.uniform(0.2, 1.5))
        tapped = perf_counter()
        tap = self._core.user_taps(VISITOR, VISITOR, message, data)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                arrived, at = await self._gate.arrived.get()
        except TimeoutError:
            answer, card = self._core.callback(tap).answer, self._core.message(VISITOR, message)
            raise SystemExit(f"no order came of a tap: {answer} {card and card.text}") from None
        sending = await self._bot.heard("sending")
        passed = at - datetime.fromisoformat(sending["at"])
        await self._core.wait(lambda: self._core.callback(tap).answer, DEADLINE_SECONDS)
        age = sending["price_age_seconds"] + passed.total_seconds()
        return 1000 * (arrived - tapped), age

    async def _card(self, command: str) -> tuple[int, str]:
        before = {one.id for one in self._core.messages(VISITOR)}
        self._core.user_sends(VISITOR, command)

        def found() -> tuple[int, str] | None:
            for one in self._core.messages(VISITOR):
                datas = [button.data or "" for row in one.buttons for button in row]
                confirm = [data for data in datas if data.startswith("oc:")]
                if one.id not in before and confirm:
                    return one.id, confirm[0]
            return None

        with suppress(TimeoutError):
            card = await self._core.wait(found, DEADLINE_SECONDS)
            if card is not None:
                return card
        raise SystemExit(f"no card came, but: {self._core.messages(VISITOR)[-1].text}")


async def measure(stage: Stage, folder: Path, taps: int, seed: int) -> list[tuple[float, float]]:
    """Return the milliseconds and the price's age of every order."""
    time = Shifted(stage.shift)
    core = TelegramCore(time, limits=None)
    core.add_user(VISITOR, "나", "ko")
    core.add_channel(CHANNEL, "ticktalk")
    gate = Gate(stage.orders, time)
    world = site(telegram_routes(core, TOKEN), stage.routes)
    world.add_middleware(gate.before)
    serving = await serve(world)
    environment = UNBOUND | {
        "TICKTALK_TELEGRAM_BASE_URL": serving.url,
        "TICKTALK_TELEGRAM_TOKEN": TOKEN,
        "TICKTALK_TELEGRAM_CHANNEL": str(CHANNEL),
        "TICKTALK_TELEGRAM_SECONDS_PER_CHAT": "0",
        "TICKTALK_STORE_PATH": str(folder / "bot.sqlite"),
        "TICKTALK_RECORD_PATH": str(folder / "record"),
        **stage.environment(serving.url),
    }
    bot = Bot(folder, stage.shift, environment)
    market = asyncio.create_task(go_on(stage))
    some = random.Random(seed)  # noqa: S311  not for secrets
    visitor = Visitor(core, gate, bot, some)
    try:
        await bot.heard("ticks")
        core.user_sends(VISITOR, f"/arm {pyotp.TOTP(TOTP_SECRET).at(time.now())}")
        return [await visitor.buy(stage.command(some)) for _ in range(taps)]
    finally:
        market.cancel()
        with suppress(asyncio.CancelledError):
            await market
        await bot.end()
        core.stop()
        await serving.stop()


async def go_on(stage: Stage) -> None:
    """Let the market trade, so that orders fill."""
    while True:
        stage.trade()
        await asyncio.sleep(TRADE_EVERY_SECONDS)


def write_files(folder: Path, stage: Stage) -> None:
    """Write a configuration that knows the stage's instrument alone."""
    write_folder(folder)
    for path in (*(folder / "conditions").glob("*"), *(folder / "universes").glob("*")):
        path.unlink()
    one = stage.instrument
    listed = f"- {{code: {one.code}, name: {one.name}, market: {one.segment}, kind: {one.kind}}}\n"
    (folder / "instruments.yaml").write_text(listed, encoding="utf-8")
    condition = f"name: up\nuniverse: [{one.id}]\ntimeframe: 1m\nwhen: close > open\n"
    (folder / "conditions" / "up.yaml").write_text(condition, encoding="utf-8")


def main() -> None:
    """Measure and write the figures."""
    if BOT in sys.argv:
        asyncio.run(be_bot(Path(sys.argv[2]), timedelta(seconds=float(sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=STAGES, default="upbit")
    parser.add_argument("--taps", type=int, default=TAPS)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ticktalk-tap-") as name:
        folder = Path(name)
        stage = STAGES[options.broker](folder)
        write_files(folder, stage)
        measured = asyncio.run(measure(stage, folder, options.taps, options.seed))
    milliseconds, ages = (np.array(one) for one in zip(*measured, strict=True))
    slowest = ", ".join(f"{one:.0f}" for one in np.sort(milliseconds)[-5:])
    sys.stdout.write(f"{len(measured)} taps at {options.broker}; slowest {slowest} ms\n")
    figures = {
        "p50_ms": f"{np.percentile(milliseconds, 50):.1f}",
        "p95_ms": f"{np.percentile(milliseconds, 95):.1f}",
        "price_age_p99_s": f"{np.percentile(ages, 99):.2f}",
    }
    sys.stdout.write(" ".join(f"{name}={value}" for name, value in figures.items()) + "\n")


if __name__ == "__main__":
    main()
