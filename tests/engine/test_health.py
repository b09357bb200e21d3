from __future__ import annotations

from datetime import timedelta

from engine.health import PATIENCE, Health, Notice, SourceState
from market.errors import SourceChanged, SourceUnavailable
from market.types import Venue
from tests.engine.pipeline_world import moments
from tests.engine.traded_market import DAY, HYNIX, SAMSUNG, kst

DOWN = SourceUnavailable("no answer")
CHANGED = SourceChanged("other page")


def failing(health: Health, start: str, end: str) -> list[str]:
    notices = [health.failed(DOWN, at) for at in moments(kst(start), kst(end))]
    return [notice.code for notice in notices if notice]


def test_first_answer_tells_nothing() -> None:
    health = Health(Venue.KRX)
    assert health.state is SourceState.WAITING
    assert health.answered(kst("10:00")) is None
    assert (health.state, health.last_success) == (SourceState.OK, kst("10:00"))


def test_short_outage_tells_nothing() -> None:
    health = Health(Venue.KRX)
    assert failing(health, "10:00", "10:02:50") == []
    assert health.state is SourceState.UNAVAILABLE
    assert health.answered(kst("10:03")) is None


def test_outage_is_told_once_and_its_end_once() -> None:
    health = Health(Venue.KRX)
    assert failing(health, "10:00", "10:30") == ["source.down"]
    assert health.answered(kst("10:31")) == Notice("source.back", {"venue": "KRX"})
    assert health.answered(kst("10:32")) is None


def test_changed_page_is_told_at_once_and_once() -> None:
    health = Health(Venue.KRX)
    assert health.failed(CHANGED, kst("10:00")) == Notice(
        "source.changed", {"venue": "KRX", "error": "other page"}
    )
    assert health.failed(CHANGED, kst("10:01")) is None
    assert failing(health, "10:02", "10:10") == []


def test_changed_page_is_told_during_an_outage() -> None:
    health = Health(Venue.KRX)
    failing(health, "10:00", "10:05")
    notice = health.failed(CHANGED, kst("10:06"))
    assert notice is not None
    assert notice.code == "source.changed"


def test_failures_of_the_evening_and_the_morning_are_not_one_outage() -> None:
    health = Health(Venue.KRX)
    assert failing(health, "15:30", "15:31") == []
    assert health.failed(DOWN, kst("09:00:02", DAY + timedelta(days=1))) is None
    later = kst("09:00:02", DAY + timedelta(days=1)) + PATIENCE
    assert health.failed(DOWN, later) is not None


def test_contradiction_of_an_instrument_is_told_once_a_day() -> None:
    health = Health(Venue.KRX)
    health.answered(kst("10:00"))
    fallen = {SAMSUNG.id: SourceChanged("samsung fell")}
    assert health.contradicted(fallen, kst("10:01")) == Notice(
        "source.contradicted", {"count": "1", "error": "samsung fell"}
    )
    assert health.contradicted(fallen, kst("10:02")) is None
    both = {**fallen, HYNIX.id: SourceChanged("hynix fell")}
    assert health.contradicted(both, kst("10:03")) == Notice(
        "source.contradicted", {"count": "1", "error": "hynix fell"}
    )
    assert health.contradicted(fallen, kst("10:01", DAY + timedelta(days=1))) is not None
    assert health.state is SourceState.OK


def test_no_contradiction_tells_nothing() -> None:
    assert Health(Venue.KRX).contradicted({}, kst("10:00")) is None
