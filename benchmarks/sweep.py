"""Measure one sweep of prices: 2,900 instruments through the Naver source at its default pace.

Run it as `python benchmarks/sweep.py`. The pretend Naver is served from another process and takes
50 ms for every answer. The first sweep is not counted: the pretend market makes up its day then.
The last line is for machines: instruments and requests of a sweep, seconds a sweep (median, p95).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from config.settings import NaverSettings, Settings
from crawlers.naver import NaverSource
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Venue
from sandbox.market import Simulator
from sandbox.naver import Faults, naver_routes
from sandbox.server import serve
from sandbox.site import site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from market.types import Tick

INSTRUMENTS, SWEEPS, LATENCY_SECONDS = 2_900, 40, 0.05
SERVE = "--serve"
CALENDAR = KrxCalendar({})
OPEN = datetime(2026, 9, 9, 10, 0, tzinfo=KST)


class RunningClock:
    """A time of the pretend market's day that goes on as fast as the machine's."""

    def __init__(self) -> None:
        self._ahead = OPEN - datetime.now(UTC)

    def now(self) -> datetime:
        """Return the pretend time."""
        return datetime.now(UTC) + self._ahead


def instruments() -> list[Instrument]:
    """Return instruments that do not exist."""
    return [
        Instrument(Venue.KRX, f"{number:06}", f"종목 {number}", "KOSPI" if number % 3 else "KOSDAQ")
        for number in range(1, INSTRUMENTS + 1)
    ]


async def serve_naver() -> None:
    """Serve the pretend Naver until the standard input ends; its address is the first line."""
    simulator = Simulator(instruments(), CALENDAR, seed=7)
    faults = Faults(latency_seconds=LATENCY_SECONDS)
    serving = await serve(site(naver_routes(simulator, RunningClock(), faults)))
    sys.stdout.write(f"{serving.url}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await serving.stop()


async def sweep(url: str) -> tuple[list[float], list[int], float]:
    """Return the seconds and requests of each sweep, and the CPU seconds of all of them."""
    requests = 0

    async def count(_: httpx.Request) -> None:
        nonlocal requests
        requests += 1

    settings = Settings(naver=NaverSettings(polling_url=url))
    ids = [one.id for one in instruments()]
    took, asked = [], []
    async with httpx.AsyncClient(event_hooks={"request": [count]}) as http:
        source = NaverSource(http, settings, RunningClock(), {Venue.KRX: CALENDAR})
        check(await source.ticks(ids), ids)
        started = process_time()
        for number in range(SWEEPS):
            requests, began = 0, perf_counter()
            ticks = await source.ticks(ids)
            took.append(perf_counter() - began)
            asked.append(requests)
            check(ticks, ids)
            sys.stdout.write(f"sweep {number + 1}: {took[-1]:.2f} s, {requests} requests\n")
    return took, asked, process_time() - started


def check(ticks: Sequence[Tick], ids: Sequence[str]) -> None:
    """Make sure that a sweep told the price of every instrument."""
    if [tick.instrument for tick in ticks] != list(ids):
        raise SystemExit(f"a sweep told {len(ticks)} of {len(ids)} prices")


def main() -> None:
    """Serve in another process, sweep, print."""
    with subprocess.Popen(  # noqa: S603  # this very file
        [sys.executable, __file__, SERVE], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as naver:
        if naver.stdin is None or naver.stdout is None:
            raise SystemExit("no pipes to the pretend Naver")
        took, asked, cpu = asyncio.run(sweep(naver.stdout.readline().strip()))
        naver.stdin.close()
    took.sort()
    median, p95 = took[len(took) // 2], took[-(-len(took) * 95 // 100) - 1]
    sys.stdout.write(
        f"instruments={INSTRUMENTS} requests={max(asked)} p50_s={median:.2f} p95_s={p95:.2f} "
        f"cpu_s={cpu / SWEEPS:.3f}\n"
    )


if __name__ == "__main__":
    if SERVE in sys.argv[1:]:
        asyncio.run(serve_naver())
    else:
        main()
