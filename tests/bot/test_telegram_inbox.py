from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from telegram import Update

from bot.command import load_commands
from bot.telegram_inbox import StoredUpdates, incoming
from market.clock import ManualClock
from market.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bot.incoming import Incoming

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
SENT_SECONDS = 1_790_000_000
PERSON = {"id": 5, "is_bot": False, "first_name": "김", "language_code": "ko"}
CHAT = {"id": 5, "type": "private", "first_name": "김"}


def message(**changes: Any) -> dict[str, Any]:
    base = {"message_id": 9, "date": SENT_SECONDS, "chat": CHAT, "from": PERSON, "text": "/status"}
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def told(**content: Any) -> Incoming | None:
    """Return an update in our own words."""
    return incoming(Update.de_json({"update_id": 77, **content}, None), NOW)


def heard(**content: Any) -> Incoming:
    found = told(**content)
    assert found is not None
    return found


def stored(folder: Path, scenario: Callable[[StoredUpdates, Store], Awaitable[None]]) -> None:
    store = Store.open(folder / "inbox.sqlite")

    async def whole() -> None:
        await scenario(StoredUpdates(store, ManualClock(NOW)), store)

    try:
        asyncio.run(whole())
    finally:
        store.close()


def test_a_text_is_told_with_its_sender_and_time() -> None:
    found = heard(message=message())
    assert (found.update_id, found.kind, found.text) == (77, "text", "/status")
    assert (found.user_id, found.user_name, found.language) == (5, "김", "ko")
    assert (found.chat_id, found.chat_type, found.message_id) == (5, "private", 9)
    assert found.sent_at == datetime.fromtimestamp(SENT_SECONDS, UTC)
    assert not found.is_edited
    assert found.is_private


def test_a_reply_tells_what_it_answers_and_a_tap_does_not() -> None:
    answered = message(message_id=4, text="alert")
    assert heard(message=message(reply_to_message=answered)).reply_to == 4
    assert heard(message=message()).reply_to is None
    query = {"id": "44", "from": PERSON, "chat_instance": "1", "data": "oc:A:1"}
    tapped = heard(callback_query={**query, "message": message(reply_to_message=answered)})
    assert tapped.reply_to is None


def test_a_picture_is_told_by_its_caption() -> None:
    assert heard(message=message(text=None, caption="look")).text == "look"


def test_a_sticker_is_something_else() -> None:
    assert heard(message=message(text=None)).kind == "other"


def test_an_edited_message_is_marked() -> None:
    edited = message(edit_date=SENT_SECONDS + 1)
    assert heard(edited_message=edited).is_edited


def test_a_tap_counts_from_when_it_was_received() -> None:
    query = {"id": "44", "from": PERSON, "chat_instance": "1", "data": "oc:A:1"}
    found = heard(callback_query={**query, "message": message()})
    assert (found.kind, found.text, found.callback_id) == ("tap", "oc:A:1", "44")
    assert (found.message_id, found.sent_at) == (9, NOW)


def test_a_tap_on_a_message_that_telegram_no_longer_shows_is_told() -> None:
    query = {"id": "44", "from": PERSON, "chat_instance": "1", "data": "oc:A:1"}
    gone = {"message_id": 9, "date": 0, "chat": CHAT}
    assert heard(callback_query={**query, "message": gone}).message_id == 9


def test_a_tap_outside_any_chat_is_nobodys() -> None:
    query = {"id": "44", "from": PERSON, "chat_instance": "1", "inline_message_id": "x"}
    assert told(callback_query=query) is None


def test_an_update_without_a_person_is_nobodys() -> None:
    post = {"message_id": 1, "date": SENT_SECONDS, "chat": {"id": -1, "type": "channel"}}
    assert told(channel_post=post) is None


def test_a_person_without_a_language_is_told() -> None:
    person = {"id": 5, "is_bot": False, "first_name": "x"}
    assert heard(message=message(**{"from": person})).language == ""


def test_an_update_is_on_disk_before_it_is_queued(tmp_path: Path) -> None:
    async def scenario(updates: StoredUpdates, store: Store) -> None:
        await updates.receive({"update_id": 1, "message": message()})
        rows = await store.read(lambda tx: tx.inbox.unprocessed())
        assert [(row.update_id, row.received_at) for row in rows] == [(1, NOW)]
        assert (await updates.get())["message"] == message()

    stored(tmp_path, scenario)


def test_an_update_that_was_received_before_is_dropped(tmp_path: Path) -> None:
    async def scenario(updates: StoredUpdates, _: Store) -> None:
        await updates.receive({"update_id": 1, "n": 1})
        await updates.receive({"update_id": 1, "n": 2})
        await updates.receive({"update_id": 2})
        assert await updates.get() == {"update_id": 1, "n": 1}
        assert await updates.get() == {"update_id": 2}

    stored(tmp_path, scenario)


def test_what_is_not_done_comes_again(tmp_path: Path) -> None:
    async def scenario(updates: StoredUpdates, store: Store) -> None:
        for update_id in (3, 1, 2):
            await updates.receive({"update_id": update_id})
        await updates.done(2)
        again = StoredUpdates(store, ManualClock(NOW))
        assert await again.replay() == 2
        assert [(await again.get())["update_id"] for _ in range(2)] == [1, 3]

    stored(tmp_path, scenario)


@pytest.mark.parametrize("payload", ["", "[1, 2]", "{", "null"])
def test_a_payload_that_is_no_update_keeps_its_id(tmp_path: Path, payload: str) -> None:
    async def scenario(updates: StoredUpdates, store: Store) -> None:
        await store.write(lambda tx: tx.inbox.receive(4, payload, NOW))
        assert await updates.replay() == 1
        assert await updates.get() == {"update_id": 4}

    stored(tmp_path, scenario)


def test_half_an_emoji_can_be_stored(tmp_path: Path) -> None:
    async def scenario(updates: StoredUpdates, store: Store) -> None:
        await updates.receive({"update_id": 1, "text": "\ud83d"})
        again = StoredUpdates(store, ManualClock(NOW))
        await again.replay()
        assert (await again.get())["text"] == "\ud83d"

    stored(tmp_path, scenario)


def test_it_is_empty_when_every_update_is_finished(tmp_path: Path) -> None:
    async def scenario(updates: StoredUpdates, _: Store) -> None:
        await updates.receive({"update_id": 1})
        waiting = asyncio.create_task(updates.empty())
        await updates.get()
        assert not waiting.done()
        updates.finish()
        await waiting

    stored(tmp_path, scenario)


def test_codes_and_pins_are_heard_but_not_stored(tmp_path: Path) -> None:
    load_commands()
    raw = {
        "update_id": 5,
        "message": message(text="/pin 482913 719420", entities=[]),
    }

    async def scenario(updates: StoredUpdates, store: Store) -> None:
        await updates.receive(raw)
        assert await updates.get() == raw
        (kept,) = await store.read(lambda tx: tx.inbox.unprocessed())
        assert '"/pin"' in kept.payload
        assert "482913" not in kept.payload
        assert "719420" not in kept.payload
        assert await updates.replay() == 1
        assert (await updates.get())["message"]["text"] == "/pin"

    stored(tmp_path, scenario)
