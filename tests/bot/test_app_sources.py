"""Which sources are built, and which of them only follow what is held."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from bot.app_sources import build_sources
from bot.plugins import load_plugins
from market.clock import SystemClock
from market.types import Venue
from tests.bot.test_app import written

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"TICKTALK_KIS_APP_KEY": "k" * 36, "TICKTALK_KIS_APP_SECRET": "s" * 180}


@pytest.mark.parametrize(
    ("environ", "crawl", "asked", "beside"),
    [
        ({}, "{source: naver}", ["naver"], []),
        (KEYS, "{source: naver}", ["naver"], ["kis"]),
        (KEYS, "{source: naver, second: kis}", ["naver", "kis"], []),
        (KEYS, "{source: kis}", ["kis"], []),
        (KEYS, "{source: replay}", ["replay"], []),
    ],
)
def test_kis_follows_what_is_held_wherever_there_are_keys(
    tmp_path: Path, environ: dict[str, str], crawl: str, asked: list[str], beside: list[str]
) -> None:
    load_plugins()
    config = written(tmp_path, environ, crawl=crawl)

    async def scenario() -> None:
        async with httpx.AsyncClient() as http:
            sources = build_sources(config, http, SystemClock())
            assert [one.name for one in sources.chain(Venue.KRX).members] == asked
            assert [one.name for one in sources.beside] == beside
            await sources.close()

    asyncio.run(scenario())
