"""Signals and where a condition stands, as values that are kept and compared."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest

from market.signals import Explanation, Leaf, LifecycleState, Phase, Signal, Snapshot
from market.types import Timeframe, Verdict

AT = datetime(2026, 11, 20, 0, 5, tzinfo=UTC)
LEAF = Leaf("volume > 6 * sma(volume, 20)", 900.0, ">", 600.0, "volume", Verdict.TRUE)
SHOWN = Snapshot(Timeframe.M5, (0,), (1.0,), (2.0,), (0.5,), (1.5,), (900.0,))


def signal() -> Signal:
    return Signal(
        id="volume-breakout:a1:KRX:005930:0",
        condition="volume-breakout",
        version="a1",
        instrument="KRX:005930",
        timeframe=Timeframe.M5,
        bar_start=AT,
        fired_at=AT,
        price=1.5,
        explanation=Explanation(Verdict.TRUE, (LEAF,)),
        snapshot=SHOWN,
    )


def test_signals_of_the_same_facts_are_equal() -> None:
    assert signal() == signal()
    assert signal() != replace(signal(), is_late=True)


def test_a_signal_is_on_time_unless_it_is_said() -> None:
    assert not signal().is_late


def test_a_signal_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        signal().price = 2.0  # type: ignore[misc]  # the very thing that must fail


def test_a_snapshot_has_overlays_of_its_own() -> None:
    assert SHOWN.overlays == {}
    assert SHOWN.overlays is not replace(SHOWN, overlays={}).overlays


def test_a_lifecycle_begins_inactive_and_never_judged() -> None:
    assert LifecycleState() == LifecycleState(Phase.INACTIVE, 0, 0, 0)


def test_phases_are_numbered_for_arrays_and_storage() -> None:
    assert [int(phase) for phase in Phase] == [0, 1, 2, 3]
