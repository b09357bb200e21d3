"""Pictures of signals: candles, volume, the series of the condition and the bar that fired."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from market.sessions import KST
from market.types import from_ms

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

    from market.directory import Directory
    from market.signals import Signal, Snapshot

_FONT = Path(__file__).parent / "fonts" / "NanumGothic.ttf"
_RISE, _FALL, _FLAT = "#e23d3d", "#2f6fe0", "#8a8f98"
"""Red for up and blue for down, as Korean screens show it."""
_INK, _PAPER, _GRID = "#20242b", "#ffffff", "#e8ebf0"
_SERIES = ("#f2a20c", "#7a5cd6", "#17a398", "#c2528b")
_WIDTH_INCHES, _HEIGHT_INCHES, _DPI = 5.5, 3.6, 160
"""Small with a high resolution: in a chat the picture is as wide as a phone."""
_USUAL_RIGHT, _MARGIN, _DIGIT = 0.86, 0.028, 0.0124
"""Parts of the width: where candles end, what a price has around it, and one of its digits."""

_drawing = Lock()
"""matplotlib's settings and font caches belong to the process: one picture at a time."""


class SignalCharts:
    """Draws the snapshot that a decision was made on, never a newer one."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def png(self, signal: Signal) -> bytes | None:
        """Return the picture; None for a snapshot without bars."""
        if not signal.snapshot.starts:
            return None
        title = f"{self._directory.name(signal.instrument)}  {signal.instrument}"
        return await asyncio.to_thread(draw, signal, title)


def draw(signal: Signal, title: str) -> bytes:
    """Return a PNG of 880 x 576 points; safe from several threads."""
    with _drawing, _style():
        target = BytesIO()
        compose(signal, title).savefig(target, format="png")
    return target.getvalue()


def compose(signal: Signal, title: str) -> Figure:
    """Return the picture: candles above, volume below, the fired bar marked."""
    _register_font()
    snapshot = signal.snapshot
    figure = Figure(figsize=(_WIDTH_INCHES, _HEIGHT_INCHES), dpi=_DPI, facecolor=_PAPER)
    prices, volumes = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": (3.4, 1), "hspace": 0.06}
    )
    _candles(prices, snapshot)
    _overlays(prices, snapshot)
    _mark(prices, signal)
    _volume(volumes, snapshot)
    _dress(prices, volumes, snapshot)
    _limit(prices, volumes, snapshot)
    prices.set_title(title, loc="left", fontsize=11, color=_INK)
    prices.set_title(f"{signal.condition} · {snapshot.timeframe}", loc="right", fontsize=8.5)
    figure.subplots_adjust(left=0.03, right=_right(signal.price), top=0.91, bottom=0.09)
    return figure


def price_text(price: float) -> str:
    """Return a price to ten digits, written out: of coins too."""
    rounded = Decimal(f"{price:.10g}")
    whole = rounded == rounded.to_integral_value()
    return f"{rounded:,.0f}" if whole else f"{rounded:,f}".rstrip("0")


def _right(price: float) -> float:
    """Return where the candles end, so that a price of many digits fits beside them."""
    return min(_USUAL_RIGHT, 1 - _MARGIN - _DIGIT * len(price_text(price)))


def _style() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "font.family": "NanumGothic",
            "axes.unicode_minus": False,
            "text.parse_math": False,  # a dollar in a name is a dollar
        }
    )


@lru_cache(maxsize=1)
def _register_font() -> None:
    font_manager.fontManager.addfont(str(_FONT))


def _colours(snapshot: Snapshot) -> list[str]:
    pairs = zip(snapshot.open, snapshot.close, strict=True)
    return [_RISE if close > start else _FALL if close < start else _FLAT for start, close in pairs]


def _candles(axes: Axes, snapshot: Snapshot) -> None:
    colours = _colours(snapshot)
    wicks = [
        [(x, low), (x, high)]
        for x, (low, high) in enumerate(zip(snapshot.low, snapshot.high, strict=True))
    ]
    axes.add_collection(LineCollection(wicks, colors=colours, linewidths=1))
    lows = [min(pair) for pair in zip(snapshot.open, snapshot.close, strict=True)]
    highs = [max(pair) for pair in zip(snapshot.open, snapshot.close, strict=True)]
    thinnest = _reach(snapshot) / 400
    heights = [max(high - low, thinnest) for low, high in zip(lows, highs, strict=True)]
    axes.bar(range(len(lows)), heights, bottom=lows, width=0.7, color=colours)


def _reach(snapshot: Snapshot) -> float:
    """Return what the prices span; flat ones get some air."""
    low, high = min(snapshot.low), max(snapshot.high)
    return high - low or abs(high) / 50 or 1.0


def _overlays(axes: Axes, snapshot: Snapshot) -> None:
    for (name, values), colour in zip(snapshot.overlays.items(), _SERIES, strict=False):
        axes.plot(range(len(values)), values, color=colour, linewidth=1.5, label=name)
    if snapshot.overlays:
        axes.legend(loc="upper left", fontsize=8.5, frameon=False)


def _mark(axes: Axes, signal: Signal) -> None:
    last = len(signal.snapshot.starts) - 1
    axes.axhline(signal.price, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.annotate(
        price_text(signal.price),
        xy=(1.0, signal.price),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color="white",
        bbox={"boxstyle": "round,pad=0.25", "facecolor": _INK, "edgecolor": "none"},
    )
    axes.annotate(
        "▲",
        xy=(last, signal.snapshot.low[-1]),
        xytext=(0, -14),
        textcoords="offset points",
        ha="center",
        fontsize=11,
        color=_INK,
    )


def _volume(axes: Axes, snapshot: Snapshot) -> None:
    axes.bar(range(len(snapshot.volume)), snapshot.volume, width=0.7, color=_colours(snapshot))


def _dress(prices: Axes, volumes: Axes, snapshot: Snapshot) -> None:
    for axes in (prices, volumes):
        axes.set_facecolor(_PAPER)
        axes.grid(visible=True, color=_GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.yaxis.tick_right()
        axes.tick_params(length=0, labelsize=8.5, colors=_INK)
        for spine in axes.spines.values():
            spine.set_visible(False)
    prices.margins(y=0.12)
    prices.set_xlim(-1, len(snapshot.starts) + 0.5)
    prices.yaxis.set_major_formatter(FuncFormatter(lambda value, _: price_text(value)))
    volumes.yaxis.set_major_locator(MaxNLocator(2))
    volumes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    places = _label_places(len(snapshot.starts))
    volumes.set_xticks(places, _labels(snapshot, places))


def _limit(prices: Axes, volumes: Axes, snapshot: Snapshot) -> None:
    """Give flat prices and no volume an axis that says so."""
    if min(snapshot.low) == max(snapshot.high):
        half = _reach(snapshot) / 2
        prices.set_ylim(snapshot.close[-1] - half, snapshot.close[-1] + half)
    if not any(volume > 0 for volume in snapshot.volume):
        volumes.set_ylim(0, 1)


def _label_places(count: int) -> list[int]:
    every = max(1, math.ceil(count / 5))
    return list(range(count - 1, -1, -every))[::-1]


def _labels(snapshot: Snapshot, places: list[int]) -> list[str]:
    """Return the time of each place, with the date where a new day begins."""
    moments = [from_ms(snapshot.starts[place]).astimezone(KST) for place in places]
    days = [None, *(moment.date() for moment in moments)]
    return [
        moment.strftime("%H:%M" if moment.date() == before else "%m-%d %H:%M")
        for moment, before in zip(moments, days, strict=False)
    ]


def _short(value: float) -> str:
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= size:
            return f"{value / size:,.3g}{unit}"
    return f"{value:,.3g}"
