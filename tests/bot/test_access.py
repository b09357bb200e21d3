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


def test_the_last_attempt_may_be_the_right_one(empty: World) -> None:
    async def scenario() -> tuple[str, bool]:
        access = empty.services.access
        code = await access.new_code(NOW)
        assert len(code) == 8
        for _ in range(4):
            await access.claim("WRONG", NEWCOMER, NOW)
        assert not await access.has_owner()
        return await access.claim(code, NEWCOMER, NOW), await access.has_owner()

    assert asyncio.run(scenario()) == ("claim.done", True)


def test_a_claimed_bot_keeps_no_code(empty: World) -> None:
    async def scenario() -> object:
        access = empty.services.access
        await access.claim(await access.new_code(NOW), NEWCOMER, NOW)
        return await empty.store.read(lambda tx: tx.documents.get(CLAIM_KEY))

    assert asyncio.run(scenario()) is None


def test_a_code_is_wanted_where_none_is_alive_and_nobody_owns_the_bot(empty: World) -> None:
    async def scenario() -> list[bool]:
        access = empty.services.access
        before = await access.wants_code(NOW)
        code = await access.new_code(NOW)
        alive = await access.wants_code(NOW)
        dead = await access.wants_code(NOW + timedelta(minutes=10))
        await access.claim(code, NEWCOMER, NOW)
        return [before, alive, dead, await access.wants_code(NOW)]

    assert asyncio.run(scenario()) == [True, False, True, False]


def test_a_role_changes_and_the_person_stays_as_they_are(empty: World) -> None:
    async def scenario() -> list[object]:
        access, store = empty.services.access, empty.store
        assert await access.allow(NEWCOMER, NOW)
        as_typed = Person(NEWCOMER.id, Role.TRADER, "en", "typed")
        assert await access.allow(as_typed, NOW)
        owner = Person(9, Role.OWNER, "ko", "주인")
        await store.write(lambda tx: tx.people.put(owner, NOW))
        told = [
            await access.allow(Person(9, Role.VIEWER, "en", "x"), NOW),
            await access.deny(9, NOW),
            await access.deny(10, NOW),
            await access.deny(NEWCOMER.id, NOW),
        ]
        assert await store.read(lambda tx: tx.people.owner()) == owner
        return [*told, await store.read(lambda tx: tx.people.get(NEWCOMER.id))]

    assert asyncio.run(scenario()) == [False, None, False, True, None]


def test_a_promoted_person_keeps_language_and_name(empty: World) -> None:
    async def scenario() -> Person | None:
        access = empty.services.access
        await access.allow(NEWCOMER, NOW)
        await access.allow(Person(NEWCOMER.id, Role.TRADER, "en", "typed"), NOW)
        return await empty.store.read(lambda tx: tx.people.get(NEWCOMER.id))

    assert asyncio.run(scenario()) == Person(NEWCOMER.id, Role.TRADER, "ko", "새 사람")
