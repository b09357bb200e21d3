"""The pace of requests to KIS: never more in any second than its servers take."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from pydantic import SecretStr

from config.settings import KisSettings
from sandbox.kis_pace import REAL, VIRTUAL
from tests.virtual_time import run_virtual
from venues.kis_http import pace_of

KEY = SecretStr("k" * 36)


@pytest.mark.parametrize(("is_virtual", "most"), [(False, REAL), (True, VIRTUAL)])
def test_no_second_has_more_requests_than_are_answered(most: int, *, is_virtual: bool) -> None:
    settings = KisSettings(app_key=KEY, is_virtual=is_virtual)

    async def scenario() -> list[float]:
        times: list[float] = []

        async def ask() -> None:
            await pace_of(http, settings).acquire()
            times.append(asyncio.get_running_loop().time())

        async with httpx.AsyncClient() as http:
            await asyncio.gather(*(ask() for _ in range(60)))
        return times

    times = run_virtual(scenario())
    counts = [sum(at <= other < at + 1 for other in times) for at in times]
    assert max(counts) <= most
    assert times[-1] - times[0] < 60 / settings.requests_per_second + 1
