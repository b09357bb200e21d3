from __future__ import annotations

from bot.patience import Patience


def test_pauses_grow_and_the_last_one_stays() -> None:
    patience = Patience((1, 5, 60))
    assert [patience.next_pause() for _ in range(5)] == [1, 5, 60, 60, 60]


def test_a_success_begins_again_and_tells_of_trouble() -> None:
    patience = Patience((1, 5))
    assert not patience.succeed()
    patience.next_pause()
    patience.next_pause()
    assert patience.succeed()
    assert not patience.succeed()
    assert patience.next_pause() == 1
