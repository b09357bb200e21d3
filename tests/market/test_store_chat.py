"""The outbox keeps every message, its place, and the newest state of every card."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from market.errors import StoreError
from market.messages import Button, Message
from market.store_chat import Outgoing, SentCard

if TYPE_CHECKING:
    from market.store import Store, Transaction

NOW = datetime(2026, 10, 2, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
CHATS = map(int, count(1_000))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
MESSAGES = st.builds(
    Message,
    chat_id=st.just(0),
    text=TEXTS,
    buttons=st.lists(
        st.lists(st.builds(Button, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple), max_size=2
    ).map(tuple),
    card=st.none() | TEXTS,
    chart=st.none() | TEXTS,
    is_silent=st.booleans(),
)


def message(text: str = "hello", chat_id: int = 1, card: str | None = None) -> Message:
    return Message(chat_id, text, card=card)


def card(text: str) -> Message:
    return message(text, card="order/a")


def enqueue(store: Store, *messages: Message) -> list[int]:
    return asyncio.run(store.write(lambda t: [t.outbox.enqueue(each, NOW) for each in messages]))


def pending(store: Store, at: datetime = NOW) -> list[str]:
    found = asyncio.run(store.read(lambda t: t.outbox.pending(at)))
    return [each.message.text for each in found]


def claim(store: Store, outgoing: int) -> None:
    asyncio.run(store.write(lambda t: t.outbox.claim(outgoing, NOW)))


def sent(store: Store, outgoing: int, message_id: int | None = 77, is_photo: bool = False) -> None:
    asyncio.run(store.write(lambda t: t.outbox.sent(outgoing, message_id, is_photo, NOW)))


def retry(store: Store, outgoing: int, not_before: datetime = NOW) -> None:
    asyncio.run(store.write(lambda t: t.outbox.retry(outgoing, not_before, "no answer")))


def counts(store: Store) -> dict[str, int]:
    return asyncio.run(store.read(lambda t: t.outbox.counts()))


@settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kept=MESSAGES)
def test_message_comes_back_exactly(store: Store, kept: Message) -> None:
    kept = replace(kept, chat_id=next(CHATS))

    def write(transaction: Transaction) -> Outgoing:
        transaction.outbox.enqueue(kept, NOW)
        return transaction.outbox.pending(NOW)[-1]

    found = asyncio.run(store.write(write))
    assert found == Outgoing(found.id, kept, NOW, attempts=0, is_repeat=False)


def test_messages_are_pending_in_their_order(store: Store) -> None:
    enqueue(store, message("1"), message("2", chat_id=2), message("3"))
    assert pending(store) == ["1", "2", "3"]


def test_message_behind_one_being_sent_waits(store: Store) -> None:
    first, *_ = enqueue(store, message("1"), message("2"), message("other", chat_id=2))
    claim(store, first)
    assert pending(store) == ["other"]
    sent(store, first)
    assert pending(store) == ["2", "other"]


def test_message_does_not_overtake_one_that_must_wait(store: Store) -> None:
    first, *_ = enqueue(store, message("1"), message("2"), message("other", chat_id=2))
    claim(store, first)
    retry(store, first, not_before=LATER)
    assert pending(store) == ["other"]
    assert pending(store, LATER) == ["1", "2", "other"]


def test_message_given_up_lets_the_next_go(store: Store) -> None:
    first, _ = enqueue(store, message("1"), message("2"))
    claim(store, first)
    asyncio.run(store.write(lambda t: t.outbox.failed(first, "bot was blocked", NOW)))
    assert pending(store) == ["2"]
    assert counts(store) == {"failed": 1, "queued": 1}


def test_attempts_are_counted(store: Store) -> None:
    [only] = enqueue(store, message())
    for _ in range(3):
        claim(store, only)
        retry(store, only)
    [found] = asyncio.run(store.read(lambda t: t.outbox.pending(NOW)))
    assert found.attempts == 3
    assert not found.is_repeat


@pytest.mark.parametrize("state", ["sending", "sent", "failed", "unknown"])
def test_only_a_queued_message_can_be_claimed(store: Store, state: str) -> None:
    [only] = enqueue(store, message())
    outgoing = only
    if state == "unknown":
        outgoing = only + 1
    else:
        claim(store, only)
    if state == "sent":
        sent(store, only)
    if state == "failed":
        asyncio.run(store.write(lambda t: t.outbox.failed(only, "no", NOW)))
    with pytest.raises(StoreError, match="cannot be claimed"):
        claim(store, outgoing)


def test_unknown_message_cannot_be_sent(store: Store) -> None:
    with pytest.raises(StoreError, match="no message 5"):
        sent(store, 5)


def test_newest_state_of_a_queued_card_takes_the_place_of_the_older(store: Store) -> None:
    first, *_ = enqueue(store, card("proposed"), message("between"))
    assert enqueue(store, replace(card("lapsed"), chart="s", is_silent=True)) == [first]
    assert pending(store) == ["lapsed", "between"]
    [found, _] = asyncio.run(store.read(lambda t: t.outbox.pending(NOW)))
    assert found.message == replace(card("lapsed"), chart="s", is_silent=True)


@pytest.mark.parametrize(
    "other", [message("x", chat_id=2, card="order/a"), message("x", card="order/b"), message("x")]
)
def test_card_replaces_only_itself(store: Store, other: Message) -> None:
    enqueue(store, card("proposed"), other)
    assert pending(store) == ["proposed", "x"]


def test_card_being_sent_is_not_replaced(store: Store) -> None:
    [first] = enqueue(store, card("proposed"))
    claim(store, first)
    [second] = enqueue(store, card("confirmed"))
    assert enqueue(store, card("filled")) == [second]
    sent(store, first)
    assert pending(store) == ["filled"]


def test_card_that_was_sent_is_queued_anew(store: Store) -> None:
    [first] = enqueue(store, card("proposed"))
    claim(store, first)
    sent(store, first)
    enqueue(store, card("confirmed"))
    assert pending(store) == ["confirmed"]


def test_card_to_be_sent_again_takes_the_state_that_came_meanwhile(store: Store) -> None:
    [first] = enqueue(store, card("proposed"))
    claim(store, first)
    enqueue(store, card("confirmed"), message("behind"))
    retry(store, first)
    assert pending(store) == ["confirmed", "behind"]
    assert counts(store) == {"queued": 2}


def test_recover_queues_what_was_being_sent_as_repeats(store: Store) -> None:
    first, second, _ = enqueue(store, card("1"), message("2", chat_id=2), message("3", chat_id=3))
    claim(store, first)
    claim(store, second)
    enqueue(store, card("newer"))
    assert asyncio.run(store.write(lambda t: t.outbox.recover(LATER))) == 2
    found = asyncio.run(store.read(lambda t: t.outbox.pending(LATER)))
    assert [(each.message.text, each.is_repeat) for each in found] == [
        ("newer", True),
        ("2", True),
        ("3", False),
    ]
    assert asyncio.run(store.write(lambda t: t.outbox.recover(LATER))) == 0


def test_sent_card_is_known_by_its_message_and_the_reverse(store: Store) -> None:
    [only] = enqueue(store, card("proposed"))
    claim(store, only)
    sent(store, only, message_id=77, is_photo=True)
    where = asyncio.run(store.read(lambda t: t.outbox.card(1, "order/a")))
    assert where == SentCard(77, is_photo=True)
    assert asyncio.run(store.read(lambda t: t.outbox.card_at(1, 77))) == "order/a"
    assert asyncio.run(store.read(lambda t: t.outbox.card_at(2, 77))) is None
    assert asyncio.run(store.read(lambda t: t.outbox.card(2, "order/a"))) is None


def test_card_that_moved_is_no_longer_at_its_old_message(store: Store) -> None:
    for message_id in (77, 78):
        [only] = enqueue(store, card("state"))
        claim(store, only)
        sent(store, only, message_id)
    assert asyncio.run(store.read(lambda t: t.outbox.card_at(1, 77))) is None
    assert asyncio.run(store.read(lambda t: t.outbox.card_at(1, 78))) == "order/a"


def test_newest_card_is_the_one_at_a_message_that_is_used_anew(store: Store) -> None:
    for key in ("order/a", "order/b"):
        [only] = enqueue(store, message(card=key))
        claim(store, only)
        sent(store, only, message_id=77)
    assert asyncio.run(store.read(lambda t: t.outbox.card_at(1, 77))) == "order/b"
    assert asyncio.run(store.read(lambda t: t.outbox.card(1, "order/a"))) is None


def test_edit_that_returns_no_message_leaves_the_card_where_it_is(store: Store) -> None:
    for message_id in (77, None):
        [only] = enqueue(store, card("state"))
        claim(store, only)
        sent(store, only, message_id)
    assert asyncio.run(store.read(lambda t: t.outbox.card_at(1, 77))) == "order/a"


def test_message_without_card_leaves_no_card(store: Store) -> None:
    [only] = enqueue(store, message())
    claim(store, only)
    sent(store, only)
    assert asyncio.run(store.read(lambda t: t.outbox.card_at(1, 77))) is None


def test_waiting_counts_what_is_neither_sent_nor_given_up(store: Store) -> None:
    first, second, *_ = enqueue(store, *(message(chat_id=chat) for chat in range(4)))
    claim(store, first)
    claim(store, second)
    sent(store, second)
    assert asyncio.run(store.read(lambda t: t.outbox.waiting())) == 3
    assert counts(store) == {"queued": 2, "sending": 1, "sent": 1}


def test_what_is_out_is_not_counted_again_and_again(store: Store) -> None:
    # The outbox looks every second, and nothing is ever taken out of it.
    def plan(transaction: Transaction) -> list[str]:
        connection = transaction.outbox._connection
        asked: list[tuple[str, Any]] = []
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        transaction.outbox.waiting()
        [(text, values)] = asked
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        return [row[-1] for row in rows]

    [step] = asyncio.run(store.read(plan))
    assert step.startswith("SEARCH outbox USING COVERING INDEX outbox_state")


def test_what_waits_for_a_chat_can_be_given_up(store: Store) -> None:
    enqueue(store, message("a"), message("b"), message("for others", chat_id=2))
    given_up = asyncio.run(store.write(lambda t: t.outbox.drop(1, "shut out", NOW)))
    assert given_up == 2
    assert pending(store) == ["for others"]
    assert counts(store) == {"failed": 2, "queued": 1}
