from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.access import CLAIM_ATTEMPTS, CLAIM_LIFETIME, Access
from bot.claim_offer import ClaimOffer
from market.clock import ManualClock
from market.messages import Person, Role
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIM = Person(5, Role.VIEWER, "ko", "Kim")


class Console:
    """A claim offer over a real store, and what it has shown."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock(datetime(2026, 11, 24, tzinfo=UTC))
        self.store = Store.open(path, self.clock)
        self.access = Access(self.store)
        self.bot_name = "a_bot"
        self.shown: list[str] = []
        self.offer = self.restarted()

    def restarted(self) -> ClaimOffer:
        return ClaimOffer(self.access, self.clock, lambda: self.bot_name, self.shown.append)

    @property
    def codes(self) -> list[str]:
        return [re.findall(r"/claim (\S+)", text)[0] for text in self.shown]

    async def claim(self, code: str) -> str:
        return await self.access.claim(code, KIM, self.clock.now())


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path / "x.sqlite")
    yield made
    made.store.close()


def test_the_code_that_is_shown_works(console: Console) -> None:
    async def scenario() -> str:
        await console.offer.check()
        return await console.claim(console.codes[0])

    assert asyncio.run(scenario()) == "claim.done"
    assert "https://t.me/a_bot" in console.shown[0]
    assert "10 minutes" in console.shown[0]


def test_a_living_code_is_shown_once(console: Console) -> None:
    async def scenario() -> None:
        for _ in range(3):
            await console.offer.check()
            console.clock.advance(timedelta(minutes=2))

    asyncio.run(scenario())
    assert len(console.shown) == 1


def test_a_new_code_is_shown_when_the_old_one_has_expired(console: Console) -> None:
    async def scenario() -> tuple[str, str]:
        await console.offer.check()
        console.clock.advance(CLAIM_LIFETIME)
        await console.offer.check()
        old, new = console.codes
        return await console.claim(old), await console.claim(new)

    assert asyncio.run(scenario()) == ("claim.wrong", "claim.done")


def test_a_new_code_is_shown_after_too_many_wrong_ones(console: Console) -> None:
    async def scenario() -> str:
        await console.offer.check()
        for _ in range(CLAIM_ATTEMPTS):
            await console.claim("WRONG")
        assert await console.claim(console.codes[0]) == "claim.dead"
        await console.offer.check()
        return await console.claim(console.codes[1])

    assert asyncio.run(scenario()) == "claim.done"


def test_a_code_of_an_earlier_run_is_replaced(console: Console) -> None:
    async def scenario() -> None:
        await console.offer.check()
        await console.restarted().check()

    asyncio.run(scenario())
    assert len(console.shown) == 2


def test_nothing_is_shown_once_somebody_owns_the_bot(console: Console) -> None:
    async def scenario() -> None:
        await console.offer.check()
        await console.claim(console.codes[0])
        console.clock.advance(CLAIM_LIFETIME * 2)
        await console.offer.check()
        await console.restarted().check()

    asyncio.run(scenario())
    assert len(console.shown) == 1


def test_nothing_is_shown_before_the_bot_is_connected(console: Console) -> None:
    console.bot_name = ""
    asyncio.run(console.offer.check())
    assert console.shown == []
