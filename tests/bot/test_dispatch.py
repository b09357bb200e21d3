"""The dispatcher: silence for strangers, nothing twice, nothing old, nothing forged."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from market.errors import SourceUnavailable, TicktalkError
from market.messages import Person, Role
from tests.bot.chat_world import OWNER, STRANGER_ID, TRADER, VIEWER

if TYPE_CHECKING:
    from tests.bot.chat_world import World

STRANGER = Person(STRANGER_ID, Role.OWNER, "ko", "Nobody")


@pytest.mark.parametrize("text", ["/start", "/status", "/buy 005930 10", "/help", "hello", ""])
def test_stranger_gets_no_answer(world: World, text: str) -> None:
    assert asyncio.run(world.say(text, STRANGER)) == []
    assert world.desk.tickets == []


@pytest.mark.parametrize("data", ["oc:aaaaaaaaaaaa:1", "c:/status", "c:/claim X", "again:1", "?"])
def test_stranger_taps_in_vain(world: World, data: str) -> None:
    assert asyncio.run(world.tap(data, STRANGER)) is None
    assert world.desk.calls == []


@pytest.mark.parametrize("user_id", [0, 777000, 1087968824, 136817688])
def test_sender_without_a_personal_id_is_ignored(world: World, user_id: int) -> None:
    changes = {"user_id": user_id, "chat_id": -5, "chat_type": "supergroup"}
    assert asyncio.run(world.say("/status", OWNER, **changes)) == []


def test_channel_post_is_ignored(world: World) -> None:
    assert asyncio.run(world.say("/status", OWNER, chat_id=-100, chat_type="channel")) == []


@pytest.mark.parametrize("text", ["hello everybody", "/nonsense", "/buyy 1"])
def test_group_talk_is_not_answered(world: World, text: str) -> None:
    assert asyncio.run(world.say(text, OWNER, chat_id=-5, chat_type="group")) == []


def test_group_command_for_another_bot_is_ignored(world: World) -> None:
    world.dispatcher.bot_name = "ticktalk_bot"

    async def scenario() -> list[int]:
        chat = {"chat_id": -5, "chat_type": "group"}
        other = await world.say("/status@other_bot", OWNER, **chat)
        ours = await world.say("/status@TickTalk_bot", OWNER, **chat)
        return [len(other), len(ours)]

    assert asyncio.run(scenario()) == [0, 1]


def test_order_command_in_a_group_points_to_the_private_chat(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy 005930 10", chat_id=-5, chat_type="group"))
    assert "private chat" in message.text
    assert world.desk.tickets == []


@pytest.mark.parametrize(
    ("person", "text"),
    [(VIEWER, "/buy 005930 10"), (VIEWER, "/pause"), (TRADER, "/allow 5 viewer")],
)
def test_role_that_is_too_low_is_denied(world: World, person: Person, text: str) -> None:
    (message,) = asyncio.run(world.say(text, person))
    assert message.text == "You may not use this command."
    assert world.desk.tickets == []
    assert world.desk.calls == []


def test_edited_command_is_never_carried_out(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy 005930 10", is_edited=True))
    assert "Edited messages" in message.text
    assert world.desk.tickets == []


def test_update_is_handled_once(world: World) -> None:
    async def scenario() -> int:
        update = world.incoming("/buy 005930 10")
        await world.receive(update)
        await world.receive(update)
        return len(world.desk.tickets)

    assert asyncio.run(scenario()) == 1


@pytest.mark.parametrize("changes", [{"kind": "other"}, {}])
def test_picture_or_sticker_gets_a_hint(world: World, changes: dict[str, Any]) -> None:
    (message,) = asyncio.run(world.say("", **changes))
    assert "written commands only" in message.text


def test_unknown_command_suggests_near_ones(world: World) -> None:
    (message,) = asyncio.run(world.say("/statsu"))
    assert message.buttons[0][0].data == "c:/status"


def test_suggestions_keep_to_the_role(world: World) -> None:
    (message,) = asyncio.run(world.say("/alow 5", VIEWER))
    assert all(button.data != "c:/allow" for row in message.buttons for button in row)


@pytest.mark.parametrize("text", ["가" * 10_000, "/" + "a" * 10_000, "/buy " + "삼성 " * 3_000])
def test_very_long_text_gets_a_short_answer(
    world: World, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="bot"):
        (message,) = asyncio.run(world.say(text))
    assert len(message.text) < 500
    assert len(caplog.text) < 2_000


def test_text_with_markup_is_escaped(world: World) -> None:
    (message,) = asyncio.run(world.say("/buy <b>x</b>&amp; 10"))
    assert "<b>" not in message.text
    assert "&lt;b&gt;x&lt;/b&gt;&amp;amp;" in message.text


def test_fault_in_a_command_is_logged_and_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.desk.error = RuntimeError("a fault of ours")

    async def scenario() -> tuple[str, int]:
        (message,) = await world.say("/buy 005930 10")
        return message.text, len(await world.say("/status"))

    text, goes_on = asyncio.run(scenario())
    assert "Something went wrong" in text
    assert "a fault of ours" not in text
    assert "a fault of ours" in caplog.text
    assert goes_on == 1


def test_source_that_is_down_is_told(world: World) -> None:
    world.desk.error = SourceUnavailable("naver answered 503")
    (message,) = asyncio.run(world.say("/buy 005930 10"))
    assert "naver answered 503" in message.text


def test_refusal_is_told_in_its_own_words(world: World) -> None:
    world.desk.error = TicktalkError("no <way>")
    (message,) = asyncio.run(world.say("/buy 005930 10"))
    assert message.text == "Not possible: no &lt;way&gt;"


def test_language_follows_telegram(world: World) -> None:
    async def scenario() -> tuple[str, str]:
        (first,) = await world.say("hello", language="ko-KR")
        (second,) = await world.say("hello", language="de")
        return first.text, second.text

    first, second = asyncio.run(scenario())
    assert "명령으로" in first
    assert "commands" in second
    person = asyncio.run(world.store.read(lambda tx: tx.people.get(TRADER.id)))
    assert person is not None
    assert person.language == "en"
