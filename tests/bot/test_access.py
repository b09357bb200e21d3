"""Claiming the bot: one code, ten minutes, five attempts, one owner."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.access import CLAIM_KEY
from market.messages import Message, Person, Role
from tests.bot.chat_world import NOW, STRANGER_ID, World, build_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEWCOMER = Person(STRANGER_ID, Role.VIEWER, "ko", "새 사람")


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    """Return a world that nobody owns."""
    built = build_world(tmp_path)
    yield built
    built.store.close()


def test_right_code_makes_the_owner(empty: World) -> None:
    async def scenario() -> tuple[str, Person | None]:
        code = await empty.services.access.new_code(NOW)
        (message,) = await empty.say(f"/claim {code.lower()}", NEWCOMER)
        return message.text, await empty.store.read(lambda tx: tx.people.owner())

    text, owner = asyncio.run(scenario())
    assert "소유자" in text
    assert owner == Person(STRANGER_ID, Role.OWNER, "ko", "새 사람")


def test_code_is_stored_as_a_hash_only(empty: World) -> None:
    async def scenario() -> tuple[str, str]:
        code = await empty.services.access.new_code(NOW)
        return code, str(await empty.store.read(lambda tx: tx.documents.get(CLAIM_KEY)))

    code, stored = asyncio.run(scenario())
    assert code not in stored


def test_five_wrong_attempts_kill_the_code(empty: World) -> None:
    async def scenario() -> list[str]:
        code = await empty.services.access.new_code(NOW)
        attempts = [*["WRONG"] * 5, code]
        return [await empty.services.access.claim(one, NEWCOMER, NOW) for one in attempts]

    assert asyncio.run(scenario()) == [*["claim.wrong"] * 4, "claim.dead", "claim.dead"]


def test_code_dies_after_ten_minutes(empty: World) -> None:
    async def scenario() -> str:
        code = await empty.services.access.new_code(NOW)
        return await empty.services.access.claim(code, NEWCOMER, NOW + timedelta(minutes=10))

    assert asyncio.run(scenario()) == "claim.dead"


def test_code_works_once(empty: World) -> None:
    async def scenario() -> list[str]:
        code = await empty.services.access.new_code(NOW)
        other = Person(5, Role.VIEWER, "en")
        access = empty.services.access
        return [await access.claim(code, one, NOW) for one in (NEWCOMER, other, NEWCOMER)]

    assert asyncio.run(scenario()) == ["claim.done", "claim.taken", "claim.yours"]


def test_new_code_voids_the_one_before(empty: World) -> None:
    async def scenario() -> str:
        old = await empty.services.access.new_code(NOW)
        await empty.services.access.new_code(NOW)
        return await empty.services.access.claim(old, NEWCOMER, NOW)

    assert asyncio.run(scenario()) == "claim.wrong"


def test_claim_without_any_code_is_dead(empty: World) -> None:
    assert asyncio.run(empty.services.access.claim("", NEWCOMER, NOW)) == "claim.dead"


def test_claim_in_a_group_is_not_heard(empty: World) -> None:
    async def scenario() -> tuple[int, bool]:
        code = await empty.services.access.new_code(NOW)
        said = await empty.say(f"/claim {code}", NEWCOMER, chat_id=-5, chat_type="group")
        return len(said), await empty.services.access.has_owner()

    assert asyncio.run(scenario()) == (0, False)


def test_stranger_hears_nothing_once_there_is_an_owner(world: World) -> None:
    async def scenario() -> int:
        code = await world.services.access.new_code(NOW)
        return len(await world.say(f"/claim {code}", NEWCOMER))

    assert asyncio.run(scenario()) == 0


def test_somebody_who_is_shut_out_gets_nothing_that_still_waits(empty: World) -> None:
    async def scenario() -> int:
        access, store = empty.services.access, empty.store
        await access.allow(NEWCOMER, NOW)
        waiting = Message(NEWCOMER.id, "an alert that Telegram has not taken yet")
        await store.write(lambda tx: tx.outbox.enqueue(waiting, NOW))
        assert await access.deny(NEWCOMER.id, NOW)
        return await store.read(lambda tx: tx.outbox.waiting())

    assert asyncio.run(scenario()) == 0
