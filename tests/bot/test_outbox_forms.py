"""The outbox: long texts, pictures, cards that are edited, and every refusal."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.html_text import TEXT_LIMIT, length
from bot.messenger import (
    BadMarkup,
    ChatMigrated,
    MessageGone,
    NetworkTrouble,
    NotModified,
    TooLong,
)
from market.messages import Person, Role
from tests.bot.chat_post import BUTTONS, Post, add_signal, make_signal, note
from tests.bot.chat_world import NOW

if TYPE_CHECKING:
    import pytest


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


def test_migrated_group_gets_the_message_at_its_new_id(post: Post) -> None:
    post.network.failures.append(ChatMigrated(-1009))
    post.put(note("hello", chat_id=-9))
    post.drain_all()
    assert [(one.chat_id, one.html) for one in post.network.arrived] == [(-1009, "hello")]
