"""Naver dies in the middle of the day and KIS stands in, over real loopback HTTP and sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette

from bot.demo_world import CHANNEL, START, VISITOR
from market.clock import ManualClock
from market.sessions import KST
from market.types import Timeframe, Venue, to_ms
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
from sandbox.kis_keys import KisKeys
from sandbox.kis_routes import kis_routes
from sandbox.market import Simulator
from sandbox.naver import Fault
from sandbox.server import serve
from tests.packaged import packaged_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from market.signals import Signal

Open = Callable[..., AbstractAsyncContextManager[Any]]

APP_KEY, APP_SECRET = "PSplantedplantedkey", "planted/secret+planted"
POLLING = "/api/realtime"


@dataclass
class Two:
    """A bot with both sources, and what goes wrong at KIS."""

    here: Any
    keys: KisKeys
    kis: Faults


@asynccontextmanager
async def two_sources(house: Open, folder: Path, app_key: str = APP_KEY) -> AsyncIterator[Two]:
    """Open a house whose settings name KIS, with its keys in the environment."""
    market = ManualClock(START)
    files = packaged_config()
    simulator = Simulator(list(files.directory), files.calendars[Venue.KRX], 7)  # Naver's twin
    keys, faults = KisKeys(market, APP_KEY, APP_SECRET), Faults()
    routes = kis_routes(Kis(simulator, market, keys), faults, requests_a_second=10_000)
    serving = await serve(Starlette(routes=routes))
    environment = {
        "TICKTALK_CRAWL_SECOND": "kis",
        "TICKTALK_KIS_REST_URL": serving.url,
        "TICKTALK_KIS_SOCKET_URL": serving.url.replace("http", "ws"),
        "TICKTALK_KIS_APP_KEY": app_key,
        "TICKTALK_KIS_APP_SECRET": APP_SECRET,
        "TICKTALK_KIS_TOKEN_PATH": str(folder / "kis_token.json"),
        "TICKTALK_KIS_REQUESTS_PER_SECOND": "1000",
    }
    try:
        async with house(environment=environment, market=market) as here:
            yield Two(here, keys, faults)
    finally:
        await serving.stop()


async def sweep_until(here: Any, text: str) -> None:
    """Sweep until it is a time of the day in Korea."""
    hours, minutes = map(int, text.split(":"))
    while here.market.now() < START.replace(hour=hours, minute=minutes):
        await here.sweep()


def notices(here: Any) -> list[str]:
    """Return what the owner was told about sources, oldest first."""
    return [one.text for one in here.said() if one.text[0] in "🔁✅⚠🛑" and "KRX" in one.text]


async def fired_exactly(here: Any, at: str) -> int:
    """Return how many bars that ended then fired; each must be the exchange's own."""
    fired = [one for one in await signals(here) if f"{one.fired_at.astimezone(KST):%H:%M}" == at]
    for one in fired:
        code, end = one.instrument.partition(":")[2], one.bar_start + one.timeframe.length
        minutes = here.world.simulator.minutes(code, one.bar_start, end, here.market.now())
        shown = one.snapshot
        assert shown.close[-1] == minutes[-1].close
        assert shown.volume[-1] == sum(minute.volume for minute in minutes)
    return len(fired)


async def signals(here: Any) -> list[Signal]:
    found: list[Signal] = await here.app.store.read(lambda tx: tx.signals.recent(100))
    return found


def lacking(here: Any) -> set[str]:
    """Return which instruments lack a bar of a slot in which they have traded."""
    (series,) = here.app.pipeline.series
    panel, now = series.panel, here.market.now()
    lacking = set()
    for slot in series.calendar.slots(START, now - series.timeframe.length, Timeframe.M5):
        for name in panel.instruments:
            minutes = here.world.simulator.minutes(name[4:], slot, series.end(slot), now)
            if minutes and to_ms(slot) not in panel.starts[panel.row(name)]:
                lacking.add(name)
    return lacking


def test_kis_stands_in_while_naver_is_down(house: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_sources(house, tmp_path) as two:
            here, naver = two.here, two.here.world.faults
            await sweep_until(here, "09:58")
            assert notices(here) == []
            naver.fail(Fault.BROKEN, only=POLLING)
            await sweep_until(here, "10:01")
            (notice,) = notices(here)
            assert notice.startswith("🔁 KRX: naver 시세를 받지 못해 kis 시세로 대신하고 있어요.")
            assert "answered 503" in notice
            assert await fired_exactly(here, "10:00") == 1

            naver.fail(Fault.RENAMED)  # every page, its charts too
            await sweep_until(here, "10:06")
            assert await fired_exactly(here, "10:05") == 1, "verified by the chart of KIS"
            assert len(notices(here)) == 1
            (status,) = await here.type("/status")
            assert "KRX 시세: 정상 · 0초 전\n🔁 naver 대신 kis" in status.text
            here.world.core.add_user(VISITOR, "Me", "en")
            (health,) = await here.type("/health")
            assert "KRX prices: fine · 0s ago\nfrom kis · watched 48 · missing 0" in health.text
            assert "🔁 kis stands in for naver · since 11-24 09:58 (" in health.text
            assert "closePriceRaw" in health.text, "what has changed is what somebody must mend"

            naver.clear()
            await sweep_until(here, "10:12")
            assert notices(here)[1:] == ["✅ KRX: the usual source is back."]
            (health,) = await here.type("/health")
            assert "from naver" in health.text
            assert lacking(here) == set()

    asyncio.run(scenario())


def test_a_wrong_key_is_told_and_naver_goes_on_alone(house: Open, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_sources(house, tmp_path, "PSwrong") as two:
            here = two.here
            for _ in range(3):
                for _ in range(6):
                    await here.sweep()
                await here.app.pipeline.compare(Venue.KRX)
            (notice,) = notices(here)
            assert "kis 시세를 쓸 수 없어요" in notice
            assert "TICKTALK_KIS_APP_KEY" in notice
            (status,) = await here.type("/status")
            assert "KRX 시세: 정상" in status.text
            assert "⚠️ 대신할 kis 시세를 쓸 수 없음" in status.text
            assert len([one for one in here.said(CHANNEL) if one.photo is not None]) == 1
            assert "PSwrong" not in "".join(one.text for one in here.said())

    asyncio.run(scenario())
