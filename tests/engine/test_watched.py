"""The conditions in force are exchanged as a whole."""

from __future__ import annotations

from engine.watched import Watched
from tests.engine.pipeline_world import condition


def test_an_exchange_is_seen_by_who_holds_it() -> None:
    first, second = (
        condition(name="first"),
        condition("close > 1", "describe: words", name="second"),
    )
    watched = Watched([first])
    assert dict(watched) == {"first": first}
    watched.exchange([second])
    assert list(watched) == ["second"]
    assert len(watched) == 1
    assert watched.describe("second") == "words"
    assert watched.describe("first") == ""
