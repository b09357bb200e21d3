"""Signals come back exactly, unknown values included, and each is kept once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from math import inf, nan
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.signals import Explanation, Leaf, LifecycleState, Phase, Signal, Snapshot
from market.types import Timeframe, Verdict, from_ms

if TYPE_CHECKING:
    from market.store import Store

NOW = datetime(2026, 10, 2, 0, 5, tzinfo=UTC)
SAMSUNG = "KRX:005930"
IDS = map(str, count())
SERIES = st.lists(st.floats(), max_size=4).map(tuple)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
VERDICTS = st.sampled_from(Verdict)
SNAPSHOTS = st.builds(
    Snapshot,
    timeframe=st.sampled_from(Timeframe),
    starts=st.lists(st.integers(0, 2**53), max_size=4).map(tuple),
    open=SERIES,
    high=SERIES,
    low=SERIES,
    close=SERIES,
    volume=SERIES,
    overlays=st.dictionaries(TEXTS, SERIES, max_size=3),
)
EXPLANATIONS = st.builds(
    Explanation,
    verdict=VERDICTS,
    leaves=st.lists(
        st.builds(
            Leaf,
            text=TEXTS,
            left=st.floats(),
            operator=TEXTS,
            right=st.floats(),
            unit=TEXTS,
            verdict=VERDICTS,
            held_at=st.none() | st.integers(0, 2**41).map(from_ms),
        ),
        max_size=3,
    ).map(tuple),
)
STATES = st.builds(
    LifecycleState,
    phase=st.sampled_from(Phase),
    held=st.integers(0, 2**31 - 1),
    fired_ms=st.integers(0, 2**53),
    bar_ms=st.integers(0, 2**53),
    clear_ms=st.integers(0, 2**53),
    unknown=st.integers(-1, 400),
)
THOROUGH = settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def snapshot(close: tuple[float, ...] = (110.0,)) -> Snapshot:
    return Snapshot(Timeframe.M5, (0,), (100.0,), (120.0,), (90.0,), close, (1_000.0,))


def signal(id: str = "s", minutes: int = 0, condition: str = "breakout") -> Signal:  # noqa: A002  # the field's name
    return Signal(
        id=id,
        condition=condition,
        version="v1",
        instrument=SAMSUNG,
        timeframe=Timeframe.M5,
        bar_start=NOW - timedelta(minutes=5),
        fired_at=NOW + timedelta(minutes=minutes),
        price=110.0,
        explanation=Explanation(Verdict.TRUE, ()),
        snapshot=snapshot(),
    )


def add(store: Store, *signals: Signal) -> list[bool]:
    return asyncio.run(store.write(lambda t: [t.signals.add(each) for each in signals]))


def get(store: Store, signal_id: str) -> Signal | None:
    return asyncio.run(store.read(lambda t: t.signals.get(signal_id)))


@THOROUGH
@given(
    snapshot=SNAPSHOTS,
    explanation=EXPLANATIONS,
    price=st.floats(allow_nan=False),
    is_late=st.booleans(),
    is_intrabar=st.booleans(),
    has_held=st.none() | st.booleans(),
)
def test_signal_comes_back_exactly(
    store: Store,
    snapshot: Snapshot,
    explanation: Explanation,
    price: float,
    is_late: bool,
    is_intrabar: bool,
    has_held: bool | None,
) -> None:
    kept = replace(
        signal(next(IDS)),
        snapshot=snapshot,
        explanation=explanation,
        price=price,
        is_late=is_late,
        is_intrabar=is_intrabar,
        has_held=has_held,
    )
    add(store, kept)
    # The text of a float is exact, and NaN equals NaN in it.
    assert repr(get(store, kept.id)) == repr(kept)


def test_unknown_and_infinite_values_come_back(store: Store) -> None:
    kept = replace(signal(), snapshot=snapshot(close=(nan, inf, -inf, 0.1 + 0.2)))
    add(store, kept)
    assert repr(get(store, "s")) == repr(kept)


def test_values_of_numpy_come_back_as_plain_numbers(store: Store) -> None:
    close = tuple(np.array([1.5, np.nan]))
    starts = tuple(np.array([1, 2], dtype=np.int64))
    add(store, replace(signal(), snapshot=replace(snapshot(), close=close, starts=starts)))
    found = get(store, "s")
    assert found is not None
    assert repr(found.snapshot.close) == "(1.5, nan)"
    assert repr(found.snapshot.starts) == "(1, 2)"


def test_known_signal_is_not_taken_twice(store: Store) -> None:
    assert add(store, signal(), replace(signal(), price=1.0)) == [True, False]
    assert get(store, "s") == signal()


def test_the_close_tells_whether_an_early_signal_held(store: Store) -> None:
    early = replace(signal("1"), is_intrabar=True)
    add(store, early, replace(early, id="2"), replace(early, id="3"))

    def settle(name: str, has_held: bool) -> None:
        asyncio.run(store.write(lambda t: t.signals.settle(name, has_held=has_held)))

    settle("1", has_held=True)
    settle("2", has_held=False)
    settle("unknown", has_held=True)
    found = [get(store, one) for one in "123"]
    assert [one.has_held for one in found if one is not None] == [True, False, None]
    assert found[0] == replace(early, has_held=True)


def test_unknown_signal_is_none(store: Store) -> None:
    assert get(store, "s") is None


def test_recent_signals_come_newest_first(store: Store) -> None:
    add(store, signal("1"), signal("2"), signal("3"))
    found = asyncio.run(store.read(lambda t: t.signals.recent(2)))
    assert [each.id for each in found] == ["3", "2"]


def test_signals_are_counted_from_a_time_on(store: Store) -> None:
    add(store, *(signal(str(minutes), minutes) for minutes in range(4)))
    add(store, signal("other", 3, condition="rebound"))
    since = NOW + timedelta(minutes=2)
    assert asyncio.run(store.read(lambda t: t.signals.count_since("breakout", since))) == 2
    until = NOW + timedelta(minutes=3)
    assert asyncio.run(store.read(lambda t: t.signals.count_since("breakout", since, until))) == 1


def test_a_signal_is_found_by_its_short_reference(store: Store) -> None:
    add(store, signal("1"), signal("2"))
    reference = signal("2").reference
    assert re.fullmatch("[a-z2-7]{10}", reference)
    assert asyncio.run(store.read(lambda t: t.signals.referred(reference))) == signal("2")
    assert asyncio.run(store.read(lambda t: t.signals.referred("a" * 10))) is None


@THOROUGH
@given(states=st.dictionaries(TEXTS, STATES, max_size=5))
def test_lifecycle_states_come_back(store: Store, states: dict[str, LifecycleState]) -> None:
    version = next(IDS)
    asyncio.run(store.write(lambda t: t.signals.save_states("breakout", version, states)))
    assert asyncio.run(store.read(lambda t: t.signals.states("breakout", version))) == states


def test_saved_states_leave_the_others_as_they_are(store: Store) -> None:
    firing = LifecycleState(Phase.FIRING, 2, 1_000, 2_000)
    pending = LifecycleState(Phase.PENDING, 1, 0, 3_000)

    def write(states: dict[str, LifecycleState], version: str = "v1") -> None:
        asyncio.run(store.write(lambda t: t.signals.save_states("breakout", version, states)))

    write({SAMSUNG: firing, "KRX:000660": firing})
    write({SAMSUNG: pending})
    write({SAMSUNG: firing}, version="v2")
    assert asyncio.run(store.read(lambda t: t.signals.states("breakout", "v1"))) == {
        SAMSUNG: pending,
        "KRX:000660": firing,
    }
