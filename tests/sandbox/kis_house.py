"""A pretend KIS at a moment, and what was recorded of the real one."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from market.clock import ManualClock
from market.sessions import KST, KrxCalendar
from market.types import Instrument, Kind, Venue
from sandbox.kis import Kis
from sandbox.kis_faults import Faults
from sandbox.kis_keys import KisKeys
from sandbox.kis_routes import kis_routes
from sandbox.market import Simulator

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures" / "kis"
NOW = datetime(2026, 9, 9, 10, 30, 15, tzinfo=KST)
INSTRUMENTS = [
    Instrument(Venue.KRX, "005930", "삼성전자", "KOSPI"),
    Instrument(Venue.KRX, "086520", "에코프로", "KOSDAQ"),
    Instrument(Venue.KRX, "069500", "KODEX 200", "KOSPI", Kind.ETF),
]
SIMULATOR = Simulator(INSTRUMENTS, KrxCalendar({}), seed=5, halted="086520", illiquid="069500")
KEYS = {"appkey": "key", "appsecret": "secret"}
QUOTATIONS = "/uapi/domestic-stock/v1/quotations/"
PRICES = ("intstock-multprice", "FHKST11300006")
TODAY = ("inquire-time-itemchartprice", "FHKST03010200")
PAST = ("inquire-time-dailychartprice", "FHKST03010230")
DAYS = ("inquire-daily-itemchartprice", "FHKST03010100")
INVESTORS = ("inquire-investor", "FHKST01010900")


class House:
    """A pretend KIS at a moment, with a token to ask it."""

    def __init__(self, at: datetime = NOW, *, is_virtual: bool = False) -> None:
        self.clock = ManualClock(at)
        self.keys = KisKeys(self.clock, "key", "secret")
        self.venue = Kis(SIMULATOR, self.clock, self.keys, is_virtual=is_virtual)
        self.faults = Faults()
        self.app = Starlette(routes=kis_routes(self.venue, self.faults))
        self.token = str(self.keys.issue(KEYS)[1]["access_token"])

    def get(
        self, service: tuple[str, str], query: Mapping[str, str], **changes: str
    ) -> httpx.Response:
        """Return what a service answers."""
        headers = {**KEYS, "authorization": f"Bearer {self.token}", "tr_id": service[1]}

        async def scenario() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://kis") as client:
                return await client.get(
                    QUOTATIONS + service[0], params=query, headers=headers | changes
                )

        return asyncio.run(scenario())

    def minutes(
        self, hour: str, code: str = "005930", past: str = "N", day: str = ""
    ) -> list[dict[str, Any]]:
        query = {"FID_INPUT_ISCD": code, "FID_INPUT_HOUR_1": hour, "FID_PW_DATA_INCU_YN": past}
        service = PAST if day else TODAY
        found: list[dict[str, Any]] = self.get(
            service, query | ({"FID_INPUT_DATE_1": day} if day else {})
        ).json()["output2"]
        return found


def recorded(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"recorded answers are kept outside the repository: no {name}")
    text = path.read_text()
    return orjson.loads(text) if name.endswith("json") else text.strip()
