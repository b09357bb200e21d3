"""The outbox: in order, at its pace, through every refusal, and nothing lost over a crash."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from bot.html_text import TEXT_LIMIT, length, to_plain
from bot.messenger import (
    BadMarkup,
    Blocked,
    ChatMigrated,
    MessageGone,
    NetworkTrouble,
    NotModified,
    Refused,
    RetryLater,
    TooLong,
)
from bot.outbox import Drained, Outbox
from bot.texts import Texts
from config.settings import TelegramSettings
from market.clock import ManualClock
from market.errors import StoreFull
from market.messages import Button, Message, Person, Role
from market.signals import Explanation, Signal, Snapshot
from market.store import Store
from market.types import Timeframe, Verdict
from tests.bot.chat_network import PretendCharts, PretendNetwork
from tests.bot.chat_world import NOW, NotedEvents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from market.store import Transaction

BUTTONS = ((Button("ok", "c:/status"),),)


@dataclass
class Post:
    """An outbox with everything around it."""

    store: Store
    clock: ManualClock
    network: PretendNetwork
    charts: PretendCharts
    events: NotedEvents
    outbox: Outbox

    def put(self, *messages: Message, at: datetime | None = None) -> None:
        """Queue messages."""
        when = self.clock.now() if at is None else at
        for message in messages:
            asyncio.run(self.store.write(lambda tx, one=message: tx.outbox.enqueue(one, when)))  # type: ignore[misc]  # bound early

    def drain(self) -> Drained:
        """Send what may be sent now."""
        return asyncio.run(self.outbox.drain())

    def drain_all(self, limit: timedelta = timedelta(hours=1)) -> Drained:
        """Drain, moving the clock to each due time, until nothing waits."""
        end = self.clock.now() + limit
        drained = self.drain()
        while drained.next_due is not None and drained.next_due < end:
            self.clock.move_to(max(drained.next_due, self.clock.now()))
            drained = self.drain()
        return drained

    def restart(self) -> None:
        """Forget everything that is not in the store."""
        self.outbox = make_outbox(self.store, self.clock, self.network, self.charts, self.events)

    def counts(self) -> dict[str, int]:
        """Return the store's counts."""
        return asyncio.run(self.store.read(lambda tx: tx.outbox.counts()))

    @property
    def words(self) -> list[str]:
        """Return what arrived, as people read it."""
        return [to_plain(one.html) for one in self.network.arrived]


