from __future__ import annotations

import asyncio
import math
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from matplotlib.text import Text

from bot.charts import SignalCharts, _style, compose, draw, price_text
from market.directory import Directory
from market.signals import Explanation, Signal, Snapshot
from market.types import Instrument, Timeframe, Venue, Verdict, to_ms

if TYPE_CHECKING:
    from matplotlib.patches import Rectangle

START = datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
BARS = 60


def snapshot(bars: int = BARS, base: float = 71_500.0, **changes: Any) -> Snapshot:
    closes = [base * (1 + 0.01 * math.sin(number / 5)) for number in range(bars)]
    starts = tuple(to_ms(START + timedelta(minutes=5) * number) for number in range(bars))
    values: dict[str, Any] = {
        "timeframe": Timeframe("5m"),
        "starts": starts,
        "open": tuple(close * 0.999 for close in closes),
        "high": tuple(close * 1.002 for close in closes),
        "low": tuple(close * 0.998 for close in closes),
        "close": tuple(closes),
        "volume": tuple(1000.0 + 10 * number for number in range(bars)),
        "overlays": {"sma(close, 20)": (math.nan,) * min(19, bars) + tuple(closes[19:])},
    }
    return Snapshot(**{**values, **changes})


def signal(shown: Snapshot, name: str = "volume-breakout") -> Signal:
    return Signal(
        id="x",
        condition=name,
        version="1",
        instrument="KRX:005930",
        timeframe=shown.timeframe,
        bar_start=START,
        fired_at=START,
        price=shown.close[-1] if shown.close else 1.0,
        explanation=Explanation(Verdict.TRUE, ()),
        snapshot=shown,
    )


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def same(value: float, bars: int = BARS) -> dict[str, Any]:
    flat = (value,) * bars
    return {"open": flat, "high": flat, "low": flat, "close": flat, "overlays": {}}


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(snapshot(), id="usual"),
        pytest.param(snapshot(1), id="one bar"),
        pytest.param(snapshot(2), id="two bars"),
        pytest.param(snapshot(400), id="long"),
        pytest.param(snapshot(**same(1000.0)), id="flat"),
        pytest.param(snapshot(1, **same(1000.0, 1), volume=(0.0,)), id="one flat bar"),
        pytest.param(snapshot(volume=(0.0,) * BARS), id="no volume"),
        pytest.param(snapshot(volume=(math.nan,) * BARS), id="unknown volume"),
        pytest.param(snapshot(overlays={"x": (math.nan,) * BARS}), id="unknown overlay"),
        pytest.param(snapshot(base=2e9), id="huge prices"),
        pytest.param(snapshot(base=0.00001234), id="tiny prices"),
        pytest.param(snapshot(**same(0.00001234)), id="tiny flat prices"),
        pytest.param(snapshot(overlays={f"$a_{n}$": (1.0,) * BARS for n in range(9)}), id="many"),
    ],
)
def test_every_snapshot_can_be_drawn(shown: Snapshot) -> None:
    assert size(draw(signal(shown), "삼성전자 우선주 B$x$  KRX:005930")) == (880, 576)


@pytest.mark.parametrize(
    "price", [900.0, 71_500.0, 113_534_000.0, 1_234_567_890.0, 95_123.45, 0.00001234]
)
def test_no_price_leaves_the_picture(price: float) -> None:
    with _style():
        figure = compose(signal(snapshot(**same(price))), "비트코인  UPBIT:KRW-BTC")
        figure.draw_without_rendering()
    shown = [one for one in figure.findobj(Text) if one.get_text() and one.get_visible()]
    assert price_text(price) in {one.get_text() for one in shown}
    assert max(one.get_window_extent().x1 for one in shown) <= figure.bbox.x1


def test_names_are_written_as_they_are_not_as_formulas() -> None:
    odd = draw(signal(snapshot(), "a $\\frac$ b"), "$\\nonsense{$ ▲ 한글")
    assert size(odd) == (880, 576)


def test_two_charts_can_be_drawn_at_once() -> None:
    directory = Directory([Instrument(Venue.KRX, "005930", "삼성전자")])
    charts = SignalCharts(directory)

    async def scenario() -> list[bytes | None]:
        return await asyncio.gather(*(charts.png(signal(snapshot(20 + n))) for n in range(6)))

    drawn = asyncio.run(scenario())
    alone = [draw(signal(snapshot(20 + n)), "삼성전자  KRX:005930") for n in range(6)]
    assert drawn == alone


def test_there_is_no_picture_without_bars() -> None:
    empty = replace(signal(snapshot()), snapshot=snapshot(0))
    assert asyncio.run(SignalCharts(Directory([])).png(empty)) is None


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (71_500.0, "71,500"),
        (2_000_000_000.0, "2,000,000,000"),
        (0.1 + 0.2, "0.3"),
        (0.00001234, "0.00001234"),
        (1234.5, "1,234.5"),
        (0.0, "0"),
        (-3.0, "-3"),
    ],
)
def test_prices_are_written_out(price: float, text: str) -> None:
    assert price_text(price) == text


def test_a_flat_price_is_a_line_in_the_middle() -> None:
    figure = compose(signal(snapshot(1, **same(1000.0, 1), volume=(0.0,))), "flat")
    prices, volumes = figure.axes
    assert prices.get_ylim() == (990.0, 1010.0)
    assert volumes.get_ylim() == (0.0, 1.0)
    assert cast("Rectangle", prices.patches[0]).get_height() < 0.1
