"""What people do becomes updates; what waits, is confirmed, allowed and answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from market.clock import ManualClock
from sandbox.telegram_core import TelegramCore
from sandbox.telegram_errors import QUERY_TOO_OLD, RefusalError
from sandbox.telegram_types import CallbackAnswer, ChatMessage

KIM = 11111111
GROUP = -1009
CHANNEL = -1001234567890
AT = datetime(2026, 11, 24, 0, 35, tzinfo=UTC)


class Stage:
    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock(AT)
        self.core = TelegramCore(self.clock, **options)
        self.core.add_user(KIM, "김개미")
        self.core.add_channel(CHANNEL, "알림", "ticktalk_alerts")
        self.core.add_group(GROUP, "모임")

    def says(self, text: str = "확인?") -> ChatMessage:
        return self.core.bot_sends(self.core.chat(KIM), text, ())


def test_a_typed_command_has_its_entity_and_whole_seconds() -> None:
    core = Stage().core
    core.user_sends(KIM, "/buy 삼성전자 10")
    (update,) = core.pending_updates()
    message = update["message"]
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 4}]
    assert message["date"] == int(AT.timestamp())
    assert message["from"] == {
        "id": KIM,
        "is_bot": False,
        "first_name": "김개미",
        "language_code": "ko",
    }
    assert message["chat"] == {"id": KIM, "type": "private", "first_name": "김개미"}


def test_a_reply_shows_what_it_answers_but_not_what_that_answered() -> None:
    core = Stage().core
    core.user_sends(KIM, "first")
    core.user_sends(KIM, "second", reply_to=core.messages(KIM)[0].id)
    core.user_sends(KIM, "third", reply_to=core.messages(KIM)[1].id)
    core.user_sends(KIM, "to nobody", reply_to=9)
    bodies = [one["message"] for one in core.pending_updates()[1:]]
    assert [one.get("reply_to_message", {}).get("text") for one in bodies] == [
        "first",
        "second",
        None,
    ]
    assert "reply_to_message" not in bodies[1]["reply_to_message"]


def test_updates_count_up_and_an_offset_confirms_what_is_below() -> None:
    core = Stage().core
    ids = [core.user_sends(KIM, str(number)) for number in range(3)]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    core.updates.confirm(ids[1])
    assert [update["update_id"] for update in core.pending_updates()] == ids[1:]
    assert core.confirmed_offset == ids[1]


def test_a_negative_offset_keeps_the_last_ones() -> None:
    core = Stage().core
    ids = [core.user_sends(KIM, str(number)) for number in range(5)]
    core.updates.confirm(-2)
    assert [update["update_id"] for update in core.pending_updates()] == ids[3:]


def test_allowed_kinds_do_not_touch_what_is_queued() -> None:
    core = Stage().core
    core.user_sends(KIM, "before")
    core.updates.allow(["callback_query"])
    core.user_sends(KIM, "after")
    core.user_taps(KIM, KIM, 1, "x")
    assert [set(update) - {"update_id"} for update in core.pending_updates()] == [
        {"message"},
        {"callback_query"},
    ]
    core.updates.allow([])
    core.user_sends(KIM, "again")
    assert core.pending_updates()[-1]["message"]["text"] == "again"


def test_posts_and_edits_are_kinds_of_their_own() -> None:
    core = Stage().core
    core.user_sends(KIM, "post", chat_id=CHANNEL)
    core.user_sends(KIM, "hello", chat_id=GROUP)
    core.user_edits(KIM, core.messages(GROUP)[0].id, "hello!", chat_id=GROUP)
    core.user_edits(KIM, core.messages(CHANNEL)[0].id, "post!", chat_id=CHANNEL)
    post, message, edited, edited_post = core.pending_updates()
    assert "from" not in post["channel_post"]
    assert message["message"]["chat"]["type"] == "supergroup"
    assert (edited["edited_message"]["text"], edited["edited_message"]["edit_date"]) == (
        "hello!",
        int(AT.timestamp()),
    )
    assert edited_post["edited_channel_post"]["text"] == "post!"


def test_a_tap_can_be_forged_and_its_message_gone() -> None:
    stage = Stage()
    message = stage.says()
    stage.core.bot_deletes(message)
    stage.core.user_taps(KIM, KIM, message.id, "oc:FORGED:9")
    query = stage.core.pending_updates()[0]["callback_query"]
    assert query["data"] == "oc:FORGED:9"
    assert query["message"]["date"] == 0
    assert query["chat_instance"]


def test_a_tap_is_answered_once_and_in_time() -> None:
    stage = Stage(callback_seconds=15)
    message = stage.says()
    first = stage.core.user_taps(KIM, KIM, message.id, "a")
    late = stage.core.user_taps(KIM, KIM, message.id, "a")
    assert first != late
    stage.clock.advance(timedelta(seconds=15))
    stage.core.bot_answers(first, CallbackAnswer("확인"))
    assert stage.core.callback(first).answer == CallbackAnswer("확인")
    stage.clock.advance(timedelta(seconds=1))
    for callback_id in (first, late, "unknown"):
        with pytest.raises(RefusalError, match=QUERY_TOO_OLD):
            stage.core.bot_answers(callback_id, CallbackAnswer("?"))


def test_chats_are_found_by_number_and_name() -> None:
    core = Stage().core
    assert core.open_chat(str(KIM)).id == KIM
    assert core.open_chat("@ticktalk_alerts").id == CHANNEL
    for unknown in ("5", "@nobody", "abc", "-", ""):
        with pytest.raises(RefusalError, match="chat"):
            core.open_chat(unknown)


def test_a_blocked_bot_is_forbidden_until_it_is_taken_back() -> None:
    core = Stage().core
    core.block(KIM)
    core.block(CHANNEL)
    with pytest.raises(RefusalError, match="Forbidden: bot was blocked by the user"):
        core.open_chat(str(KIM))
    with pytest.raises(RefusalError, match="bot is not a member of the channel chat"):
        core.open_chat(str(CHANNEL))
    core.unblock(KIM)
    assert core.open_chat(str(KIM)).id == KIM


def test_wait_returns_when_something_changed_and_ends_at_its_deadline() -> None:
    async def scenario() -> list[ChatMessage]:
        core = Stage().core
        waiting = asyncio.create_task(core.wait(lambda: core.messages(KIM)))
        asyncio.get_running_loop().call_soon(core.user_sends, KIM, "hello")
        messages = await waiting
        with pytest.raises(TimeoutError):
            await core.wait(lambda: False, 0.01)
        return messages

    assert asyncio.run(scenario())[0].text == "hello"


def test_changes_tell_whoever_lags_too_far() -> None:
    core = Stage().core
    start = core.changes.newest
    core.user_sends(KIM, "hello")
    kinds = [change.kind for change in core.changes.since(start) or []]
    assert kinds == ["message", "update"]
    assert core.changes.since(core.changes.newest) == []
    assert core.changes.since(core.changes.newest + 1) is None
    for _ in range(2000):
        core.changes.note("status")
    assert core.changes.since(start) is None
