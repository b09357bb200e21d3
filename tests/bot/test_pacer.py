"""The pace of messages."""

from __future__ import annotations

from datetime import timedelta

from bot.pacer import Pacer, Window
from tests.bot.chat_world import NOW


def test_window_allows_its_count_in_its_span() -> None:
    window = Window(2, timedelta(seconds=10))
    assert window.ready_at(NOW) == NOW
    window.note(NOW)
    window.note(NOW + timedelta(seconds=4))
    later = NOW + timedelta(seconds=5)
    assert window.ready_at(later) == NOW + timedelta(seconds=10)
    assert window.room(later) == 0
    assert window.room(NOW + timedelta(seconds=10)) == 1


def test_chat_without_a_pace_is_only_held_by_the_whole() -> None:
    pacer = Pacer(30, 0, 20)
    for _ in range(29):
        pacer.note(1, NOW)
    assert pacer.ready_at(1, NOW) == NOW
    pacer.note(1, NOW)
    assert pacer.ready_at(1, NOW) == NOW + timedelta(seconds=1)


def test_private_chat_has_no_limit_a_minute() -> None:
    pacer = Pacer(30, 0, 1)
    pacer.note(1, NOW)
    pacer.note(-1, NOW)
    assert pacer.ready_at(1, NOW) == NOW
    assert pacer.ready_at(-1, NOW) == NOW + timedelta(minutes=1)