def make_outbox(
    store: Store,
    clock: ManualClock,
    network: PretendNetwork,
    charts: PretendCharts,
    events: NotedEvents,
) -> Outbox:
    """Return an outbox with the usual settings."""
    return Outbox(
        store=store,
        messenger=network,
        charts=charts,
        settings=TelegramSettings(language="en"),
        wall_clock=clock,
        events=events,
        texts=Texts.load(),
    )


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Return an outbox over an empty store."""
    clock = ManualClock(NOW)
    store = Store.open(tmp_path / "post.sqlite", clock)
    network, charts, events = PretendNetwork(), PretendCharts(), NotedEvents()
    outbox = make_outbox(store, clock, network, charts, events)
    yield Post(store, clock, network, charts, events, outbox)
    store.close()


def note(text: str, chat_id: int = 1, **changes: object) -> Message:
    """Return a message."""
    return Message(chat_id, text, **changes)  # type: ignore[arg-type]  # named values of a test


def make_signal() -> Signal:
    """Return a signal with a short snapshot."""
    values = (1.0, 2.0)
    snapshot = Snapshot(Timeframe.M5, (0, 300_000), values, values, values, values, values)
    return Signal(
        "c:1:KRX:005930:0",
        "c",
        "1",
        "KRX:005930",
        Timeframe.M5,
        NOW,
        NOW,
        2.0,
        Explanation(Verdict.TRUE, ()),
        snapshot,
    )


def add_signal(post: Post) -> str:
    """Keep a signal and return its id."""
    signal = make_signal()
    asyncio.run(post.store.write(lambda tx: tx.signals.add(signal)))
    return signal.id


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


def test_bad_markup_falls_back_to_plain_words(post: Post) -> None:
    post.network.failures.append(BadMarkup("can't parse entities"))
    post.put(note("<b>5 &lt; 6</b>", buttons=BUTTONS))
    post.drain()
    (arrived,) = post.network.arrived
    assert arrived.html == "5 &lt; 6"
    assert arrived.buttons == BUTTONS


def test_bad_markup_that_stays_bad_is_given_up(post: Post) -> None:
    post.network.failures.extend([BadMarkup("no"), BadMarkup("no")])
    post.put(note("<b>x</b>"), note("next"))
    drained = post.drain()
    assert (drained.sent, drained.failed) == (1, 1)
    assert post.counts() == {"failed": 1, "sent": 1}


def test_long_message_is_split_at_lines_with_buttons_last(post: Post) -> None:
    lines = [f"<b>line {number}</b> {'가' * 90}" for number in range(100)]
    post.put(note("\n".join(lines), buttons=BUTTONS))
    post.drain()
    arrived = post.network.arrived
    assert len(arrived) > 1
    assert all(length(one.html) <= TEXT_LIMIT for one in arrived)
    assert "\n".join(one.html for one in arrived) == "\n".join(lines)
    assert [one.buttons for one in arrived] == [()] * (len(arrived) - 1) + [BUTTONS]


def test_split_message_goes_on_where_it_broke_off(post: Post) -> None:
    post.network.failures.extend([None, NetworkTrouble("x", is_ambiguous=False)])
    text = "\n".join(f"line {number} {'x' * 90}" for number in range(100))
    post.put(note(text))
    post.drain_all()
    assert "\n".join(post.words) == text


def test_too_long_for_the_network_is_halved(post: Post) -> None:
    post.network.failures.append(TooLong("message is too long"))
    post.put(note("\n".join("x" * 50 for _ in range(40))))
    post.drain()
    assert len(post.network.arrived) >= 2
    assert "\n".join(post.words).count("x") == 2000


def test_alert_with_a_chart_is_a_picture_with_caption(post: Post) -> None:
    post.put(note("<b>alert</b>", chart=add_signal(post), buttons=BUTTONS))
    post.drain()
    (arrived,) = post.network.arrived
    assert (arrived.method, arrived.html, arrived.buttons) == (
        "send_photo",
        "<b>alert</b>",
        BUTTONS,
    )


def test_long_caption_is_a_picture_and_a_text(post: Post) -> None:
    text = "title\n" + "\n".join("y" * 60 for _ in range(30))
    post.put(note(text, chart=add_signal(post), buttons=BUTTONS))
    post.drain()
    photo, rest = post.network.arrived
    assert (photo.method, photo.html, photo.buttons) == ("send_photo", "title", ())
    assert (rest.method, rest.html, rest.buttons) == ("send_text", text, BUTTONS)


def test_chart_that_fails_does_not_lose_the_alert(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    post.charts.error = ValueError("no font")
    post.put(note("alert", chart=add_signal(post)))
    post.drain()
    assert [one.method for one in post.network.arrived] == ["send_text"]
    assert "no font" in caplog.text


def test_unknown_signal_is_sent_as_text(post: Post) -> None:
    post.put(note("alert", chart="nobody"))
    post.drain()
    assert [one.method for one in post.network.arrived] == ["send_text"]


def test_late_message_says_so_in_the_readers_language(post: Post) -> None:
    person = Person(1, Role.VIEWER, "ko")
    asyncio.run(post.store.write(lambda tx: tx.people.put(person, NOW)))
    post.put(note("hello"), note("hello", chat_id=2))
    post.clock.advance(timedelta(seconds=192))
    post.drain()
    assert post.words == ["⏱ 3분 12초 늦게 도착\nhello", "⏱ delayed 3m12s\nhello"]


def test_card_is_edited_where_it_lives(post: Post) -> None:
    post.put(note("one", card="order/a", buttons=BUTTONS))
    post.drain()
    post.put(note("two", card="order/a"))
    post.clock.advance(timedelta(minutes=9))
    post.drain()
    first, second = post.network.arrived
    assert (second.method, second.html, second.message_id) == ("edit_text", "two", first.message_id)


def test_only_the_newest_state_of_a_card_is_sent(post: Post) -> None:
    post.put(note("one", card="order/a"), note("two", card="order/a"))
    post.drain()
    assert post.words == ["two"]


def test_card_with_a_picture_is_edited_by_its_caption(post: Post) -> None:
    post.put(note("one", card="alert/a", chart=add_signal(post)))
    post.drain()
    post.put(note("two", card="alert/a", chart=make_signal().id))
    post.drain()
    assert [one.method for one in post.network.arrived] == ["send_photo", "edit_caption"]


def test_not_modified_counts_as_sent(post: Post) -> None:
    post.put(note("one", card="order/a"))
    post.drain()
    post.network.failures.append(NotModified("message is not modified"))
    post.put(note("one", card="order/a"))
    assert post.drain().sent == 1


def test_card_that_is_gone_is_sent_anew_and_lives_there(post: Post) -> None:
    post.put(note("one", card="order/a"))
    post.drain()
    post.network.failures.append(MessageGone("message to edit not found"))
    post.put(note("two", card="order/a"))
    post.drain()
    post.put(note("three", card="order/a"))
    post.drain()
    _, second, third = post.network.arrived
    assert (second.method, third.method) == ("send_text", "edit_text")
    assert third.message_id == second.message_id


def test_edit_with_bad_markup_falls_back_to_plain(post: Post) -> None:
    post.put(note("one", card="order/a"))
    post.drain()
    post.network.failures.append(BadMarkup("can't parse entities"))
    post.put(note("<b>two</b>", card="order/a"))
    post.drain()
    assert post.network.arrived[-1].html == "two"


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


def test_migrated_group_gets_the_message_at_its_new_id(post: Post) -> None:
    post.network.failures.append(ChatMigrated(-1009))
    post.put(note("hello", chat_id=-9))
    post.drain_all()
    assert [(one.chat_id, one.html) for one in post.network.arrived] == [(-1009, "hello")]


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


class FullDisk:
    """A store that takes `works` more writes before its disk is full."""

    def __init__(self, store: Store, works: int) -> None:
        self._store = store
        self.works = works

    async def read(self, function: Callable[[Transaction], Any]) -> Any:
        """Read as ever."""
        return await self._store.read(function)

    async def write(self, function: Callable[[Transaction], Any]) -> Any:
        """Write as long as there is room."""
        self.works -= 1
        if self.works < 0:
            raise StoreFull("the disk is full")
        return await self._store.write(function)


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
