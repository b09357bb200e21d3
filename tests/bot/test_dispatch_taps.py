"""The dispatcher: taps on cards and commands, forged buttons, old commands."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engine.outcome import Outcome
from engine.pauses import BUYS
from market.errors import StoreFull
from market.messages import Person, Role
from tests.bot.chat_world import NOW, OWNER, STRANGER_ID, TRADER, VIEWER

if TYPE_CHECKING:
    from tests.bot.chat_world import World

STRANGER = Person(STRANGER_ID, Role.OWNER, "ko", "Nobody")


def test_viewer_cannot_tap_what_a_trader_may(world: World) -> None:
    async def scenario() -> list[str | None]:
        return [await world.tap("oc:aaaaaaaaaaaa:1", VIEWER), await world.tap("c:/pause", VIEWER)]

    assert asyncio.run(scenario()) == ["You may not use this command."] * 2
    assert world.desk.calls == []


@pytest.mark.parametrize(
    ("data", "call"),
    [
        ("oc:abcdefghij23:4", ("confirm", "abcdefghij23", 4, TRADER.id, 500)),
        ("od:abcdefghij23:4", ("decline", "abcdefghij23", 4, TRADER.id, 500)),
        ("ox:abcdefghij23", ("cancel", "abcdefghij23", TRADER.id)),
        ("oa:half:abcdefghij23:4", ("adjust", "half", "abcdefghij23", 4, TRADER.id, 500)),
        ("oa:market:abcdefghij23:4", ("adjust", "market", "abcdefghij23", 4, TRADER.id, 500)),
    ],
)
def test_tap_on_a_card_reaches_the_desk(world: World, data: str, call: tuple[object, ...]) -> None:
    assert asyncio.run(world.tap(data)) == "Sent and accepted."
    assert world.desk.calls == [call]


def test_tap_on_a_card_outside_the_private_chat_is_refused(world: World) -> None:
    notice = asyncio.run(world.tap("oc:abcdefghij23:4", chat_id=-5, chat_type="group"))
    assert notice == "Please use this command in the private chat with the bot."
    assert world.desk.calls == []


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(None, "order.expired"), "The time to confirm is over"),
        (Outcome(None, "order.already", {"state": "filled"}), "(state: filled)"),
        (Outcome(None, "order.requoted", {"old": "71,500", "new": "72,000"}), "71,500 to 72,000"),
        (Outcome(None, "risk.cash", {"limit": "5", "asked": "9"}), "(available 5 KRW, needed 9"),
        (
            Outcome(None, "risk.session", {"limit": "", "asked": ""}),
            "The market takes no such order now.",
        ),
        (Outcome(None, "order.rejected", {"reason": "rejected.cash"}), "Not enough buying power"),
    ],
)
def test_tap_tells_its_outcome(world: World, outcome: Outcome, words: str) -> None:
    world.desk.outcome = outcome
    notice = asyncio.run(world.tap("oc:abcdefghij23:4"))
    assert notice is not None
    assert words in notice
    assert len(notice) <= 200


@pytest.mark.parametrize(
    "data",
    [
        "",
        "oc:",
        "oc:abc",
        "oc:abc:x",
        "oc:abc:1:2",
        "oa:abc:1",
        "oa:thrice:abc:1",
        "ox:../..",
        "c:status",
        "c:/nothing",
        "again:x",
        "é",
    ],
)
def test_forged_button_is_ignored_and_logged(
    world: World, data: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        notice = asyncio.run(world.tap(data))
    assert notice == "Unknown button: ignored."
    assert "forged button" in caplog.text
    assert world.desk.calls == []


def test_command_button_runs_the_command(world: World) -> None:
    async def scenario() -> list[str]:
        _, messages = await world.receive(world.incoming("c:/buy 005930", kind="tap"))
        return [message.text for message in messages]

    (text,) = asyncio.run(scenario())
    assert "How many" in text


def test_old_command_asks_before_it_acts(world: World) -> None:
    async def scenario() -> tuple[str, int, str | None, int, str | None, int]:
        old = world.incoming("/buy 005930 10", sent_at=NOW - timedelta(minutes=5))
        _, (question,) = await world.receive(old)
        before = len(world.desk.tickets)
        data = question.buttons[0][0].data
        first = await world.tap(data)
        after = len(world.desk.tickets)
        second = await world.tap(data)
        return question.text, before, first, after, second, len(world.desk.tickets)

    text, before, first, after, second, last = asyncio.run(scenario())
    assert "You sent this 5m00s ago" in text
    assert (before, after, last) == (0, 1, 1)
    assert first == ""
    assert second == "This button was used or is too old. Please send the command again."


def test_old_command_marks_its_question_as_done(world: World) -> None:
    async def scenario() -> list[str]:
        await world.receive(world.incoming("/pause", sent_at=NOW - timedelta(minutes=5)))
        _, messages = await world.receive(world.incoming(f"again:{world.next_update}", kind="tap"))
        return [message.text for message in messages]

    texts = asyncio.run(scenario())
    assert any("Done: <code>/pause</code>" in text for text in texts)


def test_question_of_an_old_command_is_only_for_its_sender(world: World) -> None:
    async def scenario() -> str | None:
        await world.receive(world.incoming("/pause", sent_at=NOW - timedelta(minutes=5)))
        return await world.tap(f"again:{world.next_update}", OWNER)

    assert asyncio.run(scenario()) == "이미 썼거나 시간이 지난 버튼이에요. 명령을 다시 보내 주세요."
    assert world.desk.calls == []


def test_question_of_an_old_command_lapses(world: World) -> None:
    async def scenario() -> str | None:
        await world.receive(world.incoming("/pause", sent_at=NOW - timedelta(minutes=5)))
        asked = world.next_update
        world.wall.advance(timedelta(minutes=11))
        return await world.tap(f"again:{asked}")

    assert "too old" in (asyncio.run(scenario()) or "")
    assert world.desk.calls == []


def test_old_question_is_answered_at_once(world: World) -> None:
    (message,) = asyncio.run(world.say("/status", sent_at=NOW - timedelta(hours=3)))
    assert "Trading" in message.text


def test_tap_is_not_stale_however_old_its_message(world: World) -> None:
    asyncio.run(world.tap("c:/pause", sent_at=NOW - timedelta(days=2)))
    assert world.desk.calls == [("pause", TRADER.id, BUYS, None)]


def test_full_disk_is_told_to_a_tap_and_the_update_is_not_done(world: World) -> None:
    world.desk.error = StoreFull("the disk is full")

    async def scenario() -> tuple[str | None, bool]:
        tap = world.incoming("c:/buy 005930 10", kind="tap")
        notice, _ = await world.receive(tap)
        done = await world.store.read(lambda tx: tx.inbox.is_done(tap.update_id))
        return notice, done

    notice, done = asyncio.run(scenario())
    assert notice is not None
    assert "could not be stored" in notice
    assert not done
