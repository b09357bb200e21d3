"""Makers of panels and conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from conditions.compile import compile_condition
from config.condition_reader import parse_condition
from market.panel import Panel
from market.types import Bar, Timeframe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conditions.compile import Condition

OPENING = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
"""Nine o'clock of a Monday in Seoul."""


def bar(place: int, close: float, volume: float, instrument: str = "KRX:005930") -> Bar:
    """Return the 5-minute bar that many slots after the opening."""
    start = OPENING + place * timedelta(minutes=5)
    top, bottom = close * 1.01, close * 0.99
    value = close * volume
    return Bar(instrument, Timeframe.M5, start, close, top, bottom, close, volume, value)


@pytest.fixture(scope="session")
def panel_of() -> Callable[..., Panel]:
    """Return a maker: each list of closes is a row; a slot in `missing` was not seen by row 0."""

    def make(
        *rows: Sequence[float],
        volumes: Sequence[float] = (),
        missing: Iterable[int] = (),
        depth: int = 400,
    ) -> Panel:
        names = [f"KRX:{number:06d}" for number in range(len(rows))]
        panel = Panel(Timeframe.M5, names, depth)
        for row, (name, closes) in enumerate(zip(names, rows, strict=True)):
            for place, close in enumerate(closes):
                if row == 0 and place in missing:
                    panel.mark_missing([0])
                    continue
                volume = volumes[place] if volumes else 10.0
                panel.append([bar(place, close, volume, name)])
        return panel

    return make


@pytest.fixture(scope="session")
def compiled() -> Callable[..., Condition]:
    """Return a compiler of one `when` expression; further keys are lines of the file."""

    def make(when: str, *lines: str) -> Condition:
        quoted = when.replace("'", "''")
        text = ["name: example", "universe: [KRX:005930]", "timeframe: 5m", f"when: '{quoted}'"]
        return compile_condition(parse_condition("\n".join([*text, *lines]) + "\n", "example.yaml"))

    return make


@pytest.fixture(scope="session")
def living(compiled: Callable[..., Condition]) -> Callable[..., Condition]:
    """Return a maker of conditions of which only the lifecycle matters."""
    plain = compiled("close > 0")

    def make(bars: int = 1, cooldown: int = 0, **changes: Any) -> Condition:
        timed: dict[str, Any] = {
            "hold_bars": bars,
            "cooldown": timedelta(minutes=cooldown),
            **changes,
        }
        return replace(plain, spec=replace(plain.spec, **timed))

    return make
