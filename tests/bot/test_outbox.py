"""The outbox: in order, at its pace, and nothing lost over outages, crashes and full disks."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest

from bot.messenger import (
    Blocked,
    NetworkTrouble,
    Refused,
    RetryLater,
)
from market.errors import StoreFull
from tests.bot.chat_post import FullDisk, Post, make_outbox, note
from tests.bot.chat_world import NOW

if TYPE_CHECKING:
    from market.store import Store


def test_messages_of_a_chat_arrive_in_order(post: Post) -> None:
    post.put(*(note(str(number)) for number in range(12)))
    post.drain_all()
    assert post.words == [str(number) for number in range(12)]
    assert post.counts() == {"sent": 12}


def test_drain_tells_what_waits_and_when_to_come_back(post: Post) -> None:
    post.put(*(note(str(number)) for number in range(5)))
    drained = post.drain()
    assert (drained.sent, drained.failed, drained.waiting) == (3, 0, 2)
    assert drained.next_due == NOW + timedelta(seconds=3)


def test_one_chat_gets_one_message_a_second_after_a_burst(post: Post) -> None:
    post.put(*(note(str(number)) for number in range(31)))
    post.drain_all()
    assert post.clock.now() - NOW >= timedelta(seconds=27)
    assert post.clock.now() - NOW <= timedelta(seconds=31)


def test_all_chats_together_get_thirty_a_second(post: Post) -> None:
    post.put(*(note("hello", chat_id=chat) for chat in range(1, 71)))
    assert post.drain().sent == 30
    assert post.drain().sent == 0
    post.drain_all()
    assert post.clock.now() == NOW + timedelta(seconds=2)


def test_group_gets_twenty_a_minute(post: Post) -> None:
    post.put(*(note(str(number), chat_id=-100) for number in range(25)))
    post.drain_all()
    assert len(post.network.arrived) == 25
    assert post.clock.now() - NOW >= timedelta(seconds=60)


def test_slow_chat_does_not_hold_up_others(post: Post) -> None:
    post.put(*(note(str(number)) for number in range(9)), note("other", chat_id=2))
    post.drain()
    assert "other" in post.words


def test_too_many_requests_waits_as_told(post: Post) -> None:
    post.network.by_chat[1] = deque([RetryLater(17)])
    post.put(note("first"), note("second"), note("other", chat_id=2))
    drained = post.drain()
    assert post.words == ["other"]
    assert drained.next_due == NOW + timedelta(seconds=17)
    post.clock.advance(timedelta(seconds=16))
    assert post.drain().sent == 0
    post.clock.advance(timedelta(seconds=1))
    post.drain()
    assert post.words == ["other", "first", "second"]


def test_network_trouble_pauses_longer_each_time(post: Post) -> None:
    trouble = [NetworkTrouble("no route", is_ambiguous=False) for _ in range(9)]
    post.network.failures.extend(trouble)
    post.put(note("hello"))
    pauses = []
    drained = post.drain()
    while drained.next_due is not None:
        pauses.append((drained.next_due - post.clock.now()).total_seconds())
        post.clock.move_to(drained.next_due)
        drained = post.drain()
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert post.words[0].endswith("hello")


def test_pause_starts_small_again_after_a_success(post: Post) -> None:
    post.network.failures.extend(
        [NetworkTrouble("x", is_ambiguous=False), NetworkTrouble("x", is_ambiguous=False), None]
    )
    post.put(note("one"))
    post.drain_all()
    post.network.failures.append(NetworkTrouble("x", is_ambiguous=False))
    post.put(note("two"))
    drained = post.drain()
    assert drained.next_due == post.clock.now() + timedelta(seconds=1)


def test_lost_answer_makes_a_marked_repeat(post: Post) -> None:
    post.network.after.append(NetworkTrouble("read timeout", is_ambiguous=True))
    post.put(note("hello"))
    post.drain_all()
    assert post.words == ["hello", "hello\n(this message may be repeated)"]


def test_lost_answer_to_an_edit_is_no_repeat(post: Post) -> None:
    post.put(note("one", card="order/a"))
    post.drain()
    post.network.after.append(NetworkTrouble("read timeout", is_ambiguous=True))
    post.put(note("two", card="order/a"))
    post.drain_all()
    assert post.words == ["one", "two", "two"]


def test_crash_between_claim_and_sent_is_recovered_as_a_repeat(post: Post) -> None:
    post.put(note("hello"))

    def crash() -> None:
        asyncio.run(post.store.write(lambda tx: tx.outbox.claim(1, NOW)))

    crash()
    post.restart()
    post.drain_all()
    assert post.words == ["hello\n(this message may be repeated)"]
    assert post.counts() == {"sent": 1}


@pytest.mark.parametrize("error", [Blocked("bot was blocked"), Refused("BUTTON_DATA_INVALID")])
def test_refused_message_fails_and_the_next_goes_on(post: Post, error: Exception) -> None:
    post.network.failures.append(error)
    post.put(note("one"), note("two"))
    drained = post.drain()
    assert (drained.sent, drained.failed, drained.waiting) == (1, 1, 0)
    assert post.events.count("error") == 1


def test_fault_of_the_network_code_does_not_stop_the_rest(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.network.failures.append(KeyError("fault"))
    post.put(note("one"), note("two"))
    assert post.drain().sent == 1
    assert "fault" in caplog.text


def test_every_sent_message_is_an_event(post: Post) -> None:
    post.put(note("one"), note("two", chat_id=2))
    post.drain()
    assert post.events.count("message") == 2


def test_loop_sends_what_it_is_poked_for_and_stops(post: Post) -> None:
    async def scenario() -> None:
        stop = asyncio.Event()
        loop = asyncio.create_task(post.outbox.run(stop))
        await post.store.write(lambda tx: tx.outbox.enqueue(note("hello"), NOW))
        post.outbox.poke()
        async with asyncio.timeout(5):
            await post.network.something.wait()
            stop.set()
            await loop

    asyncio.run(scenario())
    assert post.words == ["hello"]


@pytest.mark.parametrize(
    ("works", "arrives"), [(1, ["hello"]), (2, ["hello", "hello\n(this message may be repeated)"])]
)
def test_full_disk_loses_nothing(post: Post, works: int, arrives: list[str]) -> None:
    post.put(note("hello"))
    disk = FullDisk(post.store, works)
    post.outbox = make_outbox(
        cast("Store", disk), post.clock, post.network, post.charts, post.events
    )
    with pytest.raises(StoreFull):
        post.drain()
    disk.works = 99
    post.drain_all()
    assert post.words == arrives
    assert post.counts() == {"sent": 1}
